"""npulse as it is, which leaves the time stamps of its turns in a file.

``python -m tests.app.recorded FILE [arguments of npulse]``. The screen shows two decimals; a test
of timing needs the nanoseconds behind them.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from unittest.mock import patch

from tui.app.chat_session import ChatSession
from tui.cli import main
from tui.core.turn.turn import Turn


def record_of(turn: Turn) -> dict[str, object]:
    """What a test compares with the truth."""
    stats = turn.stats(time.perf_counter_ns())
    return {
        "t0_ns": turn.t0_ns,
        "stamps_ns": list(turn.stamps_ns),
        "decode_tps": stats.decode_tps,
        "ttft_ms": stats.ttft_ms,
        "tokens": stats.tokens,
        "max_lag_ms": stats.max_lag_ms,
        "text": turn.text,
    }


def recording(file: Path, commit_turn: Callable[[ChatSession], None]) -> Callable[..., None]:
    """``commit_turn``, which also appends the turn to the file."""

    def recorded(chat: ChatSession) -> None:
        commit_turn(chat)
        if chat.turn is not None:
            with file.open("a") as log:
                log.write(json.dumps(record_of(chat.turn)) + "\n")

    return recorded


if __name__ == "__main__":
    recorded = recording(Path(sys.argv[1]), ChatSession.commit_turn)
    with patch.object(ChatSession, "commit_turn", recorded):
        sys.exit(main(sys.argv[2:]))
