"""One fix from beginning to end: a server to measure with, the change, the comparison, the undo.

For a command and for a screen alike. Nothing here asks anybody: who calls has asked.
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
from tui.fixes.trial import Trial, TrialProgress, TrialRunner
from tui.fixes.waiting import Waiting, Waits
from tui.fixes.writers import FileWriter
from tui.servers.address import is_local, local_port

ELSEWHERE = "The server is not on this board, so its answers do not show what a change here does."
LOCK_NAME = "npulse doctor"
STOPPED = "Stopped before anything was changed."
NOT_WAITED = "The server was at work on another answer, which was not waited for."
NO_WAITS = Waits()


@dataclass(frozen=True, slots=True)
class FixResult:
    """What a fix did. ``error``: why it was not done, and everything is as it was. ``trial`` is
    None where nothing was measured, and ``unmeasured`` says why."""

    change: Change | None = None
    trial: Trial | None = None
    unmeasured: str = ""
    error: str = ""


@contextmanager
def measuring(folder: Path) -> Iterator[None]:
    """Holds the lock of the benchmarks: neither two fixes at once, nor one beside a benchmark.

    Raises FixError naming who holds it.
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
    waits: Waits = NO_WAITS,
    controls: Controls | None = None,
) -> Connected | str:
    """The server whose answers show what a change of this board does, once it is free, or one
    sentence why there is none. ``controls`` end the wait: see :func:`fix_and_compare`."""
    waiting = Waiting(waits, controls or Controls())
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
    is_here = is_local(server.url) and not server.is_simulated
    if place.key != "/":
        # A tree of a board: its own server is the one that its kernel shows.
        port = local_port(server.url)
        is_here = port is not None and is_listening(Files(place.root), port)
    if is_here:
        return connected
    await connected.client.aclose()
    return ELSEWHERE


def link_to(connected: Connected, place: BoardPlace) -> BoardLink:
    """The sampler of this board, beside its server."""
    return BoardLink(connected.server, None if place.key == "/" else place.root)


async def fix_and_compare(
    applied: Applied,
    connected: Connected | str,
    place: BoardPlace,
    *,
    controls: Controls,
    on_progress: Callable[[TrialProgress], None] = lambda _: None,
) -> FixResult:
    """Do it, and compare answers where that shows something. It is in force afterwards, unless it
    failed or was stopped: then everything is as it was."""
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
        # Ctrl+C: nothing is left half done.
        with suppress(FixError):
            applied.undo()
        raise
    finally:
        board.close()


def _is_stopped(controls: Controls) -> bool:
    """Asked anew each time: somebody may stop it meanwhile."""
    return controls.is_aborted


def _undone_after(applied: Applied, problem: str) -> str:
    try:
        undone = applied.undo()
    except FixError as error:
        return f"{problem} {error} npulse doctor --undo tries again."
    return " ".join((problem, *undone.left))


@dataclass(frozen=True, slots=True)
class KnownChange:
    """A change that was remembered, and how it stands with it."""

    change: Change
    state: ChangeState


def known_changes(memory: ChangeMemory, place: BoardPlace) -> tuple[KnownChange, ...]:
    """The remembered changes of this board, newest first. Those of boards that are no more, such as
    a simulated one, are forgotten. Raises FixError."""
    found = []
    for change in memory.changes()[::-1]:
        if change.root == place.key:
            found.append(KnownChange(change, state_of(change, place)))
        elif _is_gone(change.root):
            memory.forget(change.id)
    return tuple(found)


def _is_gone(root: str) -> bool:
    """Whether there is no such folder; one that this user may not see is none of those."""
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
    """Why a change is not in force any more."""
    change = known.change
    why = {
        "rebooted": "the board has started again since, which put everything back",
        "restored": "everything holds what it held before",
        "overwritten": "somebody else has changed it since; that is left as it is",
        "in force": "",
        "held": "",
    }[known.state]
    return f'"{clean_line(change.title, 80)}" is not in force any more: {why}.'


def undo_change(
    change: Change, place: BoardPlace, writer: FileWriter, memory: ChangeMemory
) -> Undone:
    """Put back what an earlier npulse changed. Raises FixError."""
    return undo(change, place, writer, memory, undo_commands(change.rule))


def fix_of(change: Change) -> Fix:
    """What a remembered change needs to be undone: its paths and commands."""
    writes = tuple(FileWrite(file.path, file.after, file.kind) for file in change.files)
    commands = undo_commands(change.rule)
    return Fix(change.rule, change.title, writes, commands=commands, undo_commands=commands)
