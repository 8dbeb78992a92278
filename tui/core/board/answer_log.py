"""Start, end and rate of each answer, as marks on the time axis of the board's history."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from tui.core.turn.turn_stats import TurnStats

MAX_ANSWERS = 120
"""Ten minutes of answers that take five seconds each."""


@dataclass(frozen=True, slots=True)
class AnswerMark:
    """One answer on the time axis; times are ``perf_counter_ns``.

    ``rates_tps`` is tokens a second in bins of ``bin_ns`` from ``first_ns`` on, the first token.
    """

    start_ns: int
    first_ns: int | None
    end_ns: int
    """Its end; for a running answer, the time of the last update."""
    is_running: bool
    rates_tps: tuple[float, ...] = ()
    bin_ns: int = 0
    is_estimated: bool = True
    """Whether the rates come from an estimated token count."""

    def points(self) -> list[tuple[int, float | None]]:
        """The middle of each bin with its rate, closed by a gap."""
        if self.first_ns is None or not self.bin_ns:
            return []
        first_ns, bin_ns = self.first_ns, self.bin_ns
        found: list[tuple[int, float | None]] = []
        for number, rate_tps in enumerate(self.rates_tps):
            # The last bin may hardly have begun: its middle would lie after the end.
            t_ns = min(first_ns + round((number + 0.5) * bin_ns), max(self.end_ns, first_ns))
            found.append((t_ns, rate_tps))
        return [*found, (found[-1][0], None)] if found else []


def mark_of(t0_ns: int, stats: TurnStats, now_ns: int) -> AnswerMark:
    """The mark of an answer that was sent at ``t0_ns``."""
    end_ns = now_ns if stats.latency_ms is None else t0_ns + round(stats.latency_ms * 1e6)
    return AnswerMark(
        start_ns=t0_ns,
        first_ns=None if stats.ttft_ms is None else t0_ns + round(stats.ttft_ms * 1e6),
        end_ns=max(end_ns, t0_ns),
        is_running=not stats.phase.is_over,
        rates_tps=stats.rate_history_tps,
        bin_ns=round(stats.rate_history_bin_s * 1e9),
        is_estimated=stats.tokens_source == "estimated",
    )


class AnswerLog:
    """Remembers the last answers; takes the numbers of the present one with every board sample."""

    def __init__(self) -> None:
        self._marks: deque[AnswerMark] = deque(maxlen=MAX_ANSWERS)

    def saw(self, t0_ns: int, stats: TurnStats, now_ns: int) -> None:
        """The numbers of the answer that was sent at ``t0_ns``, which also tells it apart."""
        mark = mark_of(t0_ns, stats, now_ns)
        if self._marks and self._marks[-1].start_ns == t0_ns:
            self._marks[-1] = mark
        else:
            self._end_last(t0_ns)
            self._marks.append(mark)

    def _end_last(self, next_ns: int) -> None:
        """An answer that was last seen running ended before the next one began."""
        if self._marks and self._marks[-1].is_running:
            last = self._marks.pop()
            end_ns = max(last.start_ns, min(last.end_ns, next_ns))
            self._marks.append(
                AnswerMark(
                    last.start_ns,
                    last.first_ns,
                    end_ns,
                    False,
                    last.rates_tps,
                    last.bin_ns,
                    last.is_estimated,
                )
            )

    @property
    def marks(self) -> tuple[AnswerMark, ...]:
        """Every answer that is remembered, oldest first."""
        return tuple(self._marks)
