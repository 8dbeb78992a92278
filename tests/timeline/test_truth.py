"""The timeline against the simulated board's own log: times, words, and when it was slowed down."""

from __future__ import annotations

import json
import threading
from bisect import bisect_right
from pathlib import Path
from time import perf_counter_ns
from typing import Any

import pytest

from tests.servers.requests import request
from tests.servers.test_simulated import looped
from tui.board.sampler import Sampler
from tui.core.board.history import series_values
from tui.core.turn.turn import Turn
from tui.servers.client import Client, PhaseTimeouts
from tui.servers.dialects import rockchipllama
from tui.servers.exchange import answer
from tui.sim.server.spawn import spawn
from tui.timeline.live import LiveTimeline
from tui.timeline.record import Mark, Timeline

MS = 1_000_000
SAMPLE_S = 0.2
SAMPLES_LATE = 3
"""In which sample after a moment the board's files show it at the latest: they are written four
times a second."""


def seen_by_ns(timeline: Timeline, moment_ns: int) -> int:
    """When what began at that moment has to be seen, by the samples that were really taken."""
    times_ns = timeline.series["npu.freq"].times_ns
    later_ns = times_ns[bisect_right(times_ns, moment_ns) :]
    return [*later_ns, timeline.end_ns][:SAMPLES_LATE][-1]


def followed(folder: Path, prompt: str, *arguments: str) -> tuple[Timeline, Turn, list[Any]]:
    """An answer of the simulated board as a timeline, and the lines of the board's log."""
    log = folder / "truth.jsonl"
    options = ("--truth", str(log), "--prefill-tps", "200", *arguments)
    with spawn(options, has_root=True) as simulator, looped() as loop:
        asking = request(prompt)
        turn = Turn(asking, perf_counter_ns())
        live = LiveTimeline(turn)
        port = int(simulator.url.rpartition(":")[2])

        async def ask() -> None:
            timeouts = PhaseTimeouts(first_byte_s=20.0, idle_s=10.0, busy_s=1.0)
            async with Client(simulator.url, rockchipllama.DIALECT, timeouts) as client:
                await answer(client, asking, turn)

        assert simulator.root is not None
        sampler = Sampler(simulator.root, interval_s=SAMPLE_S)
        sampler.watch_server(port)
        sampler.sample()
        is_over = threading.Event()
        asked = loop.submit(ask())
        while not asked.done():
            snapshot = sampler.sample()
            live.saw(snapshot.t_ns, series_values(snapshot))
            is_over.wait(SAMPLE_S)
        asked.result()
        sampler.close()
        timeline = live.timeline(perf_counter_ns())
    return timeline, turn, [json.loads(line) for line in log.read_text("utf-8").splitlines()]


@pytest.mark.slow
@pytest.mark.parametrize("shape", ["prose", "code", "table", "cjk", "list"])
def test_the_words_lit_are_those_that_were_written_then(tmp_path: Path, shape: str) -> None:
    timeline, turn, log = followed(tmp_path, f"[[{shape}]] [[tokens=60]]", "--decode-tps", "60")
    tokens = [line for line in log if line["event"] == "token"]
    assert len(timeline.chunks) == len(tokens) == 60
    assert [timeline.words(n, n + 1) for n in range(60)] == [line["text"] for line in tokens]
    came_ns = [turn.t0_ns + t_ns for t_ns in timeline.chunks.times_ns]
    assert all(line["t_ns"] - MS <= t_ns for t_ns, line in zip(came_ns, tokens, strict=True))
    # Of tokens that a busy machine read at once the kernel keeps the time of the last.
    last_of_reads = [n for n in range(60) if n == 59 or came_ns[n] != came_ns[n + 1]]
    late_ns = sorted(came_ns[n] - tokens[n]["written_ns"] for n in last_of_reads)
    assert late_ns[len(late_ns) // 2] < 5 * MS


def test_thinking_and_answer_are_told_apart(tmp_path: Path) -> None:
    timeline, _, log = followed(tmp_path, "[[think=20]] [[tokens=50]]", "--decode-tps", "60")
    tokens = [line["text"] for line in log if line["event"] == "token"]
    for number, text in enumerate(tokens):
        if "think>" not in text:
            assert timeline.words(number, number + 1).strip() == text.strip()
    assert [phase.name for phase in timeline.phases][:3] == ["prefill", "thinking", "answer"]


@pytest.mark.slow
def test_marks_are_where_the_board_was_slowed_down(tmp_path: Path) -> None:
    faults = ("--fault", "throttle=15-50", "--fault", "clock=70-100")
    timeline, turn, log = followed(
        tmp_path, "[[prose]] [[tokens=130]]", "--decode-tps", "25", *faults
    )
    truth = {
        name: [line["t_ns"] - turn.t0_ns for line in log if line["event"] == "trouble"][at:]
        for name, at in (("throttled", 0), ("clock", 2))
    }
    for kind in ("throttled", "clock"):
        (mark,) = [mark for mark in timeline.marks if mark.kind == kind]
        begin_ns, end_ns = truth[kind][:2]
        assert begin_ns <= mark.start_ns <= seen_by_ns(timeline, begin_ns)
        assert end_ns <= mark.end_ns <= seen_by_ns(timeline, end_ns)
        assert "NPU clock" in mark.sentence
        assert "1000 → 600 MHz" in mark.sentence
    heat = next(mark.sentence for mark in timeline.marks if mark.kind == "throttled")
    assert heat.startswith("throttled at 81 °C")
    assert timeline.next_trouble(0) == timeline.marks[0]


@pytest.mark.slow
def test_another_program_is_seen(tmp_path: Path) -> None:
    timeline, turn, log = followed(
        tmp_path, "[[prose]] [[tokens=170]]", "--decode-tps", "20", "--fault", "background=20-150"
    )
    begin_ns, end_ns = (line["t_ns"] - turn.t0_ns for line in log if line["event"] == "trouble")
    marks: list[Mark] = [mark for mark in timeline.marks if mark.kind == "program"]
    assert len(marks) == 1
    assert begin_ns - 2_000 * MS <= marks[0].start_ns <= seen_by_ns(timeline, begin_ns)
    assert marks[0].end_ns >= end_ns
    assert "another program took" in marks[0].sentence
