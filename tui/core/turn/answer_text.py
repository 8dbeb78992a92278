"""Text of one answer: sanitised, split into thinking and answer, given out to one reader."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from tui.core.text.sanitize import Sanitizer
from tui.core.turn.growing_text import GrowingText
from tui.core.turn.think import Reclassified, ThinkSplitter
from tui.core.types import CleanText, Segment, SegmentKind

MAX_CHARS_PER_TOKEN = 64
MIN_CHARS_LIMIT, MAX_CHARS_LIMIT = 1 << 19, 1 << 24
"""Bounds of the longest answer that is kept, in characters; in between it is 64 a token."""


def chars_limit(max_tokens: int) -> int:
    """How many characters an answer of that many tokens can have at most; 0 is no limit."""
    if max_tokens <= 0:
        return MAX_CHARS_LIMIT
    return min(max(max_tokens * MAX_CHARS_PER_TOKEN, MIN_CHARS_LIMIT), MAX_CHARS_LIMIT)


class TakenPiece(NamedTuple):
    """What became of a piece of the stream.

    ``clean`` is its sanitised text, ``kind`` None where that is not known yet. ``is_reclassified``:
    with it, all text before it has turned out to be thinking.
    """

    clean: CleanText
    kind: SegmentKind | None
    is_reclassified: bool


class AnswerText:
    """Takes raw pieces, keeps the clean text. Not thread-safe: :class:`Turn` holds the lock."""

    __slots__ = (
        "_has_given_text",
        "_is_marker_pending",
        "_parts",
        "_pending",
        "_splitter",
        "_text_gate",
        "_thinking_gate",
        "is_reclassified",
        "text",
        "thinking",
    )

    def __init__(self) -> None:
        self._splitter = ThinkSplitter()
        self._text_gate = Sanitizer()
        self._thinking_gate = Sanitizer()
        self.text, self.thinking = GrowingText(), GrowingText()
        self._parts: dict[SegmentKind, GrowingText] = {
            "text": self.text,
            "thinking": self.thinking,
        }
        self._pending: list[tuple[SegmentKind, list[CleanText]]] = []
        self._is_marker_pending = False
        self._has_given_text = False
        self.is_reclassified = False
        """A closing tag without an opening one has turned earlier text into thinking."""

    def take_text(self, raw: str) -> TakenPiece:
        """A piece of the answer, in which tags of thinking may stand."""
        clean = self._text_gate.feed(raw)
        splitter = self._splitter
        was_thinking, was_held = splitter.is_thinking, splitter.is_tag_held
        segments = splitter.feed(clean)
        kind: SegmentKind | None = None
        is_reclassified = False
        if segments:
            kind = segments[-1].kind
            if len(segments) > 1 or not segments[0].text:
                is_reclassified = _holds_marker(segments)
        elif was_thinking or splitter.is_thinking:
            kind = "thinking"
        elif splitter.is_tag_held and not was_held:
            kind = "text"  # the closing tag belongs to what stands before it
        self._give(segments)
        return TakenPiece(clean, kind, is_reclassified)

    def take_thinking(self, raw: str) -> TakenPiece:
        """A piece that the server itself calls thinking."""
        clean = self._thinking_gate.feed(raw)
        moved = self._splitter.note_thinking()
        self._give(moved)
        given = clean
        if not self._parts["thinking"].has_words:
            given = CleanText(clean.lstrip("\n"))
        if given:
            self._give([Segment("thinking", given)])
        return TakenPiece(clean, "thinking", _holds_marker(moved))

    def take_stored(self, segment: Segment) -> None:
        """Words that are clean and told apart already."""
        self._give([segment])

    def flush(self) -> None:
        """Gives out what the gates and the splitter held back."""
        thinking = self._thinking_gate.flush()
        if thinking:
            self._give([Segment("thinking", thinking)])
        self._give(self._splitter.feed(self._text_gate.flush()))
        self._give(self._splitter.flush())

    @property
    def has_pending(self) -> bool:
        """Whether :meth:`take_pending` would return anything."""
        return bool(self._pending) or self._is_marker_pending

    def take_pending(self) -> list[Segment]:
        """What is new since the last call, at most a segment for each change of kind.

        A :class:`~tui.core.turn.think.Reclassified`: all *text* taken before is thinking. It
        comes at most once in a turn, and then as the first segment.
        """
        segments: list[Segment] = []
        if self._is_marker_pending:
            segments.append(Reclassified())
            self._is_marker_pending = False
        segments.extend(Segment(kind, CleanText("".join(parts))) for kind, parts in self._pending)
        self._has_given_text = self._has_given_text or any(
            kind == "text" for kind, _ in self._pending
        )
        self._pending.clear()
        return segments

    def has_words(self, kind: SegmentKind) -> bool:
        """Whether anything but white space of that kind came."""
        return self._parts[kind].has_words

    def parts(self, kind: SegmentKind) -> Iterator[str]:
        """All segments of a kind so far, in pieces."""
        return self._parts[kind].parts

    def joined(self, kind: SegmentKind) -> CleanText:
        """All segments of a kind so far as one text."""
        return self._parts[kind].joined()

    def tail(self, kind: SegmentKind, first_char: int) -> str:
        """What came of a kind from that character on."""
        return self._parts[kind].tail(first_char)

    def n_chars(self, kind: SegmentKind) -> int:
        """How much text of a kind came."""
        return self._parts[kind].n_chars

    def _give(self, segments: list[Segment]) -> None:
        for segment in segments:
            if segment.__class__ is Reclassified:
                self.reclassify()
                continue
            self._parts[segment.kind].append(segment.text)
            if self._pending and self._pending[-1][0] == segment.kind:
                self._pending[-1][1].append(segment.text)
            else:
                self._pending.append((segment.kind, [segment.text]))

    def reclassify(self) -> None:
        """Text becomes thinking: what a reader has not taken yet, silently."""
        self._parts["thinking"].take_over(self._parts["text"])
        untaken = [part for _, parts in self._pending for part in parts]
        self._pending = [("thinking", untaken)] if untaken else []
        self._is_marker_pending = self._has_given_text
        self.is_reclassified = True


def _holds_marker(segments: list[Segment]) -> bool:
    return any(segment.__class__ is Reclassified for segment in segments)
