"""Trend of a model's speed per day, relative to the usual time at each size and depth."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from tui.core.expect.decay import (
    MIN_EARLIER,
    MIN_SLOWER,
    decode_ratio,
    differences,
    prefill_ratio,
)
from tui.core.expect.decode import fit_decode
from tui.core.expect.past_answer import Conditions, PastAnswer
from tui.core.expect.prefill import fit_prefill
from tui.core.expect.spread import middle_of
from tui.core.theil_sen import theil_sen

WEEK_MS = 7 * 86_400_000
LATEST = 3
STEADY_PCT = 3.0
"""A drift over the whole time that is smaller than this is none."""


@dataclass(frozen=True, slots=True)
class Drift:
    """How the speed changed, in per cent a week; below zero it became slower."""

    pct_a_week: float
    low: float | None
    """Of its 95 % interval."""
    high: float | None
    total_pct: float
    """Over the whole time."""

    @property
    def is_steady(self) -> bool:
        """It may as well be none, or is too small to matter."""
        is_open = self.low is None or self.high is None or self.low <= 0 <= self.high
        return is_open or abs(self.total_pct) < STEADY_PCT


@dataclass(frozen=True, slots=True)
class Day:
    """The medians of one day. A share of 1 is the usual speed; None is not known."""

    day: str
    answers: int
    decode_tps: float | None
    decode_share: float | None
    ttft_s: float | None
    prefill_share: float | None
    conditions: Conditions
    changes: tuple[str, ...] = ()
    """What of the board was not as on the days before."""


@dataclass(frozen=True, slots=True)
class Trend:
    """The whole trend, oldest day first. A drift is None with fewer than ten answers that tell it,
    or where all were given at one time.
    """

    answers: int
    days: tuple[Day, ...]
    decode: Drift | None
    prefill: Drift | None
    latest: str | None = None
    """That the last answers were clearly slower than usual, and what differs; None where not."""


def trend_of(past: Sequence[PastAnswer], day_of: Callable[[int], str]) -> Trend:
    """The trend of these answers (oldest first). ``day_of`` gives the day of a time in ms."""
    by_depth, by_size = fit_decode(past), fit_prefill(past)
    decode = {i: 1 / r[0] for i, one in enumerate(past) if (r := decode_ratio(by_depth, one))}
    prefill = {i: 1 / r[0] for i, one in enumerate(past) if (r := prefill_ratio(by_size, one))}
    by_day: dict[str, list[int]] = {}
    for number, one in enumerate(past):
        by_day.setdefault(day_of(one.created_ms), []).append(number)
    days: list[Day] = []
    before: list[PastAnswer] = []
    for day, numbers in by_day.items():
        answers = [past[number] for number in numbers]
        conditions = usual_conditions(answers)
        days.append(
            Day(
                day,
                len(answers),
                _middle(1000 / one.ms_per_token for one in answers if one.ms_per_token),
                _middle(decode[number] for number in numbers if number in decode),
                _middle(one.ttft_s for one in answers if one.ttft_s),
                _middle(prefill[number] for number in numbers if number in prefill),
                conditions,
                differences(before, conditions) if before else (),
            )
        )
        before += answers
    drifts = _drift(past, decode), _drift(past, prefill)
    return Trend(len(past), tuple(days), *drifts, latest_of(past, decode, prefill))


def latest_of(
    past: Sequence[PastAnswer], decode: Mapping[int, float], prefill: Mapping[int, float]
) -> str | None:
    """Whether the last three answers of each kind were a tenth slower than usual, and why."""
    told, numbers = [], set[int]()
    for name, shares in (("decoded", decode), ("prefilled", prefill)):
        last = list(shares)[-LATEST:]
        share = _middle(shares[number] for number in last)
        if len(shares) >= MIN_EARLIER + LATEST and share is not None and share < 1 / MIN_SLOWER:
            told.append(f"{name} at {share * 100:.0f} % of the usual speed")
            numbers.update(last)
    if not told:
        return None
    conditions = usual_conditions([past[number] for number in sorted(numbers)])
    earlier = [one for number, one in enumerate(past) if number not in numbers]
    why = "; ".join(differences(earlier, conditions)) or "no difference in the readings"
    return f"the last {LATEST} answers {' and '.join(told)}: {why}"


def usual_conditions(answers: Sequence[PastAnswer]) -> Conditions:
    """Medians of clocks and heat, and the newest versions."""
    known = [one.conditions for one in answers]
    versions = [(one.driver, one.runtime) for one in known]
    return Conditions(
        npu_hz=_middle(one.npu_hz for one in known if one.npu_hz),
        ddr_hz=_middle(one.ddr_hz for one in known if one.ddr_hz),
        cpu_hz=_middle(one.cpu_hz for one in known if one.cpu_hz),
        hottest_c=_middle(one.hottest_c for one in known if one.hottest_c),
        driver=next((driver for driver, _ in reversed(versions) if driver), None),
        runtime=next((runtime for _, runtime in reversed(versions) if runtime), None),
    )


def _middle(values: Iterable[float]) -> float | None:
    known = list(values)
    return middle_of(known) if known else None


def _drift(past: Sequence[PastAnswer], shares: dict[int, float]) -> Drift | None:
    if len(shares) < MIN_EARLIER:
        return None
    weeks = [past[number].created_ms / WEEK_MS for number in shares]
    line = theil_sen([week - weeks[0] for week in weeks], list(shares.values()))
    if line is None:
        return None
    return Drift(
        line.slope * 100,
        None if line.slope_low is None else line.slope_low * 100,
        None if line.slope_high is None else line.slope_high * 100,
        line.slope * (max(weeks) - min(weeks)) * 100,
    )
