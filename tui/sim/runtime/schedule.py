"""When each token is due, and waiting for that moment.

Every deadline is counted from the start of the run, never from the token before, so a late token
does not make the next ones late: there is no drift.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

from tui.sim.profiles import Profile

COARSE_NS = 2_000_000
"""The event loop wakes up to a millisecond late (epoll counts in milliseconds), so it is asked to
wake this much early; a plain sleep, which is exact to some microseconds, does the rest."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast the simulated runtime works, in real time."""

    prefill_token_ns: float
    base_ns: float
    slope_ns: float

    def prefill_ns(self, tokens: int) -> float:
        """Time from the start of a run to its first token."""
        return self.prefill_token_ns * tokens

    def step_ns(self, context_tokens: int) -> float:
        """Time of one decoding step with that many tokens of context before it."""
        return self.base_ns + self.slope_ns * context_tokens


def pace_of(
    profile: Profile, *, speed: float, decode_tps: float | None, prefill_tps: float | None
) -> Pace:
    """The pace of a model; a rate that is given replaces the model's own by a constant one."""
    prefill_token_ns = 1e9 / (prefill_tps or profile.prefill_tps) / speed
    if decode_tps is None:
        base_ns, slope_ns = profile.base_ms * 1e6 / speed, profile.slope_ms * 1e6 / speed
    else:
        base_ns, slope_ns = 1e9 / decode_tps / speed, 0.0
    return Pace(prefill_token_ns, base_ns, slope_ns)


async def sleep_until(deadline_ns: int) -> None:
    """Return at that moment of ``perf_counter_ns``, within some tens of microseconds, or at once.

    The last two milliseconds block the event loop. What else it has to do is answered in between;
    it always gets a turn, also when every deadline has passed.
    """
    left_ns = deadline_ns - time.perf_counter_ns()
    if left_ns <= COARSE_NS:
        await asyncio.sleep(0)
    while (left_ns := deadline_ns - time.perf_counter_ns()) > COARSE_NS:  # noqa: ASYNC110
        await asyncio.sleep((left_ns - COARSE_NS) / 1e9)
    if left_ns > 0:
        time.sleep(left_ns / 1e9)  # noqa: ASYNC251 - on purpose, see above
