"""The command line of ``npulse lab``: verbs, flags, and what they mean."""

from __future__ import annotations

import argparse
from pathlib import Path

from tui.commands.bench_arguments import add_outputs, add_server, add_ui, duration, seconds
from tui.commands.bench_board import add_board
from tui.commands.fleet_arguments import add_fleet
from tui.commands.parser import Parser

EPILOG = """exit codes:
  0 done   1 a threshold failed   2 usage   3 a gate refused   4 incomplete
  5 no server, or the model did not load   130 interrupted, what was answered is kept

A prompt set is a TOML file: prompts with {{variables}}, cases, variants, checks. npulse lab new
makes one with an example of everything. The first Ctrl+C ends the present request, the second
ends at once; npulse lab resume continues. A run continues when the terminal is closed."""
_RAW = argparse.RawDescriptionHelpFormatter


def parser() -> Parser:
    """Everything ``npulse lab`` takes."""
    made = Parser(
        prog="npulse lab",
        description="The prompt lab: which prompt, which settings, which model.",
        epilog=EPILOG,
        formatter_class=_RAW,
    )
    verbs = made.add_subparsers(dest="verb", metavar="VERB", required=True)
    _new(verbs.add_parser("new", help="make a prompt set with an example of everything"))
    _edit(verbs.add_parser("edit", help="open a prompt set in $VISUAL or $EDITOR and check it"))
    _list(verbs.add_parser("list", help="list prompt sets and runs"))
    _run(verbs.add_parser("run", help="run a prompt set", epilog=EPILOG, formatter_class=_RAW))
    _resume(verbs.add_parser("resume", help="run what is missing or failed of an earlier run"))
    _show(verbs.add_parser("show", help="show the matrix and the figures of a run"))
    _compare(verbs.add_parser("compare", help="show where the answers of two variants differ"))
    _judge(verbs.add_parser("judge", help="have a judge model give its opinion of each answer"))
    _export(verbs.add_parser("export", help="write a run as Markdown, HTML, CSV or JSON"))
    _import(verbs.add_parser("import", help="make a prompt set of a promptfoo configuration"))
    _control(verbs.add_parser("control", help="pause, resume, skip or abort a run"))
    verbs.add_parser("schema", help="print the JSON Schema of an exported run")
    return made


def _folder(verb: argparse.ArgumentParser) -> None:
    said = "the data folder, in place of your own: sets and runs are in DIR/lab and DIR/bench"
    verb.add_argument("--folder", type=Path, metavar="DIR", help=said)


def _named_run(verb: argparse.ArgumentParser) -> None:
    said = "id of a run, its beginning, the name of a set for its newest run, or last"
    verb.add_argument("run", nargs="?", default="last", metavar="RUN", help=said)


def _new(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("name", metavar="NAME", help="of the new set")
    _folder(verb)
    said = "with the prompts and checks of that suite of the benchmark: prompts, code, ..."
    verb.add_argument("--suite", metavar="NAME", help=said)
    verb.add_argument("--edit", action="store_true", help="open it in $VISUAL or $EDITOR")


def _edit(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("set", metavar="SET", help="a name, or a .toml file")
    _folder(verb)


def _list(verb: argparse.ArgumentParser) -> None:
    _folder(verb)
    verb.add_argument("--json", action="store_true", help="as JSON")


def _measuring(verb: argparse.ArgumentParser) -> None:
    add = verb.add_argument
    add(
        "--max-time",
        type=duration,
        metavar="TIME",
        help="start no request after this time: 30m, 2h",
    )
    add("--strict", action="store_true", help="refuse to run where a gate warns")
    add("--force", action="store_true", help="run although a gate refuses")
    add_board(verb)
    add("--no-warm-up", action="store_true", help="do not discard a first request")
    add("--cool-down", type=seconds, default=120.0, metavar="S", help="at most, between requests")
    add("--no-hash", action="store_true", help="do not hash the model file")
    add(
        "--fail-on",
        action="append",
        default=[],
        metavar="EXPR",
        help="exit 1 if true: checks<100%%, pass_pct<90, decode<2, determinism_pct<100, or of "
        "one variant: checks.terse<90%%",
    )


def _run(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("set", metavar="SET", help="a name, or a .toml file")
    _folder(verb)
    add_server(verb)
    add_fleet(verb)
    verb.add_argument("--model", metavar="NAME", help="where a variant names none")
    said = "show the plan and how long it takes, and ask nothing"
    verb.add_argument("--plan", action="store_true", help=said)
    _measuring(verb)
    add_outputs(verb)
    add_ui(verb)


def _resume(verb: argparse.ArgumentParser) -> None:
    _named_run(verb)
    _folder(verb)
    add_server(verb)
    add_fleet(verb)
    verb.add_argument("--model", metavar="NAME", help="where a variant names none")
    _measuring(verb)
    add_outputs(verb)
    add_ui(verb)


def _show(verb: argparse.ArgumentParser) -> None:
    _named_run(verb)
    _folder(verb)
    verb.add_argument("--row", metavar="ROW", help="the answers of that row in full")
    verb.add_argument("--variant", metavar="NAME", help="only that variant")
    verb.add_argument("--failed", action="store_true", help="only rows in which something failed")


def _compare(verb: argparse.ArgumentParser) -> None:
    _named_run(verb)
    verb.add_argument(
        "variants", nargs="*", metavar="VARIANT", help="two; the first two of the set"
    )
    _folder(verb)


def _judge(verb: argparse.ArgumentParser) -> None:
    _named_run(verb)
    _folder(verb)
    add_server(verb)
    verb.add_argument("--model", metavar="NAME", help="the judge, in place of the set's")
    verb.add_argument("--rubric", metavar="TEXT", help="what it judges by, in place of the set's")
    _measuring(verb)
    add_ui(verb)


def _export(verb: argparse.ArgumentParser) -> None:
    _named_run(verb)
    _folder(verb)
    add_outputs(verb)


def _import(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("file", type=Path, metavar="FILE", help="promptfooconfig.yaml")
    verb.add_argument("name", nargs="?", metavar="NAME", help="of the set; without it the file's")
    _folder(verb)


def _control(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("word", choices=("pause", "resume", "skip", "abort"))
    _named_run(verb)
    _folder(verb)
