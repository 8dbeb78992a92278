"""The command line of ``npulse lab``: verbs and options."""

from __future__ import annotations

import argparse
from pathlib import Path

from tui.commands.bench_arguments import (
    add_outputs,
    add_preparation,
    add_server,
    add_ui,
    duration,
)
from tui.commands.bench_board import add_board
from tui.commands.fleet_arguments import add_fleet
from tui.commands.parser import Parser, add_verb

EPILOG = """exit codes:
  0 done   1 a threshold failed   2 usage   3 a gate refused   4 incomplete
  5 no server, or the model did not load   130 interrupted, what was answered is kept

A prompt set is a TOML file: prompts with {{variables}}, cases, variants, checks. npulse lab new
makes one with an example of everything. The first Ctrl+C ends the present request, the second
ends at once; npulse lab resume continues. A run continues when the terminal is closed."""
_RAW = argparse.RawDescriptionHelpFormatter


def parser() -> Parser:
    """The parser of ``npulse lab``."""
    made = Parser(
        prog="npulse lab",
        description="The prompt lab: compares prompts, settings and models.",
        epilog=EPILOG,
        formatter_class=_RAW,
    )
    verbs = made.add_subparsers(dest="verb", metavar="VERB", required=True)
    _new(add_verb(verbs, "new", "make a prompt set with an example of everything"))
    _edit(add_verb(verbs, "edit", "open a prompt set in $VISUAL or $EDITOR and check it"))
    _list(add_verb(verbs, "list", "list prompt sets and runs"))
    _run(add_verb(verbs, "run", "run a prompt set", epilog=EPILOG, formatter_class=_RAW))
    _resume(add_verb(verbs, "resume", "run the missing and failed requests of a run"))
    _show(add_verb(verbs, "show", "show the matrix and the figures of a run"))
    _compare(add_verb(verbs, "compare", "show where the answers of two variants differ"))
    _judge(add_verb(verbs, "judge", "have a judge model rate each answer"))
    _export(add_verb(verbs, "export", "write a run as Markdown, HTML, CSV or JSON"))
    _import(add_verb(verbs, "import", "make a prompt set from a promptfoo configuration"))
    _control(add_verb(verbs, "control", "pause, resume, skip or abort a run"))
    add_verb(verbs, "schema", "print the JSON Schema of an exported run")
    return made


def _folder(verb: argparse.ArgumentParser) -> None:
    said = "use this data folder: prompt sets are in DIR/lab, runs in DIR/bench"
    verb.add_argument("--folder", type=Path, metavar="DIR", help=said)


def _named_run(verb: argparse.ArgumentParser) -> None:
    said = "id of a run or its beginning, a prompt set (its newest run), or last"
    verb.add_argument("run", nargs="?", default="last", metavar="RUN", help=said)


def _new(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("name", metavar="NAME", help="name of the new prompt set")
    _folder(verb)
    said = "take the prompts and checks of this benchmark suite: prompts, code, ..."
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
    add("--strict", action="store_true", help="do not run if a gate warns")
    add("--force", action="store_true", help="run even if a gate refuses")
    add_board(verb)
    add_preparation(verb)
    add("--no-hash", action="store_true", help="do not hash the model file")
    add(
        "--fail-on",
        action="append",
        default=[],
        metavar="EXPR",
        help="exit with code 1 if a condition is true: checks<100%%, pass_pct<90, decode<2, "
        "determinism_pct<100; for one variant: checks.terse<90%%",
    )


def _run(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("set", metavar="SET", help="a name, or a .toml file")
    _folder(verb)
    add_server(verb)
    add_fleet(verb)
    verb.add_argument("--model", metavar="NAME", help="model of variants that name none")
    said = "only show the plan and its expected duration"
    verb.add_argument("--plan", action="store_true", help=said)
    _measuring(verb)
    add_outputs(verb)
    add_ui(verb)


def _resume(verb: argparse.ArgumentParser) -> None:
    _named_run(verb)
    _folder(verb)
    add_server(verb)
    add_fleet(verb)
    verb.add_argument("--model", metavar="NAME", help="model of variants that name none")
    _measuring(verb)
    add_outputs(verb)
    add_ui(verb)


def _show(verb: argparse.ArgumentParser) -> None:
    _named_run(verb)
    _folder(verb)
    verb.add_argument("--row", metavar="ROW", help="show the full answers of this row")
    verb.add_argument("--variant", metavar="NAME", help="only this variant")
    verb.add_argument(
        "--failed", action="store_true", help="only rows with a failed check or answer"
    )


def _compare(verb: argparse.ArgumentParser) -> None:
    _named_run(verb)
    verb.add_argument(
        "variants", nargs="*", metavar="VARIANT", help="two variants (default: the first two)"
    )
    _folder(verb)


def _judge(verb: argparse.ArgumentParser) -> None:
    _named_run(verb)
    _folder(verb)
    add_server(verb)
    verb.add_argument("--model", metavar="NAME", help="the judge model (default: the prompt set's)")
    verb.add_argument("--rubric", metavar="TEXT", help="the criteria (default: the prompt set's)")
    _measuring(verb)
    add_ui(verb)


def _export(verb: argparse.ArgumentParser) -> None:
    _named_run(verb)
    _folder(verb)
    add_outputs(verb)


def _import(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("file", type=Path, metavar="FILE", help="promptfooconfig.yaml")
    verb.add_argument(
        "name", nargs="?", metavar="NAME", help="name of the prompt set (default: the file's)"
    )
    _folder(verb)


def _control(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("word", choices=("pause", "resume", "skip", "abort"), help="what to do")
    _named_run(verb)
    _folder(verb)
