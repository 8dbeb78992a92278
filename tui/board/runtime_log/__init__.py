"""What librkllmrt prints about each answer: found, read, matched to the answer it belongs to."""
