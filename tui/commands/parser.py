"""The argument parser of every command; a wrong argument is one line on stderr."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

from tui.commands.exit_code import ExitCode

MAX_CHARS = 600


def complain(command: str, sentence: str) -> None:
    """Prints ``npulse VERB: sentence`` on stderr, sanitised. A closed stderr is ignored."""
    # Here: most starts have nothing to say.
    from tui.core.text.sanitize import clean_line
    from tui.servers.address import masked

    with suppress(OSError, ValueError):
        said = masked(clean_line(sentence, MAX_CHARS))
        print(f"{command}: {said}", file=sys.stderr, flush=True)


def refused(command: str, sentence: str, code: int = ExitCode.USAGE) -> int:
    """The exit code of a command that ends with this sentence on stderr."""
    complain(command, sentence)
    return code


def add_verb(verbs: Any, name: str, text: str, **options: Any) -> Any:
    """Adds a verb to what ``add_subparsers`` gave; ``text`` is its line in the list of verbs and,
    as a sentence, the first of its own help. Returns the verb's parser."""
    return verbs.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.", **options)


def add_server_options(parser: argparse.ArgumentParser) -> None:
    """Adds ``--url``, ``--api-key`` and ``--config``."""
    parser.add_argument(
        "--url", metavar="URL", help="the server (default: searched on the known ports)"
    )
    parser.add_argument(
        "--api-key",
        metavar="KEY",
        help="sent to that server as Authorization: Bearer; in $NPULSE_API_KEY it stays out of "
        "the process list",
    )
    parser.add_argument("--config", metavar="FILE", help="read this config file after your own")


def add_root_option(parser: argparse.ArgumentParser) -> None:
    """Adds ``--root`` as a path; parsing fails if the folder does not exist."""
    parser.add_argument(
        "--root",
        metavar="DIR",
        type=_folder,
        default=Path("/"),
        help="read /proc and /sys below DIR instead of /",
    )


def _folder(text: str) -> Path:
    path = Path(text)
    if not path.is_dir():
        raise argparse.ArgumentTypeError(f"{text}: there is no such directory")
    return path


def add_recording_options(parser: argparse.ArgumentParser) -> None:
    """Adds ``--record`` and the masking options."""
    parser.add_argument(
        "--record",
        metavar="FILE",
        help="record into this new file: tokens, times and the board, for a bug report or a "
        "replay (docs/recording.md)",
    )
    add_masking_options(parser)


def add_masking_options(parser: argparse.ArgumentParser) -> None:
    """Adds ``--unmasked`` and ``--without-text``."""
    parser.add_argument(
        "--unmasked",
        action="store_true",
        help="keep host name, user name, addresses and paths in a recording",
    )
    parser.add_argument(
        "--without-text",
        action="store_true",
        help="keep only the lengths of prompts and tokens in a recording",
    )


class _NoColor(argparse.Action):
    """``--no-color``: sets NO_COLOR in the environment, also for child processes."""

    def __init__(self, option_strings: Sequence[str], dest: str) -> None:
        super().__init__(
            option_strings, argparse.SUPPRESS, nargs=0, help="print and draw without colours"
        )

    def __call__(self, *arguments: Any) -> None:
        os.environ["NO_COLOR"] = "1"


class Parser(argparse.ArgumentParser):
    """Parser with one-sentence errors; options may stand before, between and after words."""

    _is_inside = False

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.add_argument("--no-color", action=_NoColor)

    def error(self, message: str) -> NoReturn:
        complain(self.prog, message)
        sys.exit(ExitCode.USAGE)

    def parse_known_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: Any = None
    ) -> tuple[Any, list[str]]:
        """As argparse, but also accepts ``load --url URL NAME``. Argparse alone gives all optional
        positional arguments a value at the first positional word, and then rejects the second.
        """
        if self._is_inside or not self._has_optional_words:
            return super().parse_known_args(args, namespace)
        self._is_inside = True
        try:
            return self.parse_known_intermixed_args(args, namespace)
        finally:
            self._is_inside = False

    @property
    def _has_optional_words(self) -> bool:
        words = [action for action in self._actions if not action.option_strings]
        has_verbs = any(action.nargs == argparse.PARSER for action in words)
        return not has_verbs and any(action.nargs in ("?", "*", "+") for action in words)

    def _print_message(self, message: str, file: Any = None) -> None:
        """Prints and reports a closed stdout, which argparse ignores."""
        if message:
            out = file or sys.stderr
            out.write(message)
            out.flush()


def add_replay_options(verb: argparse.ArgumentParser) -> None:
    """Adds the options of a replay: speed, and the look of the dashboard."""
    verb.add_argument(
        "--speed", type=_speed, default=1.0, metavar="X", help="replay X times faster"
    )
    verb.add_argument("--theme", metavar="NAME", help="the theme to start with")
    verb.add_argument(
        "--colors",
        choices=("auto", "truecolor", "256", "16", "none"),
        help="number of colours; auto detects it from the terminal",
    )
    verb.add_argument("--ascii", action="store_true", default=None, help="plain ASCII")
    verb.add_argument("--config", metavar="FILE", help="read this config file after your own")


def _speed(text: str) -> float:
    try:
        speed = float(text)
    except ValueError:
        speed = 0.0
    if not 0 < speed < float("inf"):
        raise argparse.ArgumentTypeError(f"it takes a number above 0, not {text[:40]!r}")
    return speed
