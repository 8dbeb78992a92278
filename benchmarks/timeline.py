"""The cost of the timeline of an answer: while 16,384 tokens stream into it, and to open it, also
after an answer that took an hour."""

from __future__ import annotations

import time
from pathlib import Path

from benchmarks.figures import Results
from benchmarks.history import store_hour
from benchmarks.plan import Plan
from benchmarks.programs import Program
from benchmarks.session import SIZE, Session, SessionError
from benchmarks.simulator import Simulator
from benchmarks.visibility import frames
from tests.terminal.screen import TerminalScreen
from tui.history.database import FILE_NAME

SCENARIO, HOUR = "timeline-16k", "timeline-hour"
RATE_TPS = 500.0
TOKENS = {True: 4096, False: 16_384}
"""Tokens of the streaming answer, also in a quick run."""
HOUR_TOKENS = 16_384
OPENINGS = 5
SHOWN = "tok/s"
CURVE = range(0x2801, 0x2900)
"""The characters of a curve (braille patterns)."""
WAIT_S = 20.0


def measure(ours: Program | None, plan: Plan, results: Results) -> None:
    """Follows a long answer from its first to its last token, then opens it from the history."""
    if ours is None:
        return
    tokens = TOKENS[plan.is_one_session]
    for _ in range(plan.runs):
        with (
            Simulator(plan.folder, decode_tps=RATE_TPS, tokens=tokens) as simulator,
            Session(ours, simulator, plan.folder) as session,
        ):
            try:
                _measure_one(session, simulator, tokens, results)
            except (SessionError, AssertionError, TimeoutError) as error:
                results.note(f"{SCENARIO}: {error}")


def measure_hour(ours: Program | None, plan: Plan, results: Results) -> None:
    """Opens an answer from the history that took an hour, with a board sample per second."""
    if ours is None:
        return
    for _ in range(plan.runs):
        with (
            Simulator(plan.folder, decode_tps=RATE_TPS, tokens=1) as simulator,
            Session(ours, simulator, plan.folder) as session,
        ):
            try:
                session.wait_ready()
                path = Path(session.home) / "data" / "npulse" / "history" / FILE_NAME
                store_hour(path, HOUR_TOKENS)
                _open_from_history(session, HOUR, results)
            except (SessionError, AssertionError, TimeoutError) as error:
                results.note(f"{HOUR}: {error}")


def _measure_one(session: Session, simulator: Simulator, tokens: int, results: Results) -> None:
    session.wait_ready()
    session.terminal.type("[[prose]]")
    session.terminal.keys("enter", "alt+t")
    session.terminal.wait_for(SHOWN, WAIT_S)
    truth = session.wait_answer(0, tokens / RATE_TPS * 2 + 30)
    stamps = truth.token_ns
    count, quarter = len(stamps), len(stamps) // 4
    # The first tokens arrive while the screen opens.
    edges = (stamps[quarter // 4], stamps[quarter], stamps[-quarter], stamps[-1])
    first, last = (
        session.cost.cpu_between(begin, end) / 1e6 / n_tokens
        for begin, end, n_tokens in (
            (*edges[:2], quarter - quarter // 4),
            (*edges[2:], quarter - 1),
        )
    )
    cpu_ns = session.cost.cpu_between(edges[0], edges[-1])
    name = session.program.name
    results.add(SCENARIO, name, "cpu_ms_per_token", cpu_ns / 1e6 / (count - quarter // 4))
    results.add(SCENARIO, name, "first_cpu_ms_per_token", first)
    results.add(SCENARIO, name, "last_cpu_ms_per_token", last)
    results.add(SCENARIO, name, "growth", last / first)
    per_s = session.bytes_per_s_between(edges[0], edges[-1])
    results.add(SCENARIO, name, "followed_bytes_per_s", per_s)
    if count < tokens:
        results.note(f"{SCENARIO}: {count} tokens came, {tokens} were meant")
    # From the history, as after a new start of npulse.
    session.terminal.keys("escape")
    time.sleep(1)
    _open_from_history(session, SCENARIO, results)


def _open_from_history(session: Session, scenario: str, results: Results) -> None:
    session.terminal.keys("f4")
    session.terminal.wait_for("1 conversation", WAIT_S)
    session.terminal.keys("enter")
    time.sleep(2)
    for _ in range(OPENINGS):
        results.add(scenario, session.program.name, "timeline_open_ms", _open_ms(session))
        session.terminal.keys("escape")
        time.sleep(1)


def _open_ms(session: Session) -> float:
    """Time from the key to the frame with the curves."""
    first = len(session.terminal.chunks)
    from_ns = time.perf_counter_ns()
    session.terminal.keys("alt+t")
    time.sleep(1.5)
    screen = TerminalScreen(*SIZE)
    for t_ns, data in frames(session.terminal.chunks[first:]):
        screen.feed(data)
        if any(ord(char) in CURVE for char in screen.text()):
            return (t_ns - from_ns) / 1e6
    raise SessionError("the timeline of the answer did not open")
