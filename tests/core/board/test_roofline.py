"""Decoding against the memory's bandwidth, and against published rows."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.core.board.roofline import REFERENCE, nearest, roofline


def test_share_of_the_bound() -> None:
    """38.4 GB/s over 4.58 GB are 8.4 tokens a second."""
    found = roofline(3.13, 4_580_000_000, 38.4, clock_mhz=2400)
    assert found is not None
    assert found.ceiling_tps == pytest.approx(8.38, abs=0.01)
    assert found.share == pytest.approx(0.373, abs=0.001)
    assert found.assumption == (
        "each token reads 4.3 GiB of weights once; the memory moves 38.4 GB/s at most at 2400 MHz"
    )


def test_context_lowers_the_bound() -> None:
    short = roofline(3.0, 4_600_000_000, 38.4, model="qwen3-4b", context_tokens=0)
    long = roofline(3.0, 4_600_000_000, 38.4, model="qwen3-4b", context_tokens=8192)
    assert short is not None
    assert long is not None
    assert long.ceiling_tps < short.ceiling_tps
    assert "1152 MiB of KV cache" in long.assumption


@pytest.mark.parametrize(
    "numbers", [(0.0, 1, 1.0), (1.0, 0, 1.0), (1.0, 1, 0.0), (math.nan, 1, 1.0), (math.inf, 1, 1.0)]
)
def test_nothing_to_compare(numbers: tuple[float, int, float]) -> None:
    assert roofline(*numbers) is None


def test_the_model_itself_where_it_was_published() -> None:
    rows = nearest("Qwen3-0.6B-w8a8", 800_000_000)
    assert [row.row.release for row in rows] == ["v1.3.0", "v1.2.1"]
    assert all(row.label.startswith("published") for row in rows)


def test_neighbours_are_labelled_as_other_models() -> None:
    rows = nearest("qwen3-4b", 4_600_000_000)
    assert [row.row.model for row in rows] == ["Qwen3.5-4B", "MiniCPM3-4B"]
    for row in rows:
        assert row.label.startswith("another model")


def test_no_name_and_no_size() -> None:
    assert nearest("unheard-of", None) == []
    assert len(REFERENCE) == 7


@given(st.floats(), st.integers(-10, 1 << 40), st.floats(), st.integers(0, 1 << 20))
def test_any_numbers(rate: float, size: int, bandwidth: float, context: int) -> None:
    found = roofline(rate, size, bandwidth, model="qwen3-4b", context_tokens=context)
    assert found is None or 0 <= found.share < math.inf


@given(st.text(max_size=20), st.one_of(st.none(), st.integers(-(1 << 40), 1 << 40)))
def test_any_model(name: str, size: int | None) -> None:
    assert len(nearest(name, size)) <= 2
