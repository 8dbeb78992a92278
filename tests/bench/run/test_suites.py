"""Every suite against the simulated board."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from pathlib import Path

import msgspec
import pytest

from tests.bench.runs_of import Told, suite_of, told
from tui.bench.analysis.compare import compare
from tui.bench.model.records import Document
from tui.bench.model.suite import load_builtin, quick
from tui.bench.report import render
from tui.bench.run import load_cycle
from tui.sim.server.spawn import Simulator, spawn

pytestmark = pytest.mark.slow


async def test_standard_is_flagged_where_the_server_does_not_count(
    sim: Simulator, tmp_path: Path
) -> None:
    found = await told(load_builtin("standard"), tmp_path, sim.url, runs=2)
    assert [r.tok.out for r in found.requests] == [64, 64]
    assert {r.tok.in_source for r in found.requests} == {"estimated"}
    assert found.loaded is not None
    text = render.as_markdown(found.loaded)
    assert "In the format of Rockchip's table" in text
    assert "Not comparable" in text
    assert "RKLLM (simulated)" in text


async def test_a_sweep_within_a_small_context(tmp_path: Path) -> None:
    with spawn(["--speed", "200", "--profile", "gemma3-1b"]) as running:
        found = await told(quick(load_builtin("sweep")), tmp_path, running.url)
        whole = await told(load_builtin("sweep"), tmp_path, running.url, runs=1)
    assert [r.tok.out for r in found.requests] == [32] * 3
    assert whole.loaded is not None
    assert any("d8192" in note for note in whole.loaded.document.run.notes)
    ids = {r.id for r in whole.requests}
    assert ids == {"d0", "d512", "d1024", "d2048", "d_full"}
    assert max(r.tok.input or 0 for r in whole.requests) == 4096 - 64


@pytest.mark.timing
async def test_prefill_finds_the_cost_of_a_token(tmp_path: Path) -> None:
    suite = load_builtin("prefill")
    suite = msgspec.structs.replace(suite, prompts=suite.prompts[:6])
    with spawn(["--speed", "25"]) as running:
        found = await told(suite, tmp_path, running.url, runs=1)
    assert found.loaded is not None
    totals = found.loaded.document.totals
    # 29.36 tok/s twenty-five times faster: 1.362 ms a token.
    assert totals["prefill_ms_per_token"].value == pytest.approx(1.362, rel=0.04)


async def test_soak_by_time(board: Simulator, tmp_path: Path) -> None:
    suite = quick(load_builtin("soak"))
    found = await told(suite, tmp_path, board.url, root=board.root, minutes=0.03)
    assert found.finished.outcome == "complete"
    assert len(found.requests) >= 3
    assert found.loaded is not None
    totals = found.loaded.document.totals
    assert totals["slope_pct_h"].value is not None
    assert totals["rss_drift_mb_h"].value == pytest.approx(0, abs=1)
    assert totals["time_to_throttle_s"].why == "never throttled"


@pytest.mark.timing
async def test_load_unloads_and_loads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load_cycle, "SETTLE_S", 0.3)
    with spawn(["--speed", "40"], has_root=True) as running:
        found = await told(quick(load_builtin("load")), tmp_path, running.url, root=running.root)
    assert found.finished.outcome == "complete"
    assert [r.group for r in found.requests] == ["cold", "warm"]
    assert found.loaded is not None
    totals = found.loaded.document.totals
    # 4368 MiB at 350 MiB/s, forty times faster.
    assert totals["load_s.warm"].value == pytest.approx(4367.83 / 350 / 40, rel=0.5)
    assert totals["model_memory_mb"].value == pytest.approx(4700, abs=500)
    assert any("page cache" in text for text in found.requests[0].warnings)


@pytest.mark.parametrize(
    ("name", "figure"),
    [
        ("instructions", "prompt_strict_pct"),
        ("languages", "language_pass_pct"),
        ("code", "code_accuracy_pct"),
    ],
)
async def test_suites_of_quality(tmp_path: Path, name: str, figure: str) -> None:
    """Ready sentences follow no instruction: the checks must see that."""
    with spawn(["--speed", "60", "--tokens", "30"]) as running:
        found: Told = await told(quick(load_builtin(name)), tmp_path, running.url)
    assert found.finished.outcome == "complete"
    assert found.loaded is not None
    total = found.loaded.document.totals[figure]
    assert total.n > 0
    assert total.value is not None
    assert total.value < 60
    assert "By group" in render.as_markdown(found.loaded)


@pytest.mark.timing
async def test_two_simulated_speeds_are_told_apart(tmp_path: Path) -> None:
    """The whole way, from the wire to the verdict, once."""
    suite = suite_of(*(f"{at} [[tokens={58 + at}]]" for at in range(6)), cap=80)

    async def run_of(name: str, board: Simulator) -> Document:
        found = await told(suite, tmp_path / name, board.url)
        assert found.loaded is not None
        return found.loaded.document

    # An answer lasts a second: what a busy machine delays of it is little beside that. The boards
    # do not disturb each other, and are measured at the same time.
    with ExitStack() as stack:
        boards = {
            name: stack.enter_context(spawn(["--decode-tps", tps, "--prefill-tps", "2000"]))
            for name, tps in (("one", "60"), ("same", "60"), ("faster", "63"))
        }
        one, same, faster = await asyncio.gather(*(run_of(*board) for board in boards.items()))
    equal, better = compare(one, same).row("decode_tps"), compare(one, faster).row("decode_tps")
    assert equal is not None
    assert better is not None
    assert equal.verdict == "same"
    assert better.verdict == "faster"
    assert better.delta_pct == pytest.approx(5, abs=0.5)
