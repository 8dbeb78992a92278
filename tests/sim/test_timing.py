"""The simulator keeps its schedule and tells the truth about it.

The limits are wide: the machine that runs the tests has other things to do. What would be wrong by
construction (drift, a rate off by a factor, a stamp after the write) is far outside of them.
"""

from __future__ import annotations

import os
from pathlib import Path
from statistics import quantiles

import pytest

from tests.sim.simulator import ask, running, truth
from tui.sim.profiles import PROFILES, TYPICAL_CONTEXT_TOKENS, find_profile
from tui.sim.runtime.schedule import pace_of

MS = 1_000_000


def _token_times(path: Path, request: int = 1) -> list[int]:
    return [entry["t_ns"] for entry in truth(path, "token", request)]


def _lowest_tenth(values_ns: list[int]) -> float:
    """What a tenth of the values stays below. A constant delay is in it, a busy core is not."""
    return quantiles(values_ns, n=10)[0]


@pytest.mark.timing
def test_tokens_come_on_schedule_and_do_not_drift(tmp_path: Path) -> None:
    log = tmp_path / "truth"
    with running("--decode-tps", "200", "--prefill-tps", "500", "--truth", str(log)) as simulator:
        answer = ask(simulator.url, "[[tokens=400]]", max_tokens=1000)
    (begin,) = truth(log, "prefill_end")
    due_ns = begin["start_ns"] + begin["prefill_tokens"] * 2 * MS
    late_ns = [at - due_ns - n * 5 * MS for n, at in enumerate(_token_times(log))]
    assert len(late_ns) == len(answer.pieces) == 400
    assert min(late_ns) >= 0
    # A busy machine wakes the simulator late now and then; what was on time shows the schedule.
    assert _lowest_tenth(late_ns) < 1 * MS
    assert _lowest_tenth(late_ns[-40:]) < 1 * MS
    # Each stamp is taken right before its write, so what arrives is never older than its stamp.
    behind_ns = [at - sent for at, sent in zip(answer.times_ns, _token_times(log), strict=True)]
    assert min(behind_ns) > 0
    assert _lowest_tenth(behind_ns) < 1 * MS, "something holds each token back"


@pytest.mark.timing
def test_first_token_comes_when_the_prompt_is_read(tmp_path: Path) -> None:
    log = tmp_path / "truth"
    with running("--prefill-tps", "200", "--decode-tps", "500", "--truth", str(log)) as simulator:
        ask(simulator.url, "many words " * 20 + "[[tokens=3]]")
    asked, begin, first = truth(log)[:3]
    assert begin["prefill_tokens"] == asked["prompt_tokens"] > 40
    expected_ns = asked["prompt_tokens"] * 5 * MS
    assert 0 <= begin["t_ns"] - asked["t_ns"] - expected_ns < 50 * MS
    assert first["event"] == "token"
    assert 0 <= first["t_ns"] - begin["t_ns"] < 50 * MS


@pytest.mark.parametrize("profile", PROFILES, ids=lambda profile: profile.name)
def test_a_step_takes_longer_the_more_context_there_is(profile: object) -> None:
    found = find_profile(getattr(profile, "name", ""))
    assert found is not None
    pace = pace_of(found, speed=1, decode_tps=None, prefill_tps=None)
    assert 1e9 / pace.step_ns(TYPICAL_CONTEXT_TOKENS) == pytest.approx(found.decode_tps)
    assert pace.step_ns(1200) - pace.step_ns(200) == pytest.approx(1000 * found.slope_ms * 1e6)
    assert pace.prefill_ns(100) == pytest.approx(100e9 / found.prefill_tps)


def test_measured_slope_of_the_large_model() -> None:
    large = find_profile("qwen3-4b")
    assert large is not None
    assert large.slope_ms == pytest.approx(0.057)
    assert large.base_ms == pytest.approx(308.1, abs=0.1)


