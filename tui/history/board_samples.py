"""Packs the board samples of an answer: a column per series, only changes.

The bytes are a zlib stream (RFC 1950) of varints (:mod:`tui.history.varint`)::

    number of samples, their times in ms (first, then differences; ZigZag),
    number of series, then for each:
        length of its name in UTF-8, the name,
        for each sample: 0 where there is no value, else 1 + ZigZag(difference to the value before)

Values are stored as multiples of :func:`step` of their series: finer than any reading is exact.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from tui.history.varint import append_unsigned, read_all, unzigzag, zigzag

MAX_BYTES = 16 << 20
"""Larger data is not the record of an answer: a year of samples has less."""


@dataclass(frozen=True, slots=True)
class BoardSample:
    """One sample: ns from the request on, and a value for each series of
    :func:`tui.core.board.history.series_values`; None where the reading was absent."""

    t_ns: int
    values: Mapping[str, float | None]


def step(name: str) -> float:
    """The unit in which a series is stored: 0.1 MHz, 1 MiB, one a second, else a tenth (°C, %)."""
    if "freq" in name:
        return 1e5
    if name.startswith("ram."):
        return float(1 << 20)
    return 1.0 if name.endswith("activity") else 0.1


def pack_samples(samples: Sequence[BoardSample], level: int = 9) -> bytes:
    """Packs samples; empty for none. ``level`` is zlib's compression level."""
    if not samples:
        return b""
    out = bytearray()
    append_unsigned(out, len(samples))
    last_ms = 0
    for sample in samples:
        t_ms = round(sample.t_ns / 1e6)
        append_unsigned(out, zigzag(t_ms - last_ms))
        last_ms = t_ms
    names = sorted({name for sample in samples for name in sample.values})
    append_unsigned(out, len(names))
    for name in names:
        data = name.encode()
        append_unsigned(out, len(data))
        for byte in data:
            append_unsigned(out, byte)
        unit, last = step(name), 0
        for sample in samples:
            value = sample.values.get(name)
            if value is None or not math.isfinite(value):
                out.append(0)
                continue
            stored = round(value / unit)
            append_unsigned(out, 1 + zigzag(stored - last))
            last = stored
    return zlib.compress(bytes(out), level)


def unpack_samples(data: bytes) -> list[BoardSample]:
    """Unpacks samples. Raises ValueError where the bytes are damaged."""
    if not data:
        return []
    try:
        numbers = iter(read_all(zlib.decompressobj().decompress(data, MAX_BYTES)))
        return _samples(numbers)
    except (zlib.error, StopIteration, RuntimeError, OverflowError, ValueError) as error:
        raise ValueError("the samples of the board are damaged") from error


def _samples(numbers: Iterator[int]) -> list[BoardSample]:
    times_ns: list[int] = []
    t_ms = 0
    for _ in range(next(numbers)):
        t_ms += unzigzag(next(numbers))
        times_ns.append(t_ms * 1_000_000)
    rows: list[dict[str, float | None]] = [{} for _ in times_ns]
    for _ in range(next(numbers)):
        name = bytes(next(numbers) for _ in range(next(numbers))).decode("utf-8", "replace")
        unit, last = step(name), 0
        for row, stored in zip(rows, islice(numbers, len(rows)), strict=True):
            if stored > 1:
                # In line: many readings stay as they are, and an hour has 60,000.
                last += (stored - 1) >> 1 if stored & 1 else -(stored >> 1)
            row[name] = last * unit if stored else None
    return [BoardSample(t_ns, row) for t_ns, row in zip(times_ns, rows, strict=True)]
