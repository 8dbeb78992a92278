"""``npulse lab``: prompt sets, their runs, results and exports from the command line."""

from __future__ import annotations

import argparse
import os
import shlex
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

import msgspec

from tui.bench.model.suite import find, user_suites
from tui.bench.store import controls
from tui.bench.store.runs import RunError
from tui.commands.bench_outputs import write
from tui.commands.exit_code import ExitCode
from tui.commands.lab_arguments import parser
from tui.commands.lab_show import compare, show
from tui.commands.parser import refused
from tui.commands.stdout_paper import stdout_paper
from tui.core.text.json_text import escaped_json
from tui.core.text.printed import Cell, table
from tui.core.text.sanitize import clean_line
from tui.lab import lab_document, report, store
from tui.lab.model.prompt_set import PromptSet
from tui.lab.model.records import LabRun
from tui.lab.results import answered_of, as_it_stands, is_alive, result_of
from tui.lab.sets.from_suite import table_of
from tui.lab.sets.parse import load_set, parse_set
from tui.lab.sets.problems import SetError
from tui.lab.sets.starter import as_toml, starter
from tui.lab.store import LabFolders
from tui.settings.config import ConfigError

EDITORS = ("VISUAL", "EDITOR")


def main(argv: Sequence[str]) -> int:
    """Run ``npulse lab`` with these arguments; returns the exit code."""
    try:
        options = parser().parse_args(list(argv))
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else ExitCode.USAGE
    folders = store.lab_folders(options.folder if "folder" in options else None)
    verbs: dict[str, Callable[[argparse.Namespace, LabFolders], int]] = {
        "new": _new,
        "edit": _edit,
        "list": _list,
        "run": _measured,
        "resume": _measured,
        "judge": _measured,
        "show": show,
        "compare": compare,
        "export": _export,
        "import": _import,
        "control": _control,
        "schema": _schema,
    }
    try:
        return verbs[options.verb](options, folders)
    except SetError as error:
        for sentence in error.sentences:
            complain(sentence)
        return ExitCode.USAGE
    except (RunError, ConfigError, ValueError) as error:
        return complain(str(error))
    except BrokenPipeError:
        # The reader of stdout has closed it; without this the interpreter prints an error at its
        # end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.OK


complain = partial(refused, "npulse lab")
"""One sentence on stderr, and the exit code."""


def _measured(options: argparse.Namespace, folders: LabFolders) -> int:
    # Imported here, as the modules of a run take long to import and a list does not need them.
    from tui.commands import lab_run
    from tui.commands.bench_board import BoardError, reached_board
    from tui.remote.ssh import SshError

    verbs = {"run": lab_run.run, "resume": lab_run.go_on, "judge": lab_run.judge}
    try:
        with reached_board(options):
            return verbs[options.verb](options, folders)
    except SshError as error:
        return complain(str(error), ExitCode.UNREACHABLE)
    except BoardError as error:
        return complain(str(error))


def _new(options: argparse.Namespace, folders: LabFolders) -> int:
    path = store.new_set_path(folders, options.name)
    if options.suite is None:
        text = starter(options.name)
    else:
        text = as_toml(table_of(find(options.suite, user_suites())))
    parse_set(text.encode("utf-8", "replace"), path.name)
    store.save_set(path, text)
    print(path)
    return _opened(path) if options.edit else ExitCode.OK


def _edit(options: argparse.Namespace, folders: LabFolders) -> int:
    return _opened(store.set_path(folders, options.set))


def _opened(path: Path) -> int:
    """Opens the file in the user's editor, then checks it."""
    editor = next((os.environ[name] for name in EDITORS if os.environ.get(name)), "")
    if not editor:
        return complain(f"no editor is set; export EDITOR=nano, or open {path} yourself")
    try:
        code = subprocess.run([*shlex.split(editor), str(path)], check=False).returncode
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        return complain(f"the editor {clean_line(editor, 60)!r} cannot be started: {reason}")
    if code:
        return complain(f"the editor ended with {code}; the file is {path}", ExitCode.INCOMPLETE)
    load_set(path)
    return ExitCode.OK


