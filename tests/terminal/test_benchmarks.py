"""The harness: its clocks, its log of the truth, its tables, and one real run of it."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from benchmarks import command, report, sharing
from benchmarks.budgets import verdicts
from benchmarks.figures import Results, quantile
from benchmarks.machine import describe
from benchmarks.neighbour import Neighbour
from benchmarks.plan import TimingPlan, quick
from benchmarks.process_cost import CostRecord, cpu_ns, pss_bytes, rss_bytes
from benchmarks.programs import MARKDOWN
from benchmarks.session import Session
from benchmarks.simulator import Simulator
from benchmarks.timing import errors_of, headless, token_stamps
from benchmarks.truth import TrueAnswer, TruthLog

pytestmark = pytest.mark.slow


BUSY = "import threading\nt = threading.Thread(target=lambda: sum(range(10**11)))\nt.start()"


def test_processor_time_counts_threads_and_children() -> None:
    code = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {BUSY!r}])"
    process = subprocess.Popen([sys.executable, "-c", code])
    try:
        record = CostRecord(process.pid, interval=0.02)
        begun_ns = time.perf_counter_ns()
        while record.cpu_between(begun_ns, time.perf_counter_ns()) < 0.3e9:
            assert time.perf_counter_ns() - begun_ns < 60e9
            time.sleep(0.05)
        record.stop()
        now_ns = time.perf_counter_ns()
        assert record.cpu_between(begun_ns, now_ns) <= (now_ns - begun_ns) * 1.1
        assert cpu_ns(process.pid) >= 0.3e9
    finally:
        for child in psutil.Process(process.pid).children():
            child.kill()
        process.kill()
        process.wait()
    with pytest.raises(OSError):
        cpu_ns(process.pid)


def test_sharing_says_where_dask_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    results = Results()
    sharing.measure(quick(tmp_path, 1), results)
    assert results.notes == ["shared: no Dask here (pip install 'npulse[fleet]')"]
    assert not results.figures()


def test_memory_is_that_of_the_process() -> None:
    own = rss_bytes(os.getpid())
    assert own > 5_000_000
    pss = pss_bytes(os.getpid())
    assert pss is None or 0 < pss <= own * 1.1
    assert pss_bytes(2**22 + 1) is None


def test_truth_is_read_as_it_grows(tmp_path: Path) -> None:
    path = tmp_path / "truth.jsonl"
    log = TruthLog(path)
    assert log.answers() == []
    lines = [
        {"t_ns": 100, "event": "request", "request": 1},
        {"t_ns": 200, "event": "prefill_end", "request": 1},
        {"t_ns": 300, "event": "token", "request": 1, "n": 1, "text": "a"},
        {"t_ns": 500, "event": "token", "request": 1, "n": 2, "text": "b"},
        {"t_ns": 600, "event": "finish", "request": 1, "reason": "stop", "tokens": 2},
        {"t_ns": 700, "event": "disconnect", "request": 1},
        {"t_ns": 800, "event": "something new", "request": None},
    ]
    data = "".join(json.dumps(line) + "\n" for line in lines).encode()
    path.write_bytes(data[:150])
    assert log.answers() == [TrueAnswer(100, 200)]
    path.write_bytes(data)
    (answer,) = log.answers()
    assert answer == TrueAnswer(100, 200, [300, 500], ["a", "b"], 600)
    assert answer.rate_tps == pytest.approx(5e6)
    assert answer.ttft_ms == pytest.approx(0.0002)


def test_errors_of_stamps_against_the_truth() -> None:
    ms = 1_000_000
    truth = TrueAnswer(0, None, [100 * ms, 200 * ms, 300 * ms], ["a", "b", "c"], None)
    told = {"t_ns": [101 * ms, 203 * ms, 300 * ms], "ttft_ms": 101.5, "decode_tps": 10.1}
    errors = errors_of(told, truth)
    assert errors.ttft_ms == pytest.approx(1.5)
    assert errors.gaps_ms == pytest.approx((2, 3))
    assert errors.rate_pct == pytest.approx(1)
    with pytest.raises(ValueError, match="2 stamps for 3 tokens"):
        errors_of(told | {"t_ns": [1, 2]}, truth)


def test_quantile_is_a_value_that_was_measured() -> None:
    assert [quantile([3, 1, 2], q) for q in (0, 0.5, 0.99)] == [1, 2, 3]
    with pytest.raises(ValueError):
        quantile([], 0.5)


def results() -> Results:
    found = Results()
    for ours, bare in ((400, 210), (440, 190), (900, 200)):
        found.add("start", "bare", "start_ms", bare)
        found.add("start", "npulse", "start_ms", ours)
    found.add("prose-200", "npulse", "cpu_ms_per_token", 0.8)
    found.add("list", "npulse", "cpu_ms_per_token", 1.5)
    found.add("list", "npulse", "growth", float("nan"))
    found.add("timing-ask-15", "npulse", "gap_error_p99_ms", 0.4)
    found.note("said\nonce")
    found.note("said\nonce")
    return found


def test_budgets_are_judged_by_medians_and_ratios() -> None:
    words = {(v.budget.scenario, v.budget.kind): (v.limit, v.word) for v in verdicts(results())}
    assert words == {
        ("start", "start_ms"): (300, "over"),
        ("prose-200", "cpu_ms_per_token"): (0.35, "over"),
        ("list", "cpu_ms_per_token"): (1.6, "ok"),
        ("timing-ask-15", "gap_error_p99_ms"): (0.5, "ok"),
    }
    assert verdicts(Results()) == []


def test_report_has_every_figure_and_verdict() -> None:
    machine = describe()
    text = report.plain(results(), machine)
    row = next(line for line in text.splitlines() if "takes keys" in line)
    assert row.split()[-9:] == ["440", "200", "<=", "1.5x", "bare", "=", "300", "ms", "over"]
    assert text.count("note: said") == 1
    assert "start: exec to a prompt" in report.summary(results())
    assert "| list | CPU per token | ms | 1.50 | – | <= 2x prose-200 = 1.60 ms | ok |" in (
        report.markdown(results(), machine, "./dev bench")
    )
    data = json.loads(json.dumps(report.as_json(results(), machine, "./dev bench")))
    assert data["machine"]["cores"] >= 1
    assert data["figures"][0]["values"] == [210, 190, 200]
    assert {b["verdict"] for b in data["budgets"]} == {"ok", "over"}


def test_wrong_arguments_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    for argv in (["--only", "nothing"], ["--runs", "0"]):
        with pytest.raises(SystemExit) as left:
            command.main(argv)
        assert left.value.code == 2
    assert "no scenario 'nothing'" in capsys.readouterr().err
    assert command.main(["--list"]) == 0
    assert "prose-200" in capsys.readouterr().out


def test_one_answer_from_socket_to_screen(tmp_path: Path) -> None:
    with (
        Simulator(tmp_path, decode_tps=60, tokens=90) as simulator,
        Session(MARKDOWN, simulator, tmp_path) as session,
    ):
        session.wait_ready()
        run = session.ask("[[prose]]", seconds=60, drain=10)
    assert run.tokens == 90
    assert run.cpu_ms_per_token > 0.05
    assert run.bytes_per_token > 20
    assert run.growth > 0.1
    assert run.rss_bytes > 20_000_000
    assert run.lags is not None
    assert len(run.lags.lags_ms) > 70
    assert run.lags.unseen == 0
    assert 0 < quantile(run.lags.lags_ms, 0.5) < 5000


def test_the_neighbour_is_measured_by_its_copies() -> None:
    neighbour = Neighbour(None)
    try:
        begun_ns = time.perf_counter_ns()
        deadline = time.monotonic() + 60
        while True:
            time.sleep(0.2)
            try:
                rate = neighbour.copies_per_s(begun_ns, time.perf_counter_ns())
            except ValueError:
                assert time.monotonic() < deadline
            else:
                break
        assert 0.1 < rate < 10_000
        with pytest.raises(ValueError, match="fewer than three"):
            neighbour.copies_per_s(begun_ns, begun_ns)
    finally:
        neighbour.close()


def test_the_probe_stamps_every_token_of_npulse(tmp_path: Path) -> None:
    out = tmp_path / "stamps.jsonl"
    with Simulator(tmp_path, decode_tps=100, tokens=60) as simulator:
        headless(TimingPlan(100, 60, 2), simulator, out)
        truths = simulator.log.answers()
    told = [json.loads(line) for line in out.read_text().splitlines()]
    assert len(told) == len(truths) == 2
    for line, truth in zip(told, truths, strict=True):
        errors = errors_of(line, truth)
        assert len(errors.gaps_ms) == 59
        assert quantile(errors.gaps_ms, 0.5) < 50
        assert line["status"] == "complete"


def test_a_token_of_several_chunks_came_with_the_first_of_them() -> None:
    truth = TrueAnswer(0, None, [10, 20, 30], ["ab", "c", "def"], None)
    assert token_stamps([1, 1, 2, 3, 3, 4], truth) == [1, 2, 3]
    assert token_stamps([1, 2, 3], truth) == [1, 2, 3]
    with pytest.raises(ValueError, match="4 stamps for 3 tokens"):
        token_stamps([1, 2, 3, 4], truth)


@pytest.mark.parametrize("dialect", ["rkllm-demo", "rkllm-chat", "orkllm", "ollama"])
def test_times_are_judged_in_other_dialects(tmp_path: Path, dialect: str) -> None:
    out = tmp_path / "stamps.jsonl"
    timing = TimingPlan(100, 40, 1, dialect=dialect)
    with Simulator(tmp_path, decode_tps=100, tokens=40, dialect=dialect) as simulator:
        headless(timing, simulator, out)
        (truth,) = simulator.log.answers()
    (told,) = [json.loads(line) for line in out.read_text().splitlines()]
    errors = errors_of(told, truth)
    assert len(errors.gaps_ms) == 39
    assert quantile(errors.gaps_ms, 0.5) < 50
    assert errors.is_estimate == dialect.startswith("rkllm-")
