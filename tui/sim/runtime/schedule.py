"""The time at which each token is due, and the wait for it.

Each deadline is computed from the start of the run, not from the previous token. So a late token
does not delay the following ones, and the schedule does not drift.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

from tui.sim.profiles import Profile

COARSE_NS = 2_000_000
"""The event loop wakes up to 1 ms late, as epoll's timeout is in ms. So it is told to wake this
much earlier, and a blocking sleep, exact to some µs, waits for the rest."""


@dataclass(frozen=True, slots=True)
class Pace:
    """Times of the simulated runtime's steps, in real time (after ``speed``)."""

    prefill_token_ns: float
    base_ns: float
    slope_ns: float

    def prefill_ns(self, tokens: int) -> float:
        """Time of prefill of that many tokens."""
        return self.prefill_token_ns * tokens

    def step_ns(self, context_tokens: int) -> float:
        """Time of one decode step at that context length."""
        return self.base_ns + self.slope_ns * context_tokens


def pace_of(
    profile: Profile, *, speed: float, decode_tps: float | None, prefill_tps: float | None
) -> Pace:
    """The pace of a model. ``decode_tps`` or ``prefill_tps`` replace its own rate by a constant."""
    prefill_token_ns = 1e9 / (prefill_tps or profile.prefill_tps) / speed
    if decode_tps is None:
        base_ns, slope_ns = profile.base_ms * 1e6 / speed, profile.slope_ms * 1e6 / speed
    else:
        base_ns, slope_ns = 1e9 / decode_tps / speed, 0.0
    return Pace(prefill_token_ns, base_ns, slope_ns)


async def sleep_until(deadline_ns: int) -> None:
    """Return at ``deadline_ns`` (``perf_counter_ns``), at most some tens of µs late; at once if
    past.

    The last 2 ms block the event loop. Before that, and also when the deadline has passed, other
    tasks get a turn.
    """
    left_ns = deadline_ns - time.perf_counter_ns()
    if left_ns <= COARSE_NS:
        await asyncio.sleep(0)
    while (left_ns := deadline_ns - time.perf_counter_ns()) > COARSE_NS:  # noqa: ASYNC110
        await asyncio.sleep((left_ns - COARSE_NS) / 1e9)
    if left_ns > 0:
        time.sleep(left_ns / 1e9)  # noqa: ASYNC251 - on purpose, see above
