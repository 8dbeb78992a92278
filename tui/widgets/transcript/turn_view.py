"""A turn: a prompt and its answer, as text and as the parts that show it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import Literal

from tui.core.text.display import CellLen, display_text
from tui.core.text.sanitize import clean, clean_line
from tui.core.types import CleanText, Segment, SegmentKind
from tui.widgets.transcript.layout import RenderMode
from tui.widgets.transcript.parts import Part, PartKind
from tui.widgets.transcript.streamed_text import StreamedText

TurnState = Literal["live", "done", "stopped", "error"]


class TurnView:
    """One prompt with its answer. Parts are made when somebody looks; then ``rows`` counts them.

    ``wants_thinking`` is whether thinking is open, where the user said so or, with
    ``is_thinking_held``, where it must not fold because somebody is reading. ``live_at`` is the
    first part of what is being written.
    """

    def __init__(
        self,
        prompt: str,
        cell_len: CellLen,
        *,
        label: str = "you",
        model: str = "",
        thinking: str = "",
        answer: str = "",
        state: TurnState = "live",
        footer: str = "",
        error: str = "",
        thinking_note: str = "",
    ) -> None:
        self.label = display_text(clean_line(label, 16), cell_len)
        self.model = clean_line(model, 200)
        self.state: TurnState = state
        self.footer = footer
        self.error = error
        self.thinking_note = thinking_note
        self.branch = ""
        """Which of several it is; stands in front of the footer."""
        self.note = ""
        """One line below the turn that is no part of it."""
        self.status: str | None = None
        self.status_role = "dim"
        self.shows_model = False
        self.wants_thinking: bool | None = None
        self.is_thinking_held = False
        is_over = state != "live"
        self.prompt = StreamedText(cell_len, prompt, is_finished=True)
        self.thinking = StreamedText(cell_len, thinking, is_finished=is_over)
        self.answer = StreamedText(cell_len, answer, is_finished=is_over)
        self.parts: list[Part] = []
        self.live_at = 0
        self._tops: list[int] = []
        self._counted = 0
        self._closed_rows = 0
        self._thinking_at = 0
        self._answer_at = 0

    @property
    def is_live(self) -> bool:
        return self.state == "live"

    @property
    def is_open(self) -> bool:
        """Whether the turn has parts."""
        return bool(self.parts)

    @property
    def is_thinking(self) -> bool:
        """Whether nothing of the answer itself has come yet."""
        return self.is_live and not self.answer.blocks

    @property
    def is_thinking_open(self) -> bool:
        return self.is_thinking if self.wants_thinking is None else self.wants_thinking

    # Rows

    @property
    def rows(self) -> int:
        """Rows of the turn with the blank one above it: counted, or an estimate."""
        if not self.parts:
            return self._closed_rows
        self._count(len(self.parts))
        return self._tops[-1] + self.parts[-1].rows

    @property
    def note_rows(self) -> int:
        """Rows of the note, which stands below everything else."""
        last = self.parts[-1] if self.parts else None
        return last.rows if last is not None and last.kind == "note" else 0

    def top(self, part: int) -> int:
        """The row where a part begins, from the top of the turn."""
        self._count(part + 1)
        return self._tops[part]

    def part_at(self, row: int) -> int:
        """The part that holds a row of the turn."""
        self._count(len(self.parts))
        return max(bisect_right(self._tops, row, 0, len(self.parts)) - 1, 0)

    def resized(self, part: int) -> None:
        """The rows of a part have changed: the tops after it are counted again when asked for."""
        self._counted = min(self._counted, part + 1)

    def _count(self, parts: int) -> None:
        tops = self._tops
        del tops[self._counted :]
        for index in range(self._counted, parts):
            tops.append(tops[index - 1] + self.parts[index - 1].rows if index else 0)
        self._counted = len(tops)

    def estimate(self, width: int) -> None:
        """Guess the rows at a new width and forget every layout."""
        for part in self.parts:
            part.estimate(width)
        self._counted = 0
        if not self.parts:
            texts = (self.prompt.text, self.answer.text)
            self._closed_rows = 5 + sum(text.count("\n") + 1 + len(text) // width for text in texts)

    # Parts

    def open(self, mode: RenderMode) -> None:
        """Split the texts and make the parts."""
        self.prompt.open(is_plain=True)
        self.thinking.open(is_plain=True)
        self.answer.open(is_plain=mode.is_raw)
        self.parts = []
        self.arrange(mode)

    def close(self) -> None:
        """Let go of everything but the texts and the number of rows."""
        self._closed_rows = self.rows
        self.parts = []
        self._counted = 0
        for streamed in (self.prompt, self.thinking, self.answer):
            streamed.close()

    def arrange(self, mode: RenderMode) -> None:
        """Make the list of parts anew; parts that were there keep what they are."""
        rebuilt = _Parts(self, mode)
        rebuilt.add_blocks("prompt", self.prompt, has_gap=True)
        if not rebuilt.parts:
            rebuilt.add_text("prompt", "", has_gap=True)
        has_gap = True
        if self.shows_model:
            rebuilt.add_text("model", self.model, has_gap=True)
            has_gap = False
        if self.thinking.has_text:
            is_open = self.is_thinking_open
            glyphs = mode.glyphs
            note = self.thinking_note or ("thinking" if self.is_thinking else "thought")
            mark = glyphs.opened if is_open else glyphs.closed
            rebuilt.add_text("fold", f"{mark} {note}", has_gap=has_gap)
            self._thinking_at = len(rebuilt.parts)
            if is_open:
                rebuilt.add_blocks("thinking", self.thinking, has_gap=False)
            has_gap = is_open and len(rebuilt.parts) > self._thinking_at
        self.live_at = self._answer_at = len(rebuilt.parts)
        if self.thinking.has_text:
            self.live_at = self._thinking_at
        rebuilt.add_blocks("answer", self.answer, has_gap=has_gap)
        if self.is_live and rebuilt.parts[-1].kind not in ("thinking", "answer"):
            rebuilt.add_text("status", self.status or "", has_gap=has_gap)
        if self.error:
            rebuilt.add_text("error", f"! {self.error}", has_gap=True)
        if self.footer:
            rebuilt.add_text("footer", f"{self.branch}{self.footer}", has_gap=True)
        if self.note:
            rebuilt.add_text("note", self.note, has_gap=True)
        self.thinking.taken()
        self.answer.taken()
        self.parts = rebuilt.parts
        self._counted = 0

    def feed(self, segments: Sequence[Segment], mode: RenderMode) -> int | None:
        """Take in new text. Returns the first part that may have changed, or None where the parts
        are others than before."""
        had_thinking, had_answer = self.thinking.has_text, bool(self.answer.blocks)
        thought = _joined(segments, "thinking")
        self.thinking.feed(thought)
        self.answer.feed(_joined(segments, "text"))
        has_thought = bool(thought)
        is_same = (
            had_thinking == self.thinking.has_text
            and had_answer == bool(self.answer.blocks)
            and not (has_thought and had_answer)
            and self.parts[-1].kind in ("thinking", "answer")
        )
        if not is_same:
            if self.parts[-1].kind == "status" and not has_thought and not self.answer.blocks:
                return len(self.parts)
            self.arrange(mode)
            return None
        if had_answer:
            return self._take("answer", self.answer, self._answer_at, mode)
        return self._take("thinking", self.thinking, self._thinking_at, mode)

    def _take(self, kind: PartKind, streamed: StreamedText, at: int, mode: RenderMode) -> int:
        """Bring the parts of a streamed, which are the last ones, up to date."""
        blocks, parts = streamed.blocks, self.parts
        first = streamed.taken()
        del parts[at + len(blocks) :]
        for index in range(first, len(blocks)):
            block = blocks[index]
            old = parts[at + index] if at + index < len(parts) else None
            has_gap = old.has_gap if old and index == 0 else block.has_gap
            if old is not None and old.block is block and old.has_gap == has_gap:
                old.is_exact = False
                continue
            part = Part(kind, block, has_gap=has_gap)
            part.estimate(mode.width)
            parts[at + index : at + index + 1] = [part]
        self.resized(max(0, at + first - 1))
        return at + first

    def reclassify(self, mode: RenderMode) -> None:
        """Everything so far was thinking."""
        self.thinking.take_over(self.answer)
        self.answer = self.answer.emptied()
        self.answer.open(is_plain=mode.is_raw)


def _joined(segments: Sequence[Segment], kind: SegmentKind) -> CleanText:
    return CleanText("".join(segment.text for segment in segments if segment.kind == kind))


class _Parts:
    """A list of parts in the making, which takes over those that are the same as before."""

    def __init__(self, turn: TurnView, mode: RenderMode) -> None:
        self.parts: list[Part] = []
        self._width = mode.width
        self._cell_len = mode.cell_len
        self._blocks = {(part.kind, id(part.block)): part for part in turn.parts if part.block}
        self._texts = {part.kind: part for part in turn.parts if not part.block}

    def add_text(self, kind: PartKind, text: str, *, has_gap: bool) -> None:
        text = display_text(clean(text), self._cell_len)
        part = self._texts.get(kind)
        if part is None or part.text != text or part.has_gap != has_gap:
            part = Part(kind, text, has_gap=has_gap)
            part.estimate(self._width)
        self.parts.append(part)

    def add_blocks(self, kind: PartKind, streamed: StreamedText, *, has_gap: bool) -> None:
        """The blocks of a text; ``has_gap``: a blank row stands before the first."""
        for index, block in enumerate(streamed.blocks):
            gap = block.has_gap if index else has_gap
            part = self._blocks.get((kind, id(block)))
            if part is None or part.has_gap != gap:
                part = Part(kind, block, has_gap=gap)
                part.estimate(self._width)
            elif index >= streamed.first_changed:
                part.is_exact = False
            self.parts.append(part)
