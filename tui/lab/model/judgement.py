"""Verdicts of a person about pairs of answers, and opinions of a judge model."""

from __future__ import annotations

from typing import Literal

import msgspec

Verdict = Literal["better", "worse", "same"]
"""The first answer compared with the second."""

OPPOSITE: dict[Verdict, Verdict] = {"better": "worse", "worse": "better", "same": "same"}


class Pair(msgspec.Struct, frozen=True, kw_only=True):
    """Two answers to the same prompt as shown side by side; ``left``, ``right``: variant names."""

    row: str
    left: str
    right: str
    rep: int = 0

    @property
    def key(self) -> tuple[str, int, tuple[str, str]]:
        """The same for both orders."""
        low, high = sorted((self.left, self.right))
        return (self.row, self.rep, (low, high))


class Judgement(msgspec.Struct, frozen=True, kw_only=True):
    """One verdict about one pair, in one judging pass."""

    pair: Pair
    verdict: Verdict
    """The left answer compared with the right one."""
    judging_pass: int = msgspec.field(default=1, name="pass")
    is_blind: bool = False
    """Whether the names of the variants were hidden."""
    note: str = ""
    utc: str = ""

    def of_first(self) -> Verdict:
        """The verdict for the alphabetically first variant, on whichever side it was shown."""
        is_left_first = self.pair.left <= self.pair.right
        return self.verdict if is_left_first else OPPOSITE[self.verdict]


class Opinion(msgspec.Struct, frozen=True, kw_only=True):
    """A judge model's rating of one answer. It never counts as a check."""

    row: str
    variant: str
    rep: int
    score: float | None
    """1 to 5; None if the judge's answer has no such number."""
    text: str
    """The whole answer of the judge."""
    judge: str = ""
    """The model that gave it."""
