"""``npulse bench run`` and ``resume``: from arguments to a finished run and its exit code."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TextIO

from tui.bench.analysis import thresholds
from tui.bench.analysis.compare import NotComparableError, compare
from tui.bench.model import batch
from tui.bench.model.comparison import Comparison
from tui.bench.model.events import Event, Finished, Outcome
from tui.bench.model.metrics import interval_digits, metric
from tui.bench.model.options import LimitPolicy, Options
from tui.bench.model.suite import Suite, SuiteError, find
from tui.bench.report.boards import text_lines
from tui.bench.report.comparison import as_markdown as comparison_markdown
from tui.bench.report.text import interval, marked
from tui.bench.run.runner import RunSuite
from tui.bench.run.runner import run as run_on_one
from tui.bench.store import batch_results, document, resume, runs
from tui.bench.store.controls import Controls
from tui.bench.store.folder import default_folder
from tui.bench.store.run_files import Loaded
from tui.commands.bench_outputs import write_outputs
from tui.commands.bench_progress import Aside, shown_by
from tui.commands.exit_code import ExitCode
from tui.commands.fleet_arguments import FleetUsageError, fleet_runner
from tui.commands.parser import refused
from tui.core.text.format import milliseconds, rate
from tui.core.types import GenerationSettings
from tui.fixes.change import BoardPlace
from tui.fixes.pin import Pin
from tui.settings.board_changes import BoardChanges

EXITS: dict[Outcome, int] = {
    "complete": ExitCode.OK,
    "incomplete": ExitCode.INCOMPLETE,
    "refused": ExitCode.GATE,
    "unreachable": ExitCode.UNREACHABLE,
    "aborted": ExitCode.STOPPED,
    "interrupted": ExitCode.STOPPED,
    "failed": ExitCode.INCOMPLETE,
}


OF_A_KIND = {
    "load_s.cold": ("cold load", 2),
    "load_s.warm": ("warm load", 2),
    "model_memory_mb": ("model", 0),
    "prefill_fixed_ms": ("prefill fixed", 1),
    "prefill_ms_per_token": ("per token", 2),
    "tps_at_full_context": ("at full context", 2),
    "usable_context": ("usable context", 0),
    "cache_ttft_ratio": ("warm/cold TTFT", 2),
    "slope_pct_h": ("slope", 2),
    "prompt_strict_pct": ("prompts strict", 0),
    "instruction_strict_pct": ("instructions strict", 0),
    "language_pass_pct": ("languages passed", 0),
    "code_accuracy_pct": ("code accuracy", 0),
    "requests_per_s": ("requests", 3),
}
"""Figures of the last line that only one kind of suite has: figure -> (label, digits)."""


def on_this_machine(folder: Path | None, root: Path | None) -> RunSuite:
    """What runs a suite here, and can hold the governors of the board while it does. ``folder``:
    that of the runs, None for the usual one."""
    pin = Pin(BoardPlace(root or Path("/")), BoardChanges(runs=folder))
    return partial(run_on_one, governors=pin)


def run(options: argparse.Namespace, settings: GenerationSettings, user_suites: Path) -> int:
    """Runs a suite. Raises ConfigError."""
    try:
        run_suite = fleet_runner(options) or on_this_machine(options.folder, options.root)
        if options.suite.endswith(".jsonl"):
            cap = options.max_tokens or batch.DEFAULT_MAX_TOKENS
            suite = batch.load(Path(options.suite), cap)
            for note in suite.notes:
                complain(note)
        else:
            suite = find(options.suite, user_suites)
        conditions = thresholds.parse(options.fail_on or suite.fail_on)
        _check_conditions(conditions, has_baseline=options.baseline is not None)
    except (SuiteError, FleetUsageError, thresholds.ConditionError) as error:
        return complain(str(error))
    folder = options.folder or default_folder()
    chosen = {
        name: value
        for name in ("temperature", "top_p", "top_k", "repeat_penalty")
        if (value := getattr(options, name)) is not None
    }
    good_ttft_ms, good_decode_tps = options.goodput
    made = Options(
        folder=folder,
        urls=options.urls,
        access=options.access,
        tokenizer=options.tokenizer,
        remembered=options.remembered,
        model=options.model or options.configured_model,
        runs=options.runs,
        seed=options.seed,
        max_time_s=options.max_time,
        minutes=options.minutes,
        is_strict=options.strict,
        is_forced=options.force,
        is_greedy=options.greedy,
        is_thinking=options.thinking,
        is_quick=options.quick,
        settings=replace(settings, **chosen),
        policy=LimitPolicy(
            first_min_s=options.first_timeout,
            idle_min_s=options.idle_timeout,
            total_factor=options.total_timeout,
            drain_s=options.drain,
        ),
        pins=options.pin,
        root=options.root,
        elsewhere=options.elsewhere,
        reads_board=not options.no_board,
        has_warmup=not options.no_warm_up,
        cool_down_s=options.cool_down,
        stops_loops=options.abort_loops,
        hashes_model=not options.no_hash,
        good_ttft_ms=good_ttft_ms,
        good_decode_tps=good_decode_tps,
    )
    return _go(options, suite, made, conditions, None, run_suite)


def go_on(options: argparse.Namespace, settings: GenerationSettings) -> int:
    """Resumes a run. Raises ConfigError."""
    folder = options.folder or default_folder()
    try:
        run_suite = fleet_runner(options) or on_this_machine(options.folder, options.root)
        before = resume.earlier(runs.find(folder, options.run))
        conditions = thresholds.parse(options.fail_on or before.suite.fail_on)
        _check_conditions(conditions, has_baseline=options.baseline is not None)
    except (runs.RunError, FleetUsageError, thresholds.ConditionError) as error:
        return complain(str(error))
    made = Options(
        folder=folder,
        urls=options.urls,
        access=options.access,
        tokenizer=options.tokenizer,
        remembered=options.remembered,
        model=options.model or before.model.name,
        max_time_s=options.max_time,
        is_strict=options.strict,
        is_forced=options.force,
        is_greedy=False,
        is_quick=before.config.quick,
        settings=_as_before(settings, before),
        root=options.root,
        elsewhere=options.elsewhere,
        reads_board=not options.no_board,
        has_warmup=not options.no_warm_up,
        cool_down_s=options.cool_down,
        hashes_model=not options.no_hash,
        good_ttft_ms=before.config.good_ttft_ms,
        good_decode_tps=before.config.good_decode_tps,
    )
    return _go(options, before.suite, made, conditions, before, run_suite)


def _as_before(settings: GenerationSettings, before: resume.Earlier) -> GenerationSettings:
    """The settings recorded at the start of the run."""
    sampling = before.config.sampling

    def known(name: str, default: float) -> float:
        value = sampling.get(name)
        return value if isinstance(value, int | float) else default

    return replace(
        settings,
        temperature=known("temperature", settings.temperature),
        top_p=known("top_p", settings.top_p),
        top_k=int(known("top_k", settings.top_k)),
        repeat_penalty=known("repeat_penalty", settings.repeat_penalty),
    )


def _check_conditions(conditions: list[thresholds.Condition], *, has_baseline: bool) -> None:
    if any(condition.is_change for condition in conditions) and not has_baseline:
        raise thresholds.ConditionError("a change such as decode<-5% needs --baseline NAME")


complain = partial(refused, "npulse bench")
"""One sentence on stderr, and the exit code."""


def _go(
    options: argparse.Namespace,
    suite: Suite,
    made: Options,
    conditions: list[thresholds.Condition],
    before: resume.Earlier | None,
    run_suite: RunSuite,
) -> int:
    baseline = None
    if options.baseline is not None:
        try:
            baseline = document.load(runs.find(made.folder, options.baseline))
        except runs.RunError as error:
            return complain(str(error))
    controls = Controls()
    wants_stdout = "-" in (options.json, options.md, options.html, options.csv)
    out = sys.stderr if wants_stdout or options.ui == "progress" else sys.stdout
    shown = shown_by(options.ui, out)
    events = run_suite(suite, made, controls, resume=before)
    finished = asyncio.run(watched(events, controls, shown))
    code = EXITS[finished.outcome]
    if not finished.folder:
        if options.ui in ("none", "jsonl") or wants_stdout:
            complain(finished.sentence, code)
        return code
    return _finish(options, made, Path(finished.folder), code, conditions, baseline, out)


async def watched(
    events: AsyncIterator[Event], controls: Controls, show: Callable[[Event], None]
) -> Finished:
    """Shows the events. The first Ctrl+C ends the run after the present request, the second at
    once."""
    shown = Aside(show)
    task = asyncio.current_task()
    loop = asyncio.get_running_loop()

    def interrupt() -> None:
        if controls.is_aborted and task is not None:
            task.cancel()
        controls.abort()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, interrupt)
    # A lost connection takes the terminal away, not the measurement.
    loop.add_signal_handler(signal.SIGHUP, lambda: None)
    last = Finished(outcome="interrupted", sentence="Interrupted.")
    try:
        async for event in events:
            shown.show(event)
            if isinstance(event, Finished):
                last = event
    except asyncio.CancelledError:
        last = Finished(outcome="interrupted", sentence="Interrupted; what was measured is kept.")
        shown.show(last)
    finally:
        await asyncio.to_thread(shown.close)
    return last


def _finish(
    options: argparse.Namespace,
    made: Options,
    folder: Path,
    code: int,
    conditions: list[thresholds.Condition],
    baseline: Loaded | None,
    out: TextIO,
) -> int:
    """Files, baseline, comparison, thresholds."""
    try:
        loaded = document.load(folder)
        if loaded.document.run.kind == "batch":
            batch_results.save(loaded, folder)
        comparison, problem = against(baseline, loaded, options.vary)
        write_outputs(options, loaded, comparison)
        if getattr(options, "save_baseline", None):
            runs.set_baseline(made.folder, options.save_baseline, loaded.document.run.id)
    except (runs.RunError, OSError) as error:
        return complain(str(error) or "the files could not be written", code or ExitCode.INCOMPLETE)
    if options.ui not in ("none", "jsonl"):
        print(headline(loaded), file=out)
        for line in text_lines(loaded.document):
            print(line, file=out)
        print(f"kept in {folder}", file=out)
        if loaded.document.run.status != "complete":
            boards = " --boards all" if loaded.document.boards else ""
            again = f"npulse bench resume {loaded.document.run.id}{boards}"
            print(f"{again} runs what is missing or failed", file=out)
    if comparison is not None and not options.md:
        print(comparison_markdown([comparison]), file=out)
    if problem is not None:
        return code or complain(problem, ExitCode.NOT_COMPARABLE)
    return code or judge(loaded, baseline, conditions, comparison)


def headline(loaded: Loaded) -> str:
    """The figures of a run in one line."""
    document = loaded.document
    decode, first = document.summary.get("decode_tps"), document.summary.get("ttft_client_ms")
    weighted = document.totals.get("run_decode_tps")
    parts = ["SIMULATED"] if document.run.simulated else []
    if decode is not None and decode.median is not None:
        shown = marked(rate(decode.median), decode.source)
        digits = metric("decode_tps").digits_of(decode.median)
        if decode.ci95 is not None:
            digits = interval_digits(decode.ci95, digits)
        parts.append(f"median {shown} tok/s {interval(decode.ci95, digits)} n={decode.n}")
    if weighted is not None and weighted.value is not None:
        parts.append(f"token-weighted {marked(rate(weighted.value), weighted.source)} tok/s")
    if first is not None and first.median is not None:
        parts.append(f"TTFT median {milliseconds(first.median)}")
    parts += [
        f"{label} {total.value:.{digits}f}{f' {total.unit}' if total.unit else ''}"
        for name, (label, digits) in OF_A_KIND.items()
        if (total := document.totals.get(name)) is not None and total.value is not None
    ]
    return ", ".join(parts) or "no figures: nothing was answered, or the server does not stream"


def against(
    baseline: Loaded | None, loaded: Loaded, vary: list[str]
) -> tuple[Comparison | None, str | None]:
    """(comparison with the baseline, why there can be none)."""
    if baseline is None:
        return None, None
    try:
        return compare(baseline.document, loaded.document, vary=vary), None
    except NotComparableError as error:
        return None, f"not comparable with the baseline: {error}"


def judge(
    loaded: Loaded,
    baseline: Loaded | None,
    conditions: list[thresholds.Condition],
    comparison: Comparison | None,
) -> int:
    """Exit code: 0, or 1 if a threshold or a comparison fails."""
    try:
        failed = thresholds.judge(
            conditions,
            loaded.document,
            baseline=None if baseline is None else baseline.document,
            comparison=comparison,
        )
    except thresholds.ConditionError as error:
        return complain(str(error))
    for failure in failed:
        complain(f"failed: {failure}", ExitCode.FAILED)
    if failed or (not conditions and comparison is not None and comparison.is_regression):
        return ExitCode.FAILED
    return ExitCode.OK
