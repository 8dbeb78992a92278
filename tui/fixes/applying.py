"""Applies a fix and undoes it. It is recorded before it is written; an error restores
everything."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from tui.core.board.fix import Fix
from tui.core.text.sanitize import clean_line
from tui.fixes.change import (
    BoardPlace,
    Change,
    ChangedFile,
    ChangeMemory,
    FixError,
    new_change,
)
from tui.fixes.writers import FileWriter, write_error
from tui.history.writer_process import WriterProcess


@dataclass(frozen=True, slots=True)
class Undone:
    """What undoing a change did, one sentence per file. ``left``: files that were not changed, as
    another program has changed them since."""

    restored: tuple[str, ...] = ()
    left: tuple[str, ...] = ()


class Applied:
    """One fix: :meth:`apply` it, :meth:`switch` it as often as needed, :meth:`undo` it.

    ``holder``: the process that undoes the fix when it ends. The methods block while they write.
    """

    def __init__(
        self,
        fix: Fix,
        place: BoardPlace,
        writer: FileWriter,
        memory: ChangeMemory,
        holder: WriterProcess | None = None,
    ) -> None:
        self.fix = fix
        self._holder = holder
        self.change: Change | None = None
        self._place = place
        self._writer = writer
        self._memory = memory

    def apply(self) -> Change:
        """Record the change, then write it. On an error, restores everything and raises
        FixError."""
        change = new_change(self.fix, self._place, self._holder)
        self._memory.remember(change)
        self.change = change
        try:
            write_all(change, self._place, self._writer, is_after=True)
            for command in self.fix.commands:
                self._writer.run(command)
        except BaseException:
            # BaseException for Ctrl+C. A change that cannot be undone stays recorded.
            self._put_back(change)
            raise
        return change

    def _put_back(self, change: Change) -> None:
        with suppress(FixError):
            undo(change, self._place, self._writer, self._memory)
            self.change = None

    def switch(self, *, is_after: bool) -> None:
        """Write the fix's values, or those before it. Raises FixError."""
        if self.change is not None:
            write_all(self.change, self._place, self._writer, is_after=is_after)

    def undo(self) -> Undone:
        """Restore the values before the fix, and delete its record. Raises FixError."""
        if self.change is None:
            return Undone()
        done = undo(self.change, self._place, self._writer, self._memory, self.fix.undo_commands)
        self.change = None
        return done


def write_all(change: Change, place: BoardPlace, writer: FileWriter, *, is_after: bool) -> None:
    """Write all files of a change that do not hold the value yet.

    Raises FixError, also if the kernel accepts a value but shows another one, and if another
    program has changed a file since.
    """
    files = change.files if is_after else change.files[::-1]
    for file in files:
        value = file.after if is_after else file.before
        if file.kind == "by command" or place.holds(file, value):
            continue
        if not place.holds(file, file.before if is_after else file.after):
            now = clean_line(str(place.read(file.path, file.kind)), 60)
            raise FixError(f"{file.path} is {now} now: another program has changed it.")
        _write(file, value, place, writer)


def _problem(file: ChangedFile, place: BoardPlace, writer: FileWriter) -> FixError | None:
    """A sentence why an earlier value cannot be restored; None if it can."""
    try:
        _write(file, file.before, place, writer)
    except FixError as error:
        return error
    return None


def _write(file: ChangedFile, value: str | None, place: BoardPlace, writer: FileWriter) -> None:
    """Write a file. Raises FixError, also if it has another value afterwards."""
    writer.write(file.path, value, file.kind)
    if not place.holds(file, value):
        shown = place.read(file.path, file.kind)
        raise write_error(file.path, value, f"the kernel keeps it at {shown}")


def undo(
    change: Change,
    place: BoardPlace,
    writer: FileWriter,
    memory: ChangeMemory,
    commands: Sequence[Sequence[str]] = (),
) -> Undone:
    """Restore each file that still holds npulse's value. Files that another program has changed
    since are left as they are.

    Raises FixError if a file cannot be written; the others are restored, and the record is kept.
    """
    ours = [file for file in change.files if place.holds(file, file.after)]
    others = [
        file for file in change.files if file not in ours and not place.holds(file, file.before)
    ]
    mine = [file for file in ours if file.before != file.after]
    problems = [_problem(file, place, writer) for file in mine[::-1] if file.kind != "by command"]
    for problem in filter(None, problems):
        raise problem
    if mine:
        for command in commands:
            writer.run(command)
    memory.forget(change.id)
    return Undone(
        tuple(_restored(file) for file in mine), tuple(_left(file, place) for file in others)
    )


def _restored(file: ChangedFile) -> str:
    if file.before is None:
        return f"{file.path} is removed."
    if file.kind != "kernel":
        return f"{file.path} is as it was."
    return f"{file.path} is {file.before} again."


def _left(file: ChangedFile, place: BoardPlace) -> str:
    now = place.read(file.path, file.kind)
    if file.kind != "kernel":
        return f"{file.path} was changed by another program since; it is left as it is."
    return (
        f"{file.path} is {now or 'empty'} now, which npulse did not write: another program has "
        f"changed it since. It is left as it is; before the fix it was {file.before}."
    )
