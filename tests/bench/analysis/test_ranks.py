"""Rank tests against published answers and against plain enumeration."""

from __future__ import annotations

import itertools
import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.bench.analysis.ranks import (
    doubled_ranks,
    holm,
    mann_whitney,
    spearman,
    spearman_given,
    wilcoxon,
)

SMALL = st.lists(st.integers(-5, 5).map(float), min_size=1, max_size=5)


def test_mann_whitney_known_answer() -> None:
    # Ages at diagnosis of nine patients, the worked example of scipy.stats.mannwhitneyu.
    result = mann_whitney([19, 22, 16, 29, 24], [20, 11, 17, 12])
    assert result is not None
    assert result.statistic == 17
    assert result.p == pytest.approx(1 / 9)
    assert result.is_exact


def test_wilcoxon_known_answer() -> None:
    # Darwin's maize, the worked example of scipy.stats.wilcoxon: T = 24 on the smaller side.
    heights = [6, 8, 14, 16, 23, 24, 28, 29, 41, -48, 49, 56, 60, -67, 75]
    result = wilcoxon(heights)
    assert result is not None
    assert result.statistic == 120 - 24
    assert result.p == pytest.approx(0.041259765625)


@pytest.mark.parametrize(("n", "floor"), [(3, 0.10), (4, 0.0286), (5, 0.0079)])
def test_mann_whitney_floor(n: int, floor: float) -> None:
    result = mann_whitney(list(range(n)), list(range(100, 100 + n)))
    assert result is not None
    assert result.p == pytest.approx(floor, abs=5e-5)


@pytest.mark.parametrize(("n", "floor"), [(5, 0.0625), (6, 0.03125)])
def test_wilcoxon_floor(n: int, floor: float) -> None:
    result = wilcoxon(list(range(1, n + 1)))
    assert result is not None
    assert result.p == floor


@given(SMALL, SMALL)
def test_mann_whitney_equals_enumeration(a: list[float], b: list[float]) -> None:
    result = mann_whitney(a, b)
    assert result is not None
    ranks = doubled_ranks(a + b)
    seen = sum(ranks[: len(a)])
    sums = [sum(choice) for choice in itertools.combinations(ranks, len(a))]
    low = sum(value <= seen for value in sums)
    high = sum(value >= seen for value in sums)
    assert result.p == pytest.approx(min(1.0, 2 * min(low, high) / len(sums)))


@given(st.lists(st.integers(-6, 6).map(float), min_size=1, max_size=8))
def test_wilcoxon_equals_enumeration(differences: list[float]) -> None:
    result = wilcoxon(differences)
    kept = [value for value in differences if value]
    if not kept:
        assert result is None
        return
    assert result is not None
    ranks = doubled_ranks([abs(value) for value in kept])
    seen = sum(rank for rank, value in zip(ranks, kept, strict=True) if value > 0)
    sums = [
        sum(rank for rank, sign in zip(ranks, signs, strict=True) if sign)
        for signs in itertools.product((0, 1), repeat=len(kept))
    ]
    low, high = sum(v <= seen for v in sums), sum(v >= seen for v in sums)
    assert result.p == pytest.approx(min(1.0, 2 * min(low, high) / len(sums)))


def test_large_samples_meet_the_exact_answer() -> None:
    rng = random.Random(3)
    a = [rng.gauss(0, 1) for _ in range(20)]
    b = [rng.gauss(0.6, 1) for _ in range(20)]
    exact = mann_whitney(a, b)
    approximate = mann_whitney(a, [*b, b[0] + 1e-9])
    assert exact is not None
    assert approximate is not None
    assert exact.is_exact
    assert not approximate.is_exact
    assert approximate.p == pytest.approx(exact.p, rel=0.25)
    pairs = [rng.gauss(0.3, 1) for _ in range(60)]
    one, other = wilcoxon(pairs), wilcoxon([*pairs, 0.001])
    assert one is not None
    assert other is not None
    assert one.is_exact
    assert not other.is_exact
    assert other.p == pytest.approx(one.p, rel=0.1, abs=0.01)


def test_huge_and_equal_and_empty() -> None:
    assert mann_whitney([], [1.0]) is None
    assert wilcoxon([]) is None
    assert wilcoxon([0.0, 0.0]) is None
    equal = mann_whitney([2.0] * 50, [2.0] * 50)
    assert equal is not None
    assert equal.p == 1.0
    huge = mann_whitney([1e308] * 3, [-1e308] * 3)
    assert huge is not None
    assert huge.statistic == 9
    many = mann_whitney(list(range(20_000)), list(range(5, 20_005)))
    assert many is not None
    assert 0.5 < many.p <= 1


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_not_finite_is_refused(bad: float) -> None:
    with pytest.raises(ValueError):
        mann_whitney([1.0, bad], [2.0])
    with pytest.raises(ValueError):
        wilcoxon([bad])


def test_holm() -> None:
    # The textbook example: 0.01, 0.04, 0.03, 0.005.
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([]) == []
    assert holm([0.9, 0.8]) == [1.0, 1.0]


def test_spearman() -> None:
    # IQ and hours of television, a textbook example without ties: rho = -29/165.
    iq = [106, 100, 86, 101, 99, 103, 97, 113, 112, 110]
    hours = [7, 27, 2, 50, 28, 29, 20, 12, 6, 17]
    assert spearman(iq, hours) == pytest.approx(-29 / 165)
    assert spearman([1, 2, 3], [5, 5, 5]) is None
    assert spearman([1, 2], [1, 2]) is None
    with pytest.raises(ValueError):
        spearman([1, 2, 3], [1, 2])


def test_spearman_takes_the_common_cause_out() -> None:
    rng = random.Random(5)
    context = [float(i) for i in range(400)]
    heat = [value + rng.gauss(0, 20) for value in context]
    gap = [value + rng.gauss(0, 20) for value in context]
    plain, partial = spearman(heat, gap), spearman_given(heat, gap, context)
    assert plain is not None
    assert plain > 0.9
    assert partial is not None
    assert abs(partial) < 0.2
    assert spearman_given(context, gap, context) is None
    assert spearman_given(heat, gap, [1.0] * 400) == plain
