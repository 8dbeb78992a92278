"""Compares two runs, paired by prompt if possible, with confidence intervals and rank tests.

Paired, if both runs have three or more prompts in common: per prompt the log ratio of the medians
over its repetitions; of these the Hodges-Lehmann estimate, a bootstrap interval, and the Wilcoxon
signed-rank test. Unpaired: the Hodges-Lehmann shift divided by the median of A, a bootstrap
interval, and the Mann-Whitney test. The verdict "faster" or "slower" needs a 95 % interval that
excludes zero and a change of at least the metric's threshold. If the samples are too small for any
significance, the verdict is "inconclusive", never "same".
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import msgspec

from tui.bench.analysis import statistics as stat
from tui.bench.analysis.comparability import Difference, differences
from tui.bench.analysis.ranks import RankTest, holm, mann_whitney, wilcoxon
from tui.bench.analysis.summary import headline_source, scored, value_of
from tui.bench.model.comparison import Comparison, Dropped, Row, Share, Verdict
from tui.bench.model.metrics import change_pct, finite, metric, ratio
from tui.bench.model.records import Document, Request, Source

METRICS = (
    "decode_tps",
    "ttft_client_ms",
    "prefill_ms",
    "prefill_tps",
    "prefill_tps_est",
    "itl_p50_ms",
    "latency_ms",
    "rss_mb",
    "energy_j_per_tok",
    "load_s",
)
MIN_PAIRS = 3
ALPHA = 0.05
PAIR_RESAMPLES = 1_000


class NotComparableError(ValueError):
    """Fields that must be equal differ. The message names them; ``found`` is a result without
    rows."""

    def __init__(self, found: Comparison) -> None:
        super().__init__("; ".join(found.blocking))
        self.found = found


def compare(
    a: Document,
    b: Document,
    *,
    vary: Sequence[str] = (),
    is_forced: bool = False,
    excludes_tainted: bool = False,
    seed: int = 1,
) -> Comparison:
    """Compare run ``b`` with the baseline ``a``.

    ``vary`` names fields that may differ. ``is_forced`` compares in spite of blocking differences;
    without it, they raise NotComparableError. ``excludes_tainted`` leaves out requests with a
    taint. ``seed`` is that of the bootstrap.
    """
    found = differences(a, b, frozenset(vary))
    comparison = _without_rows(a, b, found, vary)
    if comparison.blocking and not is_forced:
        raise NotComparableError(comparison)
    left, right = (_usable(document, excludes_tainted) for document in (a, b))
    sources = (headline_source(left), headline_source(right))
    rows = [row for name in METRICS if (row := _row(name, left, right, sources, seed)) is not None]
    tested = [i for i, row in enumerate(rows) if row.p is not None]
    adjusted = holm([p for row in rows if (p := row.p) is not None])
    for at, value in zip(tested, adjusted, strict=True):
        rows[at] = msgspec.structs.replace(rows[at], p_holm=value)
    return msgspec.structs.replace(
        comparison,
        is_forced=bool(comparison.blocking),
        rows=tuple(rows),
        shares=_shares(a, b),
        dropped=_dropped(a, b),
        per_prompt=_per_prompt(left, right, sources),
    )


def _without_rows(
    a: Document, b: Document, found: Sequence[Difference], vary: Sequence[str]
) -> Comparison:
    return Comparison(
        a=a.run.id,
        b=b.run.id,
        model_a=a.model.name,
        model_b=b.model.name,
        is_simulated=(a.run.simulated, b.run.simulated),
        is_forced=False,
        vary=tuple(vary),
        blocking=tuple(d.sentence for d in found if d.is_blocking),
        warnings=tuple(d.sentence for d in found if not d.is_blocking),
    )


def _usable(document: Document, excludes_tainted: bool) -> list[Request]:
    return [r for r in scored(document.requests) if not (excludes_tainted and r.taint)]


@dataclass(frozen=True, slots=True)
class _Estimate:
    """A relative change (0.05 is 5 %) with its 95 % interval, test, and detectable change."""

    delta: float | None
    low: float | None
    high: float | None
    test: RankTest | None
    mdc_pct: float | None
    is_testable: bool


def _by_prompt(
    requests: Sequence[Request], name: str, source: Source
) -> dict[tuple[str, str], list[float]]:
    values: dict[tuple[str, str], list[float]] = {}
    for request in requests:
        value = value_of(request, name, source)
        if value is not None:
            values.setdefault((request.id, request.group), []).append(value)
    return values


def _row(
    name: str,
    left: Sequence[Request],
    right: Sequence[Request],
    sources: tuple[Source, Source],
    seed: int,
) -> Row | None:
    a, b = _by_prompt(left, name, sources[0]), _by_prompt(right, name, sources[1])
    if not a or not b:
        return None
    shared = [key for key in a if key in b]
    is_paired = len(shared) >= MIN_PAIRS
    if is_paired:
        xs = [median(a[key]) for key in shared]
        ys = [median(b[key]) for key in shared]
        estimate = _paired(xs, ys, seed)
    else:
        # Prompts in common only, if there are any: different prompts differ in length.
        kept = shared or [*a, *b]
        xs = [value for key in kept for value in a.get(key, [])]
        ys = [value for key in kept for value in b.get(key, [])]
        if not xs or not ys:
            return None
        estimate = _unpaired(xs, ys, seed)
    return _judged(name, xs, ys, estimate, is_paired, _estimated(name, sources))


def compare_values(
    name: str,
    before: Sequence[float],
    after: Sequence[float],
    *,
    is_estimated: tuple[bool, bool] = (False, False),
    seed: int = 1,
) -> Row:
    """Compare a metric of two groups of answers that were measured alternately, unpaired.

    ``before`` and ``after`` have one value per answer. Raises ValueError if a group is empty or a
    value is not finite.
    """
    if not before or not after:
        raise ValueError("a comparison needs values on both sides")
    estimate = _unpaired(before, after, seed)
    return _judged(name, before, after, estimate, False, is_estimated)


def _judged(
    name: str,
    xs: Sequence[float],
    ys: Sequence[float],
    estimate: _Estimate,
    is_paired: bool,
    is_estimated: tuple[bool, bool],
) -> Row:
    known = metric(name)
    verdict, why = _verdict(name, estimate)
    interval = None
    if estimate.low is not None and estimate.high is not None:
        interval = (100 * estimate.low, 100 * estimate.high)
    return Row(
        metric=name,
        unit=known.unit,
        a=median(xs),
        b=median(ys),
        delta_pct=None if estimate.delta is None else 100 * estimate.delta,
        ci95_pct=interval,
        p=None if estimate.test is None else estimate.test.p,
        p_holm=None,
        mdc_pct=estimate.mdc_pct,
        n_a=len(xs),
        n_b=len(ys),
        is_paired=is_paired,
        is_estimated=is_estimated,
        verdict=verdict,
        why=why,
    )


def _estimated(name: str, sources: tuple[Source, Source]) -> tuple[bool, bool]:
    if name != "decode_tps":
        return (name.endswith("_est"),) * 2
    return sources[0] == "estimated", sources[1] == "estimated"


def _paired(xs: Sequence[float], ys: Sequence[float], seed: int) -> _Estimate:
    pairs = [(x, y) for x, y in zip(xs, ys, strict=True) if x > 0 and y > 0]
    logs = [math.log(y / x) for x, y in pairs]
    if not logs:
        return _Estimate(None, None, None, None, None, is_testable=False)
    centre = stat.hodges_lehmann(logs) or 0.0
    interval = stat.bootstrap(logs, stat.walsh_median, resamples=PAIR_RESAMPLES, seed=seed)
    test = wilcoxon(logs)
    spread = stat.sample_sd(logs) or 0.0
    mdc = 100 * 2.8 * spread / math.sqrt(len(logs)) if len(logs) > 1 else None
    smallest = 2.0 ** (1 - min(len(logs), 1000))
    return _Estimate(
        delta=math.expm1(centre),
        low=None if interval is None else math.expm1(interval.low),
        high=None if interval is None else math.expm1(interval.high),
        test=test,
        mdc_pct=mdc,
        is_testable=smallest <= ALPHA,
    )


def _unpaired(xs: Sequence[float], ys: Sequence[float], seed: int) -> _Estimate:
    base = median(xs)
    moved = stat.shift(xs, ys)
    interval = stat.shift_interval(xs, ys, seed=seed)
    test = mann_whitney(xs, ys)
    spreads = [v for v in (stat.variation(xs), stat.variation(ys)) if v is not None]
    smaller = min(len(xs), len(ys))
    mdc = 100 * 2.8 * max(spreads) * math.sqrt(2 / smaller) if spreads else None
    return _Estimate(
        delta=ratio(moved, abs(base)),
        low=None if interval is None else ratio(interval.low, abs(base)),
        high=None if interval is None else ratio(interval.high, abs(base)),
        test=test,
        mdc_pct=finite(mdc),
        is_testable=test is not None and 2 / math.comb(len(xs) + len(ys), len(xs)) <= ALPHA,
    )


def _verdict(name: str, estimate: _Estimate) -> tuple[Verdict, str]:
    known = metric(name)
    threshold = known.threshold_pct / 100
    if estimate.delta is None:
        return "inconclusive", "no baseline to divide by"
    if estimate.low is None or estimate.high is None:
        return "inconclusive", "one value on a side has no spread"
    if not estimate.is_testable:
        return "inconclusive", "too few values for any significance"
    excludes_zero = estimate.low > 0 or estimate.high < 0
    if excludes_zero and abs(estimate.delta) >= threshold:
        is_better = (estimate.delta > 0) == (known.better == "higher")
        words: tuple[Verdict, Verdict] = ("faster", "slower")
        if known.unit in ("MB", "J"):
            words = ("less", "more") if known.better == "lower" else ("more", "less")
        return (words[0] if is_better else words[1]), ""
    if -threshold <= estimate.low and estimate.high <= threshold:
        return "same", f"within ±{known.threshold_pct:g} %"
    if excludes_zero:
        return "inconclusive", f"a change, but maybe below {known.threshold_pct:g} %"
    return "inconclusive", "the interval includes both zero and relevant changes"


def _shares(a: Document, b: Document) -> tuple[Share, ...]:
    def success(document: Document) -> str:
        return f"{len(scored(document.requests))}/{len(document.requests)}"

    def checks(document: Document) -> str:
        kept = [
            c
            for r in scored(document.requests)
            for c in r.checks
            if c.passed is not None and not c.info
        ]
        return f"{sum(bool(c.passed) for c in kept)}/{len(kept)}"

    return (
        Share(name="answered", a=success(a), b=success(b)),
        Share(name="checks passed", a=checks(a), b=checks(b)),
    )


def _dropped(a: Document, b: Document) -> tuple[Dropped, ...]:
    """Prompts without a usable answer on both sides, with their status on each side."""

    def states(document: Document) -> dict[str, str]:
        found: dict[str, str] = {}
        for request in document.requests:
            if request.is_scored or request.id not in found:
                found[request.id] = request.status
        return found

    left, right = states(a), states(b)
    names = list(dict.fromkeys((*left, *right)))
    usable = {"ok", "capped"}
    return tuple(
        Dropped(id=name, a=left.get(name, "absent"), b=right.get(name, "absent"))
        for name in names
        if left.get(name) not in usable or right.get(name) not in usable
    )


def _per_prompt(
    left: Sequence[Request], right: Sequence[Request], sources: tuple[Source, Source]
) -> tuple[tuple[str, float | None, float | None], ...]:
    a, b = _by_prompt(left, "decode_tps", sources[0]), _by_prompt(right, "decode_tps", sources[1])
    keys = list(dict.fromkeys((*a, *b)))
    return tuple(
        (
            key[0],
            median(a[key]) if key in a else None,
            median(b[key]) if key in b else None,
        )
        for key in keys
    )


def total_change(a: Document, b: Document, name: str) -> float | None:
    """Change of a run's total in per cent; None if a side lacks it or the baseline is zero."""
    before, after = a.totals.get(name), b.totals.get(name)
    if before is None or after is None:
        return None
    return change_pct(before.value, after.value)
