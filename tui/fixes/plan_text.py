"""Describes what a fix would do, for the confirmation in the command and on the screen."""

from __future__ import annotations

import shlex
import shutil
import time

from tui.core.board.fix import Fix
from tui.core.text.sanitize import clean_line
from tui.fixes.change import PIN_RULE, BoardPlace, Change, ChangedFile

BY_SUDO = "sudo asks for your password in this terminal"
WITHOUT_SUDO = "only root may do this, and there is no sudo here: run npulse as root"
MEASURES = {
    "decode_tps": "Then eight short answers are compared, before and after in turn: 20 to 30 s.",
    "prefill_tps": "Then eight prompts are compared, alternately before and after: 20 to 30 s.",
}


def plan_lines(fix: Fix, place: BoardPlace, *, is_by_sudo: bool) -> list[tuple[str, str]]:
    """What would be written, run and restored: (label, text) per line."""
    files = [
        ChangedFile(
            path=write.path,
            before=place.read(write.path, write.kind),
            after=write.value,
            kind=write.kind,
        )
        for write in fix.writes
    ]
    lines = [line for file in files for line in _written(file)]
    lines += [("runs", shlex.join(command)) for command in fix.commands]
    lines += [line for file in files for line in _put_back(file)]
    lines += [("undo runs", shlex.join(command)) for command in fix.undo_commands]
    if is_by_sudo:
        lines.append(("as root", BY_SUDO if shutil.which("sudo") else WITHOUT_SUDO))
    return [(name, clean_line(text, 400)) for name, text in lines]


def effect_lines(fix: Fix, *, can_measure: bool = True) -> list[str]:
    """Sentences on how long the fix lasts, how it is measured, and its note."""
    lasts = "It stays until it is undone." if fix.is_lasting else "A reboot undoes it too."
    measure = MEASURES[fix.measured_by] if fix.measured_by is not None and can_measure else ""
    return [line for line in (lasts, measure, clean_line(fix.note, 300)) if line]


def _written(file: ChangedFile) -> list[tuple[str, str]]:
    if file.kind == "by command":
        return []
    if file.kind == "config":
        return [("makes", file.path), *(("", f"| {text}") for text in file.after.splitlines())]
    return [("writes", f"{file.path}: {file.before or 'unreadable'} -> {file.after}")]


def _put_back(file: ChangedFile) -> list[tuple[str, str]]:
    if file.kind == "by command":
        return []
    if file.before is None:
        return [("undo", f"removes {file.path}")]
    if file.kind == "config":
        return [("undo", f"restores {file.path}")]
    return [("undo", f"{file.path}: {file.after} -> {file.before}")]


def undo_lines(change: Change) -> list[tuple[str, str]]:
    """What undoing a change would do: a word and its text."""
    lines = []
    for file in change.files:
        is_by_command = file.kind == "by command"
        lines += [("undo", f"removes {file.path}")] if is_by_command else _put_back(file)
    return [(name, clean_line(text, 400)) for name, text in lines]


def since(change: Change) -> str:
    """When it was made, in local time: ``14:03`` today, else with the date."""
    try:
        made, now = time.localtime(change.time_s), time.localtime()
    except (OverflowError, ValueError, OSError):
        return "an unknown time"
    is_today = made[:3] == now[:3]
    return time.strftime("%H:%M" if is_today else "%Y-%m-%d %H:%M", made)


def in_force_words(change: Change) -> str:
    """A text such as ``"keep the memory at its highest clock" is in force since 14:03``."""
    why = ": that benchmark was killed" if change.rule == PIN_RULE else ""
    return f'"{clean_line(change.title, 80)}" is in force since {since(change)}{why}'
