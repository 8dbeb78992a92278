"""The simulated board: a process that answers like a server on a real board, at the same speed.

It serves as the demo and as the reference for npulse's measurements: tokens are sent on an absolute
schedule, and a log records when each was sent. The rest of npulse imports only
:mod:`tui.sim.server.spawn`, which starts it.
"""
