"""Packs the chunk times of an answer: about two bytes per token of an even stream.

Times are microseconds from the request on. What is stored is how much each gap differs from the one
before it, as ZigZag varints (:mod:`tui.history.varint`), so an even stream takes one or two bytes a
token at any rate. Any times can be stored, also falling ones.
"""

from __future__ import annotations

from collections.abc import Sequence

from tui.history.varint import append_unsigned, read_all, zigzag


def pack_times(t0_ns: int, stamps_ns: Sequence[int]) -> bytes:
    """Times in ns of any clock as bytes, from ``t0_ns`` on; rounded to a microsecond."""
    out = bytearray()
    last_us = gap_us = 0
    for t_ns in stamps_ns:
        t_us = (t_ns - t0_ns + 500) // 1000
        next_gap_us = t_us - last_us
        append_unsigned(out, zigzag(next_gap_us - gap_us))
        last_us, gap_us = t_us, next_gap_us
    return bytes(out)


def unpack_times(data: bytes) -> list[int]:
    """The times in ns from the request on. Raises ValueError where the bytes end too early."""
    found: list[int] = []
    t_us = gap_us = 0
    for value in read_all(data):
        # In line, as unzigzag: an answer may have 16,384 of them.
        gap_us += -((value + 1) >> 1) if value & 1 else value >> 1
        t_us += gap_us
        found.append(t_us * 1000)
    return found
