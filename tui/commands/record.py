"""``npulse record``: answers one prompt, and records the answer and the board."""

from __future__ import annotations

from collections.abc import Sequence

from tui.commands import ask
from tui.commands.ask_arguments import add_options
from tui.commands.parser import Parser, add_masking_options


def parser() -> Parser:
    """The options of ``npulse record``: those of ``npulse ask``, and the file."""
    made = Parser(
        prog="npulse record",
        description="Answers one prompt on stdout, and records it into a new file: tokens, times, "
        "numbers and the board, for a bug report or a replay (npulse --replay FILE). Host name, "
        "user name, addresses and paths are masked. npulse --record FILE does the same in the "
        "dashboard. Exit codes as npulse ask.",
    )
    made.add_argument("record", metavar="FILE", help="the recording; a new file")
    add_options(made)
    add_masking_options(made)
    return made


def main(argv: Sequence[str]) -> int:
    """Run ``npulse record`` with these arguments; returns the exit code."""
    return ask.run(parser().parse_args(list(argv)))
