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
    """The last measured decode rate against the bound by memory bandwidth, or why it is unknown."""

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
    """Facts derived from the snapshots; empty before the first."""

    findings: tuple[Finding, ...] = ()
    """Causes of slowness that have lasted some seconds; those that need action first."""
    past_findings: tuple[Finding, ...] = ()
    """Those of the last time that a model computed, which a board at rest does not show; empty
    while one computes, and once a governor was changed."""
    decode: DecodeBound = DecodeBound(reason=NO_RATE)
    trend: HeadroomTrend = field(default_factory=HeadroomTrend)
    answers: tuple[AnswerMark, ...] = ()
    """The answers that ran, oldest first."""
    remedies: tuple[str, ...] = ()
    """Remedies for absent readings: sentences with commands."""
    alert: str | None = None
    """The worst alert that is raised now, in one sentence."""
    ram_alert: str | None = None
    """The RAM alert, where it is raised."""
    has_new_alert: bool = False
    """Whether the last snapshot raised a new alert (for the bell)."""
    model: ModelInfo | None = None
    """The loaded model."""
