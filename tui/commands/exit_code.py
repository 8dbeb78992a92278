"""The exit codes of every command."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """Which of them a command can end with is in its own ``--help``."""

    OK = 0
    FAILED = 1
    """A threshold or a check failed, something needs attention, or it could not start."""
    USAGE = 2
    GATE = 3
    """A gate of the benchmark refused."""
    INCOMPLETE = 4
    """An answer or an action that did not succeed, or output that could not be written."""
    UNREACHABLE = 5
    """No server was reached, or its model did not load."""
    NOT_COMPARABLE = 6
    STOPPED = 130
    """Interrupted; what was there by then is kept."""
