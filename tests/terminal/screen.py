"""The picture that a terminal would show, from the bytes that a program wrote."""

from __future__ import annotations

import re

import pyte

from .escapes import Escape, EscapeScanner

_SHOWN_CSI = re.compile(rb"(?:[\d;]*[@A-HJKLMPXad-hlmrsu`]|\?(?:3|5|6|7|25)[hl])\Z")
"""What pyte draws rightly. Other sequences it would print in part, or they change no cell."""


class TerminalScreen:
    """The normal and the alternate screen of a terminal, drawn by pyte.

    Sequences that change no cell (mouse, paste, titles, queries) are left out.
    """

    def __init__(self, cols: int, rows: int) -> None:
        self._scanner = EscapeScanner()
        self._normal = pyte.Screen(cols, rows)
        self._alternate = pyte.Screen(cols, rows)
        self._stream = pyte.ByteStream(self._normal)
        self.is_alternate = False
        self.title = ""

    @property
    def _shown(self) -> pyte.Screen:
        return self._alternate if self.is_alternate else self._normal

    @property
    def cols(self) -> int:
        return int(self._shown.columns)

    @property
    def rows(self) -> int:
        return int(self._shown.lines)

    @property
    def cursor(self) -> tuple[int, int]:
        """Column and row of the cursor, from 0."""
        return self._shown.cursor.x, self._shown.cursor.y

    def feed(self, data: bytes) -> None:
        """Draw what ``data`` says. A sequence may be split over two calls."""
        ready: list[bytes] = []
        for piece in self._scanner.feed(data):
            if isinstance(piece, bytes):
                ready.append(piece)
            elif piece.kind == "csi" and piece.body in (b"?1049h", b"?1049l"):
                self._draw(ready)
                self._switch(piece.body == b"?1049h")
            elif (drawn := self._drawn(piece)) is not None:
                ready.append(drawn)
        self._draw(ready)

    def _drawn(self, escape: Escape) -> bytes | None:
        if escape.kind == "csi" and _SHOWN_CSI.match(escape.body):
            return b"\x1b[" + escape.body
        if escape.kind == "c0" and escape.body in b"\x08\x0b\x0c":
            return escape.body
        if escape.kind == "esc" and escape.body in (b"7", b"8", b"D", b"E", b"H", b"M", b"c"):
            return b"\x1b" + escape.body
        if escape.kind == "osc" and escape.body[:2] in (b"0;", b"2;"):
            self.title = escape.body[2:].decode(errors="replace")
        return None

    def _draw(self, ready: list[bytes]) -> None:
        if ready:
            self._stream.feed(b"".join(ready))
            ready.clear()

    def _switch(self, is_alternate: bool) -> None:
        if is_alternate == self.is_alternate:
            return
        self.is_alternate = is_alternate
        if is_alternate:
            self._alternate.reset()
        self._stream.detach(self._normal if is_alternate else self._alternate)
        self._stream.attach(self._shown)
        self._shown.dirty.update(range(self.rows))

    def resize(self, cols: int, rows: int) -> None:
        """What a terminal does when its window changes: rows and columns are cut or added."""
        self._normal.resize(rows, cols)
        self._alternate.resize(rows, cols)

    def take_dirty(self) -> set[int]:
        """Rows that were drawn on since the last call (at a switch of screens, all of them)."""
        dirty = {int(row) for row in self._shown.dirty if row < self.rows}
        self._shown.dirty.clear()
        return dirty

    def cells(self, row: int) -> list[str]:
        """One string per column: the cell's text; empty in the right half of a wide character."""
        line = self._shown.buffer[row]
        return [str(line[column].data) for column in range(self.cols)]

    def lines(self) -> list[str]:
        """The rows as text, without the blanks at their ends."""
        return ["".join(self.cells(row)).rstrip() for row in range(self.rows)]

    def text(self) -> str:
        """The whole screen as text."""
        return "\n".join(self.lines())

    def style(self, col: int, row: int) -> tuple[str, str, bool, bool]:
        """Foreground and background (pyte's names or hex), bold and reverse of one cell."""
        cell = self._shown.buffer[row][col]
        return str(cell.fg), str(cell.bg), bool(cell.bold), bool(cell.reverse)
