"""Whether the NPU was busy with another client when a prompt was sent."""

from __future__ import annotations

BUSY_LOAD_PCT = 10.0
SAMPLE_LAG_NS = 3_000_000_000
"""The driver latches its load once a second, and it is sampled once a second."""


def is_busy_for_others(load_pct: float | None, sent_ns: int, own_end_ns: int | None) -> bool:
    """``load_pct``: as sampled last before ``sent_ns``. ``own_end_ns``: the end of our own last
    answer, whose load may still be the one that was sampled; None where there was none."""
    if (load_pct or 0.0) < BUSY_LOAD_PCT:
        return False
    return own_end_ns is None or sent_ns - own_end_ns >= SAMPLE_LAG_NS
