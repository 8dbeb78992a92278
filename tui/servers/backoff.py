"""Pauses between retries at a busy server: growing up to a bound, deterministic.

No random part: one person's prompts do not stampede, and a test can count on the times.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

MAX_HEADER_CHARS = 64


@dataclass(frozen=True, slots=True)
class Backoff:
    """All in seconds. ``max_asked_s`` bounds what a server asks for in ``Retry-After``."""

    first_s: float = 0.25
    factor: float = 2.0
    max_s: float = 3.0
    max_asked_s: float = 30.0

    def pause_s(self, n_tries: int, asked_s: float | None = None) -> float:
        """The pause after that many tries (1 and up). What the server asks for is heeded where it
        is longer."""
        # The exponent is bounded as well: an hour of tries must not overflow.
        grown_s = min(self.first_s * self.factor ** min(n_tries - 1, 32), self.max_s)
        return max(grown_s, min(asked_s or 0.0, self.max_asked_s))


def retry_after_s(header: str | None, now_s: float | None = None) -> float | None:
    """``Retry-After`` in seconds from now (RFC 9110, section 10.2.3: a number or a date), never
    negative; None where it is neither. ``now_s`` is the time since the epoch."""
    text = (header or "").strip()[:MAX_HEADER_CHARS]
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if math.isfinite(seconds):
        return max(seconds, 0.0)
    try:
        at_s = parsedate_to_datetime(text).timestamp()
    except (ValueError, TypeError, IndexError, OverflowError, OSError):
        return None
    return max(at_s - (time.time() if now_s is None else now_s), 0.0)
