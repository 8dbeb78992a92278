"""The record of a change that npulse made to a board: the values before it and after it.

It is stored before the first file is written, and deleted when everything is restored.
"""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

import msgspec

from tui.board.advice.access import UNIT_PATH
from tui.board.advice.root_writer import is_known
from tui.board.readers.files import Files
from tui.core.board.fix import FileKind, Fix
from tui.core.text.sanitize import clean_line
from tui.history.writer_process import WriterProcess

BOOT_ID = "/proc/sys/kernel/random/boot_id"
MAX_BYTES = 4096
PIN_RULE = "pin"
PIN_TITLE = "hold every governor at performance for a benchmark"
"""Rule and title of the change that lasts only for a benchmark. No finding has this name."""

ChangeState = Literal["in force", "held", "restored", "rebooted", "overwritten"]
"""in force: at least one file holds npulse's value. held: as "in force", but a running process will
undo it at its end. restored: all files hold the earlier values. rebooted: the board was rebooted
since, which resets kernel values. overwritten: a file holds a third value."""


class FixError(Exception):
    """A change could not be made or undone. The message is one sentence for the user."""


class ChangedFile(msgspec.Struct, frozen=True, kw_only=True):
    """One file with its values before and after; ``before`` is None if it did not exist."""

    path: str
    before: str | None
    after: str
    kind: FileKind = "kernel"


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One applied fix. ``time_s``: when, in seconds since 1970 (wall clock).

    ``holder``: the process that undoes it at its end; None if it stays until it is undone.
    """

    id: str
    rule: str
    title: str
    root: str
    boot_id: str
    time_s: float
    files: tuple[ChangedFile, ...]
    holder: WriterProcess | None = None

    @property
    def is_lasting(self) -> bool:
        """Whether the change stays after a reboot."""
        return any(file.kind != "kernel" for file in self.files)


class ChangeMemory(Protocol):
    """Store of changes until they are undone; :class:`tui.settings.board_changes.BoardChanges`.

    A Protocol, as the folders of settings are above this package.
    """

    def changes(self) -> tuple[Change, ...]:
        """All stored changes, oldest first. Raises FixError."""

    def remember(self, change: Change) -> None:
        """Store a change. Raises FixError if that is not possible."""

    def forget(self, change_id: str) -> bool:
        """Delete a stored change. False if root has stored it, as only root can delete it then.
        Raises FixError if that is not possible."""


@dataclass(frozen=True, slots=True)
class BoardPlace:
    """The board whose files are below ``root``."""

    root: Path

    @property
    def key(self) -> str:
        """The board's identifier in :class:`Change`: its root directory."""
        return str(self.root.resolve())

    def boot_id(self) -> str:
        """Id of the board's present boot; empty if unknown."""
        return self.read(BOOT_ID) or ""

    def read(self, path: str, kind: FileKind = "kernel") -> str | None:
        """The content of a file, for the kernel's without white space around it; None if it does
        not exist or cannot be read."""
        try:
            data = Files(self.root).read_once(path, MAX_BYTES)
        except OSError:
            return None
        text = data.decode("utf-8", "replace")
        return text.strip() if kind == "kernel" else text

    def holds(self, file: ChangedFile, value: str | None) -> bool:
        """Whether the file holds this value now."""
        return self.read(file.path, file.kind) == value


def new_change(
    fix: Fix,
    place: BoardPlace,
    holder: WriterProcess | None = None,
) -> Change:
    """The record of a fix, with the board's present values. Raises FixError for a value that cannot
    be read, or that npulse could not restore."""
    files = []
    for write in fix.writes:
        before = place.read(write.path, write.kind)
        if before is None and write.kind == "kernel":
            raise FixError(f"{write.path} cannot be read, so it could not be restored.")
        if write.kind != "by command" and not (
            is_known(write.path, write.value, write.kind)
            and is_known(write.path, before, write.kind)
        ):
            shown = clean_line(str(before), 60)
            raise FixError(f"{write.path} is {shown}, which npulse could not restore.")
        files.append(
            ChangedFile(path=write.path, before=before, after=write.value, kind=write.kind)
        )
    return Change(
        id=secrets.token_hex(4),
        rule=fix.rule,
        title=fix.title,
        root=place.key,
        boot_id=place.boot_id(),
        time_s=time.time(),
        files=tuple(files),
        holder=holder,
    )


def state_of(change: Change, place: BoardPlace) -> ChangeState:
    """The present state of a change of this board."""
    if not change.is_lasting and change.boot_id != place.boot_id():
        return "rebooted"
    if change.holder is not None and change.holder.is_alive:
        return "held"
    if any(place.holds(file, file.after) for file in change.files):
        return "in force"
    is_restored = all(place.holds(file, file.before) for file in change.files)
    return "restored" if is_restored else "overwritten"


def is_believable(change: Change) -> bool:
    """Whether a stored record can be a change of npulse; checked, as its files are written as
    root."""
    return all(_is_believable(file) for file in change.files) and change.root.startswith("/")


def _is_believable(file: ChangedFile) -> bool:
    if file.kind == "by command":
        return file.path == UNIT_PATH
    return all(is_known(file.path, value, file.kind) for value in (file.before, file.after))
