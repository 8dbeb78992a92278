"""Reads what librkllmrt logs about each answer, and matches it to the answer."""
