"""The commands of a simulated board: for its own files, never for those of this machine."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from tui.core.board.finding import Command, Finding

_TEE = " | sudo tee /"


def commands_below(findings: Sequence[Finding], root: Path) -> tuple[Finding, ...]:
    """The same findings; what they write goes to the files below ``root``, which takes no sudo. The
    simulated board follows, so that the command shows what it does to the speed."""
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
