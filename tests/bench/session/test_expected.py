"""How long a suite is expected to take: as long as it took, where it was run before."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from tests.bench.made import request, run, trace
from tui.bench.model.records import Document, RunStatus
from tui.bench.model.suite import load_builtin, quick
from tui.bench.run.forecast import Speed
from tui.bench.session.listing import COOL_DOWN_S, expected, speed_of
from tui.bench.store import run_files
from tui.bench.store.run_files import Loaded

SUITE = load_builtin("prompts")


def past(
    folder: Path,
    day: int,
    wall_s: float,
    *,
    sha256: str = SUITE.sha256,
    suite: str = "prompts",
    status: RunStatus = "complete",
) -> Document:
    """A run of ten requests of 21 s each, kept in the folder."""
    run_id = f"202501{day:02d}T120000Z-{suite}-m-0001"
    asked = [request(prompt.id, made=trace(tokens=64)) for prompt in SUITE.prompts]
    made = run(asked, run_id=run_id, suite_sha256=sha256)
    info = msgspec.structs.replace(made.run, wall_s=wall_s, status=status, suite=suite)
    made = msgspec.structs.replace(made, run=info)
    (folder / run_id).mkdir(parents=True)
    run_files.save(Loaded(made), folder / run_id)
    return made


def test_a_suite_takes_as_long_as_it_took(tmp_path: Path) -> None:
    for day, wall_s in ((1, 80.0), (2, 60.0), (3, 62.0)):
        past(tmp_path, day, wall_s)
    speed = speed_of(tmp_path, "qwen3-4b", is_simulated=False)
    assert expected(SUITE, speed, 16_384) == pytest.approx((62.0, 60.0, 80.0))
    # Three prompts of other lengths were not measured: no wall time is carried over to them.
    short = quick(SUITE)
    assert short.sha256 != SUITE.sha256
    assert expected(short, speed, 16_384)[0] != pytest.approx(3 * 6.2)


def test_an_older_run_of_the_suite_counts_behind_many_of_others(tmp_path: Path) -> None:
    past(tmp_path, 1, 60.0)
    for day in range(2, 8):
        past(tmp_path, day, 900.0, sha256="other", suite="other")
    speed = speed_of(tmp_path, "qwen3-4b", is_simulated=False)
    assert expected(SUITE, speed, 16_384) == pytest.approx((60.0, 60.0, 60.0))


def test_a_run_that_was_stopped_is_no_measure_of_a_whole_one(tmp_path: Path) -> None:
    past(tmp_path, 1, 60.0, status="aborted")
    speed = speed_of(tmp_path, "qwen3-4b", is_simulated=False)
    assert speed.request_walls_s == {}
    assert speed_of(tmp_path, "another", is_simulated=False).request_walls_s == {}
    assert speed_of(tmp_path, "qwen3-4b", is_simulated=True).request_walls_s == {}


def test_cool_downs_are_expected_where_there_are_some(tmp_path: Path) -> None:
    between = len(SUITE.prompts) - 1
    hot, simulated = Speed(), Speed(is_simulated=True)
    gap = expected(SUITE, hot, None)[0] - expected(SUITE, simulated, None)[0]
    assert gap == pytest.approx(between * COOL_DOWN_S)
    # Measured pauses are believed before the assumption.
    made = past(tmp_path, 1, 0.0, sha256="other", suite="other")
    spent_s = sum((r.m["latency_ms"] or 0.0) / 1000 for r in made.requests)
    info = msgspec.structs.replace(made.run, wall_s=spent_s + 10 * len(made.requests))
    measured = Speed()
    measured.learn_run(msgspec.structs.replace(made, run=info))
    gap = expected(SUITE, measured, None)[0] - expected(SUITE, simulated, None)[0]
    assert gap == pytest.approx(between * 10.0)
