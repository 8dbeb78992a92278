"""The command line of ``npulse bench``: verbs and options."""

from __future__ import annotations

import argparse
import math
import re
from pathlib import Path

from tui.bench.analysis.comparability import FIELDS
from tui.commands.bench_board import add_board
from tui.commands.fleet_arguments import add_fleet
from tui.commands.parser import Parser, add_replay_options, add_verb
from tui.servers.address import normalised_url

EPILOG = """exit codes:
  0 done   1 a threshold or a regression failed   2 usage   3 a gate refused
  4 incomplete   5 no server, or the model did not load   6 not comparable
  130 interrupted, what was measured is kept

The first Ctrl+C ends the present request and writes the report, the second ends at once.
A run continues when the terminal is closed."""

_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(s|m|min|h)?")


def duration(text: str) -> float:
    """90, 90s, 30m, 1.5h in seconds."""
    match = _DURATION.fullmatch(text.strip())
    if match is None:
        raise argparse.ArgumentTypeError(f"takes a time such as 90s, 30m or 2h, not {text!r}")
    seconds = float(match[1]) * {"m": 60, "min": 60, "h": 3600}.get(match[2] or "s", 1)
    if not 0 < seconds <= 365 * 86400:
        raise argparse.ArgumentTypeError("takes a time above 0")
    return seconds


def count(text: str) -> int:
    """A whole number from 1 up."""
    try:
        value = int(text)
    except ValueError:
        value = 0
    if not 1 <= value <= 100_000:
        raise argparse.ArgumentTypeError(f"takes a whole number from 1 up, not {text!r}")
    return value


