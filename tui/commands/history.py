"""``npulse history``: kept conversations, listed, shown, searched, copied and removed."""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import TypeAlias

from tui.commands.exit_code import ExitCode
from tui.commands.history_files import FORMAT_NAMES, export_files, import_files
from tui.commands.history_lines import (
    local_time,
    print_conversation,
    print_json,
    prune_summary,
    row_json,
    row_line,
    turn_json,
)
from tui.commands.history_trend import add_trend_options, print_trend
from tui.commands.parser import Parser, add_masking_options, complain
from tui.core.text.sanitize import clean_line
from tui.history import inspection, listing, pruning, reading, writing
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
    """What was asked for cannot be done. The message is one sentence."""


def parser() -> Parser:
    """The options of ``npulse history``."""
    made = Parser(
        prog="npulse history",
        description="Conversations that are kept. Exit codes: 0 done, 1 the history is damaged or "
        "cannot be used, 2 usage, 4 not all could be done.",
    )
    made.add_argument("--json", action="store_true", help="JSON instead of lines")
    verbs = made.add_subparsers(dest="verb", required=True, metavar="COMMAND")

    def verb(name: str, text: str) -> Parser:
        added: Parser = verbs.add_parser(name, help=text, description=f"{text}.")
        added.add_argument(
            "--json", action="store_true", default=argparse.SUPPRESS, help="JSON instead of lines"
        )
        return added

    listing = verb("list", "list conversations, the newest first")
    listing.add_argument("--limit", type=_count, metavar="N", help="so many at most")
    show = verb("show", "show a conversation along its chosen branch")
    show.add_argument("id", help="of the list, or last")
    show.add_argument("--tree", action="store_true", help="all branches")
    show.add_argument(
        "--timeline",
        action="store_true",
        help="instead of the words: phases, what changed and why, rate and board of an answer",
    )
    show.add_argument(
        "--turn", type=_count, metavar="N", help="the answer for --timeline; else the last one"
    )
    show.add_argument(
        "--svg", metavar="FILE", help="with --timeline: a picture into this new file; - is stdout"
    )
    again = verb("replay", "play an answer again in the dashboard, as it came")
    again.add_argument("id", help="of the list, or last")
    again.add_argument(
        "--turn", type=_count, metavar="N", help="which answer of it; without it the last one"
    )
    again.add_argument(
        "--speed", type=_speed, default=1.0, metavar="X", help="X times faster than it was"
    )
    again.add_argument("--theme", metavar="NAME", help="the theme to start with")
    again.add_argument("--ascii", action="store_true", default=None, help="plain ASCII")
    again.add_argument("--config", metavar="FILE", help="a config file on top of your own")
    search = verb("search", "find prompts and answers by their words, the newest first")
    search.add_argument(
        "words", nargs="+", help='all of these have to occur; "words in quotes" follow each other'
    )
    search.add_argument("--limit", type=_count, default=50, metavar="N", help="so many at most")
    export = verb("export", "write conversations as a document")
    export.add_argument("ids", nargs="*", metavar="ID", help="which; without one all")
    export.add_argument(
        "--format", choices=FORMAT_NAMES, default=None, help="without it, by the file's name"
    )
    export.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        help="a new file, or a folder for a file each; without it stdout",
    )
    export.add_argument("--tree", action="store_true", help="all branches (JSON has them always)")
    export.add_argument("--force", action="store_true", help="replace a file that is there")
    add_masking_options(export)
    bring = verb("import", "add conversations of a JSON export of npulse, ChatGPT or Open WebUI")
    bring.add_argument("files", nargs="+", metavar="FILE", help="one that was exported")
    prune = verb("prune", "say which conversations the limits would remove; --yes removes them")
    prune.add_argument("--yes", action="store_true", help="remove them for good")
    prune.add_argument("--max-age-days", type=_count, metavar="N", help="instead of the configured")
    prune.add_argument("--max-size-mib", type=_count, metavar="N", help="instead of the configured")
    prune.add_argument("--config", metavar="FILE", help="a config file on top of your own")
    trend = verb("trend", "how fast each model was day by day, and whether it becomes slower")
    add_trend_options(trend, _count)
    verb("check", "read the whole database and say whether it is sound")
    return made


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or len(text) > 9:
        raise argparse.ArgumentTypeError(f"it takes a whole number, not {text[:40]!r}")
    return int(text)


def _speed(text: str) -> float:
    try:
        speed = float(text)
    except ValueError:
        speed = 0.0
    if not 0 < speed < float("inf"):
        raise argparse.ArgumentTypeError(f"it takes a number above 0, not {text[:40]!r}")
    return speed


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
        complain("npulse history", str(error))
        return ExitCode.USAGE
    except HistoryError as error:
        complain("npulse history", str(error))
        return ExitCode.FAILED


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
    for row in rows:
        print(row_line(row))
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
    for hit in hits:
        print(f"{hit.conversation:>6}  {local_time(hit.created_ms)}  {hit.title}")
        print(f"        {hit.role}: {clean_line(hit.snippet.text)}")
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
    for removal in wanted:
        print(f"{removal.reason:<9}  {row_line(removal.row)}")
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
    """Whether there is a history. Answers that a killed npulse left in it are ended, and an older
    one is brought up to date, where it can be written."""
    path = history_file()
    try:
        if not path.exists():
            return False
    except OSError:
        return True
    try:
        with writing_to(path) as connection:
            writing.recover_all(connection)
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
            f"{word[:80]!r} is no id of a conversation; npulse history list shows them"
        )
    return int(word[:18])
