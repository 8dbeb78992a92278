"""Alerts do not flap, and say when they are new."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tui.board.advice.alerts import Alerts, AlertWatch
from tui.board.advice.debounce import Debouncer
from tui.core.board.reading import Reading, Snapshot

NS = 1_000_000_000
GIB = 1 << 30


class Stream:
    """Snapshots a second apart."""

    def __init__(self) -> None:
        self.watch = AlertWatch()
        self.t_ns = 0

    def feed(
        self,
        *,
        soc: float | None = 50.0,
        free: float | None = 8.0,
        throttle: str = "none",
        flags: tuple[str, ...] = (),
    ) -> Alerts:
        self.t_ns += NS
        readings = {
            "soc.temp": Reading.absent("x") if soc is None else Reading(soc, "°C"),
            "thermal.trip_critical": Reading(115.0, "°C"),
            "ram.total": Reading(16 * GIB, "B"),
            "ram.available": Reading.absent("x") if free is None else Reading(int(free * GIB), "B"),
            "throttle": Reading(throttle, flags=flags),
        }
        return self.watch.feed(Snapshot(self.t_ns, 0.0, readings))


def keys(alerts: Alerts) -> list[str]:
    return [alert.key for alert in alerts.active]


def test_quiet() -> None:
    stream = Stream()
    for _ in range(30):
        assert stream.feed() == Alerts()


def test_heat_between_its_two_thresholds() -> None:
    stream = Stream()
    seen = [keys(stream.feed(soc=soc)) for soc in (84.9, 85.0, 84.0, 86.0, 80.0, 79.9, 84.9)]
    assert seen == [[], ["heat"], ["heat"], ["heat"], ["heat"], [], []]


def test_new_only_once() -> None:
    stream = Stream()
    assert [alert.key for alert in stream.feed(soc=90).new] == ["heat"]
    assert stream.feed(soc=91).new == ()
    stream.feed(soc=40)
    assert [alert.key for alert in stream.feed(soc=90).new] == ["heat"]


def test_near_the_critical_trip_it_says_so() -> None:
    assert "switches off at 115 °C" in Stream().feed(soc=106).active[0].sentence


def test_a_sensor_that_fails_neither_raises_nor_clears() -> None:
    stream = Stream()
    assert stream.feed(soc=None) == Alerts()
    stream.feed(soc=90)
    assert keys(stream.feed(soc=None)) == ["heat"]
    assert keys(stream.feed(soc=50)) == []


def test_ram_between_its_two_thresholds() -> None:
    stream = Stream()
    assert keys(stream.feed(free=0.7)) == ["ram"]
    assert keys(stream.feed(free=1.1)) == ["ram"]
    stream = Stream()
    assert keys(stream.feed(free=1.1)) == []


def test_ram_that_will_run_out() -> None:
    stream = Stream()
    alerts = Alerts()
    for second in range(60):
        alerts = stream.feed(free=4.0 - 0.01 * second)
    [alert] = alerts.active
    assert (alert.key, alert.level) == ("ram", "warn")
    assert alert.sentence.startswith("RAM runs out in about 5 min")


def test_throttling_has_to_last() -> None:
    stream = Stream()
    flags = ("npu 800 of 1000 MHz",)
    assert keys(stream.feed(throttle="capped", flags=flags)) == []
    alerts = stream.feed(throttle="capped", flags=flags)
    assert alerts.active[0].sentence == "slowed by heat: npu 800 of 1000 MHz"
    assert [keys(stream.feed()) for _ in range(5)] == [["throttle"]] * 4 + [[]]
    for _ in range(10):
        assert keys(stream.feed(throttle="limited by user", flags=flags)) == []


def test_worst_first() -> None:
    stream = Stream()
    for _ in range(2):
        alerts = stream.feed(soc=90, free=0.5, throttle="capped", flags=("x",))
    assert [alert.level for alert in alerts.active] == ["bad", "bad", "warn"]


@given(st.lists(st.booleans(), max_size=40), st.integers(1, 5), st.integers(1, 5))
def test_steady_changes_no_faster_than_it_should(
    present: list[bool], raise_after: int, clear_after: int
) -> None:
    steady: Debouncer[str] = Debouncer(raise_after, clear_after)
    shown = [bool(steady.feed([("k", "v")] if here else [])) for here in present]
    for index in range(1, len(shown)):
        if shown[index] and not shown[index - 1]:
            assert all(present[index - raise_after + 1 : index + 1])
        if shown[index - 1] and not shown[index]:
            assert not any(present[index - clear_after + 1 : index + 1])
