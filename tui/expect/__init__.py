"""What earlier answers tell about the one that runs, and what is wrong with it."""
