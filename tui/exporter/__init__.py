"""Metrics of board, server and answers for Prometheus and OpenTelemetry.

Base units, ``npulse_`` in front of every name. A value that is not known is a series that is not
there, never a zero.
"""
