"""Extracts the new text of each chunk where a server repeats what it has sent."""

from __future__ import annotations

from tui.core.types import Delta, FinishDelta
from tui.servers.dialects.chunk import AnswerSoFar, has_text
from tui.servers.dialects.cumulative import WholeTexts


class NewText:
    """Of one answer. ``read`` counts the reads of its stream. ``has_pieces``: the deltas of this
    server are known to hold only what is new."""

    __slots__ = ("_finish", "_held", "_so_far", "_whole_texts")

    def __init__(self, *, has_pieces: bool) -> None:
        self._so_far = AnswerSoFar()
        self._whole_texts = None if has_pieces else WholeTexts()
        self._held: list[Delta] = []
        """A chunk that may be the whole answer once more."""
        self._finish: FinishDelta | None = None

    def in_message(self, deltas: list[Delta]) -> list[Delta]:
        """Of a ``message``, which holds the answer so far."""
        return self._so_far.new_in(deltas)

    def in_delta(self, deltas: list[Delta], read: int, finish: FinishDelta | None) -> list[Delta]:
        """Of a ``delta`` with the server's word for the end, where it has one."""
        if self._whole_texts is not None:
            # A server that puts a finish into every chunk does not say which one is the last.
            is_last = finish is not None and not (self._finish is not None and has_text(deltas))
            deltas = self._whole_texts.feed(deltas, read)
            if is_last:
                deltas = [*deltas, *self._whole_texts.end(read)]
        self._finish = finish or self._finish
        return self._without_repetition(deltas, is_end=finish is not None)

    def held(self, read: int) -> list[Delta]:
        """What :meth:`at_end` would give, without its word for the end; changes nothing."""
        return [] if self._whole_texts is None else self._whole_texts.held(read)

    def at_end(self, read: int) -> list[Delta]:
        """What was held back, where nothing more comes; with the last word for the end, for text
        takes that back."""
        held = [] if self._whole_texts is None else self._whole_texts.end(read)
        if not held:
            return []
        deltas = self._without_repetition(held, is_end=True)
        return deltas if self._finish is None else [*deltas, self._finish]

    def _without_repetition(self, deltas: list[Delta], *, is_end: bool) -> list[Delta]:
        """A chunk that repeats the whole answer at its end is left out, whether it is the last one
        or only the end mark follows: it is held until that is known."""
        if not self._held or is_end:
            fresh = self._so_far.without_repetition(deltas)
            if len(fresh) < len(deltas):
                self._held = [] if is_end else deltas
                return fresh if is_end else []
        if self._held and has_text(deltas):
            deltas, self._held = [*self._held, *deltas], []
        self._so_far.add(deltas)
        return deltas
