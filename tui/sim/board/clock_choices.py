"""Governors, limits and fan of the simulated board: what was written into its tree, what it costs.

A decoding step waits for the memory first: at 528 instead of 2112 MHz an RK3588 was reported to
decode 5.5 instead of 11.2 tok/s, so about 0.35 of a step grows with the memory's period. The shares
of NPU and CPU are estimates; the prefill grows with the NPU's period.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from tui.sim.board.tree_still import CPUFREQ, DDR, DDR_TABLE_HZ, FAN, NPU, NPU_HZ, POLICIES

DDR_SHARE, NPU_SHARE, CPU_SHARE = 0.347, 0.05, 0.15
"""Of a decoding step at the highest clocks."""
NPU_TABLE_HZ = tuple(range(300_000_000, NPU_HZ + 1, 100_000_000))
DDR_GOVERNORS = ("dmc_ondemand", "userspace", "powersave", "performance", "simple_ondemand")
NPU_GOVERNORS = ("rknpu_ondemand", *DDR_GOVERNORS)
CPU_GOVERNORS = (
    "conservative", "ondemand", "userspace", "powersave", "performance", "schedutil",
)  # fmt: skip
BIG = (4, 6)
"""The policies whose cores the runtime uses."""


@dataclass(frozen=True, slots=True)
class Device:
    """What somebody chose for one device: its governor, and the highest clock it may have."""

    governor: str
    limit_hz: int

    def clock_hz(self, table_hz: tuple[int, ...], wanted_hz: int) -> int:
        """The clock, where the load asks for ``wanted_hz``."""
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
    """Everything that can be chosen. ``is_ddr_stuck``: its first governor does not raise the
    memory clock for the NPU."""

    ddr: Device = Device("dmc_ondemand", DDR_TABLE_HZ[-1])
    npu: Device = Device("rknpu_ondemand", NPU_HZ)
    policies: tuple[Device, ...] = tuple(
        Device("ondemand", _table_hz(policy)[-1]) for policy in POLICIES
    )
    is_ddr_stuck: bool = False
    fan_pwm: int | None = None
    """What somebody has told the fan, 0 to 255; None: nobody has."""

    def ddr_hz(self, step: int) -> int:
        """The memory clock where the load asks for this step of the table."""
        is_stuck = self.is_ddr_stuck and self.ddr.governor == "dmc_ondemand"
        return self.ddr.clock_hz(DDR_TABLE_HZ, DDR_TABLE_HZ[0 if is_stuck else step])

    @property
    def npu_hz(self) -> int:
        return self.npu.clock_hz(NPU_TABLE_HZ, NPU_HZ)

    def cpu_mhz(self, index: int, wanted_mhz: int) -> int:
        """The clock of one policy, by its place among them."""
        table_hz = _table_hz(tuple(POLICIES)[index])
        return self.policies[index].clock_hz(table_hz, wanted_mhz * 1_000_000) // 1_000_000

    @property
    def decode_factor(self) -> float:
        """How much longer a decoding step takes than at the highest clocks."""
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
        """How much longer a prompt takes to read than at the NPU's highest clock."""
        return NPU_HZ / self.npu_hz


def chosen(root: Path, before: ClockChoices, own: Mapping[str, bytes]) -> ClockChoices:
    """What the files below ``root`` say now. What no kernel would take is as it was before, and so
    is what stands in ``own``, the files as the board itself has written them."""

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
