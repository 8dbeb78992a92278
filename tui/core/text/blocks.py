"""Splits Markdown that is still arriving into blocks, line by line.

The result is flat: an item of a list, a quoted paragraph, a fence, each is one block that knows the
containers it stands in. So a list closes item by item, and a block that has closed never changes.

Only complete lines change the state for good. The unfinished line at the end is read as if it ended
there and taken back with the next piece, so any split of a text gives the same blocks. What cannot
be told yet (``-`` may become an item, a rule or an underline) waits. Nothing but the first
:data:`HEAD_CHARS` characters decide what a line is: a line of any length costs the same.

Follows CommonMark 0.31 with tables as in GFM, as far as a screen shows it. Left out: HTML blocks
and link definitions, which stay visible as text. Differences on purpose: a blank line between
blocks is kept as one blank row, a line break inside a paragraph stays one, and a dashed line right
below a sentence is a rule, no heading.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from tui.core.text.block import FULL_LINES, MAX_LINES, Block, BlockKind, Container, split_row

HEAD_CHARS = 256
MAX_ROW_CHARS = 4096
"""A longer line is no row of a table."""
MAX_DEPTH = 16
"""Containers nested deeper are read as text."""
_ITEM = re.compile(r"([-+*]|\d{1,9}[.)])( +|$)")
_HEADING = re.compile(r"(#{1,6})(?: +|$)")
_HEADING_END = re.compile(r"(?:^| )#+ *$")
_FENCE = re.compile(r"(`{3,})([^`]*)$|(~{3,})(.*)$")
_RULE = re.compile(r"(?:(?:- *){3,}|(?:\* *){3,}|(?:_ *){3,})$")
_UNDERLINE = re.compile(r"(?:=+|-+) *$")
_DELIMITER = re.compile(r"\|? *:?-+:? *(?:\| *:?-+:? *)*\|? *$")
_UNTOLD = re.compile(r"(?:=+|[-*_ ]+|\+|#{1,6}|`+|~+|\d{1,9}[.)]?|[|: -]+) *$")
"""An unfinished line that may still become something else than text."""
_INDENTED = "    "
_SET_OFF = ("fence", "table", "rule")


_QUOTE = Container(0)


@dataclass(frozen=True, slots=True)
class _State:
    """What a line can change, besides the last block."""

    containers: tuple[Container, ...] = ()
    is_after_blank: bool = False
    fence: str = ""
    """The fence that would close the open one, or nothing; blanks for indented code."""
    fence_indent: int = 0


class BlockSplitter:
    """Feed it text in pieces; :attr:`blocks` is always what the text so far amounts to."""

    def __init__(self) -> None:
        self.blocks: list[Block] = []
        self._state = _State()
        self._line = 0
        self._partial = ""
        self._is_blank = True
        """Whether the line that is read has only blanks so far."""
        self._undo: tuple[_State, int, bool, int] | None = None
        self._spare: list[Block] = []

    def feed(self, text: str) -> int:
        """Append text. Returns the index of the first block that may have changed."""
        if not text:
            return len(self.blocks)
        first = self._take_back()
        pieces = text.split("\n")
        for piece in pieces[:-1]:
            self._is_blank = self._is_blank and not piece.strip(" ")
            first = min(first, self._read(self._partial + piece, is_complete=True))
            self._partial, self._is_blank = "", True
            self._line += 1
        self._partial += pieces[-1]
        self._is_blank = self._is_blank and not pieces[-1].strip(" ")
        if self._partial:
            blocks = self.blocks
            last_closed, last_lines = True, 0
            if blocks:
                last_closed, last_lines = blocks[-1].is_closed, len(blocks[-1].lines)
            self._undo = (self._state, len(blocks), last_closed, last_lines)
            first = min(first, self._read(self._partial, is_complete=False))
        return first

    def finish(self) -> int:
        """The text has ended. Returns the index of the first block that may have changed."""
        first = self._take_back()
        if self._partial:
            first = min(first, self._read(self._partial, is_complete=True))
            self._partial = ""
        if self._state.fence:
            first = min(first, self._trim_code())
        self._close()
        return first

    def _trim_code(self) -> int:
        """Drop the empty lines at the end of code that nothing closed."""
        blocks = self.blocks
        while blocks[-1].lines and not blocks[-1].lines[-1].strip(" "):
            blocks[-1].lines.pop()
            if not blocks[-1].lines and blocks[-1].origin is not None:
                blocks.pop()
        return len(blocks) - 1

    def _take_back(self) -> int:
        """Undo what the unfinished line did."""
        if self._undo is None:
            return len(self.blocks)
        self._state, count, last_closed, last_lines = self._undo
        self._undo = None
        self._spare = self.blocks[count:]
        del self.blocks[count:]
        if self.blocks:
            last = self.blocks[-1]
            last.is_closed = last_closed
            del last.lines[last_lines:]
        return max(0, count - 1)

    def _read(self, line: str, *, is_complete: bool) -> int:
        """Read one line. Returns the index of the first block that may have changed."""
        first = max(0, len(self.blocks) - 1)
        outer = self._state.containers
        is_blank = self._is_blank
        position, matched = self._matched(line, is_blank)
        if self._state.fence:
            if matched == len(outer) and self._read_code(line[position:], is_blank, is_complete):
                return first
            self._close()
        if is_blank or not line[position:].strip(" "):
            if is_complete:
                self._close()
                self._state = _State(outer[:matched], is_after_blank=True)
            return first
        inside, position = self._opened(line, position, matched)
        is_new = len(inside) > matched
        rest = line[position:]
        is_told = is_complete or len(rest) > HEAD_CHARS or not _UNTOLD.match(rest.lstrip(" "))
        if is_new:
            self._enter(inside)
            if not rest.strip(" "):
                self._add("paragraph")
                return first
        elif matched < len(outer) and is_told:
            if self._is_lazy(rest):
                self._append(self.blocks[-1], rest.strip(" "))
                return first
            self._enter(inside)
        if is_told:
            self._read_leaf(rest, is_complete=is_complete)
        elif is_new:
            self._add("paragraph")
        return first

    # Containers

    def _matched(self, line: str, is_blank: bool) -> tuple[int, int]:
        """How far the open containers reach into the line, and how many of them go on."""
        position = 0
        for count, container in enumerate(self._state.containers):
            indent = _indent(line, position, max(4, container.cells))
            if container.is_quote:
                if indent > 3 or line[position + indent : position + indent + 1] != ">":
                    return position, count
                position += indent + 1
                position += line[position : position + 1] == " "
            elif indent >= container.cells or is_blank:
                position = min(len(line), position + container.cells)
            else:
                return position, count
        return position, len(self._state.containers)

    def _opened(self, line: str, position: int, matched: int) -> tuple[tuple[Container, ...], int]:
        """The containers around the line's content with those it opens, and where that begins."""
        inside = self._state.containers[:matched]
        leaf = self._leaf
        interrupts = (
            leaf is not None
            and leaf.kind == "paragraph"
            and bool(leaf.lines)
            and matched == len(self._state.containers)
        )
        while len(inside) < MAX_DEPTH:
            rest = line[position : position + HEAD_CHARS]
            indent = _indent(rest, 0, 4)
            body = rest[indent:]
            if indent > 3:
                break
            if body.startswith(">"):
                position += indent + 1
                position += line[position : position + 1] == " "
                inside = (*inside, _QUOTE)
                interrupts = False
                continue
            item = _ITEM.match(body)
            if item is None or _RULE.match(body):
                break
            marker, spaces = item.group(1), len(item.group(2))
            is_empty = not body[item.end() :]
            if interrupts and (is_empty or (marker[-1] in ".)" and marker[:-1] != "1")):
                break
            interrupts = False
            if is_empty or spaces > 4:
                spaces = 1
            cells = indent + len(marker) + spaces
            position = min(len(line), position + cells)
            inside = (*inside, Container(cells, marker, is_first=True))
        return inside, position

    def _enter(self, inside: tuple[Container, ...]) -> None:
        self._close()
        self._state = _State(inside, self._state.is_after_blank)

    def _is_lazy(self, rest: str) -> bool:
        """Whether a line outside of the containers goes on with the paragraph inside of them."""
        leaf = self._leaf
        if leaf is None or leaf.kind != "paragraph" or not leaf.lines:
            return False
        body = rest[:HEAD_CHARS].lstrip(" ")
        return not (_HEADING.match(body) or _FENCE.match(body) or _RULE.match(body))

    # Leaves

    @property
    def _leaf(self) -> Block | None:
        """The block that new lines can still belong to."""
        return self.blocks[-1] if self.blocks and not self.blocks[-1].is_closed else None

    def _close(self) -> None:
        if self.blocks:
            self.blocks[-1].is_closed = True
        if self._state.fence:
            self._state = _State(self._state.containers, self._state.is_after_blank)

    def _add(self, kind: BlockKind, *lines: str) -> Block:
        """Close the open block and open a new one."""
        self._close()
        state = self._state
        has_gap = False
        if self.blocks:
            before = self.blocks[-1].kind
            has_gap = state.is_after_blank or kind != "paragraph" or before in _SET_OFF
        block = self._new(kind, state.containers, has_gap)
        block.lines.extend(lines)
        self._state = _State(tuple(Container(one.cells, one.marker) for one in state.containers))
        return block

    def _new(self, kind: BlockKind, containers: tuple[Container, ...], has_gap: bool) -> Block:
        """Append a block: the one that the unfinished line had before, where it is still the same,
        so that a view keeps what it made of it."""
        block = Block(kind, containers, self._line, has_gap)
        if self._spare:
            spare = self._spare.pop(0)
            if (spare.kind, spare.containers, spare.start) == (kind, containers, self._line):
                spare.has_gap, spare.level, spare.language = has_gap, 0, ""
                spare.is_closed, spare.origin = False, None
                spare.lines.clear()
                block = spare
            else:
                self._spare.clear()
        self.blocks.append(block)
        return block

    def _append(self, block: Block, line: str) -> None:
        """Add a line to the open block, or to a new one that goes on with it."""
        count = len(block.lines)
        if count >= FULL_LINES and (block.kind != "fence" or not line or count >= MAX_LINES):
            block.is_closed = True
            origin = block.origin or block
            language = block.language
            block = self._new(block.kind, self._state.containers, False)
            block.language, block.origin = language, origin
        block.lines.append(line)

    def _read_code(self, rest: str, is_blank: bool, is_complete: bool) -> bool:
        """Read a line inside of code. False where the code has ended before it."""
        state, block = self._state, self.blocks[-1]
        if state.fence == _INDENTED:
            if is_blank or not rest.startswith(_INDENTED):
                return False
            self._append(block, rest[4:])
            return True
        indent = _indent(rest, 0, 4)
        marks = rest[indent : indent + HEAD_CHARS].rstrip(" ")
        if indent < 4 and marks and not marks.strip(state.fence[0]) and len(rest) <= HEAD_CHARS:
            if len(marks) >= len(state.fence) and is_complete:
                self._close()
                return True
            if not is_complete:
                return True
        self._append(block, rest[min(indent, state.fence_indent) :])
        return True

    def _read_leaf(self, rest: str, *, is_complete: bool) -> None:
        leaf = self._leaf
        body = rest.lstrip(" ")
        indent = len(rest) - len(body)
        goes_on = leaf is not None and leaf.kind == "paragraph"
        if indent > 3 and not goes_on:
            self._add("fence", rest[4:])
            self._state = _State(self._state.containers, fence=_INDENTED)
            return
        if indent < 4 and self._read_mark(body, indent):
            return
        if leaf is not None and is_complete and indent < 4 and self._read_second(leaf, body):
            return
        if indent < 4 and len(body) <= HEAD_CHARS and _RULE.match(body):
            self._add("rule")
            self._close()
        elif leaf is not None and leaf.kind == "table" and "|" in body[:MAX_ROW_CHARS]:
            if len(body) > MAX_ROW_CHARS:
                self._add("paragraph", body.rstrip(" "))
            else:
                self._append(leaf, body)
        elif leaf is not None and goes_on:
            self._append(leaf, body.rstrip(" "))
        else:
            self._add("paragraph", body.rstrip(" "))

    def _read_mark(self, body: str, indent: int) -> bool:
        """Read a line that says by its first characters what it is."""
        heading = _HEADING.match(body[:HEAD_CHARS])
        if heading:
            text = body[heading.end() :]
            if len(text) <= HEAD_CHARS:
                text = _HEADING_END.sub("", text)
            block = self._add("heading", text.strip(" "))
            block.level = len(heading.group(1))
            self._close()
            return True
        fence = _FENCE.match(body) if len(body) <= HEAD_CHARS else None
        if fence:
            block = self._add("fence")
            info = (fence.group(2) or fence.group(4) or "").split()
            block.language = info[0].strip("{}.") if info else ""
            marks = fence.group(1) or fence.group(3)
            self._state = _State(self._state.containers, fence=marks, fence_indent=indent)
            return True
        return False

    def _read_second(self, leaf: Block, body: str) -> bool:
        """Read a line that says what the one before it was: an underline, a table's delimiter."""
        if leaf.kind != "paragraph" or not leaf.lines or len(body) > HEAD_CHARS:
            return False
        header = leaf.lines[-1]
        if _UNDERLINE.match(body) and len(leaf.lines) == 1 and _is_title(leaf):
            leaf.kind = "heading"
            leaf.level = 1 if body[0] == "=" else 2
            self._close()
            return True
        if "|" not in body or "|" not in header or len(header) > HEAD_CHARS:
            return False
        if not _DELIMITER.match(body) or len(split_row(body)) != len(split_row(header)):
            return False
        if len(leaf.lines) == 1 and leaf.origin is None:
            leaf.kind = "table"
            leaf.lines.append(body)
        else:
            leaf.lines.pop()
            self._add("table", header, body)
        return True


def split_blocks(text: str) -> list[Block]:
    """The blocks of a whole text."""
    splitter = BlockSplitter()
    splitter.feed(text)
    splitter.finish()
    return splitter.blocks


def _is_title(block: Block) -> bool:
    """Whether an underlined line is a heading: models also put a rule right below a paragraph."""
    line = block.lines[0]
    return block.origin is None and bool(line) and len(line) <= 80 and line[-1] not in ".:;,!?"


def _indent(line: str, position: int, limit: int) -> int:
    """Blanks at ``position``, counted up to ``limit``."""
    end = position
    while end < position + limit and line[end : end + 1] == " ":
        end += 1
    return end - position
