from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.core.turn.pace import FIRST_BIN_NS, MAX_BINS, Pace

S = 1_000_000_000


def test_a_steady_stream_is_flat_at_any_speed() -> None:
    for rate in (0.3, 3.13, 17, 250):
        pace = Pace(7 * S)
        for number in range(1, 3000):
            pace.add(7 * S + round(number * S / rate))
        assert pace.rates() == pytest.approx([rate] * len(pace.rates()), rel=1e-6)


def test_a_stall_is_a_dip_as_long_as_it_lasted() -> None:
    pace = Pace(0)
    for t_ms in [*range(100, 2001, 100), *range(6100, 8001, 100)]:
        pace.add(t_ms * 1_000_000)
    rates = pace.rates()
    assert len(rates) == 32
    assert rates[:8] == pytest.approx([10] * 8)
    assert all(rate < 1 for rate in rates[8:24])
    assert rates[25:] == pytest.approx([10] * 7)


def test_one_chunk_has_no_rate() -> None:
    assert Pace(5).rates() == ()


def test_the_row_never_outgrows_its_bins() -> None:
    pace = Pace(0)
    pace.add(S)
    pace.add(3600 * S)
    assert len(pace.rates()) <= MAX_BINS
    assert pace.bin_ns == FIRST_BIN_NS * 128


@given(st.lists(st.integers(0, 10**11), max_size=200))
def test_every_chunk_is_counted_once(gaps_ns: list[int]) -> None:
    pace = Pace(0)
    t_ns = 0
    for gap_ns in gaps_ns:
        t_ns += gap_ns
        pace.add(t_ns)
    assert sum(pace._amounts) == pytest.approx(len(gaps_ns))
    assert len(pace._amounts) <= MAX_BINS