@pytest.mark.timing
def test_speed_divides_every_time(tmp_path: Path) -> None:
    log = tmp_path / "truth"
    with running("--speed", "40", "--truth", str(log)) as simulator:
        ask(simulator.url, "hello [[tokens=60]]")
    times = _token_times(log)
    rate_tps = 59e9 / (times[-1] - times[0])
    assert rate_tps == pytest.approx(3.13 * 40, rel=0.1)
    (finish,) = truth(log, "finish")
    assert 35 * MS / 40 * 0.9 < finish["t_ns"] - finish["end_ns"] < 30 * MS


@pytest.mark.timing
def test_finish_chunk_comes_after_the_servers_own_wait(tmp_path: Path) -> None:
    log = tmp_path / "truth"
    with running("--decode-tps", "100", "--prefill-tps", "5000", "--truth", str(log)) as simulator:
        for _ in range(4):
            ask(simulator.url, "[[tokens=4]]")
    for number in range(1, 5):
        (finish,) = truth(log, "finish", number)
        (begin,) = truth(log, "prefill_end", number)
        # One more step makes the end mark; the server notices 35 to 51 ms later.
        due_ns = begin["start_ns"] + begin["prefill_tokens"] * MS / 5 + 4 * 10 * MS
        assert finish["end_ns"] >= due_ns
        assert 35 * MS <= finish["t_ns"] - finish["end_ns"] < 120 * MS


def test_truth_is_whole_when_the_client_has_seen_the_end(tmp_path: Path) -> None:
    log = tmp_path / "truth"
    with running(
        "--decode-tps", "2000", "--prefill-tps", "9000", "--speed", "9", "--truth", str(log)
    ) as simulator:
        for number in range(1, 6):
            answer = ask(simulator.url, "[[tokens=50]]")
            assert answer.is_done
            events = [entry["event"] for entry in truth(log, request=number)]
            assert events == ["request", "prefill_end", *["token"] * 50, "finish"]
    stamps = [entry["t_ns"] for entry in truth(log)]
    assert stamps == sorted(stamps)


def test_truth_says_what_was_sent(tmp_path: Path) -> None:
    log = tmp_path / "truth"
    with running("--speed", "200", "--truth", str(log)) as simulator:
        answer = ask(simulator.url, "[[cjk]] [[tokens=30]]", enable_thinking=True)
    tokens = truth(log, "token")
    assert [entry["text"] for entry in tokens] == answer.pieces
    assert [entry["n"] for entry in tokens] == list(range(1, 31))
    (finish,) = truth(log, "finish")
    assert (finish["reason"], finish["tokens"]) == ("stop", 30)


@pytest.mark.timing
def test_slow_first_delays_only_the_first_token(tmp_path: Path) -> None:
    log = tmp_path / "truth"
    with running(
        "--decode-tps", "200", "--prefill-tps", "9000", "--fault", "slow-first=0.4",
        "--truth", str(log),
    ) as simulator:  # fmt: skip
        ask(simulator.url, "[[tokens=20]]")
    times = _token_times(log)
    (begin,) = truth(log, "prefill_end")
    assert 390 * MS <= times[0] - begin["t_ns"] < 600 * MS
    assert times[-1] - times[0] == pytest.approx(19 * 5 * MS, abs=60 * MS)


@pytest.mark.timing
def test_a_slow_answer_costs_next_to_nothing(tmp_path: Path) -> None:
    def cpu_ticks(pid: int) -> int:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return int(fields[11]) + int(fields[12])

    with running("--decode-tps", "10", "--prefill-tps", "5000", has_root=True) as simulator:
        before = cpu_ticks(simulator.pid)
        ask(simulator.url, "[[tokens=15]]")
        spent_s = (cpu_ticks(simulator.pid) - before) / os.sysconf("SC_CLK_TCK")
    assert spent_s < 0.3  # of 1.5 s; waiting by spinning would take all of it
