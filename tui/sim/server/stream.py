"""The tokens of a run on their way to one client, with the faults that happen on the way."""

from __future__ import annotations

import asyncio
import json
import random
import time
from itertools import pairwise
from typing import Any

from tui.sim.runtime.faults import Faults
from tui.sim.server.http import Connection, json_bytes

SPLIT_PAUSE_S = 0.0003
"""Between the parts of a split event, so that they do not leave in one segment."""


class Silence:
    """Takes the tokens of an answer that is sent whole."""

    def __init__(self, connection: Connection) -> None:
        self.gone = connection.gone

    def prepare(self, text: str) -> None:
        """Nothing to make."""

    def write(self, prepared: object) -> None:
        """Nothing to send."""


class EventStream:
    """Server-sent events of one answer: ``data: {json}``, an HTTP chunk each."""

    def __init__(
        self,
        connection: Connection,
        envelope: dict[str, Any],
        *,
        is_chat: bool,
        faults: Faults,
        rng: random.Random,
    ) -> None:
        self._connection = connection
        self._faults = faults
        self._rng = rng
        self._is_chat = is_chat
        self._envelope = envelope
        # What does not change from token to token is made once.
        marked = json_bytes(self._event("\0", None, None))
        self._before, self._after = marked.rsplit(b'"\\u0000"', 1)
        self._kept: list[bytes] = []

    @property
    def gone(self) -> asyncio.Event:
        """Set when the client has left."""
        return self._connection.gone

    def prepare(self, text: str) -> list[bytes]:
        """The bytes of a token's event, in the parts that are written one after the other."""
        content = json.dumps(text, ensure_ascii=False).encode("utf-8", "replace")
        return self._parts(b"".join((b"data: ", self._before, content, self._after, b"\n\n")))

    def write(self, prepared: object) -> None:
        """Send the parts of an event, or keep them where a fault says so."""
        assert isinstance(prepared, list)
        if self._faults.one_chunk:
            self._kept += prepared
            return
        for index, part in enumerate(prepared):
            if index:
                time.sleep(SPLIT_PAUSE_S)
            self._connection.write(part)

    def finish(self, reason: str, usage: dict[str, Any]) -> list[bytes]:
        """The event that says that the answer is over."""
        return self._parts(b"data: " + json_bytes(self._event(None, reason, usage)) + b"\n\n")

    def done(self) -> list[bytes]:
        """The last event and the end of the body, or only that where a fault says so."""
        parts = [] if self._faults.no_done else self._parts(b"data: [DONE]\n\n")
        return [*parts, self._connection.end_stream()]

    def fail(self, message: str) -> list[bytes]:
        """An error inside the stream and the end of the body."""
        event = {"error": {"message": message, "type": "internal_error"}}
        data = b"data: " + json.dumps(event).encode() + b"\n\n"
        return [*self._parts(data), self._connection.end_stream()]

    def release(self) -> None:
        """Send all that was kept, in one write."""
        kept, self._kept = self._kept, []
        if kept:
            self._connection.write(b"".join(kept))

    def _parts(self, data: bytes) -> list[bytes]:
        if not self._faults.split_utf8:
            return [self._connection.encode(data)]
        cuts = {self._rng.randrange(1, len(data)) for _ in range(self._rng.randint(1, 3))}
        cuts.add(self._rng.randint(1, min(5, len(data) - 1)))  # inside "data:"
        inside = [at for at, byte in enumerate(data) if byte & 0xC0 == 0x80]
        if inside:
            cuts.add(self._rng.choice(inside))
        edges = [0, *sorted(cuts), len(data)]
        return [self._connection.encode(data[start:end]) for start, end in pairwise(edges)]

    def _event(
        self, text: str | None, reason: str | None, usage: dict[str, Any] | None
    ) -> dict[str, Any]:
        if self._is_chat:
            choice: dict[str, Any] = {
                "index": 0,
                "delta": {} if text is None else {"content": text},
                "finish_reason": reason,
            }
        else:
            choice = {"index": 0, "text": text or "", "logprobs": None, "finish_reason": reason}
        return {**self._envelope, "choices": [choice], "usage": usage}
