"""The body of an answer that is not an event stream, kept until it is complete."""

from __future__ import annotations

import json

from tui.servers.dialects.chunk import first_choice, is_error

MAX_BODY_CHARS = 8 << 20


class WholeBody:
    """Takes the bytes as they come."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._n_bytes = 0

        self.is_lines: bool | None = None
        """Whether the body is a row of JSON objects, one in each line; None: not known yet."""

    def feed(self, data: bytes) -> None:
        self._n_bytes += len(data)
        if not self.is_too_long:
            self._parts.append(data)
        if self.is_lines is None and b"\n" in data:
            self._parts = [self.data]
            self.is_lines = _begins_with_a_chunk(self.data)

    @property
    def is_too_long(self) -> bool:
        return self._n_bytes > MAX_BODY_CHARS

    @property
    def data(self) -> bytes:
        return b"".join(self._parts)

    @property
    def text(self) -> str:
        return self.data.decode("utf-8", "replace")


def _begins_with_a_chunk(body: bytes) -> bool:
    """Whether the first line is a whole object, and no answer or error that could be the body."""
    try:
        first = json.loads(body.partition(b"\n")[0])
    except (ValueError, RecursionError):
        return False
    if not isinstance(first, dict) or is_error(first):
        return False
    choice = first_choice(first.get("choices"))
    is_text = isinstance(choice.get("text") or choice.get("delta"), str)
    is_piece = is_text and choice.get("finish_reason") is None and not first.get("usage")
    return isinstance(choice.get("delta"), dict) or "done" in first or is_piece
