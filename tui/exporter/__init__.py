"""What npulse measures, for Prometheus and OpenTelemetry: board, server and answers.

Base units, ``npulse_`` in front of every name. A value that is not known is a series that is not
there, never a zero.
"""
