"""The steps of a fix: find a server to measure with, change, compare, undo.

For the command and the screen. The caller asks the user for confirmation.
"""

from __future__ import annotations

import asyncio
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tui.bench.model.options import Options
from tui.bench.run.board_link import BoardLink
from tui.bench.run.connect import Connected, SetupError, connect
from tui.bench.store.controls import Controls
from tui.bench.store.runs import Lock, RunError
from tui.board.advice.fixes import undo_commands
from tui.board.readers.files import Files
from tui.board.readers.server_search import is_listening
from tui.core.board.fix import FileWrite, Fix
from tui.core.text.sanitize import clean_line
from tui.fixes.applying import Applied, Undone, undo
from tui.fixes.change import BoardPlace, Change, ChangeMemory, ChangeState, FixError, state_of
from tui.fixes.idle_wait import IdleWait, WaitOptions
from tui.fixes.trial import Trial, TrialProgress, TrialRunner
from tui.fixes.writers import FileWriter
from tui.servers.address import local_port

ELSEWHERE = "The server is not on this board, so its answers do not show what a change here does."
LOCK_NAME = "npulse doctor"
STOPPED = "Stopped before anything was changed."
NOT_WAITED = "The server was busy with another answer, and npulse did not wait for its end."
NO_WAITS = WaitOptions()


@dataclass(frozen=True, slots=True)
class FixResult:
    """Result of a fix. ``error``: why it was not applied; then nothing has changed. ``trial`` is
    None if nothing was measured, for the reason ``unmeasured``."""

    change: Change | None = None
    trial: Trial | None = None
    unmeasured: str = ""
    error: str = ""


@contextmanager
def measuring(folder: Path) -> Iterator[None]:
    """Hold the lock of benchmarks, so that no other fix and no benchmark runs at the same time.

    Raises FixError, which names its holder.
    """
    lock = Lock(folder)
    try:
        lock.take(LOCK_NAME)
    except RunError as error:
        raise FixError(f"Not now: {error}.") from None
    try:
        yield
    finally:
        lock.release()


async def server_of_board(
    options: Options,
    place: BoardPlace,
    waits: WaitOptions = NO_WAITS,
    controls: Controls | None = None,
) -> Connected | str:
    """The server on this board, once it is idle, or a sentence why there is none. An abort by
    ``controls`` ends the wait (:func:`fix_and_compare`)."""
    waiting = IdleWait(waits, controls or Controls())
    await waiting.for_own_answer()
    found = await waiting.unless_stopped(_found(options, place, waiting.say))
    if isinstance(found, Connected):
        board = link_to(found, place)
        try:
            await waiting.for_others(found, board)
        finally:
            board.close()
    waiting.say(None)
    if waiting.is_hurried:
        if isinstance(found, Connected):
            await found.client.aclose()
        return NOT_WAITED
    return STOPPED if found is None else found


async def _found(
    options: Options, place: BoardPlace, on_wait: Callable[[str], None]
) -> Connected | str:
    try:
        connected = await connect(options, on_wait)
    except SetupError as error:
        return error.sentence
    server = connected.server
    is_here = server.is_on_this_machine
    if place.key != "/":
        # With another root, the board's own server is the one that listens in its /proc.
        port = local_port(server.url)
        is_here = port is not None and is_listening(Files(place.root), port)
    if is_here:
        return connected
    await connected.client.aclose()
    return ELSEWHERE


def link_to(connected: Connected, place: BoardPlace) -> BoardLink:
    """The sampler of this board."""
    return BoardLink(connected.server, None if place.key == "/" else place.root)


