"""``npulse bench``: suites, runs, reports, comparisons from the command line."""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from tui.bench.analysis import thresholds
from tui.bench.analysis.compare import NotComparableError, compare
from tui.bench.importers import files
from tui.bench.model import records
from tui.bench.model.suite import user_suites
from tui.bench.report.comparison import as_html, as_json, as_markdown
from tui.bench.report.markdown import rendered
from tui.bench.report.render import makers
from tui.bench.report.rows import llama_bench_rows, rockchip_row
from tui.bench.session.listing import history, suites
from tui.bench.store import controls, document, run_files, runs
from tui.bench.store.folder import default_folder
from tui.bench.store.run_files import Loaded
from tui.commands.bench_arguments import parser
from tui.commands.bench_board import BoardError, reached_board
from tui.commands.bench_outputs import write, write_outputs
from tui.commands.bench_run import against, complain, go_on, judge, run
from tui.commands.exit_code import ExitCode
from tui.commands.stdout_paper import stdout_paper
from tui.core.text.json_text import escaped_json
from tui.core.text.sanitize import clean_line
from tui.recording.reading import Recording
from tui.remote.ssh import SshError
from tui.settings.config import ConfigError, config_paths, load
from tui.settings.server_options import server_access, server_urls
from tui.settings.state import remembered_servers

Replay = Callable[[Recording, float, argparse.Namespace], int]
"""Plays a recording in the terminal at some speed; returns the exit code."""


def main(argv: Sequence[str], replay: Replay | None = None) -> int:
    """Run ``npulse bench`` with these arguments; returns the exit code.

    The user's configuration says where the server is looked for without ``--url``, and what an
    answer is generated with where a suite is not greedy and no flag says otherwise.
    """
    try:
        config = load(config_paths(), os.environ)
        urls = server_urls(config.settings.server)
    except (ConfigError, ValueError) as error:
        return complain(clean_line(str(error)))
    try:
        options = parser().parse_args(list(argv))
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else ExitCode.USAGE
    given = getattr(options, "url", None)
    options.urls = urls if given is None else (given,)
    try:
        section = config.settings.server
        section = section if given is None else msgspec.structs.replace(section, url=given)
        options.access = server_access(section, getattr(options, "api_key", None))
        options.tokenizer = section.tokenizer
    except ValueError as error:
        return complain(str(error))
    if sum(getattr(options, form, None) == "-" for form in ("json", "md", "html", "csv")) > 1:
        return complain("only one of --json, --md, --html and --csv can be stdout")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A locale without these characters shows a question mark instead of a traceback.
            stream.reconfigure(errors="replace")
    base = config.settings.generation.to_generation()
    options.configured_model = config.settings.server.model or None
    options.remembered = remembered_servers()
    verbs: dict[str, Callable[[argparse.Namespace], int]] = {
        "list": lambda o: suites(o, user_suites(), stdout_paper()),
        "run": lambda o: run(o, base, user_suites()),
        "resume": lambda o: go_on(o, base),
        "report": _report,
        "compare": _compare,
        "history": lambda o: history(o, stdout_paper()),
        "replay": lambda o: _replay(o, replay),
        "import": _import,
        "schema": _schema,
        "baseline": _baseline,
        "control": _control,
    }
    try:
        with reached_board(options):
            return verbs[options.verb](options)
    except SshError as error:
        return complain(str(error), ExitCode.UNREACHABLE)
    except (BoardError, ConfigError, runs.RunError) as error:
        return complain(clean_line(str(error)))
    except BrokenPipeError:
        # The reader of stdout has closed it; without this the interpreter prints an error at its
        # end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.OK


def _folder(options: argparse.Namespace) -> Path:
    return options.folder or default_folder()


def _load(options: argparse.Namespace, name: str) -> Loaded:
    return document.load(runs.find(_folder(options), name))


def _replay(options: argparse.Namespace, replay: Replay | None) -> int:
    from tui.bench.store.request_recording import request_recording

    loaded = _load(options, options.run)
    requests, wanted = loaded.document.requests, options.request
    found = next((request for request in requests if request.id == wanted), None)
    if found is None and wanted.isdecimal() and 1 <= int(wanted) <= len(requests):
        found = requests[int(wanted) - 1]
    if found is None:
        shown = clean_line(wanted, 60)
        return complain(f"this run has no request {shown!r}; it has 1 to {len(requests)}")
    try:
        recording = request_recording(loaded, found)
    except ValueError as error:
        return complain(str(error))
    if replay is None:
        return complain("a replay needs the terminal of the dashboard")
    return replay(recording, options.speed, options)


