"""Wire format of one answer: what each simulated server defines for the common engine."""

from __future__ import annotations

import json
from typing import Literal

from tui.sim.runtime.runtime import Job, Outcome
from tui.sim.server.http import STREAM_TYPE, Headers, Response, json_bytes, json_response

Opening = Literal["at once", "with the NPU", "with the first token"]
"""When the head of a stream and its opening events go out."""

ERROR_TEXT = "the simulated runtime reported an error (a simulated fault)"


class Wire:
    """The events of one answer, each the bytes of one write. Made for one request.

    Everything is bytes of the body; the framing of HTTP and the faults on the way are the
    business of :class:`tui.sim.server.stream.AnswerStream`.
    """

    opens: Opening = "at once"
    headers: Headers = [(b"content-type", STREAM_TYPE)]
    heartbeat_s: float | None = None
    """The server sends a comment in each of these spans before the first token."""
    poll_ms: tuple[float, float] = (0.0, 0.0)
    """How late the server notices the end of a run: between these."""
    comment: bytes | None = b": keepalive\n\n"
    """What a heartbeat looks like; None where the format has nothing that means nothing."""

    def __init__(self, job: Job) -> None:
        self.job = job

    def opening(self) -> list[bytes]:
        """Events before the first token."""
        return []

    def empty(self) -> list[bytes]:
        """Events that look like a part of an answer and hold no text."""
        return []

    def token(self, text: str) -> list[bytes]:
        """The events of one token."""
        raise NotImplementedError

    def ending(self, outcome: Outcome) -> list[bytes]:
        """The events after the last token of a run that ended as this one."""
        raise NotImplementedError

    replay_pause_s = 0.1

    def replay(self, outcome: Outcome) -> list[bytes]:
        """Events that are sent a second time before the ending, ``replay_pause_s`` apart."""
        return []

    def done(self) -> list[bytes]:
        """The mark of the end."""
        return []

    def failure(self) -> tuple[list[bytes], bool]:
        """An error inside the stream, and whether the body then ends in good order."""
        raise NotImplementedError

    def whole(self, outcome: Outcome) -> Response:
        """The answer where no stream was asked for."""
        raise NotImplementedError

    def whole_failure(self) -> Response:
        """The same after an error of the runtime."""
        return json_response({"error": ERROR_TEXT}, 500)


def sse(value: object, *, is_ascii: bool) -> bytes:
    """A server-sent event; as Python's ``json.dumps`` writes it, or compact and raw UTF-8."""
    data = json.dumps(value).encode() if is_ascii else json_bytes(value)
    return b"data: " + data + b"\n\n"


DONE = b"data: [DONE]\n\n"


class ChunkWire(Wire):
    """OpenAI-shaped chunks as server-sent events, with what servers agree on."""

    is_ascii = True

    def chunk(self, delta: dict[str, object], reason: str | None) -> dict[str, object]:
        """One chunk as the server builds it."""
        raise NotImplementedError

    def event(self, value: object) -> bytes:
        return sse(value, is_ascii=self.is_ascii)

    def empty(self) -> list[bytes]:
        deltas: tuple[dict[str, object], ...] = (
            {"role": "assistant"},
            {"role": "assistant", "content": None},
            {"content": ""},
        )
        return [self.event(self.chunk(delta, None)) for delta in deltas]

    def token(self, text: str) -> list[bytes]:
        return [self.event(self.chunk({"content": text}, None))]

    def ending(self, outcome: Outcome) -> list[bytes]:
        return [self.event(self.chunk({}, "stop"))]

    def done(self) -> list[bytes]:
        return [DONE]

    def failure(self) -> tuple[list[bytes], bool]:
        return [self.event({"error": {"message": ERROR_TEXT, "type": "internal_error"}})], True
