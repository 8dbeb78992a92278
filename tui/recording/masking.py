"""Masks words that are split over several tokens."""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec.structs import replace

from tui.recording.lines import Event, Numbers, Request, Token, Unread
from tui.recording.scrub import Scrubber

MAX_HELD_CHARS = 400
_END_OF_WORD = re.compile(r"[\s\"'`<>|()\[\]{},;。,、!?:;「」]")


class TokenMask:
    """Masks lines in order. Lines are held back until the current word ends, so that a name split
    over tokens is found; at most ``MAX_HELD_CHARS`` characters.
    """

    def __init__(self, scrubber: Scrubber | None, *, has_text: bool) -> None:
        self._scrubber = scrubber
        self._has_text = has_text
        self._held: list[Event] = []
        self._n_chars = 0

    def feed(self, line: Event | Request) -> Iterator[Event | Request]:
        """Takes lines; returns those that can be written now."""
        if not self._has_text:
            yield self._without_text(line)
        elif self._scrubber is None:
            yield line
        elif isinstance(line, Request):
            yield from self.flush()
            yield self._scrubber.line(line)
        elif isinstance(line, Token):
            yield from self._take_token(line)
        elif self._held:
            self._held.append(line)
        else:
            yield self._scrubber.line(line)

    def flush(self) -> Iterator[Event | Request]:
        """Returns the lines that are still held."""
        held, self._held, self._n_chars = self._held, [], 0
        if held and self._scrubber is not None:
            yield from _masked(held, self._scrubber)

    def _take_token(self, token: Token) -> Iterator[Event | Request]:
        is_other = any(isinstance(h, Token) and h.channel != token.channel for h in self._held)
        if is_other or (self._held and _END_OF_WORD.match(token.text)):
            yield from self.flush()
        self._held.append(token)
        self._n_chars += len(token.text)
        if _END_OF_WORD.search(token.text[-1:]) or self._n_chars > MAX_HELD_CHARS:
            yield from self.flush()

    def _without_text(self, line: Event | Request) -> Event | Request:
        if isinstance(line, Token):
            return replace(line, text="", chars=len(line.text))
        if self._scrubber is not None:
            line = self._scrubber.line(line)
        if isinstance(line, Request):
            messages = tuple(replace(m, content="", chars=len(m.content)) for m in line.messages)
            return replace(line, messages=messages)
        if isinstance(line, Unread):
            return replace(line, text="")
        if isinstance(line, Numbers):
            return replace(line, numbers={**line.numbers, "unread_text": None})
        return line


def _masked(held: list[Event], scrubber: Scrubber) -> Iterator[Event | Request]:
    text = scrubber.text("".join(line.text for line in held if isinstance(line, Token)))
    at = 0
    for line in held:
        if isinstance(line, Token):
            yield replace(line, text=text[at : at + len(line.text)])
            at += len(line.text)
        else:
            yield scrubber.line(line)