def _report(options: argparse.Namespace) -> int:
    loaded = _load(options, options.run)
    if options.exclude_tainted:
        loaded = document.without_tainted(loaded)
    if options.row is not None:
        return _row(loaded, options.row)
    try:
        conditions = thresholds.parse(options.fail_on)
    except thresholds.ConditionError as error:
        return complain(str(error))
    baseline = None if options.baseline is None else _load(options, options.baseline)
    comparison, problem = against(baseline, loaded, options.vary)
    if not write_outputs(options, loaded, comparison):
        write("-", makers(options.compat, comparison)["md"](loaded))
    if problem is not None:
        return complain(problem, ExitCode.NOT_COMPARABLE)
    return judge(loaded, baseline, conditions, comparison)


def _row(loaded: Loaded, form: str) -> int:
    if form == "llama-bench":
        print(rendered([llama_bench_rows(loaded)]), end="")
        return ExitCode.OK
    found = rockchip_row(loaded)
    if found is None:
        return complain("this run is not of the shape 128 tokens in, 64 out; run standard")
    table, problems = found
    print(rendered([table]), end="")
    if problems:
        print(f"not comparable: {'; '.join(problems)}", file=sys.stderr)
    return ExitCode.OK


def _compare(options: argparse.Namespace) -> int:
    if len(options.runs) < 2:
        return complain("compare takes two runs or more")
    first, *others = (_load(options, name) for name in options.runs)
    try:
        conditions = thresholds.parse(options.fail_on)
        found = [
            compare(
                first.document,
                other.document,
                vary=options.vary,
                is_forced=options.force,
                excludes_tainted=options.exclude_tainted,
            )
            for other in others
        ]
        failed = [
            failure
            for comparison, other in zip(found, others, strict=True)
            for failure in thresholds.judge(
                conditions, other.document, baseline=first.document, comparison=comparison
            )
        ]
    except NotComparableError as error:
        hint = "--vary allows the one that you want to compare, --force allows all"
        return complain(f"not comparable: {error}; {hint}", ExitCode.NOT_COMPARABLE)
    except thresholds.ConditionError as error:
        return complain(str(error))
    forms = {
        "json": lambda: as_json(found),
        "md": lambda: as_markdown(found).encode("utf-8", "replace"),
        "html": lambda: as_html(found).encode("utf-8", "replace"),
    }
    targets = {form: getattr(options, form) for form in forms if getattr(options, form)}
    for form, target in (targets or {"md": "-"}).items():
        write(target, forms[form]())
    for failure in failed:
        complain(f"failed: {failure}", ExitCode.FAILED)
    is_regression = not conditions and any(comparison.is_regression for comparison in found)
    return ExitCode.FAILED if failed or is_regression else ExitCode.OK


def _import(options: argparse.Namespace) -> int:
    folder = _folder(options)
    for path in options.files:
        loaded = files.load(path)
        made = runs.make(folder, loaded.document.run.id)
        try:
            run_files.save(loaded, made)
        except OSError as error:
            return complain(f"cannot write {made}: {error.strerror or 'unknown'}")
        print(loaded.document.run.id)
    return ExitCode.OK


def _schema(options: argparse.Namespace) -> int:
    schema = msgspec.json.encode(records.schema())
    data = escaped_json(msgspec.json.format(schema, indent=2), is_ascii=True)
    write("-", data + b"\n")
    return ExitCode.OK


def _baseline(options: argparse.Namespace) -> int:
    folder = _folder(options)
    if options.name is None:
        for name, run_id in sorted(runs.baselines(folder).items()):
            print(f"{name}  {run_id}")
        return ExitCode.OK
    runs.set_baseline(folder, options.name, runs.find(folder, options.run).name)
    return ExitCode.OK


def _control(options: argparse.Namespace) -> int:
    path = runs.find(_folder(options), options.run)
    try:
        controls.tell(path, options.word)
    except OSError as error:
        return complain(f"cannot reach the run: {error.strerror or 'unknown'}")
    return ExitCode.OK
