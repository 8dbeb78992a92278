"""``npulse bench list`` and ``history``: suites with expected durations, and earlier runs."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from statistics import median

import msgspec

from tui.bench.model import suite
from tui.bench.model.metrics import interval_digits, metric
from tui.bench.model.options import Options
from tui.bench.model.past_run import PastRun
from tui.bench.model.suite import Suite, SuiteError
from tui.bench.report.text import interval
from tui.bench.run import plan
from tui.bench.run.connect import Connected, SetupError, connect
from tui.bench.run.forecast import Speed, forecast
from tui.bench.store import runs
from tui.bench.store.document import load
from tui.bench.store.folder import default_folder
from tui.bench.store.history import entries
from tui.core.text.format import UNKNOWN, forecast_text, rate
from tui.core.text.json_text import escaped_json
from tui.core.text.printed import PLAIN, Cell, Paper, cells_of, folded, table
from tui.core.text.sanitize import clean

COOL_DOWN_S = 30.0
"""Assumed pause between requests if there is no earlier run."""
LEARN_RUNS = 3
MAX_READ = 12
"""Most runs that are read for the forecast, as journals can be long."""


async def _connected(options: Options) -> Connected | None:
    try:
        found = await connect(options)
    except SetupError:
        return None
    await found.client.aclose()
    return found


def speed_of(folder: Path, model: str, *, is_simulated: bool) -> Speed:
    """Forecast data from earlier runs of this model: the newest ones, and the newest of each
    suite."""
    speed = Speed(is_simulated=is_simulated)
    taken = 0
    seen: dict[str, int] = {}
    for entry in reversed(entries(folder, model=model)):
        if entry.is_simulated != is_simulated or entry.comparability != "full":
            continue
        if entry.status == "unfinished":
            # Its journal may still grow, and loading reads it completely.
            continue
        if taken >= LEARN_RUNS and (seen.get(entry.suite) or entry.status != "complete"):
            continue
        try:
            loaded = load(folder / entry.id)
        except runs.RunError:
            continue
        speed.learn_run(loaded.document)
        if taken < LEARN_RUNS:
            for request in loaded.document.requests:
                if request.is_scored:
                    speed.learn(request)
        if entry.status == "complete":
            seen[entry.suite] = seen.get(entry.suite, 0) + 1
        taken += 1
        if taken >= MAX_READ:
            break
    return speed


def expected(found: Suite, speed: Speed, context_tokens: int | None) -> tuple[float, float, float]:
    """(likely, low, high) duration of a suite in s, including the time between requests.

    From the wall times of earlier runs of this suite; else from the model's rates and the pauses in
    its other runs. Without any run, a cool-down is assumed between requests, except on a simulated
    board and for the suite ``cache``.
    """
    if found.minutes is not None:
        return (found.minutes * 60,) * 3
    tasks = plan.ordered(found, found.runs, 1, context_tokens)
    kept = [task for task in tasks if plan.fits_context(task, context_tokens)]
    walls_s = speed.request_walls_s.get(found.sha256)
    if walls_s:
        count = len(kept)
        return median(walls_s) * count, min(walls_s) * count, max(walls_s) * count
    if speed.pauses_s:
        pause_s = median(speed.pauses_s)
    else:
        pause_s = 0.0 if speed.is_simulated or found.kind == "cache" else COOL_DOWN_S
    seen = forecast(kept, speed, elapsed_s=0.0, history={}, extra_s=pause_s)
    # There is no cool-down before the first request.
    first_s = min(pause_s, seen.left_low_s) if kept else 0.0
    return seen.left_s - first_s, seen.left_low_s - first_s, seen.left_high_s - first_s


def suites(options: argparse.Namespace, user_folder: Path, paper: Paper = PLAIN) -> int:
    """Print all suites with their expected duration for the connected model. Returns the exit
    code."""
    folder = options.folder or default_folder()
    wish = Options(
        folder=folder,
        urls=options.urls,
        access=options.access,
        model=options.model,
        remembered=options.remembered,
    )
    found = asyncio.run(_connected(wish))
    speed, context, model = Speed(), 16_384, None
    if found is not None:
        model = found.info.name
        speed = speed_of(folder, model, is_simulated=found.server.is_simulated)
        speed.size_bytes = found.info.size_bytes
        context = found.context_tokens or context
    rows, problems = [], []
    for one in [*suite.builtin_ids(), *_own(options.suites or user_folder)]:
        try:
            loaded = suite.find(one, None)
        except SuiteError as error:
            problems.append(str(error))
            continue
        likely, low, high = expected(loaded, speed, context)
        rows.append(
            {
                "suite": loaded.id,
                "prompts": len(loaded.prompts),
                "runs": loaded.runs,
                "expected_s": round(likely),
                "low_s": round(low),
                "high_s": round(high),
                "is_measured": speed.is_measured,
                "about": loaded.about,
                "path": one if one.endswith(".toml") else None,
            }
        )
    if options.json:
        value = {"model": model, "suites": rows}
        print(escaped_json(msgspec.json.encode(value), is_ascii=True).decode())
    else:
        _print_suites(rows, model, paper, is_measured=speed.is_measured)
    for problem in problems:
        print(f"npulse bench: {problem}", file=sys.stderr)
    return 0


def _own(place: Path) -> list[str]:
    """Paths of the user's own suites."""
    return sorted(str(path) for path in place.glob("*.toml")) if place.is_dir() else []


