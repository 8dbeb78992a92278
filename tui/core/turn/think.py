"""Thinking and answer told apart in one stream of text.

The runtime writes literal ``<think>...</think>`` into the text; a server passes it on in pieces of
any size. The rules, in the order in which they matter:

- An opening tag counts only before the first non-blank text of the answer. Later ones are text:
  an answer may well explain the tag, or show it in code.
- An opening tag is dropped where thinking has begun but holds nothing yet (a server that forces
  the tag while the model writes one too).
- A closing tag ends the thinking. If it never comes, all of it is thinking.
- A closing tag without an opening one (the template of the prompt had opened it) makes everything
  before it thinking. That text was given out already, so a :class:`Reclassified` is given out.
  It counts once, not after a thinking block, and not inside a code fence or an inline code span.
- Letter case does not matter. White space around thinking goes, and so do the blank lines
  between thinking and answer.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from tui.core.types import Segment, SegmentKind

_OPEN = "<think>"
_CLOSE = "</think>"
_ANY_TAG = re.compile("</?think>", re.IGNORECASE | re.ASCII)
_OPEN_TAG = re.compile(_OPEN, re.IGNORECASE | re.ASCII)
_CLOSE_TAG = re.compile(_CLOSE, re.IGNORECASE | re.ASCII)


@dataclass(frozen=True, slots=True)
class Reclassified(Segment):
    """All text given out before this turned out to be thinking. Carries no text of its own."""

    kind: SegmentKind = "thinking"
    text: str = ""


class ThinkSplitter:
    """Splits sanitised text into segments of thinking and of answer, for any split of the input.

    Joined by kind (and moved by :class:`Reclassified`) the segments are the same however the
    input is cut. At most a partial tag and white space are held back until :meth:`flush`.
    """

    __slots__ = (
        "_code",
        "_has_thought",
        "_held",
        "_is_start_of_answer",
        "_may_be_orphan",
        "_mode",
        "_needs_break",
    )

    def __init__(self) -> None:
        self._mode: SegmentKind = "text"
        self._held = ""
        self._is_start_of_answer = True
        """No non-blank text of the answer yet: opening tags count."""
        self._may_be_orphan = True
        """A closing tag without an opening one still counts."""
        self._has_thought = False
        """Some thinking was given out in the current block."""
        self._needs_break = False
        """An earlier block of thinking was given out: the next one begins on a new line."""
        self._code = _CodeSpans()

    @property
    def is_thinking(self) -> bool:
        """Whether what comes next is thinking, as far as can be known now."""
        return self._mode == "thinking"

    @property
    def is_undecided(self) -> bool:
        """Whether the answer has not begun and nothing is known of what is held back."""
        return self._mode == "text" and self._is_start_of_answer

    def note_thinking(self) -> None:
        """Thinking arrived on a channel of its own: blank lines before the answer go."""
        self._may_be_orphan = False

    def feed(self, text: str) -> list[Segment]:
        """The segments that are certain after this piece."""
        rest = self._held + text
        self._held = ""
        out: list[Segment] = []
        while rest:
            if self._mode == "thinking":
                rest = self._feed_thinking(rest, out)
            elif self._is_start_of_answer:
                rest = self._feed_start(rest, out)
            else:
                rest = self._feed_answer(rest, out)
        return out

    def flush(self) -> list[Segment]:
        """What was held back, at the end of the stream."""
        held, self._held = self._held, ""
        if self._mode == "thinking":
            held = held.rstrip()
        if not held:
            return []
        if self._mode == "text" and self._is_start_of_answer:
            held = self._trimmed_start(held)
        out: list[Segment] = []
        self._emit(held, out)
        return out

    def _feed_thinking(self, rest: str, out: list[Segment]) -> str:
        """Gives out thinking up to the closing tag; returns what follows it."""
        if not self._has_thought:
            rest = rest.lstrip()
            forced = _OPEN_TAG.match(rest)
            if forced:
                return rest[forced.end() :]
            if rest and _OPEN.startswith(rest.lower()):
                self._held = rest
                return ""
        tag = _CLOSE_TAG.search(rest)
        if tag:
            self._emit(rest[: tag.start()].rstrip(), out)
            self._mode = "text"
            self._is_start_of_answer = True
            self._needs_break = self._needs_break or self._has_thought
            self._has_thought = False
            return rest[tag.end() :]
        keep = len(rest) - _partial_tag(rest, _CLOSE)
        sure = rest[:keep].rstrip()
        self._held = rest[len(sure) :]
        self._emit(sure, out)
        return ""

    def _feed_start(self, rest: str, out: list[Segment]) -> str:
        """Before the first non-blank text of the answer: both tags count."""
        body = rest.lstrip()
        tag = _ANY_TAG.match(body)
        if tag:
            self._may_be_orphan = False
            if tag.group().lower() == _OPEN:
                self._mode = "thinking"
            return body[tag.end() :]
        if not body or _OPEN.startswith(body.lower()) or _CLOSE.startswith(body.lower()):
            self._held = rest
            return ""
        self._is_start_of_answer = False
        return self._trimmed_start(rest)

    def _feed_answer(self, rest: str, out: list[Segment]) -> str:
        """In the answer: only a closing tag without an opening one can count."""
        if not self._may_be_orphan:
            self._emit(rest, out)
            return ""
        tag = _CLOSE_TAG.search(rest)
        if not tag:
            keep = len(rest) - _partial_tag(rest, _CLOSE)
            self._held = rest[keep:]
            self._code.feed(rest[:keep])
            self._emit(rest[:keep], out)
            return ""
        before = rest[: tag.start()]
        self._code.feed(before)
        self._emit(before, out)
        if self._code.is_inside:
            self._code.feed(tag.group())
            self._emit(tag.group(), out)
        else:
            out.append(Reclassified())
            self._may_be_orphan = False
            self._is_start_of_answer = True
            self._needs_break = True
        return rest[tag.end() :]

    def _trimmed_start(self, text: str) -> str:
        """The start of the answer; after thinking without its blank lines."""
        if self._may_be_orphan:
            return text
        blank = len(text) - len(text.lstrip())
        return text[text.rfind("\n", 0, blank) + 1 :]

    def _emit(self, text: str, out: list[Segment]) -> None:
        if not text:
            return
        if self._mode == "thinking" and not self._has_thought:
            self._has_thought = True
            text = f"\n\n{text}" if self._needs_break else text
        if out and out[-1].kind == self._mode and not isinstance(out[-1], Reclassified):
            text = out.pop().text + text
        out.append(Segment(self._mode, text))


class _CodeSpans:
    """Whether the end of the text so far is inside a code fence or an inline code span."""

    __slots__ = ("_head", "_is_fenced", "_ticks")

    def __init__(self) -> None:
        self._is_fenced = False
        self._head = ""
        self._ticks = 0

    @property
    def is_inside(self) -> bool:
        return self._is_fenced or self._is_fence_line or self._ticks % 2 == 1

    @property
    def _is_fence_line(self) -> bool:
        return self._head in ("```", "~~~")

    def feed(self, text: str) -> None:
        lines = text.split("\n")
        for number, line in enumerate(lines):
            if number:
                self._is_fenced ^= self._is_fence_line
                self._head = ""
                self._ticks = 0
            if len(self._head) < 3:
                self._head = (self._head + line).lstrip()[:3]
            self._ticks += line.count("`")


def _partial_tag(text: str, tag: str) -> int:
    """The length of the longest end of ``text`` that could be the start of ``tag``."""
    at = text.rfind("<", max(len(text) - len(tag) + 1, 0))
    return len(text) - at if at >= 0 and tag.startswith(text[at:].lower()) else 0
