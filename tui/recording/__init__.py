"""Recordings of answers: a file of JSON lines with tokens, times, numbers and the board."""
