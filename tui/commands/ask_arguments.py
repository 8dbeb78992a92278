"""Command-line options of ``npulse ask``."""

from __future__ import annotations

import argparse

from tui.commands.ask_history import add_history_options
from tui.commands.ask_progress import add_progress_options
from tui.commands.parser import Parser, add_recording_options, add_server_options

SETTING_FLAGS: tuple[tuple[str, str, type, str], ...] = (
    ("--temperature", "temperature", float, "randomness, 0 is greedy"),
    ("--top-p", "top_p", float, "nucleus sampling"),
    ("--top-k", "top_k", int, "candidates for each token"),
    ("--repeat-penalty", "repeat_penalty", float, "above 1 against repetition"),
    ("--max-tokens", "max_tokens", int, "longest answer in tokens"),
)


def parser() -> Parser:
    """The options of ``npulse ask``."""
    made = Parser(
        prog="npulse ask",
        description="Answers one prompt on stdout. Exit codes: 0 answered, 2 usage, 4 incomplete "
        "answer, 5 no server reached, 130 stopped.",
    )
    add_options(made)
    add_recording_options(made)
    return made


def add_options(made: Parser) -> None:
    """Adds the options of the prompt and its generation settings."""
    made.add_argument(
        "prompt",
        nargs="?",
        help="the prompt; without it, or with -, it is read from stdin. With a prompt, text from "
        "stdin is put below it",
    )
    add_server_options(made)
    made.add_argument(
        "--model",
        metavar="NAME",
        help="the model (default: the loaded one, else the only one, else the one that the "
        "dashboard used last)",
    )
    made.add_argument("--system", metavar="TEXT", help="system prompt")
    made.add_argument("--thinking", choices=("on", "off"), help="let the model think first")
    for flag, _, kind, text in SETTING_FLAGS:
        made.add_argument(flag, type=kind, metavar="X" if kind is float else "N", help=text)
    add_history_options(made)
    add_progress_options(made)
    made.add_argument("--stats", action="store_true", help="print a line of figures on stderr")
    made.add_argument("--json", action="store_true", help="one JSON object instead of the text")


def config_values(options: argparse.Namespace) -> dict[str, object]:
    """The options that override values of the config file."""
    given: dict[str, object] = {"server.url": options.url}
    given |= {f"generation.{field}": getattr(options, field) for _, field, _, _ in SETTING_FLAGS}
    given["generation.system_prompt"] = options.system
    if options.thinking is not None:
        given["generation.thinking"] = options.thinking == "on"
    return {key: value for key, value in given.items() if value is not None}
