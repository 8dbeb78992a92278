"""The record of a change that npulse made to a board: what stood there before, and what stands now.

It is on the disk before the first file is written, and goes when all of it is put back.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
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
"""Of the change that a benchmark makes for its own time. No finding has that name."""

ChangeState = Literal["in force", "held", "restored", "rebooted", "overwritten"]
"""in force: at least one file holds what npulse wrote. held: a process that still runs has made it
for as long as it runs. restored: all hold what was there before. rebooted: the board has started
again since, which forgets values of the kernel. overwritten: what stands there is neither."""


class FixError(Exception):
    """A change that could not be made or undone; the message is one sentence with the way out."""


class ChangedFile(msgspec.Struct, frozen=True, kw_only=True):
    """One file. ``before`` is None where it was not there."""

    path: str
    before: str | None
    after: str
    kind: FileKind = "kernel"


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One fix that was done. ``time_s`` is the wall clock's, in seconds since 1970.

    ``holder`` is the process that puts it back at its end; None where it stays until it is undone.
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
        """Whether it outlives a reboot."""
        return any(file.kind != "kernel" for file in self.files)


class ChangeMemory(Protocol):
    """Where changes are remembered until they are undone."""

    def changes(self) -> tuple[Change, ...]:
        """All of them, oldest first. Raises FixError where they cannot be read."""

    def remember(self, change: Change) -> None:
        """Raises FixError where that is not possible."""

    def forget(self, change_id: str) -> bool:
        """False where it is remembered for root, who alone can forget it. Raises FixError where
        that is not possible."""


@dataclass(frozen=True, slots=True)
class BoardPlace:
    """The board whose files are below ``root``."""

    root: Path

    @property
    def key(self) -> str:
        """What a change calls this board."""
        return str(self.root.resolve())

    def boot_id(self) -> str:
        """Of the board's present boot; empty where it does not say."""
        return self.read(BOOT_ID) or ""

    def read(self, path: str, kind: FileKind = "kernel") -> str | None:
        """What a file holds; of the kernel's without white space. None where it is not there or
        cannot be read."""
        try:
            data = Files(self.root).read_once(path, MAX_BYTES)
        except OSError:
            return None
        text = data.decode("utf-8", "replace")
        return text.strip() if kind == "kernel" else text

    def holds(self, file: ChangedFile, value: str | None) -> bool:
        """Whether that is what the file holds now."""
        return self.read(file.path, file.kind) == value


def new_change(
    fix: Fix,
    place: BoardPlace,
    holder: WriterProcess | None = None,
    wall_s: Callable[[], float] = time.time,
) -> Change:
    """What the board holds now, and what the fix makes of it. Raises FixError where a file of the
    kernel that would be written cannot be read: its value could not be put back."""
    files = []
    for write in fix.writes:
        before = place.read(write.path, write.kind)
        if before is None and write.kind == "kernel":
            raise FixError(f"{write.path} cannot be read, so it could not be put back.")
        if write.kind != "by command" and not (
            is_known(write.path, write.value, write.kind)
            and is_known(write.path, before, write.kind)
        ):
            shown = clean_line(str(before), 60)
            raise FixError(f"{write.path} holds {shown}, which npulse could not put back.")
        files.append(
            ChangedFile(path=write.path, before=before, after=write.value, kind=write.kind)
        )
    return Change(
        id=secrets.token_hex(4),
        rule=fix.rule,
        title=fix.title,
        root=place.key,
        boot_id=place.boot_id(),
        time_s=wall_s(),
        files=tuple(files),
        holder=holder,
    )


def state_of(change: Change, place: BoardPlace) -> ChangeState:
    """How it stands with a change of this board."""
    if not change.is_lasting and change.boot_id != place.boot_id():
        return "rebooted"
    if change.holder is not None and change.holder.is_alive:
        return "held"
    if any(place.holds(file, file.after) for file in change.files):
        return "in force"
    is_restored = all(place.holds(file, file.before) for file in change.files)
    return "restored" if is_restored else "overwritten"


def is_believable(change: Change) -> bool:
    """Whether that can be a change of npulse: what it names is written with the rights of root."""
    return all(_is_believable(file) for file in change.files) and change.root.startswith("/")


def _is_believable(file: ChangedFile) -> bool:
    if file.kind == "by command":
        return file.path == UNIT_PATH
    return all(is_known(file.path, value, file.kind) for value in (file.before, file.after))
