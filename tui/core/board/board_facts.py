"""Board values of the screens besides charts: findings, decode bound, RAM trend, fixes."""

from __future__ import annotations

from dataclasses import dataclass, field

from tui.core.board.answer_log import AnswerMark
from tui.core.board.finding import Finding
from tui.core.board.headroom import HeadroomTrend
from tui.core.board.roofline import Neighbour, Roofline
from tui.core.types import ModelInfo

NO_RATE = "no answer was measured yet"


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


@dataclass(frozen=True, slots=True)
class BoardFacts:
    """What was concluded from the snapshots up to the last one. Before the first: nothing."""

    findings: tuple[Finding, ...] = ()
    """What slows the model down, for some seconds already; what asks for something first."""
    decode: DecodeBound = DecodeBound(reason=NO_RATE)
    trend: HeadroomTrend = field(default_factory=HeadroomTrend)
    answers: tuple[AnswerMark, ...] = ()
    """The answers that ran, oldest first."""
    remedies: tuple[str, ...] = ()
    """What to do about readings that are absent: sentences with commands."""
    alert: str | None = None
    """The worst alert that is raised now, in one sentence."""
    ram_alert: str | None = None
    """The one about RAM, where it is raised."""
    has_new_alert: bool = False
    """The last snapshot raised an alert: once each, for a bell."""
    model: ModelInfo | None = None
    """The loaded model."""