def seconds(text: str) -> float:
    """A number of seconds from 0 up."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value < 1e7:
        raise argparse.ArgumentTypeError(f"takes a number of seconds, not {text!r}")
    return value


def address(text: str) -> str:
    """The URL of a server."""
    try:
        return normalised_url(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def goodput(text: str) -> tuple[float, float]:
    """``ttft:3000,decode:2`` -> (ms, tok/s)."""
    found = {"ttft": 3000.0, "decode": 2.0}
    for part in text.split(","):
        name, _, value = part.partition(":")
        try:
            number = float(value)
        except ValueError:
            number = math.nan
        if name.strip() not in found or not number >= 0:
            raise argparse.ArgumentTypeError(f"takes ttft:MS,decode:TPS, not {text!r}")
        found[name.strip()] = number
    return found["ttft"], found["decode"]


def parser() -> Parser:
    """The parser of ``npulse bench``."""
    made = Parser(
        prog="npulse bench",
        description="Benchmarks the model on this board.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verbs = made.add_subparsers(dest="verb", metavar="VERB", required=True)
    _list(add_verb(verbs, "list", "list the suites, and how long each takes"))
    _run(add_verb(verbs, "run", "run a suite", epilog=EPILOG, formatter_class=_RAW))
    _resume(add_verb(verbs, "resume", "run the missing and failed requests of a run"))
    _report(add_verb(verbs, "report", "write the report of a run, finished or not"))
    _compare(add_verb(verbs, "compare", "compare runs"))
    _history(add_verb(verbs, "history", "list earlier runs"))
    _replay(add_verb(verbs, "replay", "replay the answer to a request in the dashboard"))
    _import(add_verb(verbs, "import", "import results of another tool"))
    add_verb(verbs, "schema", "print the JSON Schema of a run")
    _baseline(add_verb(verbs, "baseline", "give a run a name to compare with"))
    _control(add_verb(verbs, "control", "pause, resume, skip or abort a running benchmark"))
    return made


_RAW = argparse.RawDescriptionHelpFormatter


def _folder(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--folder", type=Path, metavar="DIR", help="where runs are kept")


def add_server(verb: argparse.ArgumentParser) -> None:
    said = "the server (default: the one of config.toml, else searched on the known ports)"
    verb.add_argument("--url", type=address, metavar="URL", help=said)
    verb.add_argument(
        "--api-key", metavar="KEY", help="API key of the server; safer in $NPULSE_API_KEY"
    )


def add_preparation(verb: argparse.ArgumentParser) -> None:
    """What is done before the requests of a run."""
    add = verb.add_argument
    add("--no-warm-up", action="store_true", help="run no warm-up request first")
    add(
        "--cool-down",
        type=seconds,
        default=120.0,
        metavar="S",
        help="longest wait for the NPU to cool before a request (default 120)",
    )


def add_outputs(verb: argparse.ArgumentParser, *, has_csv: bool = True) -> None:
    """Adds ``--json``, ``--md`` and ``--html``, and ``--csv`` where there is such a report."""
    forms = {
        "json": "JSON",
        "md": "Markdown",
        "html": "HTML",
        **({"csv": "CSV"} if has_csv else {}),
    }
    for name, form in forms.items():
        verb.add_argument(
            f"--{name}", metavar="FILE", help=f"write the report as {form} to FILE; - is stdout"
        )


def _list(verb: argparse.ArgumentParser) -> None:
    _folder(verb)
    add_server(verb)
    verb.add_argument("--model", metavar="NAME", help="the model (default: the loaded one)")
    verb.add_argument("--suites", type=Path, metavar="DIR", help="a folder with suites of your own")
    verb.add_argument("--json", action="store_true", help="as JSON")


def _replay(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("run", metavar="RUN", help="id of the run, its beginning, or last")
    verb.add_argument(
        "request", metavar="REQUEST", help="its number in the results, or the id of its prompt"
    )
    _folder(verb)
    add_replay_options(verb)


def _run(verb: argparse.ArgumentParser) -> None:
    add = verb.add_argument
    add("suite", metavar="SUITE", help="a name, a .toml file, or a .jsonl file of prompts")
    _folder(verb)
    add_server(verb)
    add_fleet(verb)
    add("--model", metavar="NAME", help="the model; loaded if it is not")
    add("--runs", type=count, metavar="N", help="repetitions of each prompt (default: the suite's)")
    add(
        "--seed",
        type=int,
        default=1,
        metavar="N",
        help="seed of the order and the filler words (default 1)",
    )
    add("--minutes", type=seconds, metavar="N", help="repeat the suite for N minutes")
    add(
        "--max-time",
        type=duration,
        metavar="TIME",
        help="start no request after this time: 30m, 2h",
    )
    add(
        "--max-tokens",
        type=count,
        metavar="N",
        help="token limit of prompts in a batch (default 512)",
    )
    add("--strict", action="store_true", help="do not run if a gate warns")
    add("--force", action="store_true", help="run even if a gate refuses")
    add(
        "--pin",
        action="store_true",
        help="set all governors to performance during the run; needs root",
    )
    add("--quick", action="store_true", help="the short form of the suite")
    sampling = verb.add_mutually_exclusive_group()
    sampling.add_argument(
        "--greedy", action="store_true", default=None, help="greedy sampling (top_k 1)"
    )
    sampling.add_argument(
        "--sampled", dest="greedy", action="store_false", help="sample with the settings below"
    )
    add("--thinking", action="store_true", help="let the model think; token limits are tripled")
    add(
        "--temperature",
        type=float,
        metavar="X",
        help="sampling temperature, unless the run is greedy",
    )
    add("--top-p", type=float, metavar="X", help="nucleus sampling")
    add("--top-k", type=int, metavar="N", help="candidates per token")
    add("--repeat-penalty", type=float, metavar="X", help="above 1 against repetition")
    add_board(verb)
    add_preparation(verb)
    add("--abort-loops", action="store_true", help="stop an answer that repeats itself")
    add("--no-hash", action="store_true", help="do not hash the model file")
    add(
        "--first-timeout",
        type=seconds,
        default=60.0,
        metavar="S",
        help="time limit for the first token, at least (default 60)",
    )
    add(
        "--idle-timeout",
        type=seconds,
        default=30.0,
        metavar="S",
        help="time limit between two tokens, at least (default 30)",
    )
    add(
        "--total-timeout",
        type=float,
        metavar="X",
        help="time limit for one answer: X times its expected duration",
    )
    add(
        "--drain",
        type=seconds,
        default=120.0,
        metavar="S",
        help="longest wait for the server to be idle after an aborted answer (default 120)",
    )
    add(
        "--goodput",
        type=goodput,
        default=(3000.0, 2.0),
        metavar="ttft:MS,decode:TPS",
        help="limits of a good answer: longest TTFT, lowest decode rate (default "
        "ttft:3000,decode:2)",
    )
    _judging(verb)
    add("--save-baseline", metavar="NAME", help="save this run as the baseline NAME")
    add_outputs(verb)
    add_ui(verb)


def _judging(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--baseline", metavar="NAME", help="compare with this baseline at the end")
    verb.add_argument(
        "--fail-on",
        action="append",
        default=[],
        metavar="EXPR",
        help="exit with code 1 if a condition is true, such as decode<-5%%,success<100%%",
    )
    _vary(verb)


def _vary(verb: argparse.ArgumentParser) -> None:
    said = "compare although this field differs"
    verb.add_argument("--vary", action="append", default=[], choices=FIELDS, help=said)


def add_ui(verb: argparse.ArgumentParser) -> None:
    verb.add_argument(
        "--ui",
        choices=("auto", "progress", "plain", "none", "jsonl"),
        default="auto",
        help="output: auto is a progress line on a terminal, else plain lines",
    )


def _resume(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("run", metavar="RUN", help="id of the run, its beginning, or last")
    _folder(verb)
    add_server(verb)
    add_fleet(verb)
    verb.add_argument("--model", metavar="NAME", help="the model, if the run's is not loaded")
    add_board(verb)
    verb.add_argument(
        "--max-time",
        type=duration,
        metavar="TIME",
        help="start no request after this time: 30m, 2h",
    )
    verb.add_argument("--strict", action="store_true", help="do not run if a gate warns")
    verb.add_argument("--force", action="store_true", help="run even if a gate refuses")
    verb.add_argument("--no-warm-up", action="store_true", help="run no warm-up request first")
    verb.add_argument(
        "--cool-down",
        type=seconds,
        default=120.0,
        metavar="S",
        help="longest wait for the NPU to cool before a request (default 120)",
    )
    verb.add_argument("--no-hash", action="store_true", help="do not hash the model file")
    _judging(verb)
    add_outputs(verb)
    add_ui(verb)


def _report(verb: argparse.ArgumentParser) -> None:
    verb.add_argument(
        "run", metavar="RUN", help="id of the run or its beginning, a baseline, a file, or last"
    )
    _folder(verb)
    verb.add_argument(
        "--compat", choices=("seed004",), help="layout and definitions of the earlier board report"
    )
    verb.add_argument("--exclude-tainted", action="store_true", help="leave out tainted requests")
    verb.add_argument(
        "--row", choices=("llama-bench", "rockchip"), help="only print one table row in this format"
    )
    _judging(verb)
    add_outputs(verb)


def _compare(verb: argparse.ArgumentParser) -> None:
    verb.add_argument(
        "runs", nargs="+", metavar="RUN", help="the baseline, then the runs to compare with it"
    )
    _folder(verb)
    _vary(verb)
    verb.add_argument("--force", action="store_true", help="compare even if other fields differ")
    verb.add_argument("--exclude-tainted", action="store_true", help="leave out tainted requests")
    verb.add_argument(
        "--fail-on",
        action="append",
        default=[],
        metavar="EXPR",
        help="exit with code 1 if a condition is true, such as decode<-5%%",
    )
    add_outputs(verb, has_csv=False)


def _history(verb: argparse.ArgumentParser) -> None:
    _folder(verb)
    verb.add_argument("--model", metavar="NAME", help="only runs of this model")
    verb.add_argument("--suite", metavar="NAME", help="only runs of this suite")
    verb.add_argument(
        "--limit", type=count, default=40, metavar="N", help="at most this many (default 40)"
    )
    verb.add_argument("--json", action="store_true", help="as JSON")


def _import(verb: argparse.ArgumentParser) -> None:
    verb.add_argument(
        "files", nargs="+", type=Path, metavar="FILE", help="results of another benchmark tool"
    )
    _folder(verb)


def _baseline(verb: argparse.ArgumentParser) -> None:
    verb.add_argument(
        "name", nargs="?", metavar="NAME", help="new name; without it, list the names"
    )
    verb.add_argument(
        "run", nargs="?", default="last", metavar="RUN", help="id of the run (default: last)"
    )
    _folder(verb)


def _control(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("word", choices=("pause", "resume", "skip", "abort"), help="what to do")
    verb.add_argument(
        "run", nargs="?", default="last", metavar="RUN", help="id of the run (default: last)"
    )
    _folder(verb)
