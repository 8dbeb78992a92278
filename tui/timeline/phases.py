"""Phases of an answer: thinking, text, code inside fences."""

from __future__ import annotations

from tui.core.turn.code_spans import CodeSpans
from tui.timeline.record import Phase, PhaseName

MAX_PHASES = 2000


class PhaseTrack:
    """The phases of one answer so far; O(1) for a chunk, beside the length of its words."""

    def __init__(self) -> None:
        self._done: list[Phase] = []
        self._name: PhaseName | None = None
        self._start_ns = 0
        self._first_ns: int | None = None
        self._code = CodeSpans()
        self._is_code = False
        self._unread: list[str] = []
        """Text that changes nothing by itself, and is not yet fed to the code spans."""

    def chunk(self, t_ns: int, text: str, thinking: str) -> None:
        """A chunk came, and brought these words; nothing where it was part of a tag."""
        if self._first_ns is None:
            self._first_ns = t_ns
        name: PhaseName | None = "thinking" if thinking else None
        if text:
            was_code = is_code = self._is_code
            self._unread.append(text)
            # Nothing else opens or closes a fence.
            if "\n" in text or "`" in text or "~" in text:
                self._code.feed("".join(self._unread))
                self._unread.clear()
                self._is_code = is_code = self._code.is_fenced
            name = "code" if was_code or is_code else "answer"
            # What closes a fence belongs to it; what follows in the next line does not.
            if was_code and not is_code and "`" not in text and text.strip():
                name = "answer"
        if name is None or name == self._name:
            return
        if self._name is None:
            self._start_ns = self._first_ns
        elif len(self._done) < MAX_PHASES:
            self._done.append(Phase(self._name, self._start_ns, t_ns))
            self._start_ns = t_ns
        self._name = name

    def phases(
        self,
        start_ns: int,
        end_ns: int,
        *,
        before_first: PhaseName = "prefill",
        is_over: bool,
    ) -> list[Phase]:
        """All phases from ``start_ns`` on; what is before 0 is the wait for a busy server, what is
        before the first chunk ``before_first``."""
        found = [Phase("queued", start_ns, 0)] if start_ns < 0 else []
        first_ns = end_ns if self._first_ns is None else self._first_ns
        is_waiting = not is_over and self._first_ns is None
        if first_ns > 0:
            found.append(Phase(before_first, 0, first_ns, is_open=is_waiting))
        found += self._done
        if self._name is not None:
            found.append(Phase(self._name, self._start_ns, end_ns, is_open=not is_over))
        return found
