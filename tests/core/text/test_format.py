"""Numbers as they are shown: precision, units, and never a 0 for what is not known."""

from __future__ import annotations

import pytest

from tui.core.text import format as fmt


@pytest.mark.parametrize(
    ("value", "shown"),
    [(3.14159, "3.14"), (9.994, "9.99"), (9.996, "10.0"), (15.59, "15.6"), (248.9, "249")],
)
def test_rate_has_three_digits(value: float, shown: str) -> None:
    assert fmt.rate(value) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (1.254, "1.25 s"),
        (9.999, "10.0 s"),
        (41.26, "41.3 s"),
        (59.99, "1 min 00 s"),
        (258.2, "4 min 18 s"),
        (3599.7, "1 h 00 min"),
        (3725.0, "1 h 02 min"),
    ],
)
def test_seconds(value: float, shown: str) -> None:
    assert fmt.seconds(value) == shown


def test_clock_milliseconds_and_sizes() -> None:
    assert (fmt.clock(41), fmt.clock(258), fmt.clock(3729)) == ("0:41", "4:18", "1:02:09")
    assert (fmt.milliseconds(3.14), fmt.milliseconds(341.4), fmt.milliseconds(1250)) == (
        "3.1 ms",
        "341 ms",
        "1.25 s",
    )
    assert fmt.size(52 * 2**20) == "52 MiB"
    assert fmt.size(5027e6) == "4.7 GiB"
    assert fmt.megahertz(1e9) == "1000 MHz"


@pytest.mark.parametrize(
    "show",
    [
        fmt.rate, fmt.seconds, fmt.long_seconds, fmt.clock, fmt.milliseconds,
        fmt.gib, fmt.size, fmt.megahertz, fmt.percent, fmt.celsius,
    ],
)  # fmt: skip
def test_unknown_is_a_dash(show: object) -> None:
    assert callable(show)
    assert show(None) == "–"


def test_source_marks() -> None:
    assert fmt.marked("212", "estimated") == "~212"
    assert fmt.marked("212", "runtime") == "212"
    assert fmt.marked("212", "unknown") == "–"
