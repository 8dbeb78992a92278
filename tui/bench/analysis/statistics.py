"""Estimates with confidence intervals: bootstrap, Hodges-Lehmann, detectable change.

Quantiles are interpolated linearly between order statistics (Hyndman and Fan 1996, type 7). The
random numbers come from a seeded generator, so that a journal always gives the same report. All
functions raise ValueError for values that are not finite.
"""

from __future__ import annotations

import math
import random
import statistics
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import NormalDist, median

from tui.bench.analysis.ranks import finite_all
from tui.core.turn.order_statistics import median_absolute_deviation, quantile, quantile_of_sorted

RESAMPLES = 10_000
SHIFT_RESAMPLES = 2_000
TAIL = 0.025
"""Probability on either side of a 95 % interval."""
MAD_SCALE = 1.4826
"""Factor by which the MAD of a normal sample estimates its standard deviation."""
_EXACT_PAIRS = 250_000
_BOOTSTRAP_LIMIT = 2_000


@dataclass(frozen=True, slots=True)
class Interval:
    """A 95 % confidence interval and its method."""

    low: float
    high: float
    method: str


def mean(values: Sequence[float]) -> float | None:
    """Arithmetic mean; None without values."""
    data = finite_all(values)
    return statistics.mean(data) if data else None


def sample_sd(values: Sequence[float]) -> float | None:
    """Sample standard deviation (n - 1); 0 for one value, as in llama-bench; None without values
    and on overflow."""
    data = finite_all(values)
    if len(data) < 2:
        return 0.0 if data else None
    try:
        return statistics.stdev(data)
    except OverflowError:
        return None


def variation(values: Sequence[float]) -> float | None:
    """Coefficient of variation; None with fewer than two values or a mean of zero."""
    centre, spread = mean(values), sample_sd(values)
    if len(values) < 2 or not centre or spread is None:
        return None
    return spread / abs(centre)


def mad(values: Sequence[float]) -> float | None:
    """Median absolute deviation times 1.4826; None without values."""
    spread = median_absolute_deviation(finite_all(values))
    return None if spread is None else MAD_SCALE * spread


def needed_for(q: float) -> int:
    """Least sample size for a percentile: 2/(1-q), which is 20 for p90 and 200 for p99."""
    return math.ceil(2 / (1 - q) - 1e-9) if q < 1 else 1


def percentile(values: Sequence[float], q: float) -> float | None:
    """The quantile, or None if the sample is smaller than :func:`needed_for`."""
    return quantile(finite_all(values), q) if len(values) >= needed_for(q) else None


def _at(ordered: Sequence[float], q: float) -> float:
    value = quantile_of_sorted(ordered, q)
    assert value is not None  # callers have at least one value
    return value


