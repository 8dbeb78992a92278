"""The timeline of an answer: tokens, text and board on one time axis."""
