"""A real terminal for tests and benchmarks: a pty, a screen, and a record of every byte."""
