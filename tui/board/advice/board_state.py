"""State derived from the board's snapshots: findings, alerts, decode bound and past answers.

Computed once per snapshot; readers of :class:`BoardView` get the stored result.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from tui.board.advice.alerts import Alert, AlertWatch
from tui.board.advice.debounce import Debouncer
from tui.board.advice.diagnosis import Phase, Work, is_busy, why_slow
from tui.board.advice.remedies import remedies
from tui.board.advice.simulated import commands_below
from tui.board.readers.neighbours import Neighbour
from tui.core.board.answer_log import AnswerLog
from tui.core.board.board_facts import NO_RATE, BoardFacts, DecodeBound
from tui.core.board.finding import Finding
from tui.core.board.ram_calculator import requirement
from tui.core.board.reading import ReadingValue, Snapshot
from tui.core.board.roofline import nearest, roofline
from tui.core.turn.turn_stats import TurnStats
from tui.core.types import ModelInfo
from tui.core.types import Phase as TurnPhase

NO_MODEL = "no model is loaded: its size is not known"
NO_SIZE = "the size of the model's weights is not known"
NO_BANDWIDTH = "the memory's bandwidth is not known here"

NEEDS_NAMES = frozenset({"cpu-others"})
"""Rules that need only CPU loads, but whose finding can also name the programs."""

AT_WORK_ONLY = frozenset({"finishing", "npulse"})
"""Rules that tell of a moment, and nothing of the next answer."""
GOVERNOR = ".governor"
"""How the readings end that only a person or a service changes. Limits follow the heat too."""
RAISE_AFTER = 3

PHASES: dict[TurnPhase, Phase] = {
    TurnPhase.WAITING: "unknown",
    TurnPhase.PREFILL: "prefill",
    TurnPhase.THINKING: "decode",
    TurnPhase.ANSWERING: "decode",
}


class BoardView:
    """Board facts after the newest snapshot. Not thread-safe: one thread updates and reads it."""

    def __init__(self) -> None:
        self._watch = AlertWatch()
        self._causes: Debouncer[Finding] = Debouncer(raise_after=RAISE_AFTER, clear_after=5)
        self._at_work: tuple[Finding, ...] = ()
        """The findings of the last time that a model computed."""
        self._governors_at_work: Mapping[str, ReadingValue] = {}
        self._samples_at_work = 0
        self._answers = AnswerLog()
        self.facts = BoardFacts()
        self.alerts: tuple[Alert, ...] = ()
        """The present alerts, worst first."""
        self.wants_neighbours = False
        """Whether the next call of :meth:`saw` should pass ``neighbours``: a finding can name
        them."""

    def saw(
        self,
        snapshot: Snapshot,
        stats: TurnStats | None,
        model: ModelInfo | None,
        is_finishing: bool,
        *,
        is_benchmark: bool = False,
        t0_ns: int | None = None,
        now_ns: int | None = None,
        neighbours: Sequence[Neighbour] = (),
        root: Path | None = None,
    ) -> None:
        """Update from a new snapshot, the numbers of the present or last answer, and the model.

        ``is_finishing``: the server still computes an answer that was stopped. ``is_benchmark``: a
        benchmark of npulse uses this board, so that a load without a request is not another
        program's. ``t0_ns`` is when the answer's request was sent; if None, the answer is not added
        to the past answers. ``now_ns`` is when ``stats`` was taken; if None, the snapshot's time.
        Both are on the monotonic clock. ``root`` is the root directory of the snapshot: commands
        for a simulated board write below it.
        """
        alerts = self._watch.feed(snapshot)
        self.alerts = alerts.active
        if stats is not None and t0_ns is not None:
            self._answers.saw(t0_ns, stats, snapshot.t_ns if now_ns is None else now_ns)
        bound = decode_bound(snapshot, stats, model)
        phase = "idle" if stats is None else PHASES.get(stats.phase, "idle")
        work = Work(
            phase="unknown" if is_benchmark and phase == "idle" else phase,
            is_server_finishing=is_finishing,
            roofline_share=None if bound.roofline is None else bound.roofline.share,
            neighbours=tuple(neighbours),
        )
        found = why_slow(snapshot, work)
        if root is not None and snapshot.get("board.simulated").value is not None:
            found = commands_below(found, root)
        self.wants_neighbours = any(finding.rule in NEEDS_NAMES for finding in found)
        shown = self._causes.feed((finding.rule, finding) for finding in found)
        order = {finding.rule: number for number, finding in enumerate(found)}
        # Findings with a remedy come before mere explanations; within each, the costliest first.
        shown.sort(key=lambda item: (item.weight != "act", order.get(item.rule, len(order))))
        self.facts = BoardFacts(
            findings=tuple(shown),
            past_findings=self._past(snapshot, work, shown),
            decode=bound,
            trend=self._watch.trend,
            answers=self._answers.marks,
            remedies=tuple(remedies(snapshot)),
            alert=alerts.active[0].sentence if alerts.active else None,
            ram_alert=next((a.sentence for a in alerts.active if a.key == "ram"), None),
            has_new_alert=bool(alerts.new),
            model=model,
        )

    def _past(
        self, snapshot: Snapshot, work: Work, shown: Sequence[Finding]
    ) -> tuple[Finding, ...]:
        """See :attr:`BoardFacts.past_findings`. ``shown`` are the present ones."""
        governors = {
            name: reading.value
            for name, reading in snapshot.readings.items()
            if name.endswith(GOVERNOR)
        }
        if not is_busy(snapshot, work):
            self._samples_at_work = 0
            if governors != self._governors_at_work:
                self._at_work = ()
            now = {finding.rule for finding in shown}
            return tuple(finding for finding in self._at_work if finding.rule not in now)
        self._samples_at_work += 1
        if shown or self._samples_at_work >= RAISE_AFTER:
            self._at_work = tuple(item for item in shown if item.rule not in AT_WORK_ONLY)
        self._governors_at_work = governors
        return ()


def decode_bound(
    snapshot: Snapshot, stats: TurnStats | None, model: ModelInfo | None
) -> DecodeBound:
    """The last decode rate and its upper bound by memory bandwidth, or the first reason why not."""
    name = None if model is None else model.name
    rate_tps = None if stats is None else stats.decode_tps
    is_estimated = stats is not None and stats.decode_source == "estimated"
    size_bytes, is_guessed = _weights(model)
    bound = DecodeBound(
        rate_tps=rate_tps,
        is_rate_estimated=is_estimated,
        is_size_guessed=is_guessed,
        neighbours=tuple(nearest(name, size_bytes)) if name else (),
    )
    peak_gbps = snapshot.number("ddr.peak_bandwidth")
    reasons = (
        (rate_tps is None, NO_RATE),
        (model is None, NO_MODEL),
        (size_bytes is None, NO_SIZE),
        (peak_gbps is None, NO_BANDWIDTH),
    )
    reason = next((text for is_so, text in reasons if is_so), None)
    if reason or rate_tps is None or size_bytes is None or peak_gbps is None:
        return replace(bound, reason=reason)
    tops = [clock for clock in snapshot.numbers("ddr.table") if clock is not None]
    line = roofline(
        rate_tps,
        size_bytes,
        peak_gbps,
        model=name or "",
        context_tokens=(stats.context_used or 0) if stats is not None else 0,
        clock_mhz=max(tops) / 1e6 if tops else None,
    )
    return replace(bound, roofline=line, reason=None if line else NO_RATE)


def _weights(model: ModelInfo | None) -> tuple[int | None, bool]:
    """The size of the weights, and whether it was derived from name and data type."""
    if model is None:
        return None, False
    if model.size_bytes:
        return model.size_bytes, False
    need = requirement(model.name, model.quantisation or model.name, 1)
    return (need.weights_bytes, True) if need and need.weights_bytes else (None, False)
