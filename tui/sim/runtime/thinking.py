"""The thinking part of an answer: malformed tags, and the parser of servers that separate it.

A model writes ``<think>``, its thoughts, ``</think>`` and its answer, all of it as text.
"""

from __future__ import annotations

from collections.abc import Iterator

OPEN, CLOSE = "<think>", "</think>"


def wrongly_marked(tokens: Iterator[str], kind: str) -> Iterator[str]:
    """The tokens of an answer with thinking, with its tags malformed by the fault
    ``think=KIND``."""
    is_inside = False
    for token in tokens:
        if token == OPEN:
            is_inside = True
            yield from {
                "split": ("<th", "ink>"), "close-only": (), "upper": (OPEN.upper(),),
                "twice": (OPEN, OPEN),
            }.get(kind, (OPEN,))  # fmt: skip
        elif token == CLOSE:
            is_inside = False
            if kind == "unclosed":
                return
            yield from {"split": ("</th", "ink>"), "upper": (CLOSE.upper(),)}.get(kind, (CLOSE,))
        elif not (is_inside and kind == "empty" and token.strip()):
            yield token


class ThinkingParser:
    """Separates thinking from answer in a stream of tokens, as servers with a field for it do.

    Text that may be the beginning of a tag is held back. ``is_space_dropped``: a piece of the
    thinking that is only white space is dropped.
    """

    def __init__(self, *, is_space_dropped: bool) -> None:
        self._held = ""
        self._is_inside = False
        self._is_space_dropped = is_space_dropped

    def feed(self, token: str) -> list[tuple[bool, str]]:
        """Process one token; returns pieces of text as (is thinking, text)."""
        text, self._held = self._held + token, ""
        found: list[tuple[bool, str]] = []
        while text:
            mark = CLOSE if self._is_inside else OPEN
            before, has_mark, after = text.partition(mark)
            if has_mark:
                self._add(before, found)
                self._is_inside, text = not self._is_inside, after
                continue
            n_held = next((n for n in range(len(mark) - 1, 0, -1) if text.endswith(mark[:n])), 0)
            self._add(text[: len(text) - n_held], found)
            self._held = text[len(text) - n_held :]
            break
        return found

    def rest(self) -> list[tuple[bool, str]]:
        """At the end: the text held back, which is no tag."""
        held, self._held = self._held, ""
        return [(self._is_inside, held)] if held else []

    def _add(self, text: str, found: list[tuple[bool, str]]) -> None:
        if self._is_inside and self._is_space_dropped and not text.strip():
            return
        if text:
            found.append((self._is_inside, text))
