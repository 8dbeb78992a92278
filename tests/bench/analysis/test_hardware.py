"""The board during a request: shares, taints, energy, gates, and what gaps have to do with it."""

from __future__ import annotations

import pytest

from tui.bench.analysis.correlate import correlate
from tui.bench.analysis.hardware import HardwareLog, Targets, energy_j, reduced, targets
from tui.bench.model.events import Sampled
from tui.bench.run import gates
from tui.bench.run.clocks import ClockWatch
from tui.core.board.reading import Reading, ReadingValue, Snapshot

S = 1_000_000_000
TARGETS = Targets(npu_hz=1e9, ddr_hz=2.4e9, cpu_hz=(None, 2.3e9))
GOOD: dict[str, float | str | None] = {
    "npu.freq": 1e9,
    "ddr.freq": 2.4e9,
    "cpu.freq.0": 1.8e9,
    "cpu.freq.1": 2.3e9,
    "npu.load.0": 90.0,
    "temp.max": 60.0,
    "throttle": "none",
    "ram.available": 9e9,
    "swap.used": 0.0,
    "server.rss": 5e9,
    "server.hwm": 5e9,
}


def log(rows: dict[float, dict[str, float | str | None]]) -> HardwareLog:
    made = HardwareLog(TARGETS)
    for at, change in rows.items():
        made.add(round(at * S), {**GOOD, **change})
    return made


def even(seconds: int, **change: float | str) -> dict[float, dict[str, float | str | None]]:
    return {float(at): dict(change) for at in range(seconds)}


def test_a_quiet_request_has_no_taint() -> None:
    found, taints = log(even(30)).describe(0, 30 * S, S, 29 * S)
    assert taints == ()
    assert found.clock_ok == {"npu": 100.0, "ddr": 100.0, "cpu": 100.0}
    assert found.samples == 30
    assert found.throttled_s == 0
    assert found.hwm_mb == pytest.approx(5e9 / 2**20, abs=0.01)


def test_a_clock_that_falls_for_eight_seconds() -> None:
    rows = even(30)
    for at in range(10, 18):
        rows[float(at)] = {"npu.freq": 6e8, "throttle": "capped", "temp.max": 87.0}
    found, taints = log(rows).describe(0, 30 * S, S, 29 * S)
    assert found.clock_ok_pct == pytest.approx(100 * 22 / 30, abs=0.1)
    assert found.throttled_s == pytest.approx(8)
    assert set(taints) == {"clock_low", "throttled"}
    assert found.t_max == 87


def test_idle_samples_do_not_count_against_the_clock() -> None:
    rows = even(10)
    rows[0.0] = {"ddr.freq": 5e8, "npu.load.0": 0.0}
    found, taints = log(rows).describe(0, 10 * S, S, 9 * S)
    assert found.clock_ok["ddr"] == 100
    assert taints == ()


def test_swap_background_and_our_own_load() -> None:
    rows = even(20, **{"cpu.sum": 320.0, "server.cpu": 200.0, "npulse.cpu": 15.0})
    rows[15.0] = {**rows[15.0], "swap.used": 50e6}
    for at in range(16, 20):
        rows[float(at)] = {**rows[float(at)], "swap.used": 50e6}
    _, taints = log(rows).describe(0, 20 * S, S, 19 * S)
    assert set(taints) == {"swap", "background", "ui_heavy"}


def test_a_moment_of_our_own_load_is_no_taint() -> None:
    rows = even(4, **{"npulse.cpu": 60.0})
    _, taints = log(rows).describe(0, 4 * S, S, 4 * S)
    assert taints == ()


def test_no_samples_no_claims() -> None:
    found, taints = HardwareLog().describe(0, S, None, None)
    assert (found.samples, found.clock_ok_pct, taints) == (0, None, ())


