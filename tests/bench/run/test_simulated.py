"""Suites against the simulated board: its truth log says what the numbers must be."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

import msgspec
import pytest

from tests.bench.runs_of import Told, rate_tps, suite_of, told
from tui.bench.analysis.compare import compare
from tui.bench.model.events import (
    Event,
    Forecast,
    GateSeen,
    Progressed,
    RequestEnded,
    RequestStarted,
    Sampled,
    StageChanged,
    Summarised,
    TokensArrived,
)
from tui.bench.model.options import LimitPolicy
from tui.bench.model.suite import load_builtin, quick
from tui.bench.report import render
from tui.bench.run import load_cycle
from tui.bench.store import resume
from tui.bench.store.controls import Controls, tell
from tui.bench.store.runs import RunError
from tui.sim.server.spawn import Simulator, spawn

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def sim() -> Iterator[Simulator]:
    """A fast board without a tree."""
    with spawn(["--speed", "60", "--seed", "5"]) as running:
        yield running


@pytest.fixture(scope="module")
def board() -> Iterator[Simulator]:
    """A fast board with a tree."""
    with spawn(["--speed", "60", "--seed", "5"], has_root=True) as running:
        yield running


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
    assert "in spite of" in forced.loaded.document.run.notes[0]


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


# -- control ---------------------------------------------------------------------------------------


async def test_skip_ends_one_request_and_keeps_what_it_had(sim: Simulator, tmp_path: Path) -> None:
    controls = Controls()

    def on_event(event: Event) -> None:
        is_long = isinstance(event, Progressed) and event.id == "a" and event.tokens > 10
        if is_long and not skipped:
            skipped.append(True)
            controls.skip()

    skipped: list[bool] = []
    suite = suite_of("long [[tokens=100]]", "short", cap=100)
    found = await told(suite, tmp_path, sim.url, controls=controls, on_event=on_event)
    first = found.one("a")
    assert (first.status, first.error) == ("cancelled", "skipped")
    assert 10 < (first.tok.out or 0) < 100
    assert found.one("b").is_scored


async def test_pause_holds_the_next_prompt(sim: Simulator, tmp_path: Path) -> None:
    controls = Controls()
    stages: list[str] = []

    def on_event(event: Event) -> None:
        if isinstance(event, RequestEnded) and event.request.id == "a":
            controls.pause()
        if isinstance(event, StageChanged):
            stages.append(event.stage)
            if event.stage == "paused":
                controls.resume()

    found = await told(
        suite_of("one", "two"), tmp_path, sim.url, controls=controls, on_event=on_event
    )
    assert "paused" in stages
    assert found.statuses == ["capped", "capped"]


async def test_abort_keeps_and_resume_goes_on(sim: Simulator, tmp_path: Path) -> None:
    controls = Controls()

    def on_event(event: Event) -> None:
        if isinstance(event, RequestEnded) and event.request.id == "b":
            controls.abort()

    suite = suite_of("one", "two", "three", "four")
    ended = await told(suite, tmp_path, sim.url, controls=controls, on_event=on_event)
    assert ended.finished.outcome == "aborted"
    assert [r.id for r in ended.requests if r.is_scored] == ["a", "b"]
    assert ended.loaded is not None
    assert "PARTIAL 2/4" in render.as_markdown(ended.loaded)

    before = resume.earlier(Path(ended.finished.folder))
    again = await told(before.suite, tmp_path, sim.url, resume=before)
    assert again.finished.outcome == "complete"
    assert again.finished.folder == ended.finished.folder
    asked = [e.id for e in again.all(RequestStarted) if not e.is_warmup]
    assert asked == ["c", "d"]
    assert again.statuses == ["capped"] * 4
    assert again.requests[:2] == ended.requests[:2]
    assert again.loaded is not None
    assert [s.ended for s in again.loaded.document.run.segments] == ["aborted", "complete"]
    with pytest.raises(RunError, match="complete"):
        resume.earlier(Path(ended.finished.folder))


async def test_resume_refuses_when_the_model_has_changed(tmp_path: Path) -> None:
    controls = Controls()

    def on_event(event: Event) -> None:
        if isinstance(event, RequestEnded) and event.request.id == "a":
            controls.abort()

    with spawn(["--speed", "40"]) as one:
        ended = await told(
            suite_of("one", "two"), tmp_path, one.url, controls=controls, on_event=on_event
        )
    before = resume.earlier(Path(ended.finished.folder))
    with spawn(["--speed", "40", "--profile", "qwen3-0.6b"]) as other:
        found = await told(before.suite, tmp_path, other.url, resume=before)
        assert found.finished.outcome == "refused"
        assert "model was qwen3-4b and is qwen3-0.6b" in found.finished.sentence
    journal = Path(ended.finished.folder) / "journal.jsonl"
    text = journal.read_text().replace('"top_p":0.95', '"top_p":0.5')
    journal.write_text(text)
    with spawn(["--speed", "40"]) as same:
        before = resume.earlier(Path(ended.finished.folder))
        found = await told(before.suite, tmp_path, same.url, resume=before)
        assert "sampling top_p was 0.5 and is 0.95" in found.finished.sentence


async def test_a_budget_skips_what_is_not_begun(sim: Simulator, tmp_path: Path) -> None:
    suite = suite_of(*(f"{at} [[tokens=60]]" for at in range(6)), cap=60)
    found = await told(suite, tmp_path, sim.url, max_time_s=1.2)
    assert found.statuses[0] == "capped"
    assert found.statuses[-1] == "skipped_budget"
    assert "cancelled" not in found.statuses
    assert found.loaded is not None
    assert found.loaded.document.totals["success_pct"].value == 100
    assert found.finished.outcome == "incomplete"


async def test_words_from_another_process(sim: Simulator, tmp_path: Path) -> None:
    def on_event(event: Event) -> None:
        if isinstance(event, RequestStarted) and event.id == "a":
            folder = next(tmp_path.glob("2*"))
            tell(folder, "abort")

    suite = suite_of("long [[tokens=200]]", "next", cap=200)
    found = await told(suite, tmp_path, sim.url, on_event=on_event)
    assert found.finished.outcome == "aborted"
    assert found.one("a").status == "cancelled"


# -- the suites ------------------------------------------------------------------------------------


async def test_standard_is_flagged_where_the_server_does_not_count(
    sim: Simulator, tmp_path: Path
) -> None:
    found = await told(load_builtin("standard"), tmp_path, sim.url, runs=2)
    assert [r.tok.out for r in found.requests] == [64, 64]
    assert {r.tok.in_source for r in found.requests} == {"estimated"}
    assert found.loaded is not None
    text = render.as_markdown(found.loaded)
    assert "As Rockchip prints it" in text
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
    documents = []
    for tps in ("260", "260", "273"):
        with spawn(["--decode-tps", tps, "--prefill-tps", "2000"]) as running:
            found = await told(suite, tmp_path, running.url)
        assert found.loaded is not None
        documents.append(found.loaded.document)
    one, same, faster = documents
    equal, better = compare(one, same).row("decode_tps"), compare(one, faster).row("decode_tps")
    assert equal is not None
    assert better is not None
    assert equal.verdict == "same"
    assert better.verdict == "faster"
    assert better.delta_pct == pytest.approx(5, abs=0.5)
