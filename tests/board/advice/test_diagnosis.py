"""Why a model runs slower than it could: every cause alone, and silence where there is none."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.board import tree_files, trees
from tests.board.boards import Board
from tui.board.advice.board_state import BoardView
from tui.board.advice.diagnosis import Phase, Work, why_slow
from tui.board.readers.neighbours import Neighbour
from tui.core.board.finding import Finding
from tui.core.board.reading import Reading, ReadingValue, Snapshot

DECODE = Work("decode")
CPUFREQ = "sys/devices/system/cpu/cpufreq"
VERSION = "sys/module/rknpu/version"
NPU = "sys/class/devfreq/fdab0000.npu"


def snapshot_of(tree: tree_files.Tree) -> Snapshot:
    with tempfile.TemporaryDirectory() as folder, Board(Path(folder), tree) as board:
        return board.settled()


def found(tree: tree_files.Tree, work: Work = DECODE) -> dict[str, Finding]:
    findings = why_slow(snapshot_of(tree), work)
    for finding in findings:
        assert finding.title
        assert finding.evidence
        assert finding.effect
        fix = finding.command or finding.advice
        assert finding.weight == "note" or fix or "others" in finding.rule
    return {finding.rule: finding for finding in findings}


def changed(base: tree_files.Tree, changes: Mapping[str, tree_files.Content]) -> tree_files.Tree:
    return tree_files.changed(base, changes=changes)


@pytest.mark.parametrize("phase", ["idle", "unknown"])
def test_quiet_when_idle(phase: Phase) -> None:
    assert found(trees.idle(), Work(phase)) == {}


def test_quiet_when_decoding_well() -> None:
    assert found(trees.decoding()) == {}
    assert found(trees.decoding(), Work("decode", roofline_share=0.6)) == {}


def test_low_npu_load_in_decode_is_no_fault() -> None:
    load = {"sys/kernel/debug/rknpu/load": "NPU load:  Core0: 31%, Core1: 30%, Core2: 30%,\n"}
    assert found(changed(trees.decoding(), load)) == {}


def test_memory_at_a_low_clock() -> None:
    finding = found(trees.mistuned())["ddr-clock"]
    assert finding.evidence.startswith("534 MHz of 2400 MHz, governor dmc_ondemand")
    assert "22 % of the bandwidth" in finding.effect
    assert finding.command == "echo performance | sudo tee /sys/class/devfreq/dmc/governor"


def test_memory_clock_is_judged_by_the_npus_load_where_no_request_is_known() -> None:
    assert set(found(trees.mistuned(), Work())) == {"ddr-clock"}


def test_a_low_memory_clock_while_idle_saves_power() -> None:
    load = {"sys/kernel/debug/rknpu/load": "NPU load:  Core0:  0%, Core1:  0%, Core2:  0%,\n"}
    assert found(changed(trees.mistuned(), load), Work("idle")) == {}


def test_governor_performance_is_no_finding() -> None:
    assert found(changed(trees.mistuned(), tree_files.devfreq("dmc", governor="performance"))) == {}


def test_firmware_that_cannot_scale() -> None:
    finding = found(tree_files.without(trees.decoding(), "sys/class/devfreq/dmc"))["ddr-firmware"]
    assert finding.command is None
    assert "boot firmware" in (finding.advice or "")


def test_heat_and_a_users_limit_are_told_apart() -> None:
    findings = found(trees.hot())
    assert set(findings) == {"heat"}
    assert "npu 800 of 1000 MHz" in findings["heat"].evidence
    assert "86 °C" in findings["heat"].evidence
    cool = {"sys/class/thermal/thermal_zone0/temp": "50000\n"}
    finding = found(changed(trees.hot(), cool))["user-limit"]
    assert finding.command == f"echo 1000000000 | sudo tee /{NPU}/max_freq"


def test_a_cpu_cluster_that_is_limited() -> None:
    cap = {f"{CPUFREQ}/policy6/scaling_max_freq": "1200000\n"}
    finding = found(changed(trees.decoding(), cap))["user-limit"]
    assert finding.command == f"echo 2304000 | sudo tee /{CPUFREQ}/policy6/scaling_max_freq"


def test_npu_below_its_table() -> None:
    finding = found(changed(trees.decoding(), {f"{NPU}/cur_freq": "600000000\n"}))["npu-clock"]
    assert finding.evidence == "600 MHz of 1000 MHz, governor rknpu_ondemand"
    assert finding.command == f"echo performance | sudo tee /{NPU}/governor"


def test_a_low_clock_that_no_governor_raises_is_told_at_rest() -> None:
    idle = trees.idle()
    npu = found(changed(idle, {f"{NPU}/cur_freq": "600000000\n"}), Work("idle"))
    assert npu["npu-clock"].weight == "act"
    ddr = found(changed(idle, {"sys/class/devfreq/dmc/governor": "powersave\n"}), Work("idle"))
    assert ddr["ddr-clock"].weight == "act"
    assert ddr["ddr-clock"].evidence.endswith("at rest")


def test_cpu_governor_that_does_not_ramp() -> None:
    slow = tree_files.policy(4, "4 5", 408000, 2304000, "interactive")
    finding = found(changed(trees.decoding(), slow))["cpu-governor"]
    assert finding.evidence == "policy4 408 MHz of 2304 MHz, governor interactive"
    assert finding.command == f"echo performance | sudo tee /{CPUFREQ}/policy4/scaling_governor"


def test_little_cores_may_be_slow() -> None:
    assert found(changed(trees.decoding(), tree_files.policy(0, "0-3", 408000, 1800000, "x"))) == {}


def test_memory_pressure() -> None:
    text = "some avg10=25.00 avg60=1 avg300=1 total=1\nfull avg10=2.00 avg60=1 avg300=1 total=1\n"
    finding = found(changed(trees.decoding(), {"proc/pressure/memory": text}))["memory-pressure"]
    assert "25 % of the last 10 s" in finding.evidence


def test_swapping_counts_only_when_ram_is_short() -> None:
    swapped = trees.IDLE_MEMORY | {"SwapFree": 4000000}
    assert found(changed(trees.decoding(), tree_files.meminfo(**swapped))) == {}
    short = swapped | {"MemAvailable": 900000}
    assert "memory-pressure" in found(changed(trees.decoding(), tree_files.meminfo(**short)))


def busy_big_cores(server_pct: float) -> Snapshot:
    snapshot = snapshot_of(trees.decoding())
    readings = dict(snapshot.readings)
    readings["cpu.load"] = Reading((5.0, 5.0, 5.0, 5.0, 90.0, 80.0, 5.0, 5.0), "%")
    readings["server.cpu"] = Reading(server_pct, "%")
    return Snapshot(snapshot.t_ns, snapshot.time, readings)


def test_other_programs_on_the_big_cores() -> None:
    work = Work("decode", neighbours=(Neighbour(77, "ffmpeg", 120.0, 4),))
    [finding] = why_slow(busy_big_cores(40.0), work)
    assert finding.rule == "cpu-others"
    assert "180 % busy, the server takes 40 %" in finding.evidence
    assert "ffmpeg (77) 120 %" in finding.evidence
    assert finding.command == "taskset -acp 0,1,2,3 77"


def test_the_dashboard_asks_for_their_names_only_while_they_are_needed() -> None:
    view, ffmpeg = BoardView(), (Neighbour(77, "ffmpeg", 120.0, 4),)
    view.saw(snapshot_of(trees.decoding()), None, None, False)
    assert not view.wants_neighbours
    for _ in range(3):
        view.saw(busy_big_cores(40.0), None, None, False)
        assert view.wants_neighbours
    view.saw(busy_big_cores(40.0), None, None, False, neighbours=ffmpeg)
    finding = next(finding for finding in view.facts.findings if finding.rule == "cpu-others")
    assert finding.command == "taskset -acp 0,1,2,3 77"
    view.saw(busy_big_cores(170.0), None, None, False)
    assert not view.wants_neighbours


LOW_DDR = {
    "sys/class/devfreq/dmc/cur_freq": "534000000\n",
    "sys/class/devfreq/dmc/governor": "dmc_ondemand\n",
}
NO_LOAD = {"sys/kernel/debug/rknpu/load": "NPU load:  Core0:  0%, Core1:  0%, Core2:  0%,\n"}


def test_a_board_at_rest_keeps_what_was_seen_when_a_model_last_computed() -> None:
    view = BoardView()
    busy = snapshot_of(changed(trees.decoding(), LOW_DDR))
    rest = snapshot_of(changed(trees.decoding(), {**LOW_DDR, **NO_LOAD}))
    for _ in range(3):
        view.saw(busy, None, None, False)
        assert view.facts.past_findings == ()
    assert "ddr-clock" in {finding.rule for finding in view.facts.findings}
    for _ in range(9):
        view.saw(rest, None, None, False)
        both = (*view.facts.findings, *view.facts.past_findings)
        assert [finding.rule for finding in both].count("ddr-clock") == 1
    assert view.facts.findings == ()
    (past,) = (f for f in view.facts.past_findings if f.rule == "ddr-clock")
    assert past.fix is not None
    assert "534 MHz" in past.evidence
    # Once a governor was changed it says nothing of the next answer.
    governor = {"sys/class/devfreq/dmc/governor": "performance\n"}
    tree = changed(trees.decoding(), {**LOW_DDR, **NO_LOAD, **governor})
    view.saw(snapshot_of(tree), None, None, False)
    assert view.facts.past_findings == ()


def test_what_was_seen_before_gives_way_to_the_next_work() -> None:
    view = BoardView()
    for tree in (
        changed(trees.decoding(), LOW_DDR),
        trees.decoding(),
        changed(trees.decoding(), NO_LOAD),
    ):
        snapshot = snapshot_of(tree)
        for _ in range(8):
            view.saw(snapshot, None, None, False)
    assert "ddr-clock" not in {finding.rule for finding in view.facts.past_findings}


def test_the_server_itself_may_use_them() -> None:
    assert why_slow(busy_big_cores(170.0), DECODE) == ()


def test_another_user_of_the_npu() -> None:
    assert set(found(trees.decoding(), Work("idle"))) == {"npu-others"}
    assert found(trees.decoding(), Work("unknown")) == {}


def test_a_server_that_still_finishes() -> None:
    findings = found(trees.decoding(), Work("idle", is_server_finishing=True))
    assert set(findings) == {"finishing"}
    assert "86, 84, 61 %" in findings["finishing"].evidence


@pytest.mark.parametrize(
    ("version", "is_old"), [("0.9.8", False), ("0.9.6", True), ("0.8.2", True), ("1.0.0", False)]
)
def test_old_driver(version: str, is_old: bool) -> None:
    findings = found(changed(trees.decoding(), {VERSION: f"{version}\n"}))
    assert ("old-driver" in findings) is is_old


def test_cores_that_a_model_does_not_use() -> None:
    load = {"sys/kernel/debug/rknpu/load": "NPU load:  Core0: 90%, Core1:  0%, Core2:  0%,\n"}
    finding = found(changed(trees.decoding(), load))["idle-cores"]
    assert finding.evidence == "core 1, 2 idle, the busiest at 90 %"
    assert finding.weight == "note"


def test_npulse_itself() -> None:
    snapshot = snapshot_of(trees.decoding())
    readings = {**snapshot.readings, "npulse.cpu": Reading(12.5, "%")}
    [finding] = why_slow(Snapshot(0, 0.0, readings), DECODE)
    assert (finding.rule, finding.evidence) == ("npulse", "12.5 % of a core")


def test_far_below_the_roofline_only_when_nothing_else_explains_it() -> None:
    work = Work("decode", roofline_share=0.2)
    assert set(found(trees.decoding(), work)) == {"roofline"}
    assert set(found(trees.mistuned(), work)) == {"ddr-clock"}


def test_a_laptop_that_talks_to_a_board_is_not_judged() -> None:
    assert found(trees.laptop(), DECODE) == {}


values = st.one_of(
    st.none(),
    st.floats(),
    st.integers(-(2**40), 2**40),
    st.text(max_size=5),
    st.lists(st.one_of(st.none(), st.floats(allow_nan=False)), max_size=9).map(tuple),
)
NAMES = list(snapshot_of(trees.decoding()).readings)


@settings(max_examples=200, deadline=None)
@given(
    st.dictionaries(st.sampled_from(NAMES), values),
    st.sampled_from(["idle", "prefill", "decode", "unknown"]),
    st.booleans(),
    st.one_of(st.none(), st.floats()),
)
def test_any_snapshot(
    readings: dict[str, ReadingValue], phase: Phase, is_finishing: bool, share: float | None
) -> None:
    snapshot = Snapshot(
        0,
        0.0,
        {name: Reading(value, "", "/sys/x/y") for name, value in readings.items()},
    )
    for finding in why_slow(snapshot, Work(phase, is_finishing, share)):
        assert isinstance(finding, Finding)
