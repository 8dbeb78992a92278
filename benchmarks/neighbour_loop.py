"""A memory-bound program: it copies a buffer larger than any cache in an endless loop.

Writes a line after each copy: ``perf_counter_ns`` and its own processor time in ns.
"""

from __future__ import annotations

import os
import time

BUFFER_BYTES = 48 << 20


def main() -> None:
    """Copy until stdout is closed or a signal comes."""
    source = memoryview(bytearray(BUFFER_BYTES))
    target = memoryview(bytearray(BUFFER_BYTES))
    while True:
        target[:] = source
        os.write(1, b"%d %d\n" % (time.perf_counter_ns(), time.process_time_ns()))


if __name__ == "__main__":
    main()
