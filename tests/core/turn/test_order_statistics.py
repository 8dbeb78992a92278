from __future__ import annotations

import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.core.turn.order_statistics import (
    median,
    median_absolute_deviation,
    quantile,
    quantile_of_sorted,
)

numbers = st.lists(st.floats(-1e12, 1e12), min_size=2, max_size=50)


@pytest.mark.parametrize(
    ("values", "share", "expected"),
    [
        ([], 0.5, None),
        ([7], 0.0, 7),
        ([7], 0.99, 7),
        ([1, 2], 0.5, 1.5),
        ([1, 2], 0.25, 1.25),
        ([5, 5, 5, 5], 0.9, 5),
        ([4, 1, 3, 2], 0.5, 2.5),
        ([4, 1, 3, 2], 0.9, 3.7),
        # numpy.quantile([3, 6, 7, 8, 8, 10, 13, 15, 16, 20], [0.25, 0.5, 0.75, 0.99])
        ([3, 6, 7, 8, 8, 10, 13, 15, 16, 20], 0.25, 7.25),
        ([3, 6, 7, 8, 8, 10, 13, 15, 16, 20], 0.5, 9),
        ([3, 6, 7, 8, 8, 10, 13, 15, 16, 20], 0.75, 14.5),
        ([3, 6, 7, 8, 8, 10, 13, 15, 16, 20], 0.99, 19.64),
        ([3, 6, 7, 8, 8, 10, 13, 15, 16, 20], 1.0, 20),
        ([1e300, 1e300, 1e300], 0.5, 1e300),
    ],
)
def test_known_quantiles(values: list[float], share: float, expected: float | None) -> None:
    got = quantile(values, share)
    assert got is None if expected is None else got == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("share", [-0.01, 1.01, float("nan")])
def test_a_share_outside_is_refused(share: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        quantile_of_sorted([1.0], share)


@given(numbers)
def test_as_the_standard_library_has_it(values: list[float]) -> None:
    assert median(values) == pytest.approx(statistics.median(values))
    cuts = statistics.quantiles(values, n=100, method="inclusive")
    for per_cent in (1, 25, 90, 99):
        assert quantile(values, per_cent / 100) == pytest.approx(
            cuts[per_cent - 1], rel=1e-9, abs=1e-3
        )


def test_a_hundred_thousand_values() -> None:
    values = range(100_001)
    assert median(values) == 50_000
    assert quantile(values, 0.99) == pytest.approx(99_000)


def test_deviation_from_the_median() -> None:
    assert median_absolute_deviation([]) is None
    assert median_absolute_deviation([3]) == 0
    assert median_absolute_deviation([2, 2, 2]) == 0
    assert median_absolute_deviation([1, 1, 2, 2, 4, 6, 9]) == 1
    assert median_absolute_deviation(iter([1, 1, 2, 2, 4, 6, 9])) == 1
