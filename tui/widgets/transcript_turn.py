"""A turn: a prompt and its answer, as text and as the parts that show it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from tui.core.blocks import Block, BlockSplitter, PlainSplitter
from tui.core.display import CellLen, DisplayText, display_text
from tui.core.sanitize import Sanitizer, clean
from tui.core.types import Segment
from tui.widgets.transcript_layout import Room
from tui.widgets.transcript_parts import Part, PartKind

TurnState = Literal["live", "done", "stopped", "error"]

MAX_PIECES = 128


@dataclass(frozen=True, slots=True)
class Look:
    """How turns are shown: the room for their text, and as source or as Markdown."""

    room: Room
    is_raw: bool = False


class Channel:
    """The text of an answer, or of its thinking, and the blocks it amounts to while they are open.

    ``first_changed`` is the first block that may have changed since :meth:`taken`.
    """

    def __init__(self, cell_len: CellLen, text: str = "") -> None:
        self._cell_len = cell_len
        self._pieces = [text] if text else []
        self._is_finished = bool(text)
        self._splitter: BlockSplitter | PlainSplitter | None = None
        self.first_changed = 0

    @property
    def text(self) -> str:
        """The text as it came."""
        if len(self._pieces) > 1:
            self._pieces = ["".join(self._pieces)]
        return self._pieces[0] if self._pieces else ""

    @property
    def has_text(self) -> bool:
        return bool(self._pieces)

    @property
    def is_open(self) -> bool:
        return self._splitter is not None

    @property
    def blocks(self) -> list[Block]:
        """The blocks of the text so far; none while closed."""
        return self._splitter.blocks if self._splitter else []

    def open(self, *, is_plain: bool) -> None:
        """Split the text, as it is or as Markdown."""
        self._sanitizer = Sanitizer()
        self._display = DisplayText(self._cell_len)
        self._splitter = PlainSplitter() if is_plain else BlockSplitter()
        self.first_changed = 0
        self._split(self.text)
        if self._is_finished:
            self._splitter.finish()

    def close(self) -> None:
        """Let go of everything but the text."""
        self._splitter = None

    def feed(self, text: str) -> None:
        """Append text."""
        if not text:
            return
        self._pieces.append(text)
        if len(self._pieces) > MAX_PIECES:
            self._pieces = ["".join(self._pieces)]
        if self._splitter is not None:
            self._split(text)

    def finish(self) -> None:
        """No more text comes."""
        self._is_finished = True
        if self._splitter is not None:
            self._note(self._splitter.finish())

    def taken(self) -> int:
        """The first block that may have changed since the last call."""
        first, self.first_changed = self.first_changed, len(self.blocks)
        return first

    def _split(self, text: str) -> None:
        assert self._splitter is not None
        self._note(self._splitter.feed(self._display.feed(self._sanitizer.feed(text))))

    def _note(self, first: int) -> None:
        self.first_changed = min(self.first_changed, first)


class Turn:
    """One prompt with its answer. Parts are made when somebody looks; then ``rows`` counts them."""

    def __init__(
        self, prompt: str, label: str, model: str, cell_len: CellLen, *, thinking: str = "",
        answer: str = "", state: TurnState = "live",
    ) -> None:  # fmt: skip
        self.prompt = prompt
        self.label = clean(label, newlines=False)
        self.model = model
        self.state: TurnState = state
        self.footer = ""
        self.error = ""
        self.thinking_note = ""
        self.status: str | None = None
        self.status_role = "dim"
        self.wants_thinking: bool | None = None
        """Whether thinking is open, where the user said so."""
        self.answer = Channel(cell_len, answer)
        self.thinking = Channel(cell_len, thinking)
        self.parts: list[Part] = []
        self._cell_len = cell_len
        self._tops: list[int] = []
        self._counted = 0
        self._closed_rows = 0
        self._thinking_at = 0
        self._answer_at = 0
        self._is_open_ended = False

    @property
    def is_live(self) -> bool:
        return self.state == "live"

    @property
    def is_open(self) -> bool:
        """Whether the turn has parts."""
        return bool(self.parts)

    @property
    def is_thinking_open(self) -> bool:
        if self.wants_thinking is not None:
            return self.wants_thinking
        return self.is_live and not self.answer.blocks

    # Rows

    @property
    def rows(self) -> int:
        """Rows of the turn with the blank one above it: counted, or an estimate."""
        if not self.parts:
            return self._closed_rows
        self._count(len(self.parts))
        return self._tops[-1] + self.parts[-1].rows

    def top(self, part: int) -> int:
        """The row where a part begins, from the top of the turn."""
        self._count(part + 1)
        return self._tops[part]

    def part_at(self, row: int) -> int:
        """The part that holds a row of the turn."""
        self._count(len(self.parts))
        low, high = 0, len(self.parts)
        while high - low > 1:
            middle = (low + high) // 2
            if self._tops[middle] <= row:
                low = middle
            else:
                high = middle
        return low

    def resized(self, part: int) -> None:
        """The rows of a part have changed: the tops after it are counted again when asked for."""
        self._counted = min(self._counted, part + 1)

    def _count(self, parts: int) -> None:
        tops = self._tops
        del tops[self._counted :]
        for index in range(self._counted, parts):
            tops.append(tops[index - 1] + self.parts[index - 1].rows if index else 0)
        self._counted = max(self._counted, len(tops))

    # Parts

    def estimate(self, width: int) -> None:
        """Guess the rows at a new width and forget every layout."""
        if self.parts:
            for part in self.parts:
                part.estimate(width)
            self._counted = 0
            return
        texts = (self.prompt, self.answer.text)
        rows = sum(text.count("\n") + 1 + len(text) // width for text in texts)
        self._closed_rows = rows + 5

    def open(self, look: Look) -> None:
        """Split the texts and make the parts."""
        self.thinking.open(is_plain=True)
        self.answer.open(is_plain=look.is_raw)
        self.arrange(look)

    def close(self) -> None:
        """Let go of everything but the texts and the number of rows."""
        self._closed_rows = self.rows
        self.parts = []
        self._counted = 0
        self.answer.close()
        self.thinking.close()

    def arrange(self, look: Look) -> None:
        """Make the list of parts anew; parts that were there keep what they are."""
        known = {(part.kind, id(part.block)): part for part in self.parts if part.block}
        texts = {part.kind: part for part in self.parts if not part.block}
        parts: list[Part] = []

        def add_text(kind: PartKind, text: str, *, has_gap: bool) -> None:
            old = texts.get(kind)
            text = display_text(clean(text), self._cell_len)
            if old is None or old.text != text or old.has_gap != has_gap:
                old = Part(kind, text, has_gap=has_gap)
                old.estimate(look.room.width)
            parts.append(old)

        def add_blocks(kind: PartKind, channel: Channel, *, has_gap: bool) -> None:
            for index, block in enumerate(channel.blocks):
                old = known.get((kind, id(block)))
                gap = block.has_gap if index else has_gap
                if old is None or old.has_gap != gap:
                    old = Part(kind, block, has_gap=gap)
                    old.estimate(look.room.width)
                elif index >= channel.first_changed:
                    old.is_exact = False
                parts.append(old)

        marks = look.room.marks
        add_text("prompt", self.prompt, has_gap=True)
        has_gap = True
        if self.thinking.has_text:
            is_open = self.is_thinking_open
            mark = marks.unfolded if is_open else marks.folded
            note = self.thinking_note or ("thinking" if self._is_thinking else "thought")
            add_text("fold", f"{mark} {note}", has_gap=True)
            self._thinking_at = len(parts)
            if is_open:
                add_blocks("thinking", self.thinking, has_gap=False)
            has_gap = is_open
        self._answer_at = len(parts)
        add_blocks("answer", self.answer, has_gap=has_gap)
        self._is_open_ended = True
        if self.is_live and parts[-1].kind in ("prompt", "fold"):
            add_text("status", self.status or "", has_gap=has_gap)
            self._is_open_ended = False
        if self.error:
            add_text("error", f"! {self.error}", has_gap=True)
        if self.footer:
            add_text("footer", self.footer, has_gap=True)
        self.thinking.taken()
        self.answer.taken()
        self.parts = parts
        self._counted = 0

    @property
    def _is_thinking(self) -> bool:
        return self.is_live and not self.answer.blocks

    def feed(self, segments: Sequence[Segment], look: Look) -> int | None:
        """Take in new text. Returns the first part that may have changed, or None if it is all of
        them because parts were added or taken away elsewhere than at the end."""
        had_thinking, had_answer = self.thinking.has_text, bool(self.answer.blocks)
        thinks = False
        for segment in segments:
            thinks = thinks or segment.kind == "thinking"
            (self.thinking if segment.kind == "thinking" else self.answer).feed(segment.text)
        is_simple = self._is_open_ended and had_answer == bool(self.answer.blocks)
        if not is_simple or (thinks and had_answer) or had_thinking != self.thinking.has_text:
            self.arrange(look)
            return None
        if had_answer:
            return self._take("answer", self.answer, self._answer_at, look)
        if not self.is_thinking_open:
            return len(self.parts)
        return self._take("thinking", self.thinking, self._thinking_at, look)

    def _take(self, kind: PartKind, channel: Channel, at: int, look: Look) -> int:
        """Bring the parts of a channel, which are the last ones, up to date."""
        blocks = channel.blocks
        first = channel.taken()
        parts = self.parts
        del parts[at + len(blocks) :]
        for index in range(first, len(blocks)):
            block = blocks[index]
            old = parts[at + index] if at + index < len(parts) else None
            has_gap = old.has_gap if old and index == 0 else block.has_gap
            if old is not None and old.block is block and old.has_gap == has_gap:
                old.is_exact = False
                continue
            part = Part(kind, block, has_gap=has_gap)
            part.estimate(look.room.width)
            if old is None:
                parts.append(part)
            else:
                parts[at + index] = part
        self.resized(max(0, at + first - 1))
        return at + first

    def reclassify(self, look: Look) -> None:
        """Everything so far was thinking."""
        text = self.answer.text
        self.answer = Channel(self._cell_len)
        self.answer.open(is_plain=look.is_raw)
        self.thinking.feed(text)
        self.arrange(look)

    def finish(self, look: Look) -> None:
        """The answer has ended; ``state``, ``footer``, ``error`` and the note are set before."""
        self.answer.finish()
        self.thinking.finish()
        self.arrange(look)