def test_energy_is_integrated_between_the_first_and_the_last_token() -> None:
    rows = [Sampled(t_ns=at * S, values={"power.w": 5.0 + at}) for at in range(11)]
    # From 2 s to 8 s the power rises from 7 to 13 W: 6 s at a mean of 10 W.
    assert energy_j(rows, 2 * S, 8 * S) == pytest.approx(60)
    assert energy_j(rows, 2 * S + S // 2, 3 * S + S // 2) is None
    assert energy_j([], 0, S) is None
    assert energy_j(rows, 5 * S, 5 * S) is None


def snapshot(**values: ReadingValue) -> Snapshot:
    readings = {
        name.replace("__", "."): Reading(value)
        if value is not None
        else Reading.absent("no driver")
        for name, value in values.items()
    }
    return Snapshot(0, 0.0, readings)


BOARD: dict[str, ReadingValue] = {
    "npu__freq": 1_000_000_000,
    "npu__table": (300_000_000, 1_000_000_000),
    "npu__governor": "performance",
    "npu__load": (0, 0, 0),
    "ddr__freq": 2_400_000_000,
    "ddr__table": (534_000_000, 2_400_000_000),
    "ddr__governor": "performance",
    "cpu__freq": (1_800_000_000, 2_304_000_000),
    "cpu__max_freq": (1_800_000_000, 2_304_000_000),
    "cpu__governor": "performance",
    "cpu__load": (2.0, 3.0),
    "soc__temp": 44.0,
    "temp__npu": 45.5,
    "throttle": "none",
    "ram__available": 9_000_000_000,
    "swap__used": 0,
    "psi__memory": 0.0,
}


def _gates(**change: ReadingValue) -> dict[str, str]:
    one = snapshot(**{**BOARD, **change})
    return {g.id: g.severity for g in gates.preflight([one, one], targets(one))}


def test_all_gates_pass_on_a_good_board() -> None:
    assert set(_gates().values()) == {"ok"}


@pytest.mark.parametrize(
    ("change", "gate", "severity"),
    [
        ({"npu__load": (0, 40, 0)}, "npu_idle", "refuse"),
        ({"npu__load": None}, "npu_idle", "warn"),
        ({"ddr__freq": 534_000_000}, "ddr_clock", "warn"),
        ({"ddr__freq": None, "ddr__table": None}, "ddr_clock", "warn"),
        ({"npu__freq": 300_000_000}, "npu_clock", "warn"),
        ({"cpu__freq": (408_000_000, 408_000_000)}, "cpu_clock", "warn"),
        ({"cpu__freq": None}, "cpu_clock", "warn"),
        ({"temp__npu": 72.0}, "heat", "warn"),
        ({"temp__npu": 90.0}, "heat", "refuse"),
        ({"temp__npu": None, "soc__temp": None}, "heat", "warn"),
        ({"throttle": "capped"}, "throttle", "warn"),
        ({"throttle": None}, "throttle", "warn"),
        ({"ram__available": 300 * 2**20}, "memory", "warn"),
        ({"ram__available": 50 * 2**20}, "memory", "refuse"),
        ({"ram__available": None}, "memory", "warn"),
        ({"swap__used": 10**9}, "swap", "warn"),
        ({"psi__memory": 40.0}, "pressure", "warn"),
        ({"cpu__load": (90.0, 50.0)}, "background", "warn"),
        ({"cpu__load": None}, "background", "warn"),
    ],
)
def test_each_gate_can_fail(change: dict[str, ReadingValue], gate: str, severity: str) -> None:
    found = _gates(**change)
    assert found[gate] == severity
    assert all(s == "ok" for name, s in found.items() if name != gate)


@pytest.mark.parametrize(
    ("governor", "severity"),
    [
        ("dmc_ondemand", "ok"),
        ("simple_ondemand", "ok"),
        ("powersave", "warn"),
        ("userspace", "warn"),
    ],
)
def test_a_low_clock_at_rest_is_judged_by_its_governor(governor: str, severity: str) -> None:
    found = _gates(ddr__freq=534_000_000, ddr__governor=governor)
    assert found["ddr_clock"] == severity
    cpu = _gates(cpu__freq=(408_000_000, 408_000_000), cpu__governor=f"performance {governor}")
    assert cpu["cpu_clock"] == severity


def test_a_gate_that_fails_names_its_fix() -> None:
    one = snapshot(**{**BOARD, "ddr__freq": 534_000_000})
    found = {g.id: g for g in gates.preflight([one], targets(one))}["ddr_clock"]
    assert found.fix is not None
    assert "tee" in found.fix
    assert "534 of 2400 MHz" in found.sentence


@pytest.mark.parametrize(
    "change",
    [
        {"ddr__freq": 534_000_000},
        {"cpu__freq": (408_000_000, 408_000_000)},
        {"swap__used": 10**9},
        {"npu__freq": 300_000_000, "npu__governor": "powersave"},
    ],
)
def test_in_a_container_the_fix_is_one_for_its_host(change: dict[str, ReadingValue]) -> None:
    one = snapshot(**{**BOARD, **change, "board__container": "docker", "npu__driver": "0.9.8"})
    fixes = [gate.fix for gate in gates.preflight([one], targets(one)) if gate.fix]
    assert len(fixes) == 1
    assert "container" in fixes[0]
    assert "on its host, as root: " in fixes[0]
    assert "sudo" not in fixes[0]


def test_strict_refuses_what_otherwise_warns() -> None:
    one = snapshot(**{**BOARD, "ddr__freq": 534_000_000})
    seen = gates.preflight([one], targets(one))
    assert gates.refuses(seen, strict=False) == []
    assert [g.id for g in gates.refuses(seen, strict=True)] == ["ddr_clock"]


def test_no_board_at_all() -> None:
    (only,) = gates.preflight([], Targets())
    assert only.severity == "warn"
    assert gates.cool_limit([]) is None


def test_cool_limit_is_relative_to_the_idle_board() -> None:
    one = snapshot(**BOARD)
    assert gates.cool_limit([one, one]) == pytest.approx(55.5)


def test_what_is_kept_of_a_snapshot() -> None:
    found = reduced(snapshot(**BOARD))
    assert found["npu.load.1"] == 0
    assert found["temp.max"] == 45.5
    assert found["cpu.sum"] == 5.0
    assert "power.w" not in found
    # A cluster of small cores is not held to its highest clock.
    assert targets(snapshot(**BOARD)).cpu_hz == (None, 2_304_000_000.0)


def test_steps_of_the_wall_clock_and_sleep() -> None:
    now = {"wall": 0, "mono": 0, "boot": 0}
    watch = ClockWatch(lambda: now["wall"], lambda: now["mono"], lambda: now["boot"])
    assert watch.step() is None
    for name in now:
        now[name] += 60 * S
    assert watch.step() is None
    now["wall"] -= 3600 * S
    said = watch.step()
    assert said is not None
    assert "-3600.0 s" in said
    assert watch.step() is None
    now["boot"] += 30 * S
    now["wall"] += 30 * S
    said = watch.step()
    assert said is not None
    assert "slept for 30.0 s" in said


# -- gaps against the board ------------------------------------------------------------------------


def test_a_slow_clock_shows_as_its_own_bucket() -> None:
    stamps = [0]
    samples = []
    for at in range(400):
        slow = 100 <= at < 200
        stamps.append(stamps[-1] + (500_000_000 if slow else 300_000_000))
        samples.append(
            Sampled(t_ns=stamps[-1], values={"npu.freq": 6e8 if slow else 1e9, "ddr.freq": 2.4e9})
        )
    found = correlate({("a", 0): stamps}, {("a", 0): 30}, samples)
    assert found is not None
    buckets = {(b.name, b.value): b for b in found.buckets}
    assert buckets["npu.freq", 6e8].median_ms == pytest.approx(500)
    assert buckets["npu.freq", 1e9].median_ms == pytest.approx(300)
    by_name = {i.name: i for i in found.influences}
    assert by_name["npu.freq"].rho is not None
    assert by_name["npu.freq"].rho < -0.9
    assert by_name["ddr.freq"].remark == "constant"
    assert by_name["ddr.freq"].rho is None
    assert by_name["soc.temp"].remark == "not readable"


def test_few_gaps_show_no_correlation() -> None:
    stamps = [at * 300_000_000 for at in range(50)]
    samples = [Sampled(t_ns=t, values={"npu.freq": 1e9 + at}) for at, t in enumerate(stamps)]
    found = correlate({("a", 0): stamps}, {}, samples)
    assert found is not None
    assert all(i.rho is None for i in found.influences)


def test_stalls_come_with_the_state_of_the_board() -> None:
    stamps = [at * 300_000_000 for at in range(30)]
    stamps += [stamps[-1] + 3_000_000_000]
    samples = [
        Sampled(t_ns=stamps[-1], values={"npu.freq": 6e8, "temp.max": 88.0, "throttle": "capped"}),
    ]
    found = correlate({("a", 1): stamps}, {}, samples)
    assert found is not None
    (stall,) = found.stalls
    assert (stall.request, stall.token) == ("a #2", 31)
    assert stall.state == "NPU 600 MHz, 88 °C, capped"
    assert correlate({("a", 0): stamps}, {}, []) is None
