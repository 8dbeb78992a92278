"""Streams the tokens of a run to one client, with injected faults."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Iterable
from itertools import pairwise

from tui.sim.server.http import Connection
from tui.sim.server.wire import Wire

SPLIT_PAUSE_S = 0.0003
"""Pause between the parts of a split event, so that they are sent in separate TCP segments."""
FAULTY_HEARTBEAT_S = 0.1


class Silence:
    """Receiver of tokens that sends nothing, for an answer that is not streamed."""

    def __init__(self, connection: Connection) -> None:
        self.gone = connection.gone
        self.begun = asyncio.Event()
        self.left = connection.gone

    def begin(self) -> None:
        """The run has got the NPU."""
        self.begun.set()

    def prepare(self, text: str) -> None:
        """Does nothing."""

    def write(self, prepared: object) -> None:
        """Does nothing. The answer is sent at its end."""


class AnswerStream:
    """Streams one answer: each event of its :class:`Wire` as one HTTP chunk, with faults."""

    def __init__(
        self, connection: Connection, wire: Wire, rng: random.Random, speed: float
    ) -> None:
        self._connection = connection
        self._wire = wire
        self._faults = wire.job.faults
        self._rng = rng
        self._speed = speed
        self._is_open = False
        self._n_sent = 0
        self._kept: list[bytes] = []
        self._beat: asyncio.Task[None] | None = None
        self.begun = asyncio.Event()
        """Set when the run gets the NPU."""
        self.left = asyncio.Event()
        """Set at a write after the client has left, which is when many servers notice it."""
        if wire.opens == "at once" or self._faults.heartbeat or self._faults.empty_first:
            self.open()

    @property
    def gone(self) -> asyncio.Event:
        """Set when the client has left."""
        return self._connection.gone

    def begin(self) -> None:
        """The run has got the NPU."""
        self.begun.set()
        if self._wire.opens == "with the NPU":
            self.open()

    def open(self) -> None:
        """Send the head and the events before the first token, if that has not happened yet."""
        if self._is_open:
            return
        self._is_open = True
        connection, wire = self._connection, self._wire
        connection.write(connection.stream_head(wire.headers))
        frames = wire.opening() + (wire.empty() if self._faults.empty_first else [])
        self._put(self._encoded(frames))
        interval_s = None if wire.heartbeat_s is None else wire.heartbeat_s / self._speed
        if self._faults.heartbeat:
            interval_s = FAULTY_HEARTBEAT_S
        if interval_s is not None and wire.comment is not None:
            self._beat = asyncio.create_task(self._send_comments(wire.comment, interval_s))

    async def _send_comments(self, comment: bytes, interval_s: float) -> None:
        while not self._n_sent and not self.left.is_set():
            await asyncio.sleep(interval_s)
            if self.gone.is_set():
                self.left.set()
            if not self._n_sent:
                self._put(self._encoded([comment]))

    def prepare(self, text: str) -> list[bytes]:
        """The bytes of a token's events, in parts that are written separately if a fault says so.

        The first token's bytes include the response head if that is not sent yet.
        """
        head: list[bytes] = []
        if not self._is_open:
            self._is_open = True
            head.append(self._connection.stream_head(self._wire.headers))
            head += self._encoded(self._wire.opening())
        return head + self._encoded(self._wire.token(text))

    def write(self, prepared: object) -> None:
        """Send the parts of a token's events, or hold them back if a fault says so."""
        assert isinstance(prepared, list)
        self._n_sent += 1
        if self.gone.is_set():
            self.left.set()
        if self._faults.one_chunk or (self._faults.joined and self._n_sent % 2):
            self._kept += prepared
            return
        if self._kept:
            self.release(prepared)
            return
        self._put(prepared)

    def add(self, frames: Iterable[bytes]) -> None:
        """Send other events, after those held back."""
        encoded = self._encoded(frames)
        if self._kept:
            self._kept += encoded
        else:
            self._put(encoded)

    def finish(self) -> None:
        """End the body."""
        self.release([self._connection.end_stream()])

    def release(self, more: Iterable[bytes] = ()) -> None:
        """Send all bytes held back, and ``more``, in one write."""
        kept, self._kept = self._kept, []
        data = b"".join([*kept, *more])
        if data:
            self._connection.write(data)

    def close(self) -> None:
        """Stop the heartbeat."""
        if self._beat is not None:
            self._beat.cancel()

    def _put(self, parts: list[bytes]) -> None:
        if self._faults.split_utf8:
            for index, part in enumerate(parts):
                if index:
                    time.sleep(SPLIT_PAUSE_S)
                self._connection.write(part)
        elif parts:
            self._connection.write(b"".join(parts))

    def _encoded(self, frames: Iterable[bytes]) -> list[bytes]:
        encode = self._connection.encode
        if self._faults.crlf:
            frames = [frame.replace(b"\n", b"\r\n") for frame in frames]
        if not self._faults.split_utf8:
            return [encode(frame) for frame in frames if frame]
        return [encode(part) for frame in frames if frame for part in self._parts(frame)]

    def _parts(self, data: bytes) -> list[bytes]:
        if len(data) < 2:
            return [data]
        cuts = {self._rng.randrange(1, len(data)) for _ in range(self._rng.randint(1, 3))}
        cuts.add(self._rng.randint(1, min(5, len(data) - 1)))  # inside "data:"
        inside = [at for at, byte in enumerate(data) if byte & 0xC0 == 0x80]
        if inside:
            cuts.add(self._rng.choice(inside))
        edges = [0, *sorted(cuts), len(data)]
        return [data[start:end] for start, end in pairwise(edges)]
