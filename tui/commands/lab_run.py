"""``npulse lab run``, ``resume`` and ``judge``: from arguments to an exit code."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TextIO

import msgspec

from tui.bench.analysis import thresholds
from tui.bench.model.events import Event, Finished
from tui.bench.model.options import Options
from tui.bench.model.suite import Suite
from tui.bench.run.connect import SetupError, connect
from tui.bench.run.forecast import Speed
from tui.bench.run.runner import RunSuite
from tui.bench.session.listing import expected, speed_of
from tui.bench.store.controls import Controls
from tui.commands import lab_show
from tui.commands.bench_outputs import write
from tui.commands.bench_progress import shown_by
from tui.commands.bench_run import EXITS, on_this_machine, watched
from tui.commands.exit_code import ExitCode
from tui.commands.fleet_arguments import FleetUsageError, fleet_runner
from tui.commands.parser import refused
from tui.core.text.format import forecast_text
from tui.core.text.sanitize import clean_line
from tui.core.types import GenerationSettings
from tui.lab import opinions, plan, report, store
from tui.lab.figures import threshold_values
from tui.lab.follow import stored_matrix
from tui.lab.model.prompt_set import JudgeModel
from tui.lab.model.records import LabRun, Part
from tui.lab.results import result_of
from tui.lab.run import LabRunner, new_run, run_part, with_part
from tui.lab.store import LabFolders
from tui.servers.model_choice import loaded_model
from tui.servers.remembered_servers import NOTHING_REMEMBERED
from tui.settings.config import config_paths, load
from tui.settings.server_options import server_access, server_urls
from tui.settings.state import remembered_servers

complain = partial(refused, "npulse lab")
"""One sentence on stderr, and the exit code."""


def run(options: argparse.Namespace, folders: LabFolders) -> int:
    """Runs a set. Raises SetError, ConfigError, RunError."""
    prompt_set = store.find_set(folders, options.set)
    base, made = _options(options, folders)
    record = new_run(prompt_set, base)
    try:
        run_suite = _run_suite(options, record)
    except FleetUsageError as error:
        return complain(str(error))
    if options.boards is not None:
        # Which boards join is only known during the run, so there is no plan to show.
        if options.plan:
            return complain("--plan asks one server, so it goes without --boards")
        return _go(options, folders, record, made, run_suite)
    if options.plan:
        return _print_plan(record, made, folders, sys.stdout)
    _print_plan(record, made, folders, _out(options))
    return _go(options, folders, record, made, run_suite)


def _run_suite(options: argparse.Namespace, record: LabRun) -> RunSuite:
    """On this board, or on many. Raises FleetUsageError, ConfigError."""
    found = fleet_runner(options)
    named = next((part.server for part in record.parts if part.server), None)
    if found is not None and named is not None:
        raise FleetUsageError(
            f"a variant names the server {clean_line(named, 80)}; with --boards each board asks "
            "its own"
        )
    return found or on_this_machine(None, options.root)


def go_on(options: argparse.Namespace, folders: LabFolders) -> int:
    """Resumes a run that was stopped, killed, or has failures."""
    record = store.find_run(folders, options.run)
    if record.outcome == "complete":
        return complain("this run is complete, nothing is missing")
    try:
        run_suite = _run_suite(options, record)
    except FleetUsageError as error:
        return complain(str(error))
    _, made = _options(options, folders)
    again = tuple(
        part if part.outcome == "complete" else msgspec.structs.replace(part, outcome="")
        for part in record.parts
    )
    record = msgspec.structs.replace(record, parts=again)
    return _go(options, folders, record, replace(made, settings=record.base), run_suite)


def _options(
    options: argparse.Namespace, folders: LabFolders
) -> tuple[GenerationSettings, Options]:
    """(defaults for variants, options of the benchmark)."""
    settings = load(config_paths(), os.environ).settings
    section = settings.server
    urls = server_urls(section)
    if options.elsewhere is not None:
        urls = options.urls
    elif options.url is not None:
        urls = (options.url,)
        section = msgspec.structs.replace(section, url=options.url)
    base = replace(settings.generation.to_generation(), system_prompt="")
    made = Options(
        folder=folders.bench,
        urls=urls,
        access=server_access(section, options.api_key),
        tokenizer=section.tokenizer,
        remembered=NOTHING_REMEMBERED if options.elsewhere else remembered_servers(),
        model=options.model or settings.server.model or None,
        max_time_s=options.max_time,
        is_strict=options.strict,
        is_forced=options.force,
        is_greedy=False,
        settings=base,
        root=options.root,
        elsewhere=options.elsewhere,
        reads_board=not options.no_board,
        has_warmup=not options.no_warm_up,
        cool_down_s=options.cool_down,
        hashes_model=not options.no_hash,
    )
    return base, made


def _out(options: argparse.Namespace) -> TextIO:
    """Stream for progress: stderr where a report goes to stdout."""
    forms = (getattr(options, form, None) for form in report.FORMS)
    return sys.stderr if "-" in tuple(forms) or options.ui == "progress" else sys.stdout


def _go(
    options: argparse.Namespace,
    folders: LabFolders,
    record: LabRun,
    made: Options,
    run_suite: RunSuite,
) -> int:
    try:
        conditions = thresholds.parse(options.fail_on or record.prompt_set.fail_on)
        names = threshold_values(plan.empty_matrix(record.prompt_set), ())
        _check_names(conditions, names, record)
    except thresholds.ConditionError as error:
        return complain(str(error))
    if sum(getattr(options, form) == "-" for form in report.FORMS) > 1:
        return complain("only one of --json, --md, --html and --csv can be stdout")
    controls, out = Controls(), _out(options)
    seeded = replace(made, seed=record.prompt_set.seed)
    runner = LabRunner(record, folders, lambda part: with_part(seeded, part), controls, run_suite)
    finished = asyncio.run(watched(runner.events(), controls, shown_by(options.ui, out)))
    code = EXITS[finished.outcome]
    return _finish(options, folders, runner.record, code, conditions, out)


def _check_names(
    conditions: list[thresholds.Condition], known: dict[str, float | None], record: LabRun
) -> None:
    """Checks the names of figures before the run. Raises ConditionError."""
    variants = [variant.id for variant in record.prompt_set.variants]
    every = {f"{name}.{variant}": 0.0 for name in known for variant in variants}
    thresholds.judge_values(conditions, {**dict.fromkeys(known, 0.0), **every})


def _finish(
    options: argparse.Namespace,
    folders: LabFolders,
    record: LabRun,
    code: int,
    conditions: list[thresholds.Condition],
    out: TextIO,
) -> int:
    """Files, the matrix, thresholds."""
    if not any(part.run_id for part in record.parts):
        return code if options.ui not in ("none", "jsonl") else complain(record.sentence, code)
    result = result_of(record, folders)
    for form, make in report.FORMS.items():
        target = getattr(options, form)
        if target:
            write(target, make(result))
    if options.ui not in ("none", "jsonl"):
        lab_show.print_result(result, out)
        print(f"kept as {record.id}", file=out)
        if record.outcome != "complete":
            print(f"npulse lab resume {record.id} runs what is missing or failed", file=out)
    if code:
        return code
    values = threshold_values(result.matrix, result.figures)
    failed = thresholds.judge_values(conditions, values)
    for failure in failed:
        complain(f"failed: {failure}", ExitCode.FAILED)
    return ExitCode.FAILED if failed else ExitCode.OK


# -- the plan ----------------------------------------------------------------------------------


def _print_plan(record: LabRun, made: Options, folders: LabFolders, out: TextIO) -> int:
    """Prints the plan: requests, models, expected time."""
    prompt_set = record.prompt_set
    rows, variants = len(prompt_set.rows), len(prompt_set.variants)
    print(
        f"{clean_line(prompt_set.title or prompt_set.id, 60)}: {rows} rows x {variants} variants "
        f"x {prompt_set.repeats} = {record.planned} requests, seed {prompt_set.seed}",
        file=out,
    )
    expectations = []
    for at, part in enumerate(record.parts, 1):
        found = asyncio.run(_expected(record, part, made, folders))
        expectations.append(found)
        print(
            f"part {at} of {len(record.parts)}: {len(part.variants)} variants, {found.where}, "
            f"{_span(found.span_s)}",
            file=out,
        )
    total = tuple(map(sum, zip(*(found.span_s for found in expectations), strict=True)))
    print(f"expected {_span(total)}; models loaded: {_loads(expectations)}", file=out)
    return ExitCode.OK


def _loads(expectations: Sequence[_Expected]) -> str:
    """Number of model loads for the parts in order; an upper bound where a server does not report
    its loaded model.
    """
    count, is_certain = 0, True
    in_use: dict[str, str] = {}
    """By server: the model that the previous part leaves loaded."""
    for found in expectations:
        before = in_use.get(found.server)
        if found.server and before is not None:
            count += found.model != before
        else:
            count += found.has_to_load is not False
            is_certain = is_certain and found.has_to_load is not None
        if found.server:
            in_use[found.server] = found.model
    return str(count) if is_certain else f"at most {count}"


def _span(span: tuple[float, ...]) -> str:
    return forecast_text(*span)


@dataclass(frozen=True, slots=True)
class _Expected:
    """Forecast of a part before it runs. ``span_s``: likely, low, high; ``where``: model and server
    in words; ``has_to_load`` None: the server does not tell.
    """

    span_s: tuple[float, float, float]
    where: str
    server: str = ""
    model: str = ""
    has_to_load: bool | None = None


async def _expected(record: LabRun, part: Part, made: Options, folders: LabFolders) -> _Expected:
    """Forecast from earlier runs of that model, else from published figures."""
    wanted = with_part(made, part)
    # Without a model name, the loaded model is used.
    unknown = None if part.model else False
    suite = plan.suite_of(record.prompt_set, part)
    try:
        found = await connect(wanted)
    except SetupError as error:
        said = f"no server yet ({clean_line(error.sentence, 120)})"
        return _Expected(expected(suite, Speed(), None), said, has_to_load=unknown)
    await found.client.aclose()
    name = wanted.model or found.info.name
    info = next((model for model in found.models if model.name == name), found.info)
    speed = speed_of(folders.bench, name, is_simulated=found.server.is_simulated)
    speed.size_bytes = info.size_bytes
    basis = "as measured before" if speed.is_measured else "from published figures"
    where = f"{clean_line(name, 60) or 'no model named'} at {clean_line(found.server.label, 80)}"
    loaded = loaded_model(found.models)
    is_told = any(model.is_loaded is not None for model in found.models)
    return _Expected(
        expected(suite, speed, info.context_tokens),
        f"{where}, {basis}",
        found.server.url,
        info.name,
        (loaded is None or loaded.name != info.name) if is_told else unknown,
    )


# -- a judge model -----------------------------------------------------------------------------


def judge(options: argparse.Namespace, folders: LabFolders) -> int:
    """Has a judge model rate each answer."""
    record = store.find_run(folders, options.run)
    own = record.prompt_set.judge or JudgeModel(rubric="")
    rubric = options.rubric or own.rubric
    if not rubric:
        return complain("the set has no rubric; give one with --rubric, or write [judge] in it")
    matrix = stored_matrix(record, folders.bench)
    suite = opinions.suite_of(record, matrix, rubric)
    if options.url is None and own.server:
        options.url = own.server
    _, made = _options(options, folders)
    made = replace(made, model=options.model or own.model or made.model)
    part = Part(server=own.server, model=made.model or "")
    controls = Controls()
    kept = _Kept(record, folders, part)
    events = _opinion_events(suite, made, controls, kept)
    out = _out(options)
    finished = asyncio.run(watched(events, controls, shown_by(options.ui, out)))
    if options.ui not in ("none", "jsonl"):
        lab_show.print_result(result_of(kept.record, folders), out)
    return EXITS[finished.outcome]


class _Kept:
    """Stores the state of the judge's run in the record."""

    def __init__(self, record: LabRun, folders: LabFolders, part: Part) -> None:
        self.record = record
        self.part = part
        self._before = record.opinions
        self._folders = folders

    def change(self, **new: object) -> None:
        loads = self.part.loads + int(new.pop("loads", 0))  # type: ignore[call-overload]
        self.part = msgspec.structs.replace(self.part, loads=loads, **new)
        if self.part.run_id:
            opinions = (*self._before, self.part)
            self.record = msgspec.structs.replace(self.record, opinions=opinions)
            store.save_run(self._folders, self.record)


async def _opinion_events(
    suite: Suite, made: Options, controls: Controls, kept: _Kept
) -> AsyncIterator[Event]:
    async for event in run_part(suite, made, controls, None, kept.change):
        yield event
    outcome = kept.part.outcome or "incomplete"
    yield Finished(outcome=outcome, sentence=kept.part.sentence)  # type: ignore[arg-type]
