"""Estimates against known answers, and at the sizes where formulae break."""

from __future__ import annotations

import math
import random
from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.bench.analysis import statistics as stat
from tui.core.theil_sen import theil_sen

FINITE = st.floats(-1e6, 1e6, allow_nan=False)


def test_nothing_gives_nothing() -> None:
    for estimate in (stat.mean, stat.sample_sd, stat.mad, stat.variation, stat.hodges_lehmann):
        assert estimate([]) is None
    assert stat.bootstrap([]) is None
    assert stat.shift([], [1.0]) is None
    assert theil_sen([], []) is None
    assert stat.detectable_pct([]) is None
    assert stat.percentile([], 0.5) is None
    assert stat.nearest([], 5) is None


def test_one_value_has_no_spread_and_no_interval() -> None:
    assert stat.mean([3.0]) == 3.0
    assert stat.sample_sd([3.0]) == 0.0
    assert stat.mad([3.0]) == 0.0
    assert stat.hodges_lehmann([3.0]) == 3.0
    assert stat.shift([3.0], [4.0]) == 1.0
    assert stat.bootstrap([3.0]) is None
    assert stat.shift_interval([3.0], [4.0, 5.0]) is None
    assert stat.variation([3.0]) is None
    assert stat.detectable_pct([3.0]) is None
    assert theil_sen([1.0], [1.0]) is None


def test_two_values() -> None:
    assert stat.sample_sd([1.0, 3.0]) == pytest.approx(math.sqrt(2))
    interval = stat.bootstrap([1.0, 3.0], seed=1)
    assert interval is not None
    assert (interval.low, interval.high) == (1.0, 3.0)
    line = theil_sen([0.0, 2.0], [1.0, 5.0])
    assert line is not None
    assert (line.intercept, line.slope, line.slope_low) == (1.0, 2.0, None)


def test_equal_values_have_width_zero() -> None:
    values = [3.14] * 10
    interval = stat.bootstrap(values)
    assert interval is not None
    assert interval.low == interval.high == 3.14
    assert stat.mad(values) == 0
    assert stat.sample_sd(values) == 0
    assert stat.detectable_pct(values) == 0
    assert theil_sen(values, values) is None


@pytest.mark.slow
def test_huge_values_and_huge_samples() -> None:
    assert stat.mean([1e308, 1e308]) == pytest.approx(1e308)
    assert stat.sample_sd([1e308, 1e308]) == 0
    rng = random.Random(1)
    many = [rng.gauss(10, 1) for _ in range(50_000)]
    interval = stat.bootstrap(many)
    assert interval is not None
    assert interval.low < median(many) < interval.high
    assert interval.high - interval.low < 0.1
    assert stat.hodges_lehmann(many) == pytest.approx(10, abs=0.05)
    assert stat.shift(many, [value + 2 for value in many]) == pytest.approx(2, abs=0.01)
    line = theil_sen(list(range(5_000)), [2.0 * i + 1 for i in range(5_000)])
    assert line is not None
    assert line.slope == pytest.approx(2)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_not_finite_is_refused(bad: float) -> None:
    for estimate in (stat.mean, stat.sample_sd, stat.mad, stat.bootstrap, stat.hodges_lehmann):
        with pytest.raises(ValueError):
            estimate([1.0, bad])
    with pytest.raises(ValueError):
        stat.percentile([bad] * 200, 0.5)


def test_known_spread() -> None:
    # 1, 1, 2, 2, 4, 6, 9: median 2, absolute deviations 1 1 0 0 2 4 7, their median 1.
    assert stat.mad([1, 1, 2, 2, 4, 6, 9]) == pytest.approx(1.4826)
    assert stat.sample_sd([2, 4, 4, 4, 5, 5, 7, 9]) == pytest.approx(math.sqrt(32 / 7))


@pytest.mark.parametrize(("q", "needed"), [(0.5, 4), (0.9, 20), (0.95, 40), (0.99, 200)])
def test_a_percentile_needs_its_sample(q: float, needed: int) -> None:
    assert stat.needed_for(q) == needed
    values = [float(i) for i in range(needed)]
    assert stat.percentile(values[:-1], q) is None
    assert stat.percentile(values, q) == pytest.approx((needed - 1) * q)


