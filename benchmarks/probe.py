"""Runs npulse as it is and writes down every time stamp that it takes of a token.

``python -m benchmarks.probe FILE ARGUMENT...`` is ``npulse ARGUMENT...``; for every answer that
ends, one JSON line is appended to FILE: ``t0_ns``, ``t_ns`` (a stamp for each chunk of text),
``ttft_ms`` and ``decode_tps`` as npulse stores and shows them.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from pathlib import Path

from tui.cli import main as npulse
from tui.core.turn.turn import Turn
from tui.core.types import Delta, TextDelta, ThinkingDelta


def record(path: Path) -> None:
    """From now on, every turn of this process leaves its stamps in that file."""
    feed = Turn.feed
    stamps: dict[int, list[int]] = {}

    def feed_and_note(turn: Turn, t_ns: int, deltas: Iterable[Delta]) -> None:
        known = list(deltas)
        is_new = turn.status is None
        feed(turn, t_ns, known)
        if not is_new:
            return
        own = stamps.setdefault(id(turn), [])
        own += [t_ns for d in known if isinstance(d, TextDelta | ThinkingDelta) and d.text]
        if turn.status is None:
            return
        stats = turn.stats(t_ns)
        line = {
            "t0_ns": turn.t0_ns,
            "t_ns": stamps.pop(id(turn)),
            "ttft_ms": stats.ttft_ms,
            "decode_tps": stats.decode_tps,
            "status": turn.status,
        }
        with path.open("a") as file:
            file.write(json.dumps(line) + "\n")

    setattr(Turn, "feed", feed_and_note)  # noqa: B010 - a method cannot be assigned to by name


if __name__ == "__main__":
    record(Path(sys.argv[1]))
    sys.exit(npulse(sys.argv[2:]))