def _print_suites(
    rows: list[dict[str, object]], model: str | None, paper: Paper, *, is_measured: bool
) -> None:
    basis = "from earlier runs" if is_measured else "from published figures"
    shown = clean(model, newlines=False) if model else "a model of 4 billion parameters, no server"
    print(folded(f"expected on {shown}, {basis}, cool-downs included:", paper))
    names = [clean(str(row["suite"]), newlines=False) for row in rows]
    indent = " " * (max(map(cells_of, names)) + 2)
    cells = [
        ((name, "strong"), _counts(row), _span(row)) for name, row in zip(names, rows, strict=True)
    ]
    for line, row in zip(table(cells, paper), rows, strict=True):
        print(line)
        about = folded(clean(str(row["about"]), newlines=False), paper, indent)
        print(f"{indent}{paper.styled(about, 'dim')}")


def _counts(row: Mapping[str, object]) -> str:
    return f"{row['prompts']} x {row['runs']}"


def _span(row: Mapping[str, object]) -> str:
    likely, low, high = (float(str(row[key])) for key in ("expected_s", "low_s", "high_s"))
    return forecast_text(likely, low, high)


def history(options: argparse.Namespace, paper: Paper = PLAIN) -> int:
    """Print earlier runs, oldest first, with median and 95 % interval. Returns the exit code."""
    folder = options.folder or default_folder()
    found = entries(folder, model=options.model, suite=options.suite, limit=options.limit)
    if options.json:
        data = msgspec.json.encode([asdict(past) for past in found])
        print(escaped_json(data, is_ascii=True).decode())
        return 0
    for line in table([_cells(past) for past in found], paper, right={2, 4, 5}, drops=(5, 1, 6, 3)):
        print(line)
    if not found:
        print(f"no run in {folder}")
    return 0


def _cells(past: PastRun) -> tuple[Cell, ...]:
    speed = f"{'~' if past.is_rate_estimated else ''}{rate(past.decode_median)} tok/s"
    shown = ""
    if past.decode_ci is not None:
        digits = metric("decode_tps").digits_of(past.decode_median)
        shown = interval(past.decode_ci, interval_digits(past.decode_ci, digits))
    first = UNKNOWN if past.ttft_median_ms is None else f"{past.ttft_median_ms:.0f}"
    marks = [
        "SIMULATED" if past.is_simulated else "",
        "imported" if past.is_imported else "",
        f"baseline {past.baseline}" if past.baseline else "",
    ]
    return (
        (past.id, "strong"),
        clean(past.model, newlines=False) or UNKNOWN,
        f"{past.scored}/{past.planned}",
        (past.status, "ok" if past.status == "complete" else "warn"),
        speed,
        (shown, "dim"),
        f"TTFT {first} ms",
        ("  ".join(mark for mark in marks if mark), "warn" if past.is_simulated else ""),
    )
