"""Suites, earlier runs, results and comparisons for the bench screens."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tui.bench.analysis.compare import NotComparableError, compare
from tui.bench.model import suite
from tui.bench.model.comparison import Comparison
from tui.bench.model.past_run import PastRun
from tui.bench.model.screen import ResultView, Span, SuiteChoice
from tui.bench.model.suite import SuiteError
from tui.bench.report.observations import observations
from tui.bench.run.forecast import Speed
from tui.bench.session.listing import expected
from tui.bench.session.pictures import pictures
from tui.bench.session.sanitized import cleaned
from tui.bench.store import runs
from tui.bench.store.document import load
from tui.bench.store.history import entries
from tui.bench.store.run_files import Loaded
from tui.core.text.sanitize import clean_line

PAST_RUNS = 200

# -- suites ----------------------------------------------------------------------------------------


def choices(
    user_folder: Path, speed: Speed, context_tokens: int | None
) -> tuple[tuple[SuiteChoice, ...], tuple[str, ...]]:
    """All suites with their expected durations, and a sentence for each invalid suite file."""
    try:
        own = sorted(str(path) for path in user_folder.glob("*.toml"))
    except OSError:
        own = []
    read = [_choice(key, speed, context_tokens) for key in (*suite.builtin_ids(), *own)]
    found = tuple(one for one in read if isinstance(one, SuiteChoice))
    return found, tuple(one for one in read if isinstance(one, str))


def _choice(key: str, speed: Speed, context_tokens: int | None) -> SuiteChoice | str:
    """The suite, or one sentence why it cannot be used."""
    try:
        found = suite.find(key, None)
    except SuiteError as error:
        return clean_line(str(error), 300)
    short = suite.quick(found)
    return SuiteChoice(
        key=key,
        id=clean_line(found.id, 40),
        about=clean_line(found.about, 200),
        prompts=len(found.prompts),
        runs=found.runs,
        full=Span(*expected(found, speed, context_tokens)),
        quick=Span(*expected(short, speed, context_tokens)),
        quick_prompts=len(short.prompts),
        quick_runs=short.runs,
        is_by_time=found.minutes is not None,
        is_of_one_board=suite.is_of_one_board(found),
    )


# -- earlier runs ----------------------------------------------------------------------------------


def past_runs(folder: Path) -> tuple[PastRun, ...]:
    """Earlier runs, latest first."""
    return cleaned(tuple(reversed(entries(folder, limit=PAST_RUNS))))


# -- one result ------------------------------------------------------------------------------------


def result(loaded: Loaded) -> ResultView:
    """The view of one run."""
    document = loaded.document
    run = document.run
    return ResultView(
        document=cleaned(document),
        pictures=pictures(loaded),
        remarks=tuple(clean_line(said, 600) for said in observations(loaded)),
        can_resume=run.status != "complete" and run.planned > 0 and loaded.suite is not None,
    )


# -- comparison ------------------------------------------------------------------------------------


def comparison(folder: Path, a: str, b: str, *, is_forced: bool) -> Comparison:
    """Compare two runs; without rows if they are not comparable. Raises RunError."""
    left, right = (load(runs.find(folder, name)).document for name in (a, b))
    try:
        found = compare(left, right, is_forced=is_forced)
    except NotComparableError as error:
        found = error.found
    return cleaned(found)


def partner(past: Sequence[PastRun], run_id: str) -> str | None:
    """The run to compare this one with: a named baseline of its suite and model, else the newest
    complete run before it, preferably of the same model. None without one."""
    at = next((i for i, run in enumerate(past) if run.id == run_id), None)
    if at is None:
        return None
    this = past[at]
    alike = [
        run
        for run in past
        if run.id != run_id and run.suite == this.suite and run.is_simulated == this.is_simulated
    ]
    same = [run for run in alike if run.model == this.model]
    named = next((run.id for run in same if run.baseline), None)
    if named is not None:
        return named
    before = {run.id for run in past[at + 1 :]}
    complete = [run for run in (*same, *alike) if run.id in before and run.status == "complete"]
    usable = complete or [run for run in (*same, *alike) if run.scored]
    return usable[0].id if usable else None
