"""npulse as it is, which leaves the time stamps of its turns in a file.

``python -m tests.app.recorded FILE [arguments of npulse]``. The screen shows two decimals; a test
of timing needs the nanoseconds behind them.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from unittest.mock import patch

import tui.app.start
from tui.app.backend import Backend
from tui.cli import main
from tui.core.turn.turn import Turn


def record_of(turn: Turn) -> dict[str, object]:
    """What a test compares with the truth."""
    stats = turn.stats(time.perf_counter_ns())
    return {
        "t0_ns": turn.t0_ns,
        "stamps_ns": turn.stamps_ns,
        "decode_tps": stats.decode_tps,
        "ttft_ms": stats.ttft_ms,
        "tokens": stats.tokens,
        "max_lag_ms": stats.max_lag_ms,
        "text": turn.text,
    }


class RecordingBackend(Backend):
    """A backend that appends every committed turn to the file."""

    file = Path()

    def commit_turn(self) -> None:
        super().commit_turn()
        if self.turn is not None:
            with self.file.open("a") as log:
                log.write(json.dumps(record_of(self.turn)) + "\n")


if __name__ == "__main__":
    RecordingBackend.file = Path(sys.argv[1])
    with patch.object(tui.app.start, "Backend", RecordingBackend):
        sys.exit(main(sys.argv[2:]))
