"""Variable-length integers (LEB128): seven bits per byte, lowest first; the top bit marks
continuation.

The encoding of unsigned numbers is that of Protocol Buffers (varint); signed ones are mapped to
unsigned ones as there (ZigZag): 0, -1, 1, -2, ... become 0, 1, 2, 3, ...
"""

from __future__ import annotations


def append_unsigned(out: bytearray, value: int) -> None:
    """Appends a number that is not negative."""
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)


def zigzag(value: int) -> int:
    """Maps signed to unsigned numbers (zigzag)."""
    return value << 1 if value >= 0 else (-value << 1) - 1


def unzigzag(value: int) -> int:
    """Inverse of :func:`zigzag`."""
    return value >> 1 if not value & 1 else -((value + 1) >> 1)


def read_all(data: bytes) -> list[int]:
    """Every unsigned number in ``data``. Raises ValueError where the last one has no end."""
    found: list[int] = []
    value = shift = 0
    for byte in data:
        if byte < 0x80:
            found.append(value | byte << shift if shift else byte)
            value = shift = 0
        else:
            value |= (byte & 0x7F) << shift
            shift += 7
    if shift:
        raise ValueError("the numbers end in the middle of one")
    return found
