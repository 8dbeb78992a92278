"""Suites against the simulated board: its truth log says what the numbers must be."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

import pytest

from tests.bench.runs_of import rate_tps, suite_of, told
from tui.bench.model.events import (
    Forecast,
    GateSeen,
    RequestStarted,
    Sampled,
    Summarised,
    TokensArrived,
)
from tui.bench.model.options import LimitPolicy
from tui.bench.model.suite import load_builtin, quick
from tui.bench.report import render
from tui.core.turn.arrivals import arrivals_of
from tui.sim.server.spawn import Simulator, spawn

pytestmark = pytest.mark.slow


def truth_of(path: Path) -> list[dict[str, Any]]:
    """Every request of the truth log: its stamps and its decode rate."""
    found: dict[int, dict[str, Any]] = {}
    for line in path.read_text().splitlines():
        entry = json.loads(line)
        one = found.setdefault(entry["request"], {"tokens": []})
        if entry["event"] == "token":
            one["tokens"].append(entry["t_ns"])
        else:
            one[entry["event"]] = entry["t_ns"]
    return list(found.values())


async def test_ten_prompts_agree_with_the_truth(tmp_path: Path) -> None:
    """Each number lies between what the truth log allows at least and at most.

    A token arrives after its own stamp in the log and before the next one's. How far apart these
    are, also where the machine is busy, is in the log; so no limit of time is needed here.
    """
    truth = tmp_path / "truth.jsonl"
    arguments = ["--speed", "30", "--tokens", "40", "--truth", str(truth)]
    with spawn(arguments) as running:
        found = await told(load_builtin("prompts"), tmp_path / "runs", running.url)
    assert found.finished.outcome == "complete"
    assert found.statuses == ["ok"] * 10
    assert {r.tok.out for r in found.requests} == {40}
    assert found.loaded is not None
    rows = truth_of(truth)[1:]  # the first request was the stream probe
    is_between: list[bool] = []
    our_gaps: list[int] = []
    true_gaps: list[int] = []
    late_firsts_ms: list[float] = []
    for row, request in zip(rows, found.requests, strict=True):
        stamps, tokens = found.loaded.stamps[request.key], row["tokens"]
        ends = [*tokens[1:], row["finish"]]
        arrivals = zip(tokens, stamps, ends, strict=True)
        # Tokens that one read took together have the stamp of its last.
        is_together = [before == after for before, after in pairwise(stamps)] + [False]
        is_between += [
            sent <= ours < after
            for (sent, ours, after), together in zip(arrivals, is_together, strict=True)
            if not together
        ]
        our_gaps += [after - before for before, after in pairwise(stamps)]
        true_gaps += [after - before for before, after in pairwise(tokens)]
        late_firsts_ms.append((stamps[0] - tokens[0]) / 1e6)
        start_ns = request.t.t0_ns
        assert start_ns is not None
        assert start_ns <= row["request"]
        assert request.m["ttft_client_ms"] == pytest.approx((stamps[0] - start_ns) / 1e6)
        # A busy machine may let tokens go in bursts, of which the rate is another one.
        if not arrivals_of(stamps).is_spread:
            assert request.m["decode_tps_est"] == pytest.approx(rate_tps(stamps))
    # A token that the kernel itself had to keep waiting may be behind the next one's stamp.
    assert sum(is_between) >= 0.95 * len(is_between)
    assert abs(median(our_gaps) / median(true_gaps) - 1) <= 0.005
    assert 0 <= median(late_firsts_ms) <= 3
    assert found.loaded.document.run.simulated
    assert "SIMULATED" in render.as_markdown(found.loaded)
    summary = found.loaded.document.summary
    for shown, measured in (("decode_tps", "decode_tps_est"), ("ttft_client_ms",) * 2):
        values = [request.m[measured] for request in found.requests]
        middle = median(value for value in values if value is not None)
        assert summary[shown].median == pytest.approx(middle)


async def test_a_board_with_a_tree(board: Simulator, tmp_path: Path) -> None:
    suite = quick(load_builtin("prompts"))
    found = await told(
        suite, tmp_path, board.url, root=board.root, cool_down_s=0.1, has_warmup=True
    )
    assert found.finished.outcome == "complete"
    assert found.loaded is not None
    document = found.loaded.document
    assert document.env.soc == "rk3588"
    assert document.env.clocks.dmc.target_hz == 2_400_000_000
    assert document.model.ctx == 4096
    severities = {e.gate.id: e.gate.severity for e in found.all(GateSeen)}
    assert severities["npu_idle"] == "ok"
    assert severities["ddr_clock"] == "ok"
    assert document.warmup
    assert document.totals["memory_mb"].value == pytest.approx(5027, abs=5)
    assert all(r.hw.samples for r in found.requests)
    assert found.all(Sampled)
    assert len(found.loaded.samples) > 10
    assert "## Hardware Timeline" in render.as_markdown(found.loaded)
    folder = Path(found.finished.folder)
    for name in ("journal.jsonl", "run.json", "tokens.csv.gz", "hardware.csv.gz", "outputs"):
        assert (folder / name).exists()


async def test_energy_where_there_is_a_sensor(tmp_path: Path) -> None:
    with spawn(["--speed", "20"], has_root=True) as running:
        assert running.root is not None
        sensor = running.root / "sys/class/hwmon/hwmon77"
        sensor.mkdir(parents=True)
        (sensor / "name").write_text("ina226\n")
        (sensor / "power1_input").write_text("8000000\n")
        suite = suite_of("x [[tokens=160]]", cap=160)
        found = await told(suite, tmp_path, running.url, root=running.root)
    request = found.one()
    span_s = ((request.t.tn_ns or 0) - (request.t.t1_ns or 0)) / 1e9
    assert request.m["energy_j_per_tok"] == pytest.approx(8 * span_s / 159, rel=1e-6)
    assert request.m["energy_net_j_per_tok"] == pytest.approx(0, abs=1e-6)
    assert found.loaded is not None
    assert found.loaded.document.totals["energy_j_per_tok"].n == 1
    assert "Energy per token (J)" in render.as_markdown(found.loaded)
    assert found.loaded.document.env.power_source


async def test_greedy_repetitions_are_held_against_each_other(
    sim: Simulator, tmp_path: Path
) -> None:
    found = await told(suite_of("x [[tokens=20]]"), tmp_path, sim.url, runs=2, is_greedy=True)
    first, second = found.requests
    assert "determinism" not in {c.id for c in first.checks}
    check = next(c for c in second.checks if c.id == "determinism")
    assert check.info
    assert found.loaded is not None
    texts = [found.loaded.texts[r.key][0] for r in found.requests]
    assert check.passed == (texts[0] == texts[1])


async def test_strict_refuses_a_board_that_does_not_hold_its_clocks(
    board: Simulator, tmp_path: Path
) -> None:
    found = await told(suite_of("x"), tmp_path, board.url, root=board.root, is_strict=True)
    assert found.finished.outcome == "refused"
    assert "DDR clock: 534 of 2400 MHz" in found.finished.sentence
    assert "performance" in found.finished.sentence
    assert found.finished.folder == ""
    forced = await told(
        suite_of("x"), tmp_path, board.url, root=board.root, is_strict=True, is_forced=True
    )
    assert forced.finished.outcome == "complete"
    assert forced.loaded is not None
    assert "despite" in forced.loaded.document.run.notes[0]


@pytest.mark.parametrize(
    ("fault", "status", "tokens"),
    [
        ("cut=10", "truncated", 10),
        ("error=10", "error_backend", 10),
        ("stall=10", "timeout_idle", 10),
        ("busy", "error_http", None),
        ("html-error", "error_http", None),
        ("split-utf8", "capped", 16),
        ("no-done", "capped", 16),
        ("slow-first=0.3", "capped", 16),
        ("one-chunk", "capped", 16),
    ],
)
async def test_faults(tmp_path: Path, fault: str, status: str, tokens: int | None) -> None:
    policy = LimitPolicy(first_min_s=20, idle_min_s=0.6, idle_factor=0, drain_s=0.5, busy_s=0.5)
    with spawn(["--speed", "40", "--fault", fault]) as running:
        found = await told(suite_of("Say something."), tmp_path, running.url, policy=policy)
    request = found.one()
    assert (request.status, request.tok.out) == (status, tokens)
    assert found.finished.outcome == ("complete" if status == "capped" else "incomplete")
    if fault == "one-chunk":
        assert "buffered_stream" in request.taint
        assert request.m["ttft_client_ms"] is None
    if fault == "slow-first=0.3":
        first = request.m["ttft_client_ms"]
        assert first is not None
        assert first > 300
    if status != "capped":
        assert request.error


async def test_thinking(sim: Simulator, tmp_path: Path) -> None:
    suite = suite_of("Why? [[think=12]] [[tokens=30]]", cap=60)
    found = await told(suite, tmp_path, sim.url, is_thinking=True)
    request = found.one()
    first, answer = request.m["ttft_client_ms"], request.m["ttfot_ms"]
    assert first is not None
    assert answer is not None
    assert answer > first
    assert found.loaded is not None
    assert found.loaded.texts["a", 0][1]
    assert found.loaded.document.config.thinking


async def test_the_events_of_a_run(sim: Simulator, tmp_path: Path) -> None:
    found = await told(suite_of("one [[tokens=40]]", "two", cap=40), tmp_path, sim.url)
    kinds = [type(event).__name__ for event in found.events]
    assert kinds.index("Started") < kinds.index("RequestStarted") < kinds.index("RequestEnded")
    assert kinds[-1] == "Finished"
    assert kinds.count("Finished") == 1
    measured = [e for e in found.all(RequestStarted) if not e.is_warmup]
    assert [(e.number, e.planned) for e in measured] == [(1, 2), (2, 2)]
    text = "".join(e.text for e in found.all(TokensArrived) if e.id == "a")
    assert found.loaded is not None
    assert text == found.loaded.texts["a", 0][0]
    last = found.all(Summarised)[-1]
    assert last.totals["success_pct"].value == 100
    for e in found.all(Forecast):
        assert 0 <= e.share <= 1
