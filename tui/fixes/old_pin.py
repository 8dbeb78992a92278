"""Reads the record of governors that an older npulse set for a benchmark.

Format: ``pinned.json`` in the runs folder, ``{"pid": N, "governors": {PATH: GOVERNOR}}``.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from tui.core.process import is_running
from tui.fixes.change import (
    PIN_RULE,
    PIN_TITLE,
    BoardPlace,
    Change,
    ChangedFile,
    is_believable,
)

FILE = "pinned.json"
MAX_BYTES = 1 << 16
AFTER = "performance"
TOP = "/sys/"
"""Start of the path on the board; what precedes it is the root of the board's files."""


class _OldPin(msgspec.Struct, frozen=True):
    pid: int
    governors: dict[str, str]


def old_pin(data: bytes, time_s: float) -> Change | None:
    """The file's content as a :class:`Change`. None if its run is still running, or if ``data`` is
    not such a record."""
    try:
        old = msgspec.json.decode(data, type=_OldPin)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    roots = {path.rpartition(TOP)[0] for path in old.governors}
    if len(roots) != 1 or is_running(old.pid):
        return None
    root = roots.pop() or "/"
    change = Change(
        id=f"pin-{old.pid}-{time_s:.0f}",
        rule=PIN_RULE,
        title=PIN_TITLE,
        root=root,
        boot_id=BoardPlace(Path(root)).boot_id(),
        time_s=time_s,
        files=tuple(
            ChangedFile(path=TOP + path.rpartition(TOP)[2], before=before, after=AFTER)
            for path, before in old.governors.items()
            if before != AFTER
        ),
    )
    return change if change.files and is_believable(change) else None
