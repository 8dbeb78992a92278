"""Governors, limits and fan of the simulated board, as written to its files, and their effect.

A decode step is bound by memory: for an RK3588, 5.5 tok/s were reported at 528 MHz and 11.2 tok/s
at 2112 MHz. So a share of about 0.35 of a step's time is inversely proportional to the memory
clock. The shares of NPU and CPU are estimates. The time of prefill is inversely proportional to the
NPU's clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from tui.sim.board.tree_still import CPUFREQ, DDR, DDR_TABLE_HZ, FAN, NPU, NPU_HZ, POLICIES

DDR_SHARE, NPU_SHARE, CPU_SHARE = 0.347, 0.05, 0.15
"""Shares of a decode step's time at the highest clocks."""
NPU_TABLE_HZ = tuple(range(300_000_000, NPU_HZ + 1, 100_000_000))
DDR_GOVERNORS = ("dmc_ondemand", "userspace", "powersave", "performance", "simple_ondemand")
NPU_GOVERNORS = ("rknpu_ondemand", *DDR_GOVERNORS)
CPU_GOVERNORS = (
    "conservative", "ondemand", "userspace", "powersave", "performance", "schedutil",
)  # fmt: skip
BIG = (4, 6)
"""The cpufreq policies whose cores the runtime uses."""


@dataclass(frozen=True, slots=True)
class Device:
    """The governor and the clock limit that were set for one device."""

    governor: str
    limit_hz: int

    def clock_hz(self, table_hz: tuple[int, ...], wanted_hz: int) -> int:
        """The clock in Hz if the load requires ``wanted_hz``; one of ``table_hz`` (ascending)."""
        if self.governor == "performance":
            wanted_hz = table_hz[-1]
        elif self.governor == "powersave":
            wanted_hz = table_hz[0]
        allowed = [hz for hz in table_hz if hz <= min(wanted_hz, self.limit_hz)]
        return allowed[-1] if allowed else table_hz[0]


def _table_hz(policy: int) -> tuple[int, ...]:
    return tuple(mhz * 1_000_000 for mhz in POLICIES[policy][1])


@dataclass(frozen=True, slots=True)
class ClockChoices:
    """All settings. ``is_ddr_stuck``: governor ``dmc_ondemand`` does not raise the memory clock
    for the NPU (fault ``ddr-low``)."""

    ddr: Device = Device("dmc_ondemand", DDR_TABLE_HZ[-1])
    npu: Device = Device("rknpu_ondemand", NPU_HZ)
    policies: tuple[Device, ...] = tuple(
        Device("ondemand", _table_hz(policy)[-1]) for policy in POLICIES
    )
    is_ddr_stuck: bool = False
    fan_pwm: int | None = None
    """The fan's duty cycle as a user has set it, 0 to 255; None if unset."""

    def ddr_hz(self, step: int) -> int:
        """The memory clock in Hz if the load requires this step of ``DDR_TABLE_HZ``."""
        is_stuck = self.is_ddr_stuck and self.ddr.governor == "dmc_ondemand"
        return self.ddr.clock_hz(DDR_TABLE_HZ, DDR_TABLE_HZ[0 if is_stuck else step])

    @property
    def npu_hz(self) -> int:
        return self.npu.clock_hz(NPU_TABLE_HZ, NPU_HZ)

    def cpu_mhz(self, index: int, wanted_mhz: int) -> int:
        """The clock of a policy in MHz; ``index`` is its place in ``POLICIES``."""
        table_hz = _table_hz(tuple(POLICIES)[index])
        return self.policies[index].clock_hz(table_hz, wanted_mhz * 1_000_000) // 1_000_000

    @property
    def decode_factor(self) -> float:
        """Time of a decode step relative to that at the highest clocks, 1.0 or more."""
        big = [index for index, policy in enumerate(POLICIES) if policy in BIG]
        tops = [POLICIES[policy][1][-1] for policy in POLICIES]
        cpu = max(tops[index] / self.cpu_mhz(index, tops[index]) for index in big)
        ddr = DDR_TABLE_HZ[-1] / self.ddr_hz(len(DDR_TABLE_HZ) - 1)
        return (
            1
            + DDR_SHARE * (ddr - 1)
            + NPU_SHARE * (self.prefill_factor - 1)
            + CPU_SHARE * (cpu - 1)
        )

    @property
    def prefill_factor(self) -> float:
        """Time of prefill relative to that at the NPU's highest clock, 1.0 or more."""
        return NPU_HZ / self.npu_hz


def chosen(root: Path, before: ClockChoices, own: Mapping[str, bytes]) -> ClockChoices:
    """The settings after reading the files below ``root``. ``own`` holds the contents that the
    simulator itself has written: an unchanged file, and a value that a kernel would reject, leave
    the setting as it was in ``before``."""

    def device(
        governor: str, limit: str, known: Device, governors: tuple[str, ...], unit_hz: int = 1
    ) -> Device:
        governor, limit = _word(root, governor, own), _word(root, limit, own)
        is_number = limit.isascii() and limit.isdecimal() and len(limit) < 13
        return Device(
            governor if governor in governors else known.governor,
            int(limit) * unit_hz if is_number else known.limit_hz,
        )

    pwm = _word(root, f"{FAN}/pwm1", own)
    is_pwm = pwm.isascii() and pwm.isdecimal() and len(pwm) < 4 and int(pwm) <= 255
    return replace(
        before,
        fan_pwm=int(pwm) if is_pwm else before.fan_pwm,
        ddr=device(f"{DDR}/governor", f"{DDR}/max_freq", before.ddr, DDR_GOVERNORS),
        npu=device(f"{NPU}/governor", f"{NPU}/max_freq", before.npu, NPU_GOVERNORS),
        policies=tuple(
            device(
                f"{CPUFREQ}/policy{policy}/scaling_governor",
                f"{CPUFREQ}/policy{policy}/scaling_max_freq",
                known,
                CPU_GOVERNORS,
                1000,
            )
            for policy, known in zip(POLICIES, before.policies, strict=True)
        ),
    )


def _word(root: Path, path: str, own: Mapping[str, bytes]) -> str:
    try:
        data = (root / path).read_bytes()
    except OSError:
        return ""
    return "" if data == own.get(path) else data.decode("ascii", "replace").strip()
