"""``npulse sim``: the simulated board from the command line."""

from __future__ import annotations

import argparse
import asyncio
import difflib
import math
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from tui.commands.exit_code import ExitCode
from tui.commands.parser import Parser, complain
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
    """Run the simulated board until it is told to stop; returns the exit code.

    0 it was told to stop, 1 it could not start, 2 the arguments make no sense.
    """
    try:
        options = parse(argv)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else ExitCode.USAGE
    except TreeError as error:
        complain("npulse sim", str(error))
        return ExitCode.USAGE
    try:
        asyncio.run(serve(options))
    except StartError as error:
        complain("npulse sim", str(error))
        return ExitCode.FAILED
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
        description="A simulated board: a server on 127.0.0.1 that answers as one of those that\n"
        "npulse knows, at the pace of a real board, and a /sys and /proc tree that moves\n"
        "with it.\n"
        "Nothing runs on an NPU, every answer is made of ready sentences.",
        epilog=_epilog(),
        allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = made.add_argument
    port_help = "listen there; 0, the default, takes a free one"
    add("--port", type=_whole("port", 0, 65535), default=0, metavar="N", help=port_help)
    names = ", ".join(profile.name for profile in PROFILES)
    add(
        "--profile",
        type=_profile,
        default=_profile(DEFAULT_PROFILE),
        metavar="NAME",
        help=f"the model that is loaded at the start: {names} (default {DEFAULT_PROFILE})",
    )
    add(
        "--dialect",
        type=_dialect,
        default=USUAL_DIALECT,
        metavar="NAME",
        help=f"the server that is simulated, with its quirks: {', '.join(DIALECTS)} "
        f"(default {USUAL_DIALECT})",
    )
    add("--decode-tps", type=_rate, metavar="X", help="decode at X tokens a second, constantly")
    add("--prefill-tps", type=_rate, metavar="X", help="read prompts at X tokens a second")
    add(
        "--tokens",
        type=_whole("number of tokens", 1, MAX_TOKENS),
        metavar="N",
        help="every answer has N tokens (max_tokens of a request still cuts it)",
    )
    add(
        "--context",
        type=_whole("context", 64, MAX_CONTEXT_TOKENS),
        metavar="N",
        help="every model is loaded with a context of N tokens (4096), which is room for long "
        "answers; its file is named for it",
    )
    add("--speed", type=_rate, default=1.0, metavar="X", help="everything runs X times faster")
    add("--seed", type=_whole("seed", 0, 2**63), default=0, metavar="N", help="other answers")
    add(
        "--obey",
        type=_share,
        nargs="?",
        const=1.0,
        metavar="SHARE",
        help="answers follow instructions about length, JSON, language, yes or no; SHARE of them "
        "does, the rest fails (default 1)",
    )
    add("--truth", type=Path, metavar="FILE", help="append what happens, a JSON line per event")
    add("--root", type=Path, metavar="DIR", help="keep a /sys and /proc tree below DIR")
    add(
        "--fault",
        action=_FaultAction,
        default=Faults(),
        metavar="KIND[=VALUE]",
        help="what goes wrong, see below",
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
    lines = ["faults, which then happen to every answer:"]
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
        "               the whole answer is of that shape; hostile holds escape sequences,",
        "               which a client must not let through to a terminal",
        "  [[tokens=N]] it has N tokens",
        "  [[think]]    it begins with a thinking part; [[think=N]]: one of N tokens",
        "  [[fault:KIND[=VALUE]]] a fault of the list above, for this answer only",
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
