"""The accuracy of npulse's times: token times and stored figures against the simulator's log."""

from __future__ import annotations

import itertools
import json
import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.figures import Results, quantile
from benchmarks.plan import Plan, TimingPlan
from benchmarks.programs import Program, own_home
from benchmarks.session import Session, SessionError
from benchmarks.simulator import REPOSITORY, Simulator
from benchmarks.truth import TrueAnswer

_SHOWN_RATE = re.compile(r"(\d+(?:\.\d+)?) tok/s")


@dataclass(frozen=True, slots=True)
class Errors:
    """The absolute errors of one answer."""

    ttft_ms: float
    gaps_ms: tuple[float, ...]
    rate_pct: float
    merged_pct: float = 0.0
    """Tokens read together with the next one: only the last of them has a time."""
    is_estimate: bool = False
    """Whether token counts were estimated, as chunks were not tokens."""


def token_stamps(stamps: list[int], truth: TrueAnswer) -> list[int]:
    """Arrival time of each token: a chunk is a token, or one of its characters.

    Raises ValueError where neither can be.
    """
    if len(stamps) == len(truth.token_ns):
        return stamps
    firsts = [0, *itertools.accumulate(len(text) for text in truth.texts)]
    if len(stamps) != firsts[-1]:
        raise ValueError(f"{len(stamps)} stamps for {len(truth.token_ns)} tokens")
    return [stamps[first] for first in firsts[:-1]]


def errors_of(told: dict[str, Any], truth: TrueAnswer) -> Errors:
    """Compares the probe's record with the simulator's log.

    TTFT counts from the request: ours leaves before the simulator's has come, so what the way
    there takes is part of the error. Raises ValueError where a token is missing.
    """
    stamps = token_stamps(told["t_ns"], truth)
    true_ttft_ms, true_rate_tps = truth.ttft_ms, truth.rate_tps
    if true_ttft_ms is None or true_rate_tps is None or not told["decode_tps"]:
        raise ValueError("an answer without a rate")
    gaps = (
        abs((b - a) - (true_b - true_a)) / 1e6
        for (a, b), (true_a, true_b) in zip(
            itertools.pairwise(stamps), itertools.pairwise(truth.token_ns), strict=True
        )
    )
    return Errors(
        abs(told["ttft_ms"] - true_ttft_ms),
        tuple(gaps),
        abs(told["decode_tps"] / true_rate_tps - 1) * 100,
        100 * sum(a == b for a, b in itertools.pairwise(stamps)) / len(stamps),
        len(told["t_ns"]) != len(stamps),
    )


def _told(path: Path, count: int) -> list[dict[str, Any]]:
    """The probe's record; waits a moment for its last line."""
    deadline = time.monotonic() + 5
    while True:
        lines = path.read_text().splitlines() if path.exists() else []
        if len(lines) >= count or time.monotonic() > deadline:
            return [json.loads(line) for line in lines]
        time.sleep(0.05)


def _record(scenario: str, found: list[Errors], results: Results) -> None:
    gaps = [gap for errors in found for gap in errors.gaps_ms]
    results.add(scenario, "npulse", "ttft_error_ms", max(e.ttft_ms for e in found))
    for share in (50, 95, 99):
        error = quantile(gaps, share / 100)
        results.add(scenario, "npulse", f"gap_error_p{share}_ms", error)
    results.add(scenario, "npulse", "merged_pct", max(e.merged_pct for e in found))
    kind = "estimate_error_pct" if any(e.is_estimate for e in found) else "rate_error_pct"
    results.add(scenario, "npulse", kind, max(e.rate_pct for e in found))


