"""``npulse doctor --fix`` and ``--undo``: ask, apply fixes, compare answers, and undo."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from tui.bench.model.options import Options
from tui.bench.store.controls import Controls
from tui.bench.store.folder import default_folder
from tui.board.advice.report import write_out
from tui.commands.doctor_look import Seen, look_at_board
from tui.commands.exit_code import ExitCode
from tui.commands.parser import complain, refused
from tui.core.board.fix import Fix
from tui.core.text.sanitize import clean, clean_line
from tui.files.private import create_private
from tui.fixes.applying import Applied, Undone
from tui.fixes.card import Card, card_of, markdown, svg
from tui.fixes.change import BoardPlace, Change, FixError
from tui.fixes.idle_wait import WaitOptions
from tui.fixes.plan_text import effect_lines, in_force_words, plan_lines, undo_lines
from tui.fixes.session import (
    FixResult,
    fix_and_compare,
    fix_of,
    in_force,
    known_changes,
    measuring,
    server_of_board,
    undo_change,
)
from tui.fixes.trial import TrialProgress
from tui.fixes.writers import needs_root, open_writer
from tui.settings.board_changes import BoardChanges
from tui.settings.config import ConfigError, config_paths, load
from tui.settings.history_options import history_file
from tui.settings.server_options import server_access, server_urls
from tui.settings.state import remembered_servers

COMMAND = "npulse doctor"
NO_TERMINAL = (
    "Nothing was changed: there is no terminal to ask in. --yes changes without a question, "
    "--dry-run only shows it."
)
CARD_MAKERS = {".md": markdown, ".svg": svg}


def run(options: argparse.Namespace) -> int:
    """The command; returns its exit code."""
    place, memory = BoardPlace(options.root), BoardChanges()
    problem = _usage_problem(options)
    if problem is not None:
        return refused(COMMAND, problem)
    try:
        kept, said = in_force(memory, place)
    except FixError as error:
        complain(COMMAND, str(error))
        if options.undo:
            return ExitCode.FAILED
        kept, said = (), ()
    for sentence in said:
        _say(sentence)
    try:
        if options.undo:
            return _undo(options, place, memory, kept)
        for change in kept:
            _say(f"{in_force_words(change)}; npulse doctor --undo puts it back.")
        made = server_options(options)
    except (FixError, ConfigError, ValueError) as error:
        return refused(COMMAND, str(error), ExitCode.FAILED)
    try:
        return _fix(options, place, memory, made)
    except FixError as error:
        return refused(COMMAND, str(error), ExitCode.FAILED)
    except KeyboardInterrupt:
        _say("\nStopped. What was being tried is as it was before.")
        return ExitCode.STOPPED


def server_options(options: argparse.Namespace) -> Options:
    """Where the server is, as configured. Raises ConfigError and ValueError."""
    config = load(config_paths(options.config), os.environ, {"server.url": options.url})
    section = config.settings.server
    return Options(
        folder=default_folder(),
        urls=server_urls(section),
        access=server_access(section, options.api_key),
        model=section.model or None,
        remembered=remembered_servers(),
    )


def _usage_problem(options: argparse.Namespace) -> str | None:
    card: Path | None = options.card
    if options.json:
        return "--json shows what was found; --fix and --undo speak to a person"
    if card is None:
        return None
    if options.undo:
        return "--card goes with --fix: it shows what a fix did"
    if card.suffix.lower() not in CARD_MAKERS:
        return f"--card takes a file that ends in .md or .svg, not {card.name}"
    if card.exists():
        return f"{card} is there already; --card writes a new file"
    return None


# Fixing ------------------------------------------------------------------------------------------


def _fix(
    options: argparse.Namespace, place: BoardPlace, memory: BoardChanges, made: Options
) -> int:
    _say("Looking at the board, while its server answers if there is one ...")
    seen = asyncio.run(look_at_board(made, place, _waits()))
    fixes = [fix for fix in seen.fixes if options.rule in (None, fix.rule)]
    for finding in seen.findings:
        if finding.fix is None:
            found = f"{clean_line(finding.title, 120)}: {clean_line(finding.evidence, 300)}"
            advice = finding.command or finding.advice
            what = f" ({clean_line(advice, 200)})" if advice else ""
            _say(f"Not fixed by npulse: {found}{what}")
    if not fixes:
        what = f" called {clean_line(options.rule, 40)}" if options.rule else ""
        _say(f"Nothing{what} was found that npulse can fix.")
        return ExitCode.OK
    _say(f"{len(fixes)} {'thing' if len(fixes) == 1 else 'things'} can be fixed.")
    can_ask = sys.stdin.isatty()
    is_done = True
    for number, fix in enumerate(fixes, 1):
        _show(number, fix, seen, place)
        if options.dry_run:
            continue
        if not (options.yes or can_ask):
            is_done = False
            continue
        if options.yes or _is_yes("Change it?", default=False):
            is_done &= _do(options, fix, seen, place, memory, made)
    if options.dry_run:
        _say("\nNothing was changed: this was only shown.")
    elif not (options.yes or can_ask):
        _say(f"\n{NO_TERMINAL}")
    return ExitCode.OK if is_done else ExitCode.FAILED


def _show(number: int, fix: Fix, seen: Seen, place: BoardPlace) -> None:
    finding = next((finding for finding in seen.findings if finding.fix == fix), None)
    _say(f"\n{number}. {clean_line(fix.title, 120)}")
    if finding is not None:
        _say(f"   found     {clean_line(finding.evidence, 300)}")
    for name, text in plan_lines(fix, place, is_by_sudo=needs_root(fix, place)):
        _say(f"   {name:<9} {text}")
    for line in effect_lines(fix, can_measure=not seen.unmeasured):
        _say(f"   {line}")
    if seen.unmeasured and fix.measured_by is not None:
        _say(f"   Not measured: {clean_line(seen.unmeasured, 300)}")


def _do(
    options: argparse.Namespace,
    fix: Fix,
    seen: Seen,
    place: BoardPlace,
    memory: BoardChanges,
    made: Options,
) -> bool:
    """Apply one fix, show the result, and undo it if the user does not want to keep it."""
    progress = _Progress()
    with measuring(made.folder):
        paths = [write.path for write in fix.writes]
        writer = open_writer(paths, place, is_by_sudo=needs_root(fix, place))
        try:
            applied = Applied(fix, place, writer, memory)
            result = asyncio.run(_compared(applied, seen, place, made, progress))
            progress.end()
            if result.error:
                complain(COMMAND, result.error)
                return False
            return _judge(options, applied, result, seen)
        finally:
            writer.close()


async def _compared(
    applied: Applied, seen: Seen, place: BoardPlace, made: Options, progress: _Progress
) -> FixResult:
    found = seen.unmeasured or await server_of_board(made, place, _waits())
    try:
        return await fix_and_compare(
            applied, found, place, controls=Controls(), on_progress=progress.show
        )
    finally:
        if not isinstance(found, str):
            await found.client.aclose()


def _judge(options: argparse.Namespace, applied: Applied, result: FixResult, seen: Seen) -> bool:
    trial = result.trial
    if trial is None or trial.row is None:
        why = result.unmeasured if trial is None else trial.sentence()
        # A fix that cannot be measured has said so before.
        is_said = not why or why == applied.fix.note
        _say("   Done." if is_said else f"   Done. Not measured: {why}")
        if options.card is not None:
            _say("   There is no card: it would show a measured difference.")
        is_kept = True
    else:
        _say(f"   {trial.sentence()}")
        _write_card(options.card, result, seen)
        is_kept = trial.is_better
    if not options.yes:
        is_kept = _is_yes("Keep it?", default=is_kept)
    if is_kept:
        _say("   It stays. npulse doctor --undo puts it back.")
        return True
    _tell_undone(applied.undo())
    return True


def _write_card(path: Path | None, result: FixResult, seen: Seen) -> None:
    if path is None or result.change is None or result.trial is None:
        return
    card: Card = card_of(result.change, result.trial, seen.model, seen.server)
    text = CARD_MAKERS[path.suffix.lower()](card)
    try:
        fd = create_private(path, os.O_WRONLY | os.O_EXCL)
        with os.fdopen(fd, "w", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        complain(COMMAND, f"{path} cannot be written: {error.strerror}")
        return
    _say(f"   The card is in {clean_line(str(path), 300)}.")


# Undoing -----------------------------------------------------------------------------------------


def _undo(
    options: argparse.Namespace,
    place: BoardPlace,
    memory: BoardChanges,
    kept: Sequence[Change],
) -> int:
    """Undo changes, the newest first, as it may have replaced the value of an older one."""
    wanted = [change for change in kept if options.rule in (None, change.rule)]
    if not wanted:
        is_held = any(known.state == "held" for known in known_changes(memory, place))
        _say("Nothing is to be undone." if is_held else "Nothing that npulse changed is in force.")
        return ExitCode.OK
    can_ask = sys.stdin.isatty()
    if not (options.yes or can_ask or options.dry_run):
        for change in wanted:
            _say(f"{in_force_words(change)}.")
        _say(NO_TERMINAL)
        return ExitCode.FAILED
    is_done = True
    for change in wanted:
        is_done &= _undo_one(options, change, place, memory)
    return ExitCode.OK if is_done else ExitCode.FAILED


def _undo_one(
    options: argparse.Namespace, change: Change, place: BoardPlace, memory: BoardChanges
) -> bool:
    _say(f"{in_force_words(change)}.")
    for name, text in undo_lines(change):
        _say(f"   {name:<9} {text}")
    if options.dry_run or not (options.yes or _is_yes("Put it back?", default=True)):
        _say("   Nothing was changed.")
        return True
    try:
        with measuring(default_folder()):
            by_sudo = needs_root(fix_of(change), place)
            writer = open_writer([f.path for f in change.files], place, is_by_sudo=by_sudo)
            try:
                _tell_undone(undo_change(change, place, writer, memory))
            finally:
                writer.close()
    except FixError as error:
        complain(COMMAND, str(error))
        return False
    return True


def _tell_undone(undone: Undone) -> None:
    for sentence in (*undone.restored, *undone.left):
        _say(f"   {clean_line(sentence, 400)}")


# The terminal ------------------------------------------------------------------------------------


class _Progress:
    """The answers so far: one line that grows on a terminal, nothing elsewhere."""

    def __init__(self) -> None:
        self._is_shown = False

    def show(self, progress: TrialProgress) -> None:
        if sys.stdout.isatty():
            self._is_shown = True
            waits = progress.waits_for
            said = f"waiting: {clean_line(waits, 200)}" if waits else progress.line()
            write_out(f"\r\x1b[K   {progress.done} of {progress.total}: {said}")

    def end(self) -> None:
        if self._is_shown:
            write_out("\r\x1b[K")


def _is_yes(question: str, *, default: bool) -> bool:
    """What the user answers; Enter and the end of the input are the default, which for a change
    is no."""
    write_out(f"{question} [{'Y/n' if default else 'y/N'}] ")
    line = sys.stdin.readline()
    if not line:
        write_out("\n")
        return False
    word = line.strip().lower()
    return default if not word else word in ("y", "yes")


def _waits() -> WaitOptions:
    """Options for the wait for a busy server, which print each reason."""

    def say(reason: str | None) -> None:
        if reason is not None:
            _say(f"   Waiting: {clean_line(reason, 200)}. Ctrl+C leaves; nothing is changed yet.")

    return WaitOptions(history=history_file(), say=say)


def _say(text: str) -> None:
    write_out(clean(text) + "\n")
