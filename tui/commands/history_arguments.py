"""Command-line options of ``npulse history``."""

from __future__ import annotations

import argparse

from tui.commands.history_files import FORMAT_NAMES
from tui.commands.history_trend import add_trend_options
from tui.commands.parser import Parser, add_masking_options, add_replay_options, add_verb


def parser() -> Parser:
    """The options of ``npulse history``."""
    made = Parser(
        prog="npulse history",
        description="Shows and exports kept conversations. Exit codes: 0 done, 1 the history is "
        "damaged or cannot be used, 2 usage, 4 partly done.",
    )
    made.add_argument("--json", action="store_true", help="JSON instead of lines")
    verbs = made.add_subparsers(dest="verb", required=True, metavar="COMMAND")

    def verb(name: str, text: str) -> Parser:
        added: Parser = add_verb(verbs, name, text)
        added.add_argument(
            "--json", action="store_true", default=argparse.SUPPRESS, help="JSON instead of lines"
        )
        return added

    listing = verb("list", "list conversations, the newest first")
    listing.add_argument("--limit", type=_count, metavar="N", help="at most this many")
    show = verb("show", "show a conversation along its chosen branch")
    show.add_argument("id", help="id from npulse history list, or last")
    show.add_argument("--tree", action="store_true", help="all branches")
    show.add_argument(
        "--timeline",
        action="store_true",
        help="show the timeline of an answer: phases, rate, board, changes and their causes",
    )
    show.add_argument(
        "--turn",
        type=_count,
        metavar="N",
        help="number of the answer for --timeline (default: the last)",
    )
    show.add_argument(
        "--svg",
        metavar="FILE",
        help="with --timeline: write a picture to this new file; - is stdout",
    )
    again = verb("replay", "replay an answer in the dashboard as it was received")
    again.add_argument("id", help="id from npulse history list, or last")
    again.add_argument(
        "--turn", type=_count, metavar="N", help="number of the answer (default: the last)"
    )
    add_replay_options(again)
    search = verb("search", "find prompts and answers by their words, the newest first")
    search.add_argument(
        "words", nargs="+", help='words that all have to occur; "words in quotes" as a phrase'
    )
    search.add_argument("--limit", type=_count, default=50, metavar="N", help="at most this many")
    export = verb("export", "write conversations as a document")
    export.add_argument("ids", nargs="*", metavar="ID", help="conversations (default: all)")
    export.add_argument(
        "--format", choices=FORMAT_NAMES, default=None, help="default: by the file's name"
    )
    export.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        help="a new file, or a folder for one file per conversation (default: stdout)",
    )
    export.add_argument("--tree", action="store_true", help="all branches (JSON always has them)")
    export.add_argument("--force", action="store_true", help="replace an existing file")
    add_masking_options(export)
    bring = verb("import", "add conversations of a JSON export of npulse, ChatGPT or Open WebUI")
    bring.add_argument("files", nargs="+", metavar="FILE", help="the exported file")
    prune = verb("prune", "show which conversations are over the limits; --yes removes them")
    prune.add_argument("--yes", action="store_true", help="remove them for good")
    prune.add_argument("--max-age-days", type=_count, metavar="N", help="instead of config.toml's")
    prune.add_argument("--max-size-mib", type=_count, metavar="N", help="instead of config.toml's")
    prune.add_argument("--config", metavar="FILE", help="read this config file after your own")
    trend = verb("trend", "how fast each model was day by day, and whether it becomes slower")
    add_trend_options(trend, _count)
    verb("check", "check the database for damage")
    return made


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or len(text) > 9:
        raise argparse.ArgumentTypeError(f"it takes a whole number, not {text[:40]!r}")
    return int(text)
