"""Finish reason and end marks of a stream so far."""

from __future__ import annotations

from tui.core.text.sanitize import clean_line
from tui.core.turn.finish import is_finish, is_good
from tui.core.types import FinishDelta

MAX_REASON_CHARS = 400


class FinishSeen:
    """The finish of one answer. Some servers put a finish into every chunk: text after a finish
    takes it back. Not thread-safe: :class:`~tui.core.turn.turn.Turn` holds the lock."""

    __slots__ = ("bad_reason", "end_ns", "is_finished", "reason", "response_id")

    def __init__(self) -> None:
        self.is_finished = False
        self.reason: str | None = None
        """The server's own word, sanitised. The last one stays, also where text came after it."""
        self.bad_reason: str | None = None
        """The word, where it is none for an answer that ended as it should."""
        self.response_id: str | None = None
        """The server's own name of the answer, as it came."""
        self.end_ns: int | None = None
        """When the server said that the answer is over, in whatever way."""

    def take(self, t_ns: int, delta: FinishDelta) -> None:
        """A finish chunk arrived."""
        reason = delta.reason
        self.response_id = delta.response_id or self.response_id
        if reason is not None and not is_finish(reason):
            return
        if reason is not None:
            self.reason = clean_line(reason, MAX_REASON_CHARS)
            if not is_good(reason):
                self.bad_reason = self.reason
        self.is_finished = True
        self.end_ns = t_ns

    def note_usage(self, t_ns: int) -> None:
        """Numbers arrived: after a finish they belong to the answer."""
        if self.is_finished:
            self.end_ns = t_ns

    def end_mark(self, t_ns: int) -> None:
        """The end mark of the stream arrived."""
        self.is_finished = True
        self.end_ns = t_ns

    def withdraw(self) -> None:
        """More text came: a finish before it was none."""
        self.is_finished = False
        self.bad_reason = None
        self.end_ns = None
