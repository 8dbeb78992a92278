"""The costs of npulse, as whole-process figures from a real pty: ``python -m benchmarks``.

The simulator and the program run as processes of their own; this package drives them as a person
at a terminal does, and reads the clocks, the bytes and the screen from outside.
"""
