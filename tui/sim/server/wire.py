"""Wire format of one answer, which each simulated server defines."""

from __future__ import annotations

import json
from typing import Literal

from tui.sim.runtime.runtime import Job, Outcome
from tui.sim.server.http import STREAM_TYPE, Headers, Response, json_bytes, json_response

Opening = Literal["at once", "with the NPU", "with the first token"]
"""When the response head and the opening events of a stream are sent."""

ERROR_TEXT = "the simulated runtime reported an error (a simulated fault)"


class Wire:
    """The events of one answer to one request, as bytes of the response body.

    :class:`tui.sim.server.stream.AnswerStream` adds HTTP's framing and most faults.
    """

    opens: Opening = "at once"
    headers: Headers = [(b"content-type", STREAM_TYPE)]
    heartbeat_s: float | None = None
    """Interval of the comments before the first token; None: no comments."""
    poll_ms: tuple[float, float] = (0.0, 0.0)
    """Range of the delay with which the server notices the end of a run."""
    comment: bytes | None = b": keepalive\n\n"
    """The bytes of a comment; None if the format has none."""

    def __init__(self, job: Job) -> None:
        self.job = job

    def opening(self) -> list[bytes]:
        """Events before the first token."""
        return []

    def empty(self) -> list[bytes]:
        """Events of an answer without text, for the fault ``empty-first``."""
        return []

    def token(self, text: str) -> list[bytes]:
        """The events of one token."""
        raise NotImplementedError

    def ending(self, outcome: Outcome) -> list[bytes]:
        """The events after the last token of a run with this outcome."""
        raise NotImplementedError

    replay_pause_s = 0.1

    def replay(self, outcome: Outcome) -> list[bytes]:
        """Events that a defect repeats before the ending, ``replay_pause_s`` apart."""
        return []

    def done(self) -> list[bytes]:
        """The end mark of the stream, such as ``[DONE]``."""
        return []

    def failure(self) -> tuple[list[bytes], bool]:
        """The events of an error inside the stream, and whether the body then ends correctly."""
        raise NotImplementedError

    def whole(self, outcome: Outcome) -> Response:
        """The response if no stream was requested."""
        raise NotImplementedError

    def whole_failure(self) -> Response:
        """The response after an error of the runtime, if no stream was requested."""
        return json_response({"error": ERROR_TEXT}, 500)


def sse(value: object, *, is_ascii: bool) -> bytes:
    """A server-sent event. ``is_ascii``: JSON as json.dumps writes it, else compact UTF-8."""
    data = json.dumps(value).encode() if is_ascii else json_bytes(value)
    return b"data: " + data + b"\n\n"


DONE = b"data: [DONE]\n\n"


class ChunkWire(Wire):
    """OpenAI's chunks as server-sent events, with what is common to servers."""

    is_ascii = True

    def chunk(self, delta: dict[str, object], reason: str | None) -> dict[str, object]:
        """The object of one chunk in this server's form."""
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
