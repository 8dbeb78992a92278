"""The simulated board: a process that answers like a server on a real board, at the same speed.

It is the demo, and the instrument that npulse is measured with: tokens leave on an absolute
schedule, and a log says when each one did. Nothing here is imported by the rest of npulse except
:mod:`tui.sim.server.spawn`, which starts it.
"""
