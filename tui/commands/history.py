"""``npulse history``: kept conversations, listed, shown, searched, copied and removed."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import datetime

from tui.commands.exit_code import ExitCode
from tui.commands.history_files import export_files, import_files
from tui.commands.parser import Parser, complain
from tui.core.text.json_text import escaped_json
from tui.core.text.sanitize import clean, clean_line
from tui.history import pruning, reading, writing
from tui.history.database import (
    Connection,
    damage,
    reading_from,
    writing_to,
)
from tui.history.export_documents import FORMATS, utc
from tui.history.failures import HistoryError, NewerHistoryError
from tui.history.pruning import Removal
from tui.history.records import (
    ConversationRow,
    Limits,
    SearchHit,
    StoredConversation,
    StoredTurn,
)
from tui.history.resuming import no_conversation
from tui.settings.config import ConfigError, config_paths, load
from tui.settings.history_options import MIB, history_file, history_limits

LAST = "last"


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
    search = verb("search", "find prompts and answers by their words, the newest first")
    search.add_argument(
        "words", nargs="+", help='all of these have to occur; "words in quotes" follow each other'
    )
    search.add_argument("--limit", type=_count, default=50, metavar="N", help="so many at most")
    export = verb("export", "write conversations as a document")
    export.add_argument("ids", nargs="*", metavar="ID", help="which; without one all")
    export.add_argument(
        "--format", choices=tuple(FORMATS), default=None, help="without it, by the file's name"
    )
    export.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        help="a new file, or a folder for a file each; without it stdout",
    )
    export.add_argument("--tree", action="store_true", help="all branches (JSON has them always)")
    export.add_argument("--force", action="store_true", help="replace a file that is there")
    bring = verb("import", "add conversations of a JSON export of npulse, ChatGPT or Open WebUI")
    bring.add_argument("files", nargs="+", metavar="FILE", help="one that was exported")
    prune = verb("prune", "say which conversations the limits would remove; --yes removes them")
    prune.add_argument("--yes", action="store_true", help="remove them for good")
    prune.add_argument("--max-age-days", type=_count, metavar="N", help="instead of the configured")
    prune.add_argument("--max-size-mib", type=_count, metavar="N", help="instead of the configured")
    prune.add_argument("--config", metavar="FILE", help="a config file on top of your own")
    verb("check", "read the whole database and say whether it is sound")
    return made


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or len(text) > 9:
        raise argparse.ArgumentTypeError(f"it takes a whole number, not {text[:40]!r}")
    return int(text)


def main(argv: Sequence[str]) -> int:
    """Run ``npulse history`` with these arguments; returns the exit code."""
    options = parser().parse_args(list(argv))
    verbs: dict[str, Callable[[argparse.Namespace], int]] = {
        "list": _list,
        "show": _show,
        "search": _search,
        "export": _export,
        "import": _import,
        "prune": _prune,
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
            rows = reading.conversations(connection, limit=limit)
    if options.json:
        _print_json([_row_json(row) for row in rows])
        return ExitCode.OK
    for row in rows:
        print(_row_line(row))
    if not rows:
        complain("npulse history", "nothing is kept yet")
    return ExitCode.OK


def _show(options: argparse.Namespace) -> int:
    with _existing() as connection:
        number = number_of(connection, options.id)
        found = reading.conversation(connection, number, is_tree=options.tree)
    if found is None or found.row.id != number:
        raise UsageError(no_conversation(number))
    if options.json:
        _print_json(
            {
                "id": found.row.id,
                "title": found.row.title,
                "turns": [_turn_json(turn) for turn in found.turns],
            }
        )
    else:
        _print_conversation(found)
    return ExitCode.OK


def _search(options: argparse.Namespace) -> int:
    query = " ".join(options.words)
    hits: list[SearchHit] = []
    if _settled():
        with reading_from(history_file()) as connection:
            hits = reading.search(connection, query, limit=options.limit)
    if options.json:
        _print_json(
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
        print(f"{hit.conversation:>6}  {_local(hit.created_ms)}  {hit.title}")
        print(f"        {hit.role}: {clean_line(hit.snippet.text)}")
    if not hits:
        complain("npulse history", f"no prompt or answer has {clean_line(query, 80)!r}")
    return ExitCode.OK


def _export(options: argparse.Namespace) -> int:
    with _existing() as connection:
        rows = reading.conversations(connection) if not options.ids else ()
        numbers = [row.id for row in rows][::-1]
        numbers += [number_of(connection, word) for word in options.ids]
        for number in numbers:
            if reading.conversation_row(connection, number) is None:
                raise UsageError(no_conversation(number))
        try:
            written = export_files(connection, numbers, options)
        except ValueError as error:
            raise UsageError(str(error)) from error
    if options.json and options.output is not None:
        _print_json({"files": [str(path) for path in written], "conversations": len(numbers)})
    else:
        for path in written:
            print(clean_line(str(path)))
    return ExitCode.OK


def _import(options: argparse.Namespace) -> int:
    with writing_to(history_file()) as connection:
        outcomes = import_files(connection, options.files)
    if options.json:
        _print_json([outcome.to_json_dict() for outcome in outcomes])
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
        _print_json(
            {
                "is_removed": options.yes,
                "conversations": [
                    {**_row_json(r.row), "reason": r.reason, "size_bytes": r.size_bytes}
                    for r in wanted
                ],
            }
        )
        return ExitCode.OK
    for removal in wanted:
        print(f"{removal.reason:<9}  {_row_line(removal.row)}")
    print(_prune_summary(wanted, limits, is_removed=options.yes))
    return ExitCode.OK


def _prune_summary(wanted: list[Removal], limits: Limits, *, is_removed: bool) -> str:
    if not wanted:
        if not (limits.max_age_days or limits.max_bytes):
            return (
                "nothing to remove: no limit is set ([history] in config.toml, or --max-age-days)"
            )
        return "nothing to remove"
    room = sum(removal.size_bytes for removal in wanted) / MIB
    what = f"{len(wanted)} conversation{'s' if len(wanted) != 1 else ''}, ~{room:.1f} MiB"
    return f"removed {what}" if is_removed else f"would remove {what}; --yes removes them"


def _check(options: argparse.Namespace) -> int:
    path = history_file()
    with _existing() as connection:
        problems = damage(connection, is_thorough=True) + reading.unreadable(connection)
        size_bytes = reading.size_bytes(connection)
        schema, n_turns = reading.schema(connection), reading.count_turns(connection)
        conversations = reading.count(connection)
    if options.json:
        _print_json(
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
        newest = reading.newest(connection)
        if newest is None:
            raise UsageError("no conversation is kept yet")
        return newest
    if not (word.isascii() and word.isdigit()):
        raise UsageError(
            f"{word[:80]!r} is no id of a conversation; npulse history list shows them"
        )
    return int(word[:18])


# -- printing --------------------------------------------------------------------------------------


def _print_json(value: object) -> None:
    encoding = (sys.stdout.encoding or "ascii").lower().replace("-", "").replace("_", "")
    data = json.dumps(value, ensure_ascii=False, indent=1).encode("utf-8", "replace")
    print(escaped_json(data, is_ascii=encoding != "utf8").decode())


def _row_json(row: ConversationRow) -> dict[str, object]:
    return {
        "id": row.id,
        "title": row.title,
        "created": utc(row.created_ms),
        "model": row.model,
        "turns": row.turns,
        "tokens": row.tokens,
    }


def _row_line(row: ConversationRow) -> str:
    marks = ("pinned " if row.is_pinned else "") + ("running " if row.is_running else "")
    simulated = "SIMULATED " if row.is_simulated else ""
    tokens = f"~{row.tokens}" if row.is_tokens_estimated else str(row.tokens)
    tags = "".join(f" #{tag}" for tag in row.tags)
    return (
        f"{row.id:>6}  {_local(row.created_ms)}  {clean_line(row.model or '–', 24):<24}"
        f"  {row.turns:>4} turns  {tokens:>8} tokens  {marks}{simulated}{row.title}{tags}"
    )


def _local(ms: int) -> str:
    try:
        return datetime.fromtimestamp(ms / 1000).astimezone().strftime("%Y-%m-%d %H:%M")
    except (OverflowError, OSError, ValueError):
        return utc(ms)[:16].replace("T", " ")


def _turn_json(turn: StoredTurn) -> dict[str, object]:
    return {
        "id": turn.id,
        "parent": turn.parent,
        "role": turn.role,
        "text": turn.text,
        "thinking": turn.thinking,
        "status": turn.status,
        "error": None if turn.error is None else turn.error.sentence,
        "numbers": turn.numbers,
    }


def _print_conversation(found: StoredConversation) -> None:
    row = found.row
    mark = "~" if row.is_tokens_estimated else ""
    print(f"{row.title}\n{_local(row.created_ms)}  {row.turns} turns  {mark}{row.tokens} tokens")
    for turn in found.turns:
        model = None if turn.origin is None else clean_line(turn.origin.model)
        who = "you" if turn.role == "user" else model or "assistant"
        branch = f", after {turn.parent}" if turn.parent is not None else ""
        print(f"\n-- {who}  ({turn.id}{branch})")
        if turn.thinking:
            print("\n".join(f"> {line}" for line in clean(turn.thinking).splitlines()))
        print(clean(turn.text).rstrip())
        if turn.status not in (None, "complete"):
            print(clean_line(f"[{turn.status}] {turn.error.sentence if turn.error else ''}"))
