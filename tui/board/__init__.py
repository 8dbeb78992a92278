"""Board readings from /proc and /sys below a root directory, as an unprivileged user, no forks.

One small reader per subsystem turns files into readings. :mod:`tui.board.sampler` runs the readers
at their rates and returns snapshots. A value that cannot be read is a reading with a reason.
"""
