"""Commands for a simulated board: they write its files, never those of this machine."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from tui.core.board.finding import Command, Finding

_TEE = " | sudo tee /"


def commands_below(findings: Sequence[Finding], root: Path) -> tuple[Finding, ...]:
    """The findings with commands that write below ``root``, without sudo. The simulator reads those
    files, so that a command changes its speed as it would on a board."""
    return tuple(
        finding
        if finding.command is None
        else replace(finding, command=_below(finding.command, root))
        for finding in findings
    )


def _below(command: Command, root: Path) -> Command:
    said, is_tee, paths = command.partition(_TEE)
    if not is_tee:
        return command
    own = (shlex.quote(f"{root}{path}") for path in f"/{paths}".split(" "))
    return Command(f"{said} | tee {' '.join(own)}")