def test_percentile_is_type_seven() -> None:
    values = [15.0, 20.0, 35.0, 40.0, 50.0] * 4
    assert stat.percentile(values, 0.9) == pytest.approx(50)
    assert stat.percentile([1.0, 2.0, 3.0, 4.0], 0.25) == pytest.approx(1.75)


def test_bootstrap_is_reproducible_and_covers() -> None:
    values = [3.16, 3.14, 3.15, 3.19, 3.15, 3.00]
    assert stat.bootstrap(values, seed=7) == stat.bootstrap(values, seed=7)
    rng = random.Random(11)
    covered = 0
    for run in range(120):
        sample = [rng.gauss(5, 1) for _ in range(15)]
        interval = stat.bootstrap(sample, resamples=400, seed=run)
        assert interval is not None
        covered += interval.low <= 5 <= interval.high
    assert covered >= 100


def test_an_outlier_moves_the_mean_not_the_median_interval() -> None:
    values = [3.1, 3.12, 3.11, 3.13, 3.1, 3.12, 3.11, 3.14, 3.13, 31.0]
    interval = stat.bootstrap(values)
    centre = stat.mean(values)
    assert interval is not None
    assert interval.high < 3.2
    assert centre is not None
    assert centre > 5


def test_hodges_lehmann_known_answer() -> None:
    # Walsh averages of 1, 2, 6: 1, 1.5, 3.5, 2, 4, 6; their median is 2.75.
    assert stat.hodges_lehmann([1, 2, 6]) == 2.75
    assert stat.shift([1, 2, 3], [11, 12, 14]) == 10


def test_bisected_shift_equals_the_direct_one() -> None:
    rng = random.Random(2)
    a = [rng.gauss(0, 1) for _ in range(501)]
    b = [rng.gauss(1, 1) for _ in range(501)]
    direct = median(y - x for x in a for y in b)
    assert stat.shift(a, b) == pytest.approx(direct, abs=1e-9)


def test_theil_sen_shrugs_off_outliers() -> None:
    x = list(range(20))
    y = [2.0 * value + 1 for value in x]
    y[5], y[12] = 500.0, -500.0
    line = theil_sen(x, y)
    assert line is not None
    assert line.slope == pytest.approx(2)
    assert line.intercept == pytest.approx(1)
    assert line.slope_low is not None
    assert line.slope_high is not None
    assert line.slope_low <= 2 <= line.slope_high
    assert line.at(10) == pytest.approx(21)


@pytest.mark.parametrize(
    ("cv", "n", "expected"), [(1, 3, 2.3), (1, 5, 1.8), (1, 10, 1.25), (2, 5, 3.5), (2, 10, 2.5)]
)
def test_detectable_change(cv: float, n: int, expected: float) -> None:
    rng = random.Random(n)
    raw = [rng.gauss(0, 1) for _ in range(n)]
    centre, spread = stat.mean(raw), stat.sample_sd(raw)
    assert centre is not None
    assert spread is not None
    values = [100 + (value - centre) / spread * cv for value in raw]
    assert stat.detectable_pct(values) == pytest.approx(expected, abs=0.05)


def test_nearest() -> None:
    times = [10, 20, 30]
    assert [stat.nearest(times, at) for at in (0, 14, 15, 26, 99)] == [0, 0, 0, 2, 2]


@given(st.lists(FINITE, min_size=2, max_size=12))
def test_every_estimate_lies_within_the_sample(values: list[float]) -> None:
    low, high = min(values), max(values)
    slack = 1e-9 * max(1.0, abs(low), abs(high))
    for estimate in (stat.mean(values), stat.hodges_lehmann(values)):
        assert estimate is not None
        assert low - slack <= estimate <= high + slack
    interval = stat.bootstrap(values, resamples=50)
    assert interval is not None
    assert low <= interval.low <= interval.high <= high
