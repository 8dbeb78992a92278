"""``npulse sim``: the simulated board from the command line."""

from __future__ import annotations

import argparse
import asyncio
import difflib
import math
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from tui.commands.exit_code import ExitCode
from tui.commands.parser import Parser, refused
from tui.sim.board.tree import TreeError, check_root
from tui.sim.faults import FAULTS, FaultError, Faults, parse_faults
from tui.sim.profiles import DEFAULT_PROFILE, PROFILES, Profile, SimOptions
from tui.sim.runtime.answers import SHAPES
from tui.sim.server.dialects.rows import DIALECTS
from tui.sim.server.server import StartError, serve

MAX_TOKENS = 1_000_000
MAX_CONTEXT_TOKENS = 9_999_999
USUAL_DIALECT = next(iter(DIALECTS))


def main(argv: Sequence[str]) -> int:
    """Runs the simulated board until a signal ends it; returns the exit code.

    0 ended by a signal, 1 could not start, 2 usage.
    """
    try:
        options = parse(argv)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else ExitCode.USAGE
    except TreeError as error:
        return refused("npulse sim", str(error))
    try:
        asyncio.run(serve(options))
    except StartError as error:
        return refused("npulse sim", str(error), ExitCode.FAILED)
    except KeyboardInterrupt:
        return 0
    return 0


def parse(argv: Sequence[str]) -> SimOptions:
    """Arguments to options. Raises SystemExit after a sentence on stderr, and TreeError."""
    made = parser()
    options = made.parse_args(list(argv))
    faults: Faults = options.fault
    root: Path | None = options.root
    if root is not None:
        check_root(root)
    if options.context is not None and options.dialect != USUAL_DIALECT:
        made.error(
            f"--context is for {USUAL_DIALECT} only, which reads it from a model's file name"
        )
    return SimOptions(
        profile=options.profile,
        dialect=options.dialect,
        port=options.port,
        decode_tps=options.decode_tps,
        prefill_tps=options.prefill_tps,
        tokens=options.tokens,
        context_tokens=options.context,
        speed=options.speed,
        seed=options.seed,
        obey=options.obey,
        has_tour=options.tour,
        truth=options.truth,
        root=root,
        is_root_removed=options.remove_root_at_exit,
        parent=options.parent,
        faults=faults,
    )


def parser() -> Parser:
    """The options of ``npulse sim``."""
    made = Parser(
        prog="npulse sim",
        description="A simulated board: a server on 127.0.0.1 that behaves like one of the\n"
        "servers that npulse knows, at the speed of a real board, and a matching /sys\n"
        "and /proc tree.\n"
        "No model and no NPU is used: answers are put together from prepared sentences.",
        epilog=_epilog(),
        allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = made.add_argument
    port_help = "port to listen on (default 0: a free one)"
    add("--port", type=_whole("port", 0, 65535), default=0, metavar="N", help=port_help)
    names = ", ".join(profile.name for profile in PROFILES)
    add(
        "--profile",
        type=_profile,
        default=_profile(DEFAULT_PROFILE),
        metavar="NAME",
        help=f"the model loaded at the start: {names} (default {DEFAULT_PROFILE})",
    )
    add(
        "--dialect",
        type=_dialect,
        default=USUAL_DIALECT,
        metavar="NAME",
        help=f"the server to simulate: {', '.join(DIALECTS)} (default {USUAL_DIALECT})",
    )
    add("--decode-tps", type=_rate, metavar="X", help="constant decode rate of X tokens/s")
    add("--prefill-tps", type=_rate, metavar="X", help="prefill rate of X tokens/s")
    add(
        "--tokens",
        type=_whole("number of tokens", 1, MAX_TOKENS),
        metavar="N",
        help="every answer has N tokens (at most the max_tokens of the request)",
    )
    add(
        "--context",
        type=_whole("context", 64, MAX_CONTEXT_TOKENS),
        metavar="N",
        help="context size of every model in tokens (default 4096), also part of its file name",
    )
    add("--speed", type=_rate, default=1.0, metavar="X", help="run X times faster than real time")
    add(
        "--seed",
        type=_whole("seed", 0, 2**63),
        default=0,
        metavar="N",
        help="seed of the random answers",
    )
    add(
        "--obey",
        type=_share,
        nargs="?",
        const=1.0,
        metavar="SHARE",
        help="follow instructions about length, JSON, language, yes or no in SHARE (0 to 1) of the "
        "answers (default 1) and fail the others",
    )
    add("--truth", type=Path, metavar="FILE", help="append each event to FILE as a JSON line")
    add("--root", type=Path, metavar="DIR", help="write a simulated /sys and /proc tree below DIR")
    add(
        "--fault",
        action=_FaultAction,
        default=Faults(),
        metavar="KIND[=VALUE]",
        help="simulate a fault, see below; may be repeated",
    )
    add("--parent", type=_whole("process number", 1, 2**31), help=argparse.SUPPRESS)
    add("--tour", action="store_true", help=argparse.SUPPRESS)
    add("--remove-root-at-exit", action="store_true", help=argparse.SUPPRESS)
    return made


class _FaultAction(argparse.Action):
    """Collects ``--fault`` and reads them all each time."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: object,
        option_string: str | None = None,
    ) -> None:
        words = [*getattr(namespace, "fault_words", []), str(values)]
        namespace.fault_words = words
        try:
            namespace.fault = parse_faults(words)
        except FaultError as error:
            parser.error(str(error))


def _epilog() -> str:
    width = max(len(name) for name in FAULTS) + 2
    lines = ["faults, in every answer:"]
    for name, (kind, text) in FAULTS.items():
        value = {"tokens": "=N", "seconds": "=S", "thinking": "=KIND", "stretch": "=N-M", None: ""}[
            kind
        ]
        lines.append(f"  {name + value:<{width}}  {text}")
    shapes = " ".join(f"[[{name}]]" for name in SHAPES if name != "mixed")
    lines += [
        "",
        "marks in the last message of a prompt choose the answer:",
        f"  {shapes}",
        "               kind of text; hostile contains escape sequences, which a client",
        "               must not pass on to a terminal",
        "  [[tokens=N]] number of tokens",
        "  [[think]]    begins with a thinking part; [[think=N]]: one of N tokens",
        "  [[fault:KIND[=VALUE]]] a fault from the list above, in this answer only",
        "",
        "When it answers, the first line on stdout is: listening on http://127.0.0.1:PORT",
    ]
    return "\n".join(lines)


def _profile(name: str) -> Profile:
    profiles = {profile.name: profile for profile in PROFILES}
    return profiles[_known("profile", name, profiles)]


def _dialect(name: str) -> str:
    return _known("dialect", name, DIALECTS)


def _known(what: str, name: str, names: Collection[str]) -> str:
    if name in names:
        return name
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.4)
    hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(names)}"
    raise argparse.ArgumentTypeError(f"no {what} {name!r}; {hint}")


def _rate(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and 1e-6 <= value <= 1e6):
        raise argparse.ArgumentTypeError(f"takes a number above 0 up to a million, not {text!r}")
    return value


def _share(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"takes a share from 0 to 1, not {text!r}")
    return value


def _whole(what: str, low: int, high: int) -> Callable[[str], int]:
    def convert(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = low - 1
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f"takes a {what} from {low} to {high}, not {text!r}")
        return value

    return convert
