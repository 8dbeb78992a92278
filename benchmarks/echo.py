"""From a key to its letter on the screen, while 200 tokens a second stream."""

from __future__ import annotations

import time

from benchmarks.figures import Results, quantile
from benchmarks.plan import Plan
from benchmarks.programs import Program
from benchmarks.session import Session, SessionError
from benchmarks.simulator import Simulator

RATE_TPS = 200
LETTERS = "бвгджзийлптуфцчшщъыьэюя"
"""None of them is in the answer, and two that follow each other differ."""
EVERY_S = 0.093
"""Between two keys; no multiple of a frame."""
MOST_S = 1.0
"""A letter that is not there by then counts with that time."""


def measure(ours: Program | None, plan: Plan, results: Results) -> None:
    """Type letters into the prompt below the answer."""
    if ours is None:
        return
    for _ in range(plan.runs):
        keys = plan.echo_keys
        tokens = round((keys * EVERY_S * 1.5 + 10) * RATE_TPS)
        with (
            Simulator(plan.folder, decode_tps=RATE_TPS, tokens=tokens) as simulator,
            Session(ours, simulator, plan.folder) as session,
        ):
            try:
                session.wait_ready()
            except SessionError as error:
                results.note(f"echo: {error}")
                continue
            session.terminal.type("[[prose]]")
            session.terminal.keys("enter")
            time.sleep(4)
            delays = [_delay_ms(session, LETTERS[n % len(LETTERS)]) for n in range(keys)]
            results.add("echo-200", "npulse", "echo_p50_ms", quantile(delays, 0.5))
            results.add("echo-200", "npulse", "echo_p99_ms", quantile(delays, 0.99))


def _delay_ms(session: Session, letter: str) -> float:
    """Milliseconds from the key to the bytes that show its letter; the next key comes later."""
    terminal, wanted = session.terminal, letter.encode()
    seen = len(terminal.chunks)
    sent_ns = time.perf_counter_ns()
    terminal.send(wanted)
    deadline_s = time.monotonic() + MOST_S
    shown_ns: int | None = None
    while shown_ns is None and time.monotonic() < deadline_s:
        time.sleep(0.004)
        new = terminal.chunks[seen:]
        shown_ns = next((c.t_ns for c in new if wanted in c.data), None)
        seen += len(new)
    time.sleep(max(0.0, EVERY_S - (time.perf_counter_ns() - sent_ns) / 1e9))
    return MOST_S * 1000 if shown_ns is None else (shown_ns - sent_ns) / 1e6