def bootstrap(
    values: Sequence[float],
    statistic: Callable[[Sequence[float]], float] = median,
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Interval | None:
    """Percentile bootstrap interval (95 %) of a statistic; None with fewer than two values.

    For more than 2,000 values, the interval of the *median* is from its order statistics (normal
    approximation of the binomial rank), and that of another statistic from fewer resamples.
    """
    data = finite_all(values)
    n = len(data)
    if n < 2:
        return None
    if data.count(data[0]) == n:
        point = float(statistic(data))
        return Interval(point, point, "all equal")
    if n > _BOOTSTRAP_LIMIT and statistic is median:
        return _order_interval(sorted(data))
    rounds = max(200, min(resamples, resamples * _BOOTSTRAP_LIMIT // n))
    choose = random.Random(seed).choices
    take = _quick_median if statistic is median else statistic
    drawn = sorted(float(take(choose(data, k=n))) for _ in range(rounds))
    return Interval(
        _at(drawn, TAIL), _at(drawn, 1 - TAIL), f"percentile bootstrap, B={rounds}, seed={seed}"
    )


def _quick_median(values: Sequence[float]) -> float:
    """The median without checks of its input, as it is computed ten thousand times."""
    ordered = sorted(values)
    middle = len(ordered) // 2
    if len(ordered) % 2:
        return ordered[middle]
    return (ordered[middle - 1] + ordered[middle]) / 2


def _z() -> float:
    """The normal quantile for a 95 % interval, about 1.96."""
    return NormalDist().inv_cdf(1 - TAIL)


def share_interval(count: int, n: int) -> Interval:
    """Wilson's score interval (95 %, Wilson 1927) of the share ``count`` / ``n``. It is valid for
    small n too. Raises ValueError unless n is 1 or more and ``count`` from 0 to n."""
    if n < 1 or not 0 <= count <= n:
        raise ValueError("a share needs a count of at least one value")
    z = _z()
    centre = (count + z * z / 2) / (n + z * z)
    reach = z * math.sqrt(count * (n - count) / n + z * z / 4) / (n + z * z)
    return Interval(max(0.0, centre - reach), min(1.0, centre + reach), "Wilson score")


def _order_interval(data: Sequence[float]) -> Interval:
    reach = _z() * math.sqrt(len(data)) / 2
    low = max(0, math.floor((len(data) - 1) / 2 - reach))
    high = min(len(data) - 1, math.ceil((len(data) - 1) / 2 + reach))
    return Interval(data[low], data[high], "order statistics")


def walsh_median(data: Sequence[float]) -> float:
    """:func:`hodges_lehmann` for few values, without checks of its input."""
    return _quick_median([x + y for i, x in enumerate(data) for y in data[i:]]) / 2


def hodges_lehmann(values: Sequence[float]) -> float | None:
    """Hodges-Lehmann estimate of one sample: the median of all pairwise means (Walsh averages);
    None without values."""
    data = sorted(finite_all(values))
    n = len(data)
    if not n:
        return None
    if n * (n + 1) // 2 <= _EXACT_PAIRS:
        return walsh_median(data)
    negated = [-value for value in reversed(data)]
    # This counts the pairs (i, j) twice and (i, i) once. For so many values, the difference is far
    # below the uncertainty of the estimate.
    return _middle_difference(negated, data) / 2


def shift(a: Sequence[float], b: Sequence[float]) -> float | None:
    """Hodges-Lehmann shift: the median of all differences b - a; None if a sample is empty."""
    left, right = sorted(finite_all(a)), sorted(finite_all(b))
    if not left or not right:
        return None
    if len(left) * len(right) <= _EXACT_PAIRS:
        return median(y - x for x in left for y in right)
    return _middle_difference(left, right)


def _middle_difference(left: Sequence[float], right: Sequence[float]) -> float:
    """Median of right - left over all pairs of two sorted samples, by bisection on the value."""
    low, high = right[0] - left[-1], right[-1] - left[0]
    half = len(left) * len(right) / 2
    for _ in range(100):
        guess = low + (high - low) / 2
        below = sum(bisect_right(right, x + guess) for x in left)
        if below < half:
            low = guess
        else:
            high = guess
        if high - low <= 1e-12 * max(1e-300, abs(low), abs(high)):
            break
    return high


def shift_interval(a: Sequence[float], b: Sequence[float], *, seed: int = 0) -> Interval | None:
    """Bootstrap interval of :func:`shift`, resampling both; None unless each has two values."""
    left, right = finite_all(a), finite_all(b)
    if len(left) < 2 or len(right) < 2:
        return None
    rounds = max(100, min(SHIFT_RESAMPLES, SHIFT_RESAMPLES * 2_500 // (len(left) * len(right))))
    choose = random.Random(seed).choices
    drawn = []
    for _ in range(rounds):
        x, y = choose(left, k=len(left)), choose(right, k=len(right))
        value = shift(x, y)
        if value is not None:
            drawn.append(value)
    drawn.sort()
    return Interval(
        _at(drawn, TAIL),
        _at(drawn, 1 - TAIL),
        f"percentile bootstrap of the shift, B={rounds}, seed={seed}",
    )


def detectable_pct(values: Sequence[float]) -> float | None:
    """Minimal detectable change in per cent: 2.8 * CV * sqrt(2/n) (80 % power, alpha 5 %).

    None with fewer than two values, which have no spread.
    """
    cv = variation(values)
    return None if cv is None else 100 * 2.8 * cv * math.sqrt(2 / len(values))


def nearest(times: Sequence[int], at: int) -> int | None:
    """Index of the entry nearest to ``at`` in a sorted sequence; None if it is empty."""
    if not times:
        return None
    right = bisect_left(times, at)
    if right == 0:
        return 0
    if right == len(times):
        return right - 1
    return right if times[right] - at < at - times[right - 1] else right - 1
