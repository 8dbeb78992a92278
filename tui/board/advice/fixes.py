"""The commands that fix a board, as a person would type them. npulse itself never runs one."""

from __future__ import annotations

from tui.board.readers.clusters import clusters
from tui.core.board.clock import top_clock
from tui.core.board.finding import Command
from tui.core.board.reading import Snapshot


def folder_of(snapshot: Snapshot, reading_id: str) -> str:
    """The folder of the file that a reading came from."""
    return snapshot.get(reading_id).source.rpartition("/")[0]


def lift_limit(snapshot: Snapshot) -> Command | None:
    """What lifts the first limit that a user has set."""
    for device in ("npu", "ddr", "gpu"):
        top = top_clock(snapshot, device)
        if "limited" in snapshot.get(f"{device}.max_freq").flags and top is not None:
            return tee(f"{top:.0f}", folder_of(snapshot, f"{device}.max_freq") + "/max_freq")
    of_user = [f for f in snapshot.get("cpu.cap_freq").flags if f.startswith("policy")]
    tops, caps = snapshot.numbers("cpu.max_freq"), snapshot.numbers("cpu.cap_freq")
    for cluster, top, cap in zip(clusters(snapshot), tops, caps, strict=False):
        is_low = top is not None and cap is not None and cap < top
        if is_low and top is not None and (not of_user or cluster.policy in of_user):
            path = f"/sys/devices/system/cpu/cpufreq/{cluster.policy}/scaling_max_freq"
            return tee(f"{top / 1000:.0f}", path)
    return None


def full_fan(snapshot: Snapshot) -> Command | None:
    """Full drive, where the fan is one that can be told so and is not there yet."""
    fan = snapshot.get("fan.pwm")
    if isinstance(fan.value, int | float) and fan.value < 100 and fan.source.endswith("/pwm1"):
        return tee("255", fan.source)
    return None


def tee(value: str, *paths: str) -> Command:
    """Write a value into files of root."""
    return Command(f"echo {value} | sudo tee {' '.join(paths)}")


def cpu_words(cpus: list[int]) -> str:
    """CPU numbers as taskset takes them."""
    return ",".join(str(cpu) for cpu in sorted(cpus))
