"""Reading the board: /proc and /sys below an injected root, without root rights and without forks.

One small reader per subsystem turns files into readings; :mod:`tui.board.sampler` runs them at
their rates and hands out snapshots. What cannot be read is a reading with a reason.
"""
