"""Rank tests (Mann-Whitney, Wilcoxon, Spearman) and the Holm correction.

For small samples, p is from the exact conditional distribution of the rank sum, with ties, counted
over doubled mid-ranks. For larger ones it is the normal approximation with tie correction.

Sources: Mann and Whitney 1947, Wilcoxon 1945, Holm 1979; tie correction as in Lehmann,
"Nonparametrics", 1975.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import StatisticsError, correlation

EXACT_POOLED = 40
"""Mann-Whitney is exact up to this number of values in both samples together."""
EXACT_PAIRS = 60
"""Wilcoxon is exact up to this number of non-zero differences."""


@dataclass(frozen=True, slots=True)
class RankTest:
    """Result of a test: its statistic and the two-sided p."""

    statistic: float
    p: float
    is_exact: bool


def finite_all(values: Sequence[float]) -> list[float]:
    """The values as floats. Raises ValueError for NaN and infinity."""
    out = [float(value) for value in values]
    if not all(map(math.isfinite, out)):
        raise ValueError("statistics need finite numbers")
    return out


def doubled_ranks(values: Sequence[float]) -> list[int]:
    """Twice the mid-rank of each value: integers also with ties."""
    order = sorted(range(len(values)), key=values.__getitem__)
    ranks = [0] * len(values)
    start = 0
    while start < len(order):
        end = start
        while end + 1 < len(order) and values[order[end + 1]] == values[order[start]]:
            end += 1
        for index in order[start : end + 1]:
            ranks[index] = start + end + 2
        start = end + 1
    return ranks


def _subset_sums(ranks: Sequence[int], size: int) -> Counter[int]:
    """The number of subsets of ``size`` ranks for each sum."""
    tables: list[Counter[int]] = [Counter() for _ in range(size + 1)]
    tables[0][0] = 1
    for taken, rank in enumerate(ranks):
        for k in range(min(taken + 1, size), 0, -1):
            target = tables[k]
            for total, count in tables[k - 1].items():
                target[total + rank] += count
    return tables[size]


def _signed_sums(ranks: Sequence[int]) -> Counter[int]:
    """The number of the 2^n sign patterns for each sum of positive ranks."""
    table: Counter[int] = Counter({0: 1})
    for rank in ranks:
        grown = Counter(table)
        for total, count in table.items():
            grown[total + rank] += count
        table = grown
    return table


def _two_sided(table: Counter[int], observed: int) -> float:
    """Two-sided p of ``observed`` in a symmetric distribution."""
    total = sum(table.values())
    low = sum(count for value, count in table.items() if value <= observed)
    high = sum(count for value, count in table.items() if value >= observed)
    return min(1.0, 2 * min(low, high) / total)


def _normal_p(distance: float, variance: float) -> float:
    """Two-sided p of a distance from the mean, with continuity correction."""
    if variance <= 0:
        return 1.0
    z = max(0.0, abs(distance) - 0.5) / math.sqrt(variance)
    return math.erfc(z / math.sqrt(2))


def _tie_term(values: Sequence[float]) -> int:
    return sum(count**3 - count for count in Counter(values).values())


def mann_whitney(a: Sequence[float], b: Sequence[float]) -> RankTest | None:
    """Mann-Whitney U test of two independent samples; None if one of them is empty.

    The null hypothesis is that both have the same distribution. The statistic is U of ``a``: the
    number of pairs in which ``a`` is larger, ties counting half. Raises ValueError for values that
    are not finite.
    """
    pooled = finite_all(a) + finite_all(b)
    n, m = len(a), len(b)
    if not n or not m:
        return None
    ranks = doubled_ranks(pooled)
    rank_sum = sum(ranks[:n])
    u = rank_sum / 2 - n * (n + 1) / 2
    if n + m <= EXACT_POOLED:
        return RankTest(u, _two_sided(_subset_sums(ranks, n), rank_sum), is_exact=True)
    size = n + m
    variance = n * m / 12 * (size + 1 - _tie_term(pooled) / (size * (size - 1)))
    return RankTest(u, _normal_p(u - n * m / 2, variance), is_exact=False)


def wilcoxon(differences: Sequence[float]) -> RankTest | None:
    """Wilcoxon signed-rank test of paired differences; None if all of them are zero.

    The null hypothesis is a median of zero. Zero differences are dropped, as by Wilcoxon. The
    statistic is the sum of the ranks of positive differences. Raises ValueError for values that are
    not finite.
    """
    kept = [value for value in finite_all(differences) if value != 0]
    if not kept:
        return None
    ranks = doubled_ranks([abs(value) for value in kept])
    positive = sum(rank for rank, value in zip(ranks, kept, strict=True) if value > 0)
    n = len(kept)
    if n <= EXACT_PAIRS:
        p = _two_sided(_signed_sums(ranks), positive)
        return RankTest(positive / 2, p, is_exact=True)
    variance = n * (n + 1) * (2 * n + 1) / 24 - _tie_term([abs(value) for value in kept]) / 48
    p = _normal_p(positive / 2 - n * (n + 1) / 4, variance)
    return RankTest(positive / 2, p, is_exact=False)


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's step-down correction for multiple tests; the result keeps the order of the input."""
    count = len(p_values)
    adjusted = [0.0] * count
    highest = 0.0
    for rank, index in enumerate(sorted(range(count), key=p_values.__getitem__)):
        highest = max(highest, min(1.0, (count - rank) * p_values[index]))
        adjusted[index] = highest
    return adjusted


def spearman(x: Sequence[float], y: Sequence[float]) -> float | None:
    """Spearman's rank correlation; None with fewer than three pairs or a constant variable. Raises
    ValueError for different lengths and for values that are not finite."""
    if len(x) != len(y):
        raise ValueError("a correlation needs pairs")
    if len(x) < 3:
        return None
    try:
        found = correlation(doubled_ranks(finite_all(x)), doubled_ranks(finite_all(y)))
    except StatisticsError:
        # A variable is constant.
        return None
    return max(-1.0, min(1.0, found))


def spearman_given(x: Sequence[float], y: Sequence[float], given: Sequence[float]) -> float | None:
    """Partial rank correlation of ``x`` and ``y`` given a third variable.

    The plain correlation if ``given`` is constant; None if it determines ``x`` or ``y``. Raises as
    :func:`spearman`.
    """
    plain = spearman(x, y)
    with_x, with_y = spearman(x, given), spearman(y, given)
    if plain is None or with_x is None or with_y is None:
        return plain
    rest = (1 - with_x * with_x) * (1 - with_y * with_y)
    if rest <= 1e-12:
        return None
    return max(-1.0, min(1.0, (plain - with_x * with_y) / math.sqrt(rest)))
