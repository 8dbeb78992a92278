"""``npulse history``: lists, shows, searches, exports and removes stored conversations."""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import TypeAlias

from tui.commands.exit_code import ExitCode
from tui.commands.history_arguments import parser
from tui.commands.history_files import export_files, import_files
from tui.commands.history_lines import (
    local_time,
    print_conversation,
    print_json,
    prune_summary,
    row_json,
    row_lines,
    turn_json,
)
from tui.commands.history_trend import print_trend
from tui.commands.parser import complain, refused
from tui.commands.stdout_paper import stdout_paper
from tui.core.text.printed import folded
from tui.core.text.sanitize import clean_line
from tui.history import inspection, listing, pruning, reading, writers
from tui.history.database import (
    Connection,
    damage,
    reading_from,
    writing_to,
)
from tui.history.export_documents import utc
from tui.history.failures import HistoryError, NewerHistoryError
from tui.history.pruning import Removal
from tui.history.recordings import recorded
from tui.history.records import (
    ConversationRow,
    Limits,
    SearchHit,
)
from tui.history.resuming import no_conversation
from tui.recording.reading import Recording
from tui.settings.config import ConfigError, config_paths, load
from tui.settings.history_options import MIB, history_file, history_limits

LAST = "last"
Replay: TypeAlias = Callable[[Recording, float, argparse.Namespace], int]
"""Plays a recording at a speed; returns the exit code."""


class UsageError(ValueError):
    """The command cannot be carried out. The message is one sentence."""


def main(argv: Sequence[str], replay: Replay | None = None) -> int:
    """Run ``npulse history`` with these arguments; returns the exit code. ``replay`` plays a
    recording on the screen."""
    options = parser().parse_args(list(argv))
    verbs: dict[str, Callable[[argparse.Namespace], int]] = {
        "list": _list,
        "show": _show,
        "replay": lambda options: _replay(options, replay),
        "search": _search,
        "export": _export,
        "import": _import,
        "prune": _prune,
        "trend": _trend,
        "check": _check,
    }
    try:
        return verbs[options.verb](options)
    except (UsageError, ConfigError) as error:
        return refused("npulse history", str(error))
    except HistoryError as error:
        return refused("npulse history", str(error), ExitCode.FAILED)


# -- verbs -----------------------------------------------------------------------------------------


def _list(options: argparse.Namespace) -> int:
    rows: list[ConversationRow] = []
    if _settled():
        with reading_from(history_file()) as connection:
            limit = -1 if options.limit is None else options.limit
            rows = listing.conversations(connection, limit=limit)
    if options.json:
        print_json([row_json(row) for row in rows])
        return ExitCode.OK
    _print(row_lines(rows, stdout_paper()))
    if not rows:
        complain("npulse history", "nothing is kept yet")
    return ExitCode.OK


def _show(options: argparse.Namespace) -> int:
    if options.timeline:
        return _show_timeline(options)
    for flag in ("svg", "turn"):
        if getattr(options, flag) is not None:
            raise UsageError(f"--{flag} goes with --timeline")
    with _existing() as connection:
        number = number_of(connection, options.id)
        found = reading.conversation(connection, number, is_tree=options.tree)
    if found is None or found.row.id != number:
        raise UsageError(no_conversation(number))
    if options.json:
        print_json(
            {
                "id": found.row.id,
                "title": found.row.title,
                "turns": [turn_json(turn) for turn in found.turns],
            }
        )
    else:
        print_conversation(found)
    return ExitCode.OK


def _show_timeline(options: argparse.Namespace) -> int:
    from tui.commands.history_timeline import print_timeline, read_timeline

    with _existing() as connection:
        number = number_of(connection, options.id)
        try:
            timeline = read_timeline(connection, number, options.turn)
            print_timeline(timeline, options)
        except ValueError as error:
            raise UsageError(str(error)) from error
    return ExitCode.OK


def _replay(options: argparse.Namespace, replay: Replay | None) -> int:
    with _existing() as connection:
        number = number_of(connection, options.id)
        try:
            recording = recorded(connection, number, options.turn)
        except ValueError as error:
            raise UsageError(str(error)) from error
    if replay is None:
        raise UsageError("a replay needs the terminal of the dashboard")
    return replay(recording, options.speed, options)


def _print(lines: Sequence[str]) -> None:
    if lines:
        print("\n".join(lines))


def _search(options: argparse.Namespace) -> int:
    query = " ".join(options.words)
    hits: list[SearchHit] = []
    if _settled():
        with reading_from(history_file()) as connection:
            hits = reading.search(connection, query, limit=options.limit)
    if options.json:
        print_json(
            [
                {
                    "id": hit.conversation,
                    "title": hit.title,
                    "turn": hit.turn,
                    "role": hit.role,
                    "created": utc(hit.created_ms),
                    "snippet": hit.snippet.text,
                }
                for hit in hits
            ]
        )
        return ExitCode.OK
    paper = stdout_paper()
    for hit in hits:
        number = paper.styled(f"{hit.conversation:>6}", "strong")
        print(f"{number}  {paper.styled(local_time(hit.created_ms), 'dim')}  {hit.title}")
        said = f"{hit.role}: {clean_line(hit.snippet.text)}"
        print(f"        {folded(said, paper, ' ' * 8)}")
    if not hits:
        complain("npulse history", f"no prompt or answer has {clean_line(query, 80)!r}")
    return ExitCode.OK


