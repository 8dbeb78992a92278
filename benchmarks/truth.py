"""Reads the simulator's log with the true sending time of each token.

One JSON object a line: ``t_ns`` (CLOCK_MONOTONIC), ``request`` (its number) and ``event``: request,
prefill_end, token (``n``, ``text``, ``written_ns``), finish (``reason``, ``tokens``), disconnect.
A request counts from the arrival of its last byte, a token from right after its write: before the
write, the simulator may be put aside for milliseconds.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(slots=True)
class TrueAnswer:
    """The log of one request. Times of later events are None."""

    requested_ns: int
    prefill_end_ns: int | None = None
    token_ns: list[int] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    finished_ns: int | None = None

    @property
    def rate_tps(self) -> float | None:
        """Tokens a second from the first to the last: (n - 1) / (t_last - t_first)."""
        if len(self.token_ns) < 2:
            return None
        return (len(self.token_ns) - 1) * 1e9 / (self.token_ns[-1] - self.token_ns[0])

    @property
    def ttft_ms(self) -> float | None:
        return (self.token_ns[0] - self.requested_ns) / 1e6 if self.token_ns else None


class TruthLog:
    """Reads the growing log."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._position = 0
        self._rest = b""
        self._answers: dict[int, TrueAnswer] = {}

    def answers(self) -> list[TrueAnswer]:
        """Every request so far, in order, with all its logged events."""
        if self._path.exists():
            with self._path.open("rb") as file:
                file.seek(self._position)
                data = file.read()
            self._position += len(data)
            *lines, self._rest = (self._rest + data).split(b"\n")
            for line in lines:
                self._take(json.loads(line))
        return [self._answers[request] for request in sorted(self._answers)]

    def _take(self, entry: dict[str, Any]) -> None:
        request, t_ns, event = entry.get("request"), entry["t_ns"], entry["event"]
        if not isinstance(request, int):
            return
        if event == "request":
            self._answers[request] = TrueAnswer(t_ns)
        elif (answer := self._answers.get(request)) is not None:
            if event == "prefill_end":
                answer.prefill_end_ns = t_ns
            elif event == "token":
                answer.token_ns.append(entry.get("written_ns", t_ns))
                answer.texts.append(entry["text"])
            elif event in ("finish", "disconnect") and answer.finished_ns is None:
                answer.finished_ns = t_ns
