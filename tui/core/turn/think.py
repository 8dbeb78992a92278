"""Separates thinking from the answer in one stream of text.

The runtime writes literal ``<think>...</think>`` into the text; a server passes it on in pieces of
any size. The rules, in the order in which they matter:

- An opening tag counts only before the first non-blank text of the answer. Later ones are text:
  an answer may well explain the tag, or show it in code.
- An opening tag is dropped where thinking has begun but holds nothing yet (a server that forces
  the tag while the model writes one too).
- A closing tag ends the thinking. If it never comes, all of it is thinking.
- A closing tag without an opening one (the template of the prompt had opened it) makes everything
  before it thinking, once more text follows it. That text was given out already, so a
  :class:`Reclassified` is given out. It counts once, not after a thinking block, and not in code.
  A tag at the very end of an answer is dropped: the answer stays an answer.
- In a code fence such a tag counts only where it stands alone before a blank line and no opening
  tag stands in the code: a fence of the thinking that was never closed.
- Where thinking arrives on a channel of its own, an open tag is closed by it.
- Letter case does not matter. White space around thinking goes, and so do the blank lines
  between thinking and answer.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from tui.core.turn.code_spans import CodeSpans
from tui.core.types import CleanText, Segment, SegmentKind

NO_TEXT = CleanText("")
_OPEN = "<think>"
_CLOSE = "</think>"
_ANY_TAG = re.compile("</?think>", re.IGNORECASE | re.ASCII)
_OPEN_TAG = re.compile(_OPEN, re.IGNORECASE | re.ASCII)
_CLOSE_TAG = re.compile(_CLOSE, re.IGNORECASE | re.ASCII)
_BLANK_LINE = re.compile("[ \t]*\n[ \t]*\n")
MAX_HELD_CHARS = 4096
"""How far the text after a closing tag is looked at before it is decided what the tag is."""
_TICKS = re.compile("`+")


@dataclass(frozen=True, slots=True)
class Reclassified(Segment):
    """All text given out before this turned out to be thinking. Carries no text of its own."""

    kind: SegmentKind = "thinking"
    text: CleanText = NO_TEXT


class ThinkSplitter:
    """Splits sanitised text into segments of thinking and of answer, for any split of the input.

    Joined by kind (and moved by :class:`Reclassified`) the segments are the same however the
    input is cut. At most a partial tag and white space are held back until :meth:`flush`.
    """

    __slots__ = (
        "_code",
        "_has_open_tag",
        "_has_thought",
        "_held",
        "_is_start_of_answer",
        "_may_be_orphan",
        "_mode",
        "_needs_break",
        "_tail",
        "is_tag_held",
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
        self._code = CodeSpans()
        self._has_open_tag = False
        """An opening tag stands in the text of the answer, and no closing one after it."""
        self._tail = ""
        self.is_tag_held = False
        """What is held back begins with a closing tag of which nothing is known yet."""

    @property
    def is_thinking(self) -> bool:
        """Whether what comes next is thinking, as far as can be known now."""
        return self._mode == "thinking"

    def note_thinking(self) -> list[Segment]:
        """Thinking arrived on a channel of its own: a tag opens nothing any more.

        Returns what that decides about text that was held back.
        """
        out: list[Segment] = []
        if self.is_tag_held:
            self._reclassify(out)
            self._held = ""
        if self._mode == "thinking":
            self._end_thinking("", out)
        self._may_be_orphan = False
        self._needs_break = True
        return out

    def feed(self, text: CleanText) -> list[Segment]:
        """The segments that are certain after this piece."""
        rest = self._held + text
        self._held = ""
        self.is_tag_held = False
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
        out: list[Segment] = []
        held, self._held = self._held, ""
        if self.is_tag_held and not self._code.is_fenced:
            held = self._closed_at_last(held, out)
        self.is_tag_held = False
        if self._mode == "thinking":
            held = held.rstrip()
        if held and self._mode == "text" and self._is_start_of_answer:
            held = self._trimmed_start(held)
        self._emit(held, out)
        return out

    def _closed_at_last(self, held: str, out: list[Segment]) -> str:
        """What stays of a held tag and the text behind it, now that nothing follows any more."""
        span = self._code.open_span
        if span and any(len(run) == span for run in _TICKS.findall(held)):
            return held
        rest = _CLOSE_TAG.sub("", held)
        if not rest.strip():
            return ""
        self._reclassify(out)
        return rest

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
            self._end_thinking(rest[: tag.start()].rstrip(), out)
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
        if "<" not in rest:
            self._pass(rest, out)
            return ""
        tag = _CLOSE_TAG.search(rest)
        if not tag:
            keep = len(rest) - _partial_tag(rest, _CLOSE)
            self._held = rest[keep:]
            self._pass(rest[:keep], out)
            return ""
        self._pass(rest[: tag.start()], out)
        after = rest[tag.end() :]
        is_real = self._is_real_close(after)
        if is_real is None:
            self._held = rest[tag.start() :]
            self.is_tag_held = True
            return ""
        if is_real:
            self._reclassify(out)
        else:
            self._pass(tag.group(), out)
            self._has_open_tag = False
        return after

    def _pass(self, text: str, out: list[Segment]) -> None:
        """Gives out text of the answer, and looks at what it opens."""
        seen = self._tail + text
        if "<" in seen and _OPEN_TAG.search(seen):
            self._has_open_tag = True
        self._tail = seen[-len(_OPEN) + 1 :]
        self._code.feed(text)
        self._emit(text, out)

    def _is_real_close(self, after: str) -> bool | None:
        """Whether the closing tag before ``after`` ends the thinking; None: not known yet."""
        is_cut = len(after) > MAX_HELD_CHARS
        after = after[:MAX_HELD_CHARS]
        if self._code.is_fenced:
            if self._has_open_tag or not self._code.is_blank_line:
                return False
            if _BLANK_LINE.match(after):
                return True
            return None if not after.strip() and not is_cut else False
        span = self._code.open_span
        if span:
            line, line_end, _ = after.partition("\n")
            # A run of backticks at the very end may still grow.
            sure = line if line_end or is_cut else line.rstrip("`")
            if any(len(run) == span for run in _TICKS.findall(sure)):
                return False
            if not line_end:
                return False if is_cut else None
        more = _CLOSE_TAG.sub("", after).lstrip()
        if not is_cut and _CLOSE.startswith(more.lower()):
            return None  # nothing follows so far, or perhaps one more closing tag
        return True

    def _end_thinking(self, last: str, out: list[Segment]) -> None:
        self._emit(last, out)
        self._mode = "text"
        self._held = ""
        self._is_start_of_answer = True
        self._needs_break = self._needs_break or self._has_thought
        self._has_thought = False

    def _reclassify(self, out: list[Segment]) -> None:
        out.append(Reclassified())
        self._may_be_orphan = False
        self._is_start_of_answer = True
        self._needs_break = True

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
        out.append(Segment(self._mode, CleanText(text)))


def _partial_tag(text: str, tag: str) -> int:
    """The length of the longest end of ``text`` that could be the start of ``tag``."""
    at = text.rfind("<", max(len(text) - len(tag) + 1, 0))
    return len(text) - at if at >= 0 and tag.startswith(text[at:].lower()) else 0
