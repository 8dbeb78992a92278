"""Reads the numbers that librkllmrt logs for each answer, and matches them to the answer."""
