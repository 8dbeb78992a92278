"""What the board screen shows beside its charts, as plain values."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from tui.core.board.answer_log import AnswerMark
from tui.core.board.headroom import HeadroomTrend
from tui.core.board.history import BoardHistory
from tui.core.board.reading import Reading
from tui.core.board.roofline import Neighbour, Roofline
from tui.core.screen.headline import Headline
from tui.core.types import ModelInfo


class Cause(Protocol):
    """One reason why a model runs slower than it could. The text may come from outside."""

    @property
    def rule(self) -> str:
        """Its stable name."""

    @property
    def title(self) -> str: ...

    @property
    def evidence(self) -> str: ...

    @property
    def effect(self) -> str: ...

    @property
    def command(self) -> str | None:
        """What fixes it, ready for a shell."""

    @property
    def advice(self) -> str | None:
        """What helps where no command does, as a sentence."""

    @property
    def weight(self) -> str:
        """``act`` where something should be done, ``note`` where it explains."""


@dataclass(frozen=True, slots=True)
class DecodeBound:
    """The last measured decode rate beside what the memory allows, or why that cannot be told."""

    model: str | None = None
    rate_tps: float | None = None
    is_rate_estimated: bool = False
    roofline: Roofline | None = None
    reason: str | None = None
    """Why there is no ``roofline``."""
    is_size_guessed: bool = False
    """The size of the weights was derived from the model's name."""
    neighbours: tuple[Neighbour, ...] = ()
    """Published rows of this model, or of others of about its size, which they then say."""


@dataclass(frozen=True)
class BoardScreenData:
    """Where the board screen pulls from. Every callable returns at once."""

    headline: Callable[[], Headline]
    history: Callable[[], BoardHistory]
    answers: Callable[[], Sequence[AnswerMark]]
    findings: Callable[[], Sequence[Cause]]
    decode: Callable[[], DecodeBound]
    trend: Callable[[], HeadroomTrend]
    ways: Callable[[], Sequence[str]]
    """What to do about readings that are absent: sentences with commands."""
    value_text: Callable[[Reading], str]
    model: Callable[[], ModelInfo | None]
    """The loaded model, with which the calculator begins."""
    clock_ns: Callable[[], int]
    copy: Callable[[str, str], str]
    """Put a text into the clipboard; gives the sentence that says where it is."""
