"""Detects code in streamed Markdown: fences and code spans of CommonMark.

Rules: https://spec.commonmark.org/0.31.2/#fenced-code-blocks and #code-spans. A fence is opened by
three or more backticks (without a backtick behind them in the line) or tildes, and closed by at
least as many of the same, alone in their line. A code span is closed by a run of backticks as long
as the one that opened it; here it ends with its line at the latest. Fences in lists and quotes
count like others, however far they are indented.
"""

from __future__ import annotations

import re

MAX_HEAD_CHARS = 200
_FENCE = re.compile(r"[ \t>]{0,64}(?:(?:[-*+]|[0-9]{1,9}[.)])[ \t]{1,8})?[ \t]{0,64}(`{3,}|~{3,})")
_PIECE = re.compile("`+|[^`]+")


class CodeSpans:
    """Reads text in pieces, however they are cut; holds no more than the head of one line."""

    __slots__ = ("_fence", "_head", "_is_blank", "_n_ticks", "_run", "_span")

    def __init__(self) -> None:
        self._fence = ""
        """The marks that opened the fence around the present line; empty outside of one."""
        self._head = ""
        self._is_blank = True
        self._run = 0
        """Backticks in a row at the very end of the text so far."""
        self._span = 0
        """How many backticks opened the code span; 0 outside of one."""
        self._n_ticks = 0

    @property
    def is_fenced(self) -> bool:
        """Whether the present line is within a fence, or is the line that opens one."""
        return bool(self._fence) or self._opening().startswith("~")

    @property
    def open_span(self) -> int:
        """How many backticks would close the code span of this line; 0 outside of one."""
        return 0 if self._fence else self._span_after_run()

    @property
    def is_blank_line(self) -> bool:
        """Whether nothing but white space stands in the present line."""
        return self._is_blank

    def feed(self, text: str) -> None:
        first, *others = text.split("\n")
        self._grow(first)
        for line in others:
            self._end_line()
            self._grow(line)

    def _grow(self, piece: str) -> None:
        if not piece:
            return
        if len(self._head) < MAX_HEAD_CHARS:
            self._head += piece[: MAX_HEAD_CHARS - len(self._head)]
        self._is_blank = self._is_blank and piece.isspace()
        if "`" not in piece:
            if self._run:
                self._end_run()
            return
        for part in _PIECE.findall(piece):
            if part[0] == "`":
                self._run += len(part)
                self._n_ticks += len(part)
            else:
                self._end_run()

    def _end_run(self) -> None:
        self._span = self._span_after_run()
        self._run = 0

    def _span_after_run(self) -> int:
        if not self._run:
            return self._span
        if not self._span:
            return self._run
        return 0 if self._run == self._span else self._span

    def _opening(self) -> str:
        """The marks of the fence that the present line opens, as far as it is known."""
        found = _FENCE.match(self._head)
        marks = found.group(1) if found else ""
        is_span = marks[:1] == "`" and self._n_ticks > len(marks)
        return "" if is_span else marks

    def _end_line(self) -> None:
        if not self._fence:
            self._fence = self._opening()
        elif self._closes():
            self._fence = ""
        self._head = ""
        self._is_blank = True
        self._run = self._span = self._n_ticks = 0

    def _closes(self) -> bool:
        marks = self._head.strip(" \t>")
        return len(marks) >= len(self._fence) and marks == self._fence[0] * len(marks)