def _export(options: argparse.Namespace) -> int:
    with _existing() as connection:
        rows = listing.conversations(connection) if not options.ids else ()
        numbers = [row.id for row in rows][::-1]
        numbers += [number_of(connection, word) for word in options.ids]
        for number in numbers:
            if listing.conversation_row(connection, number) is None:
                raise UsageError(no_conversation(number))
        try:
            written = export_files(connection, numbers, options)
        except ValueError as error:
            raise UsageError(str(error)) from error
    if options.json and options.output is not None:
        print_json({"files": [str(path) for path in written], "conversations": len(numbers)})
    else:
        for path in written:
            print(clean_line(str(path)))
    return ExitCode.OK


def _import(options: argparse.Namespace) -> int:
    with writing_to(history_file()) as connection:
        outcomes = import_files(connection, options.files)
    if options.json:
        print_json([outcome.to_json_dict() for outcome in outcomes])
    else:
        for outcome in outcomes:
            if outcome.problem is None:
                print(clean_line(outcome.line))
    for outcome in outcomes:
        if outcome.problem is not None:
            complain("npulse history", f"{outcome.file}: {outcome.problem}")
    if all(outcome.problem is not None for outcome in outcomes):
        return ExitCode.USAGE
    is_whole = all(outcome.problem is None and not outcome.n_skipped for outcome in outcomes)
    return ExitCode.OK if is_whole else ExitCode.INCOMPLETE


def _prune(options: argparse.Namespace) -> int:
    section = load(config_paths(options.config), os.environ).settings.history
    configured = history_limits(section)
    limits = Limits(
        configured.max_age_days if options.max_age_days is None else options.max_age_days,
        configured.max_bytes if options.max_size_mib is None else options.max_size_mib * MIB,
    )
    now_ms = time.time_ns() // 1_000_000
    wanted: list[Removal] = []
    if _settled():
        opened = writing_to if options.yes else reading_from
        with opened(history_file()) as connection:
            wanted = pruning.removals(connection, limits, now_ms)
            if options.yes:
                pruning.remove(connection, wanted)
    if options.json:
        print_json(
            {
                "is_removed": options.yes,
                "conversations": [
                    {**row_json(r.row), "reason": r.reason, "size_bytes": r.size_bytes}
                    for r in wanted
                ],
            }
        )
        return ExitCode.OK
    reasons = [removal.reason for removal in wanted]
    _print(row_lines([removal.row for removal in wanted], stdout_paper(), reasons))
    print(prune_summary(wanted, limits, is_removed=options.yes))
    return ExitCode.OK


def _trend(options: argparse.Namespace) -> int:
    with _existing() as connection:
        return print_trend(connection, options)


def _check(options: argparse.Namespace) -> int:
    path = history_file()
    with _existing() as connection:
        problems = damage(connection, is_thorough=True) + inspection.unreadable(connection)
        size_bytes = inspection.size_bytes(connection)
        schema, n_turns = inspection.schema(connection), inspection.count_turns(connection)
        conversations = listing.count(connection)
    if options.json:
        print_json(
            {
                "path": str(path),
                "is_sound": not problems,
                "problems": problems,
                "schema": schema,
                "conversations": conversations,
                "turns": n_turns,
                "size_bytes": size_bytes,
            }
        )
    else:
        print(f"{clean_line(str(path))}: schema {schema}, {size_bytes / MIB:.1f} MiB")
        print(f"{conversations} conversations, {n_turns} prompts and answers")
        print("\n".join(problems) if problems else "sound")
    if problems:
        complain(
            "npulse history",
            "the database is damaged; npulse history export -o FOLDER saves what can be read, then "
            f"move {path} away",
        )
    return ExitCode.FAILED if problems else ExitCode.OK


# -- opening ---------------------------------------------------------------------------------------


def _settled() -> bool:
    """Whether there is a history. Ends answers that a killed npulse left, and migrates an older
    database, where it can be written.
    """
    path = history_file()
    try:
        if not path.exists():
            return False
    except OSError:
        return True
    try:
        with writing_to(path) as connection:
            writers.recover_all(connection)
    except NewerHistoryError:
        raise
    except HistoryError:
        return True  # it may still be read
    return True


def _existing() -> AbstractContextManager[Connection]:
    _settled()
    return reading_from(history_file())


def number_of(connection: Connection, word: str) -> int:
    """The conversation of an id, or of ``last``. Raises UsageError."""
    if word == LAST:
        newest = listing.newest(connection)
        if newest is None:
            raise UsageError("no conversation is kept yet")
        return newest
    if not (word.isascii() and word.isdigit()):
        raise UsageError(
            f"{word[:80]!r} is not the id of a conversation; npulse history list shows them"
        )
    return int(word[:18])