def _list(options: argparse.Namespace, folders: LabFolders) -> int:
    problems: list[str] = []
    sets = [found for name in store.set_names(folders) if (found := _set(folders, name, problems))]
    runs = [run for run_id in store.run_ids(folders) if (run := _kept(folders, run_id, problems))]
    rows = _rows(runs, folders)
    if options.json:
        described = [
            {
                "set": found.id,
                "title": found.title,
                "rows": len(found.rows),
                "variants": len(found.variants),
                "repeats": found.repeats,
            }
            for found in sets
        ]
        value = {"sets": described, "runs": rows}
        print(escaped_json(msgspec.json.encode(value), is_ascii=True).decode())
    else:
        paper = stdout_paper()
        for line in table([_set_cells(found) for found in sets], paper, cuts=2):
            print(line)
        if not sets:
            print("no prompt set yet; npulse lab new NAME makes one")
        for line in table([_run_cells(row) for row in rows], paper, right={1}):
            print(line)
    for problem in problems:
        complain(problem)
    return ExitCode.OK


def _set_cells(found: PromptSet) -> tuple[Cell, ...]:
    size = f"{len(found.rows)} rows x {len(found.variants)} variants x {found.repeats}"
    return (found.id, "strong"), size, (clean_line(found.title, 60), "dim")


def _run_cells(row: Mapping[str, object]) -> tuple[Cell, ...]:
    outcome = str(row["outcome"])
    return (
        (str(row["run"]), "strong"),
        f"{row['answered']}/{row['planned']}",
        (outcome, "ok" if outcome == "complete" else "warn"),
        ("SIMULATED" if row["simulated"] else "", "warn"),
    )


def _set(folders: LabFolders, name: str, problems: list[str]) -> PromptSet | None:
    try:
        return store.find_set(folders, name)
    except SetError as error:
        problems += error.sentences
        return None


def _kept(folders: LabFolders, run_id: str, problems: list[str]) -> LabRun | None:
    try:
        return store.read_run(folders, run_id)
    except RunError as error:
        problems.append(str(error))
        return None


def _rows(runs: Sequence[LabRun], folders: LabFolders) -> list[dict[str, object]]:
    """The runs as a list shows them."""
    return [
        {
            "run": run.id,
            "set": run.prompt_set.id,
            "started_utc": run.started_utc,
            "outcome": as_it_stands(run, folders).outcome,
            "answered": answered_of(run, folders),
            "planned": run.planned,
            "simulated": run.is_simulated,
        }
        for run in runs
    ]


def _export(options: argparse.Namespace, folders: LabFolders) -> int:
    result = result_of(store.find_run(folders, options.run), folders)
    targets = {form: getattr(options, form) for form in report.FORMS if getattr(options, form)}
    if list(targets.values()).count("-") > 1:
        return complain("only one of --json, --md, --html and --csv can be stdout")
    for form, target in (targets or {"md": "-"}).items():
        write(target, report.FORMS[form](result))
    return ExitCode.OK


def _import(options: argparse.Namespace, folders: LabFolders) -> int:
    from tui.lab.promptfoo import load

    table, left_out = load(options.file)
    name = options.name or options.file.stem.replace(" ", "-")
    path = store.new_set_path(folders, name)
    text = as_toml(table)
    parse_set(text.encode("utf-8", "replace"), path.name)
    store.save_set(path, text)
    print(path)
    for sentence in left_out:
        complain(sentence)
    return ExitCode.OK


def _control(options: argparse.Namespace, folders: LabFolders) -> int:
    run = store.find_run(folders, options.run)
    current = next((p.run_id for p in reversed(run.parts) if p.run_id and not p.outcome), "")
    if not current or not is_alive(run, folders):
        return complain("this run is not running", ExitCode.INCOMPLETE)
    try:
        controls.tell(folders.bench / current, options.word)
    except OSError as error:
        return complain(f"the run cannot be reached: {error.strerror or 'unknown'}")
    return ExitCode.OK


def _schema(options: argparse.Namespace, folders: LabFolders) -> int:
    data = msgspec.json.format(msgspec.json.encode(lab_document.schema()), indent=2)
    write("-", escaped_json(data, is_ascii=True) + b"\n")
    return ExitCode.OK
