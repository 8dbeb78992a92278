"""Measures the delay from a key to its letter on the screen, while 200 tokens/s stream."""

from __future__ import annotations

import time
from collections.abc import Mapping

from benchmarks.figures import Results, quantile
from benchmarks.plan import Plan
from benchmarks.programs import Program
from benchmarks.session import Session, SessionError
from benchmarks.simulator import Simulator

RATE_TPS = 200
LETTERS = "бвгджзийлптуфцчшщъыьэюя"
"""Letters that do not occur in the answer; two in a row differ."""
EVERY_S = 0.093
"""Seconds between two keys; not a multiple of a frame."""
PROMPT: dict[str, tuple[str, ...]] = {"echo-200": ()}
OTHERS: dict[str, tuple[str, ...]] = {
    "echo-200-search": ("ctrl+f",),
    "echo-200-palette": ("ctrl+p",),
    "echo-200-settings": ("f6",),
    "echo-200-help": ("f1", "/"),
    "echo-200-history": ("f4", "/"),
}
"""Scenario -> key that opens the input line; Esc closes it."""
SETTLE_S = 1.0
MOST_S = 1.0
"""Time limit in seconds; a letter that is not shown by then counts with this time."""


def measure(
    ours: Program | None, plan: Plan, fields: Mapping[str, tuple[str, ...]], results: Results
) -> None:
    """Types letters into the prompt and into each other input line."""
    if ours is None:
        return
    for _ in range(plan.runs):
        keys = plan.echo_keys // (1 if len(fields) == 1 else 4)
        field_s = keys * EVERY_S * 1.5 + 5 * SETTLE_S
        tokens = round((field_s * len(fields) + 10) * RATE_TPS)
        with (
            Simulator(plan.folder, decode_tps=RATE_TPS, tokens=tokens) as simulator,
            Session(ours, simulator, plan.folder) as session,
        ):
            try:
                session.wait_ready()
            except SessionError as error:
                results.note(f"echo: {error}")
                continue
            session.ask_for_prose(4)
            for scenario, opened_by in fields.items():
                _press(session, opened_by)
                delays = [_delay_ms(session, LETTERS[n % len(LETTERS)]) for n in range(keys)]
                results.add(scenario, "npulse", "echo_p50_ms", quantile(delays, 0.5))
                results.add(scenario, "npulse", "echo_p99_ms", quantile(delays, 0.99))
                _press(session, ("escape", "escape") if opened_by else ())


def _press(session: Session, keys: tuple[str, ...]) -> None:
    for key in keys:
        if len(key) == 1:
            session.terminal.type(key)
        else:
            session.terminal.keys(key)
        time.sleep(SETTLE_S)


def _delay_ms(session: Session, letter: str) -> float:
    """Milliseconds from each key to the bytes that show its letter."""
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
