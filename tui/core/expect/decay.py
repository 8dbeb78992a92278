"""Detects answers that are clearly slower than usual at their size and depth, and the cause.

Prefill and decoding are judged apart, each against the line through the earlier answers. Fewer than
ten of them judge nothing. An answer is clearly slower where it is beyond what nearly all earlier
ones were, and by a tenth at least. Where ten earlier ones ran at the same clocks and were as slow,
that is usual there. It is said once: not of an answer whose predecessor was slow already.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from tui.core.expect.decode import DecodeFit, fit_decode
from tui.core.expect.past_answer import Conditions, PastAnswer
from tui.core.expect.prefill import PrefillFit, fit_prefill
from tui.core.expect.spread import Spread, middle_of
from tui.core.text import format as fmt

MIN_EARLIER = 10
MIN_SLOWER = 1.10
WIDENING = 2.3
"""From the span of eight tenths to that of nearly all: 3 / 1.28 standard deviations."""
SAME_CLOCK = 0.03
HOTTER_C = 8.0

Judge = Callable[[PastAnswer], "tuple[float, Spread] | None"]
"""An answer's time relative to the usual one, and the spread of earlier ones; None where
unknown.
"""


@dataclass(frozen=True, slots=True)
class Decay:
    """How much slower, in per cent of the usual time, and what differs; None is not slower."""

    decode_pct: float | None = None
    prefill_pct: float | None = None
    differences: tuple[str, ...] = ()
    """``NPU 600 MHz, usually 1000 MHz``."""
    is_board_known: bool = True
    """The board was read while the answer ran."""

    @property
    def sentence(self) -> str:
        """``decoding 31 % slower than usual at this depth: NPU 600 MHz, usually 1000 MHz``."""
        parts = []
        if self.decode_pct is not None:
            parts.append(f"decoding {self.decode_pct:.0f} % slower than usual at this depth")
        if self.prefill_pct is not None:
            parts.append(f"prefill {self.prefill_pct:.0f} % slower than usual at this size")
        why = "; ".join(self.differences)
        if not why:
            why = "no difference in the readings" if self.is_board_known else ""
        told = ", ".join(parts)
        return f"{told}: {why}" if why else told


def decay_of(
    past: Sequence[PastAnswer], answer: PastAnswer, *, others: str | None = None
) -> Decay | None:
    """Whether it was slower than the earlier ones (oldest first); None where it was not, or where
    that was said already. ``others`` names another program that was at work."""
    decode = _slower(past, answer, _decode)
    prefill = _slower(past, answer, _prefill)
    if decode is None and prefill is None:
        return None
    return Decay(
        decode,
        prefill,
        differences(past, answer.conditions, others),
        answer.conditions != Conditions(),
    )


def decode_ratio(fit: DecodeFit | None, answer: PastAnswer) -> tuple[float, Spread] | None:
    """Time of a token over the usual time at its depth, and how the earlier ones lay."""
    if fit is None or fit.n < MIN_EARLIER or answer.depth is None or answer.ms_per_token is None:
        return None
    return answer.ms_per_token / fit.at(answer.depth), fit.ratios


def prefill_ratio(fit: PrefillFit | None, answer: PastAnswer) -> tuple[float, Spread] | None:
    """Time to the first token over the usual one at its size; of a first prompt, or one of which
    the server told what was cached."""
    if fit is None or fit.n < MIN_EARLIER or answer.ttft_s is None or not answer.prompt_tokens:
        return None
    if answer.cached_share is None and answer.is_follow_up:
        return None
    size = answer.prompt_tokens * (1 - (answer.cached_share or 0.0))
    return answer.ttft_s / fit.at(size), fit.ratios


def _decode(past: Sequence[PastAnswer]) -> Judge:
    fit = fit_decode(past)
    return lambda answer: decode_ratio(fit, answer)


def _prefill(past: Sequence[PastAnswer]) -> Judge:
    fit = fit_prefill(past)
    return lambda answer: prefill_ratio(fit, answer)


def _slower(
    past: Sequence[PastAnswer],
    answer: PastAnswer,
    judge_by: Callable[[Sequence[PastAnswer]], Judge],
) -> float | None:
    """Slowdown in per cent, where it is significant."""
    judge = judge_by(past)
    pct = _pct_slower(judge(answer))
    if pct is None:
        return None
    alike = [one for one in past if has_same_clocks(one.conditions, answer.conditions)]
    at_clocks = judge_by(alike)(answer)
    if at_clocks is not None and _pct_slower(at_clocks) is None:
        return None
    told = [number for number, one in enumerate(past) if judge(one) is not None]
    if told and _pct_slower(judge_by(past[: told[-1]])(past[told[-1]])) is not None:
        return None
    return pct


def _pct_slower(found: tuple[float, Spread] | None) -> float | None:
    """Per cent above the usual time, where it is clearly above."""
    if found is None:
        return None
    value, usual = found
    high = usual.likely if usual.high is None else usual.high
    limit = max(MIN_SLOWER * usual.likely, usual.likely + WIDENING * (high - usual.likely))
    return (value / usual.likely - 1) * 100 if value > limit else None


def has_same_clocks(one: Conditions, other: Conditions) -> bool:
    """Whether NPU and memory ran at the same clocks; False where neither is known."""
    pairs = ((one.npu_hz, other.npu_hz), (one.ddr_hz, other.ddr_hz))
    known = [(a, b) for a, b in pairs if a is not None and b is not None]
    return bool(known) and all(abs(a / b - 1) <= SAME_CLOCK for a, b in known)


def differences(
    past: Sequence[PastAnswer], now: Conditions, others: str | None = None
) -> tuple[str, ...]:
    """Differences of the board from its usual state, in words."""
    usual = [one.conditions for one in past]
    found = [
        _lower("NPU", now.npu_hz, [one.npu_hz for one in usual]),
        _lower("DDR", now.ddr_hz, [one.ddr_hz for one in usual]),
        _lower("CPU", now.cpu_hz, [one.cpu_hz for one in usual]),
        _hotter(now.hottest_c, [one.hottest_c for one in usual]),
        _other("rknpu", now.driver, [one.driver for one in usual]),
        _other("librkllmrt", now.runtime, [one.runtime for one in usual]),
        others,
    ]
    return tuple(words for words in found if words)


def _lower(name: str, now_hz: float | None, usual_hz: Iterable[float | None]) -> str | None:
    known = [value for value in usual_hz if value]
    if now_hz is None or not known:
        return None
    middle = middle_of(known)
    if now_hz >= middle * (1 - SAME_CLOCK):
        return None
    return f"{name} {fmt.megahertz(now_hz)}, usually {fmt.megahertz(middle)}"


def _hotter(now_c: float | None, usual_c: Iterable[float | None]) -> str | None:
    known = [value for value in usual_c if value]
    if now_c is None or not known:
        return None
    middle = middle_of(known)
    if now_c < middle + HOTTER_C:
        return None
    return f"{fmt.celsius(now_c)}, usually {fmt.celsius(middle)}"


def _other(name: str, now: str | None, usual: Iterable[str | None]) -> str | None:
    known = Counter(value for value in usual if value)
    if now is None or not known:
        return None
    (most, _), *_ = known.most_common(1)
    return None if now == most else f"{name} {now}, usually {most}"
