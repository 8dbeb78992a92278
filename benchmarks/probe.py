"""Runs npulse unchanged and records each of its token times.

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
    """Makes every turn of this process write its token times to a file."""
    feed, end = Turn.feed, Turn.end_of_stream
    stamps: dict[int, list[int]] = {}

    def feed_and_note(turn: Turn, t_ns: int, deltas: Iterable[Delta]) -> None:
        known = list(deltas)
        is_new = turn.status is None
        feed(turn, t_ns, known)
        if is_new:
            own = stamps.setdefault(id(turn), [])
            own += [t_ns for d in known if isinstance(d, TextDelta | ThinkingDelta) and d.text]
            write_if_over(turn, t_ns)

    def end_and_note(turn: Turn, t_ns: int) -> None:
        end(turn, t_ns)
        write_if_over(turn, t_ns)

    def write_if_over(turn: Turn, t_ns: int) -> None:
        if turn.status is None or id(turn) not in stamps:
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

    # mypy does not allow an assignment to a method.
    setattr(Turn, "feed", feed_and_note)  # noqa: B010
    setattr(Turn, "end_of_stream", end_and_note)  # noqa: B010


if __name__ == "__main__":
    record(Path(sys.argv[1]))
    sys.exit(npulse(sys.argv[2:]))
