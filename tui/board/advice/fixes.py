"""Fixes for a board: as records that npulse can apply and undo, and as shell commands."""

from __future__ import annotations

import re
from itertools import groupby

from tui.board.advice.access import UNIT, UNIT_PATH
from tui.board.advice.root_writer import own_command
from tui.board.readers.clusters import clusters
from tui.board.readers.reasons import NO_PERMISSION
from tui.board.runtime_log.source import VARIABLE, LogSource
from tui.core.board.clock import top_clock
from tui.core.board.finding import Command
from tui.core.board.fix import FileWrite, Fix, MeasuredBy
from tui.core.board.reading import Snapshot

CPUFREQ = "/sys/devices/system/cpu/cpufreq"
ACCESS_RULE, LOG_RULE = "npu-access", "runtime-log"
DROP_IN = "npulse-runtime-log.conf"
_UNIT_NAME = re.compile(r"[A-Za-z0-9@._:-]{1,100}\.service")


def folder_of(snapshot: Snapshot, reading_id: str) -> str:
    """The folder of the file that a reading was read from."""
    return snapshot.get(reading_id).source.rpartition("/")[0]


def devfreq_governor(snapshot: Snapshot, rule: str, device: str, measured_by: MeasuredBy) -> Fix:
    """Set governor ``performance`` for a devfreq device (``ddr`` or ``npu``): its highest clock."""
    write = FileWrite(folder_of(snapshot, f"{device}.freq") + "/governor", "performance")
    name = {"ddr": "memory", "npu": "NPU"}[device]
    return Fix(rule, f"keep the {name} at its highest clock", (write,), measured_by=measured_by)


def cpu_governors(policies: list[str]) -> Fix:
    """Set governor ``performance`` for these cpufreq policies (``policy0``...)."""
    writes = (
        FileWrite(f"{CPUFREQ}/{policy}/scaling_governor", "performance") for policy in policies
    )
    title = "keep the big CPU cores at their highest clock"
    return Fix("cpu-governor", title, tuple(writes), measured_by="decode_tps")


def lift_limit(snapshot: Snapshot) -> Fix | None:
    """Raise the first clock limit that a user has set to the device's highest clock; None without
    one."""
    for device, measured_by in _LIMITED.items():
        top = top_clock(snapshot, device)
        if "limited" in snapshot.get(f"{device}.max_freq").flags and top is not None:
            path = folder_of(snapshot, f"{device}.max_freq") + "/max_freq"
            return _limit(FileWrite(path, f"{top:.0f}"), measured_by)
    of_user = [f for f in snapshot.get("cpu.cap_freq").flags if f.startswith("policy")]
    tops, caps = snapshot.numbers("cpu.max_freq"), snapshot.numbers("cpu.cap_freq")
    for cluster, top, cap in zip(clusters(snapshot), tops, caps, strict=False):
        is_low = top is not None and cap is not None and cap < top
        if is_low and top is not None and (not of_user or cluster.policy in of_user):
            path = f"{CPUFREQ}/{cluster.policy}/scaling_max_freq"
            return _limit(FileWrite(path, f"{top / 1000:.0f}"), "decode_tps")
    return None


_LIMITED: dict[str, MeasuredBy | None] = {"npu": "prefill_tps", "ddr": "decode_tps", "gpu": None}
"""Devices with a clock limit, and the rate that it affects; a model does not use the GPU."""


def _limit(write: FileWrite, measured_by: MeasuredBy | None) -> Fix:
    return Fix("user-limit", "lift the limit of a clock", (write,), measured_by=measured_by)


def full_fan(snapshot: Snapshot) -> Fix | None:
    """Set the fan to full drive; None where it has no writable ``pwm1`` or is at 100 % already."""
    fan = snapshot.get("fan.pwm")
    if isinstance(fan.value, int | float) and fan.value < 100 and fan.source.endswith("/pwm1"):
        note = "It takes minutes until the board is cooler, so no rate is compared."
        return Fix("heat", "drive the fan fully", (FileWrite(fan.source, "255"),), note=note)
    return None


def npu_access(snapshot: Snapshot, *, is_container: bool) -> Fix | None:
    """The systemd unit that lets every user read the NPU's load; None unless permission is
    missing."""
    if is_container or snapshot.get("npu.load").reason != NO_PERMISSION:
        return None
    command = (*own_command(), "setup-npu-access")
    return Fix(
        ACCESS_RULE,
        "let every user read the load of the NPU",
        (FileWrite(UNIT_PATH, UNIT, "by command"),),
        commands=((*command, "--install"),),
        undo_commands=((*command, "--remove"),),
        note="It changes no speed.",
    )


def runtime_log(source: LogSource | None) -> Fix | None:
    """A systemd drop-in with ``RKLLM_LOG_LEVEL=1``; None unless a system unit runs the server."""
    if source is None or source.kind != "journal" or source.has_variable is not False:
        return None
    if not _UNIT_NAME.fullmatch(source.name):
        return None
    path = f"/etc/systemd/system/{source.name}.d/{DROP_IN}"
    return Fix(
        LOG_RULE,
        "have the runtime print its own times",
        (FileWrite(path, f"[Service]\nEnvironment={VARIABLE}=1\n", "config"),),
        commands=(("systemctl", "daemon-reload"),),
        undo_commands=(("systemctl", "daemon-reload"),),
        note=f"It has an effect once the server is started again: systemctl restart {source.name}.",
    )


def undo_commands(rule: str) -> tuple[tuple[str, ...], ...]:
    """The commands that undo a fix by this rule which an earlier npulse run applied; maybe none."""
    if rule == ACCESS_RULE:
        return ((*own_command(), "setup-npu-access", "--remove"),)
    return (("systemctl", "daemon-reload"),) if rule == LOG_RULE else ()


def command_of(fix: Fix | None) -> Command | None:
    """The fix as a shell command; None without a fix, or if it does more than write kernel
    files."""
    if fix is None or fix.commands:
        return None
    by_value = groupby(fix.writes, key=lambda write: write.value)
    return Command(
        " && ".join(tee(value, *(write.path for write in writes)) for value, writes in by_value)
    )


def tee(value: str, *paths: str) -> Command:
    """The shell command that writes a value into files that only root may write."""
    return Command(f"echo {value} | sudo tee {' '.join(paths)}")


def cpu_words(cpus: list[int]) -> str:
    """CPU numbers as a list for ``taskset -c``: ``0,1,2``."""
    return ",".join(str(cpu) for cpu in sorted(cpus))
