"""Detects and handles streams whose events hold the whole text so far.

Whether a server does is told by its first events: each one begins with all of the one before and
goes on. A text may repeat itself too, so one repetition proves nothing. Until it is known, what may
be a repetition is held back; it keeps the time at which it came
(:attr:`~tui.core.types.TextDelta.reads_ago`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from tui.core.types import (
    CumulativeDelta,
    Delta,
    RefusalDelta,
    TextDelta,
    ThinkingDelta,
    UnreadDelta,
)
from tui.servers.dialects.chunk import MAX_UNREAD_CHARS

Words = TextDelta | ThinkingDelta | RefusalDelta

MIN_GROWTHS, MIN_REPEATED_BYTES = 4, 24
"""So often a text has to grow, and so much of it has to come again, before that is a proof."""
MIN_GROWTHS_AT_END = 2
"""The same for an answer that is over before there is a proof."""
SURE_GROWTHS = 16
"""No text of single pieces grows so often, whatever it is."""
MOST_EQUAL = 3
"""So many more pieces may be equal to the one before than go on from it."""
MAX_PERIOD_CHARS = 256
_TORN = "\ufffd"
"""What stands for a character of which only the first bytes have come."""


@dataclass(frozen=True, slots=True)
class _Held:
    """One event: as it came, and what it adds if its texts are whole."""

    read: int
    as_it_came: list[Delta]
    added: list[Delta]


class WholeTexts:
    """Turns whole texts into what is new in them; lets pieces through as they are.

    ``read`` counts the reads of the stream, so that text which is held back can say when it came.
    """

    __slots__ = (
        "_held",
        "_n_equal",
        "_n_grown",
        "_n_repeated",
        "_proof",
        "_torn",
        "_way",
        "_whole",
    )

    def __init__(self) -> None:
        self._way: Literal["unknown", "pieces", "whole"] = "unknown"
        self._whole: dict[type[Words], str] = {}
        """The text so far of each kind, if texts are whole."""
        self._torn: dict[type[Words], str] = {}
        """Torn characters at its end, which the next text may replace."""
        self._held: list[_Held] = []
        self._n_grown = 0
        self._n_equal = 0
        self._n_repeated = 0
        self._proof = ""
        """The longest text that came again and went on."""

    def feed(self, deltas: list[Delta], read: int) -> list[Delta]:
        """What is new in the deltas of one event."""
        if self._way == "pieces":
            return deltas
        texts = _texts_of(deltas)
        if not texts:
            return deltas
        if self._way == "whole":
            return self._added(deltas, texts)
        if not all(self._may_go_on(kind, text) for kind, text in texts.items()):
            return self._settle("pieces", read) + deltas
        is_first = not self._held and all(
            kind not in self._whole and text[-1:] != _TORN for kind, text in texts.items()
        )
        self._count(texts)
        added = self._added(deltas, texts)
        if is_first:
            return deltas
        self._held.append(_Held(read, deltas, added))
        if self._is_proven():
            return self._settle("whole", read)
        if self._n_equal > self._n_grown + MOST_EQUAL:
            return self._settle("pieces", read)
        return []

    def end(self, read: int) -> list[Delta]:
        """What was held back, where nothing more comes."""
        if self._way == "pieces":
            return []
        if self._way == "whole":
            left = [kind(text) for kind, text in self._torn.items() if text]
            self._torn.clear()
            return [*left]
        return self._settle(self._likely_way(), read) if self._held else []

    def held(self, read: int) -> list[Delta]:
        """What :meth:`end` would give, if it is not known yet what kind of server it is; changes
        nothing."""
        return self._given(self._likely_way(), read) if self._held else []

    def _likely_way(self) -> Literal["pieces", "whole"]:
        is_whole = self._n_grown >= MIN_GROWTHS_AT_END and _is_telling(self._proof)
        return "whole" if is_whole else "pieces"

    # -- what kind of server it is -------------------------------------------------------------

    def _may_go_on(self, kind: type[Words], text: str) -> bool:
        return text.startswith(self._whole.get(kind, ""))

    def _count(self, texts: dict[type[Words], str]) -> None:
        """Weighs one more event that may hold whole texts."""
        has_grown = is_equal = False
        for kind, text in texts.items():
            before = self._whole.get(kind)
            if not before:
                continue
            if len(text.rstrip(_TORN)) > len(before):
                has_grown = True
                self._n_repeated += len(before.encode("utf-8", "replace"))
                self._proof = max(self._proof, before, key=len)
            else:
                is_equal = True
        self._n_grown += has_grown
        self._n_equal += is_equal and not has_grown

    def _is_proven(self) -> bool:
        if self._n_grown >= SURE_GROWTHS:
            return True
        is_much = self._n_grown >= MIN_GROWTHS and self._n_repeated >= MIN_REPEATED_BYTES
        return is_much and _is_telling(self._proof)

    def _settle(self, way: Literal["pieces", "whole"], read: int) -> list[Delta]:
        """It is known now: gives out what was held back."""
        self._way = way
        found = self._given(way, read)
        self._held.clear()
        if way == "pieces":
            self._whole.clear()
            self._torn.clear()
        return found

    def _given(self, way: Literal["pieces", "whole"], read: int) -> list[Delta]:
        found: list[Delta] = [CumulativeDelta()] if way == "whole" else []
        for held in self._held:
            deltas = held.added if way == "whole" else held.as_it_came
            found += (_late(delta, read - held.read) for delta in deltas)
        return found

    # -- what is new ---------------------------------------------------------------------------

    def _added(self, deltas: list[Delta], texts: dict[type[Words], str]) -> list[Delta]:
        """What whole texts add, and the deltas beside them."""
        found: list[Delta] = []
        for kind, text in texts.items():
            found += self._added_to(kind, text)
        return found + [delta for delta in deltas if not isinstance(delta, Words)]

    def _added_to(self, kind: type[Words], text: str) -> list[Delta]:
        whole = self._whole.get(kind, "")
        shown = text.rstrip(_TORN)
        if shown.startswith(whole):
            added: list[Delta] = [kind(shown[len(whole) :])] if len(shown) > len(whole) else []
            self._whole[kind], self._torn[kind] = shown, text[len(shown) :]
            return added
        if whole.startswith(shown):
            return []  # the end was taken back: a stop word, a half character
        n_shared = _n_shared(whole, shown)
        if n_shared * 2 < len(whole):
            # A piece among whole texts.
            self._whole[kind] = whole + shown
            return [kind(text)]
        self._whole[kind] = shown
        changed: list[Delta] = [UnreadDelta(shown[n_shared : n_shared + MAX_UNREAD_CHARS])]
        rest = shown[len(whole) :]
        return [*changed, kind(rest)] if rest else changed


def _texts_of(deltas: list[Delta]) -> dict[type[Words], str]:
    """The texts of one event by their kind."""
    texts: dict[type[Words], str] = {}
    for delta in deltas:
        if isinstance(delta, Words) and delta.text:
            texts[type(delta)] = texts.get(type(delta), "") + delta.text
    return texts


def _n_shared(one: str, other: str) -> int:
    """How many characters two texts that differ have in common at their beginning."""
    pairs = zip(one, other, strict=False)
    return next((at for at, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))


def _late(delta: Delta, reads_ago: int) -> Delta:
    return replace(delta, reads_ago=reads_ago) if isinstance(delta, Words) else delta


def _is_telling(text: str) -> bool:
    """Whether a text that comes again does so for no reason of its own.

    A row of one thing (``ha ha ha``) and a single word or number may well grow piece by piece.
    """
    return _has_parts(text.strip()) and not _is_periodic(text[:MAX_PERIOD_CHARS])


def _has_parts(text: str) -> bool:
    """Whether there is more in it than one word: another kind of character, or ideographs."""
    if len({char for char in text if ord(char) > 0x2E7F}) >= 4:
        return True
    kinds = {
        "letter" if char.isalpha() else "digit" if char.isdigit() else "other" for char in text
    }
    return len(kinds) > 1


def _is_periodic(text: str) -> bool:
    """Whether it is one piece said again and again, the last time perhaps not to its end."""
    borders = [0] * len(text)
    for at in range(1, len(text)):
        border = borders[at - 1]
        while border and text[at] != text[border]:
            border = borders[border - 1]
        borders[at] = border + (text[at] == text[border])
    return bool(text) and 2 * (len(text) - borders[-1]) <= len(text)