async def fix_and_compare(
    applied: Applied,
    connected: Connected | str,
    place: BoardPlace,
    *,
    controls: Controls,
    on_progress: Callable[[TrialProgress], None] = lambda _: None,
) -> FixResult:
    """Apply the fix, and compare answers if it can be measured. Afterwards it is in force, unless
    it failed or was stopped: then nothing has changed."""
    if _is_stopped(controls):
        return FixResult(error=STOPPED)
    fix = applied.fix
    if isinstance(connected, str) or fix.measured_by is None:
        try:
            change = await asyncio.to_thread(applied.apply)
        except FixError as error:
            return FixResult(error=str(error))
        why = connected if isinstance(connected, str) else ""
        return FixResult(change, unmeasured=why if fix.measured_by else fix.note or why)
    board = link_to(connected, place)
    try:
        runner = TrialRunner(
            connected,
            board,
            measured_by=fix.measured_by,
            controls=controls,
            on_progress=on_progress,
        )
        silent = await runner.warm_up()
        if _is_stopped(controls):
            return FixResult(error=STOPPED)
        change = await asyncio.to_thread(applied.apply)
        if silent is not None:
            return FixResult(change, unmeasured=silent)
        trial = await runner.run(lambda is_after: applied.switch(is_after=is_after))
        if _is_stopped(controls):
            await asyncio.to_thread(applied.undo)
            return FixResult(error="The comparison was stopped; everything is as it was before.")
        if trial.row is None:
            await asyncio.to_thread(applied.switch, is_after=True)
        return FixResult(change, trial)
    except FixError as error:
        return FixResult(error=await asyncio.to_thread(_undone_after, applied, str(error)))
    except BaseException:
        # Also on Ctrl+C, nothing may be left half done.
        with suppress(FixError):
            applied.undo()
        raise
    finally:
        board.close()


def _is_stopped(controls: Controls) -> bool:
    """Whether the user stopped it. A function, as the flag may change at any time."""
    return controls.is_aborted


def _undone_after(applied: Applied, problem: str) -> str:
    try:
        undone = applied.undo()
    except FixError as error:
        return f"{problem} {error} npulse doctor --undo tries again."
    return " ".join((problem, *undone.left))


@dataclass(frozen=True, slots=True)
class KnownChange:
    """A stored change and its present state."""

    change: Change
    state: ChangeState


def known_changes(memory: ChangeMemory, place: BoardPlace) -> tuple[KnownChange, ...]:
    """The stored changes of this board, newest first. Deletes records of boards that no longer
    exist, such as simulated ones. Raises FixError."""
    found = []
    for change in memory.changes()[::-1]:
        if change.root == place.key:
            found.append(KnownChange(change, state_of(change, place)))
        elif _is_gone(change.root):
            memory.forget(change.id)
    return tuple(found)


def _is_gone(root: str) -> bool:
    """Whether a folder does not exist; False if this user may not see it."""
    try:
        return not stat.S_ISDIR(os.stat(root).st_mode)  # noqa: PTH116 - is_dir raises some of these
    except PermissionError:
        return False
    except (OSError, ValueError):
        return True


def in_force(memory: ChangeMemory, place: BoardPlace) -> tuple[tuple[Change, ...], tuple[str, ...]]:
    """The changes that are in force, newest first, and a sentence for each other one: it is held
    while a benchmark runs, or over, and forgotten with that. Raises FixError."""
    kept, said = [], []
    for known in known_changes(memory, place):
        if known.state == "in force":
            kept.append(known.change)
            continue
        if known.state == "held":
            said.append(held_words(known.change))
            continue
        if memory.forget(known.change.id):
            said.append(over_words(known))
    return tuple(kept), tuple(said)


def held_words(change: Change) -> str:
    """Who puts it back."""
    pid = "?" if change.holder is None else change.holder.pid
    title = clean_line(change.title, 80)
    return f'"{title}" is in force while a benchmark (pid {pid}) runs, which puts it back.'


def over_words(known: KnownChange) -> str:
    """A sentence why a change is no longer in force."""
    change = known.change
    why = {
        "rebooted": "the board was rebooted since, which restored everything",
        "restored": "everything is as it was before",
        "overwritten": "another program has changed it since; that is left as it is",
        "in force": "",
        "held": "",
    }[known.state]
    return f'"{clean_line(change.title, 80)}" is no longer in force: {why}.'


def undo_change(
    change: Change, place: BoardPlace, writer: FileWriter, memory: ChangeMemory
) -> Undone:
    """Undo a change that an earlier npulse process made. Raises FixError."""
    return undo(change, place, writer, memory, undo_commands(change.rule))


def fix_of(change: Change) -> Fix:
    """The fix of a stored change, with the paths and commands to undo it."""
    writes = tuple(FileWrite(file.path, file.after, file.kind) for file in change.files)
    commands = undo_commands(change.rule)
    return Fix(change.rule, change.title, writes, commands=commands, undo_commands=commands)