def headless(timing: TimingPlan, simulator: Simulator, out: Path) -> None:
    """Measures ``npulse ask`` with the probe, and checks its JSON against the probe's record."""
    model = ("--model", simulator.model) if simulator.model else ()
    for number in range(timing.answers):
        done = subprocess.run(
            [
                *(sys.executable, "-m", "benchmarks.probe", str(out), "ask", "[[prose]]"),
                *(
                    "--url",
                    simulator.url,
                    *model,
                    "--json",
                    "--max-tokens",
                    str(timing.tokens + 64),
                ),
            ],
            cwd=REPOSITORY,
            env={**os.environ, **own_home(out.parent)},
            capture_output=True,
            text=True,
            timeout=timing.tokens / timing.rate_tps * 1.5 + 60,
        )
        if done.returncode != 0:
            told = (done.stderr.strip() or done.stdout.strip()).splitlines()
            raise SessionError(f"npulse ask ended with {done.returncode}: {told[-1:]}")
        answer, stamps = json.loads(done.stdout), _told(out, number + 1)[number]
        for key in ("ttft_ms", "decode_tps"):
            if abs(answer[key] - stamps[key]) > 0.01 * stamps[key]:
                raise SessionError(f"ask --json says {key} {answer[key]}, not {stamps[key]}")


def _on_screen(
    ours: Program, timing: TimingPlan, simulator: Simulator, out: Path, plan: Plan
) -> list[tuple[TrueAnswer, str]]:
    """Measures the dashboard with the probe, and reads the screen at the end of each answer."""
    arguments = ours.command(simulator)
    start = arguments.index("--url")
    argv = [sys.executable, "-m", "benchmarks.probe", str(out), *arguments[start:]]
    seconds = timing.tokens / timing.rate_tps * 1.5 + 30
    with Session(ours, simulator, plan.folder, argv=argv, read_rate=timing.read_rate) as session:
        session.wait_ready()
        return [
            (
                session.ask("[[prose]]", seconds=seconds, drain=10, has_lags=False).truth,
                session.terminal.text(),
            )
            for _ in range(timing.answers)
        ]


def _record_shown(scenario: str, answers: list[tuple[TrueAnswer, str]], results: Results) -> None:
    """The rate on the screen: the figure nearest to the true rate on a line with a TTFT."""
    for truth, screen in answers:
        lines = [line for line in screen.splitlines() if "TTFT" in line]
        shown = [float(rate) for line in lines for rate in _SHOWN_RATE.findall(line)]
        if shown and truth.rate_tps is not None:
            error = min(abs(rate / truth.rate_tps - 1) * 100 for rate in shown)
            results.add(scenario, "npulse", "shown_rate_error_pct", error)


def measure(ours: Program | None, plan: Plan, results: Results) -> None:
    """Measures both ``npulse ask`` and the dashboard at every rate of the plan."""
    if ours is None:
        return
    for turn, timing in itertools.product(range(plan.runs), plan.timings):
        for where in ("ask", "screen") if timing.read_rate is None else ("slow",):
            scenario = f"timing-{where}-{timing.rate_tps:g}"
            _measure(scenario, turn, ours if where != "ask" else None, timing, plan, results)


def measure_dialects(ours: Program | None, plan: Plan, results: Results) -> None:
    """Measures ``npulse ask`` with a server of each dialect."""
    if ours is None:
        return
    for turn, timing in itertools.product(range(plan.runs), plan.dialects):
        _measure(f"dialect-{timing.dialect}", turn, None, timing, plan, results)


def _measure(
    scenario: str,
    turn: int,
    screen: Program | None,
    timing: TimingPlan,
    plan: Plan,
    results: Results,
) -> None:
    """Measures a scenario once: in this program's screen, or with ``npulse ask`` if it is None."""
    out = plan.folder / f"{scenario}-{turn}.jsonl"
    try:
        with Simulator(
            plan.folder,
            decode_tps=timing.rate_tps,
            tokens=timing.tokens,
            dialect=timing.dialect,
        ) as simulator:
            if screen is None:
                headless(timing, simulator, out)
            else:
                shown = _on_screen(screen, timing, simulator, out, plan)
                _record_shown(scenario, shown, results)
            truths = simulator.log.answers()
        told = _told(out, len(truths))
        found = [errors_of(t, truth) for t, truth in zip(told, truths, strict=True)]
        _record(scenario, found, results)
    except (SessionError, ValueError, subprocess.TimeoutExpired) as error:
        results.note(f"{scenario}: {error}")
