"""What each tree of :mod:`tests.board.trees` must give: every reading, value or reason.

The cost of npulse itself is left out. ``Flagged`` is a value with its flags.
"""

from __future__ import annotations

from typing import NamedTuple

from tui.board.readers.reasons import (
    DEBUGFS_NOT_MOUNTED,
    NO_DRIVER,
    NO_FAN,
    NO_RUNTIME,
    NO_SENSOR,
    NO_SERVER,
    NOT_ON_THIS_KERNEL,
)

KIB = 1024
MHZ = 1_000_000


class Absent(NamedTuple):
    """No value, for this reason."""

    reason: str


class Flagged(NamedTuple):
    """A value, or an absence, with flags."""

    value: object
    flags: tuple[str, ...]


def megahertz(*values: int) -> tuple[int, ...]:
    """Clocks in Hz."""
    return tuple(value * MHZ for value in values)


def estimated(value: object) -> Flagged:
    """A value with that flag."""
    return Flagged(value, ("estimated",))


def absent(reason: str, *ids: str) -> dict[str, object]:
    """Several ids that are absent for one reason."""
    return dict.fromkeys(ids, Absent(reason))


SERVER_IDS = (
    *(f"server.{name}" for name in ("pid", "name", "rss", "rss_shmem", "rss_anon", "hwm")),
    *(f"server.{name}" for name in ("swap", "threads", "affinity", "cpu", "cores")),
)
NPU_DRIVER_IDS = (
    *(f"npu.{name}" for name in ("load", "freq", "min_freq", "max_freq", "governor", "table")),
)
DDR_IDS = (
    *(f"ddr.{name}" for name in ("freq", "load", "bandwidth", "min_freq", "max_freq", "governor")),
    *(f"ddr.{name}" for name in ("table", "peak_bandwidth")),
)
GPU_IDS = tuple(
    f"gpu.{name}" for name in ("freq", "load", "min_freq", "max_freq", "governor", "table")
)

TABLE = megahertz(300, 400, 500, 600, 700, 800, 900, 1000)

IDLE: dict[str, object] = {
    "board.model": "RK3588 OPi 5 Max",
    "board.soc": "rk3588",
    "board.kernel": "6.1.84-vendor-rk35xx",
    "npu.load": (0, 0, 0),
    "npu.activity": estimated((0.0, 0.0, 0.0)),
    "npu.freq": 1000 * MHZ,
    "npu.min_freq": 300 * MHZ,
    "npu.max_freq": 1000 * MHZ,
    "npu.power": "suspended",
    "npu.duty": 0.0,
    "npu.governor": "rknpu_ondemand",
    "npu.table": TABLE,
    "npu.volt": 0.8,
    "npu.driver": "0.9.8",
    "npu.temp": 43.4,
    **absent(NO_RUNTIME, "npu.runtime", "npu.rknn_runtime"),
    "ddr.governor": "dmc_ondemand",
    "ddr.table": megahertz(534, 1320, 1968, 2400),
    "ddr.peak_bandwidth": estimated(38.4),
    "ddr.min_freq": 534 * MHZ,
    "ddr.max_freq": 2400 * MHZ,
    "ddr.freq": 534 * MHZ,
    "ddr.load": 3,
    "ddr.bandwidth": estimated(0.26),
    "cpu.load": (0.0,) * 8,
    "cpu.freq": megahertz(408, 408, 408),
    "cpu.max_freq": megahertz(1800, 2304, 2304),
    "cpu.cap_freq": megahertz(1800, 2304, 2304),
    "cpu.governor": "ondemand",
    "cpu.policy0.governor": "ondemand",
    "cpu.policy4.governor": "ondemand",
    "cpu.policy6.governor": "ondemand",
    "cpu.policy0.cores": (0, 1, 2, 3),
    "cpu.policy4.cores": (4, 5),
    "cpu.policy6.cores": (6, 7),
    "gpu.freq": 300 * MHZ,
    "gpu.min_freq": 300 * MHZ,
    "gpu.max_freq": 1000 * MHZ,
    "gpu.governor": "simple_ondemand",
    "gpu.table": TABLE,
    "gpu.load": 0,
    "thermal.trip_passive": 75.0,
    "thermal.trips_passive": (75.0, 85.0),
    "thermal.trip_hysteresis": 2.0,
    "thermal.trip_critical": 115.0,
    "temp.soc": 44.3,
    "temp.bigcore0": 45.3,
    "temp.bigcore1": 45.3,
    "temp.littlecore": 45.3,
    "temp.center": 43.4,
    "temp.gpu": 42.5,
    "temp.npu": 43.4,
    "soc.temp": 44.3,
    "throttle": "none",
    "fan.pwm": 0.0,
    **absent(NO_SENSOR, "fan.rpm", "power.w"),
    **absent(NO_SERVER, *SERVER_IDS),
    "ram.total": 16370364 * KIB,
    "ram.available": 15120000 * KIB,
    "ram.used": 1250364 * KIB,
    "ram.model": estimated(0),
    "ram.shmem": 21000 * KIB,
    "ram.unevictable": 0,
    "ram.cma_total": 8192 * KIB,
    "ram.cma_free": 7000 * KIB,
    "swap.total": 8185180 * KIB,
    "swap.used": 0,
    "zram.used": 4096,
    "zram.compressed": 12288,
    "zram.ratio": 47.63,
    "psi.memory": 0.0,
    "psi.memory_full": 0.0,
}

DECODING: dict[str, object] = IDLE | {
    "npu.load": (86, 84, 61),
    "npu.power": "active",
    "npu.temp": 64.7,
    "ddr.governor": "performance",
    "ddr.freq": 2400 * MHZ,
    "ddr.load": 62,
    "ddr.bandwidth": estimated(23.81),
    "cpu.freq": megahertz(1800, 2304, 2304),
    "cpu.governor": "ondemand performance performance",
    "cpu.policy4.governor": "performance",
    "cpu.policy6.governor": "performance",
    "temp.soc": 63.8,
    "temp.bigcore0": 66.5,
    "temp.bigcore1": 65.6,
    "temp.littlecore": 63.8,
    "temp.center": 62.9,
    "temp.gpu": 61.0,
    "temp.npu": 64.7,
    "soc.temp": 63.8,
    "fan.pwm": 58.8,
    "server.pid": 4242,
    "server.name": "rkllm_server",
    "server.rss": 4990000 * KIB,
    "server.rss_shmem": 4685000 * KIB,
    "server.rss_anon": 210000 * KIB,
    "server.hwm": 5012000 * KIB,
    "server.swap": 0,
    "server.threads": 14,
    "server.affinity": "0-7",
    **absent(NOT_ON_THIS_KERNEL, "server.cpu", "server.cores"),
    "ram.available": 9890000 * KIB,
    "ram.used": 6480364 * KIB,
    "ram.model": 4685000 * KIB,
    "ram.shmem": 4710000 * KIB,
    "ram.unevictable": 4690000 * KIB,
}

MISTUNED = DECODING | {
    "npu.load": (38, 36, 35),
    "ddr.governor": "dmc_ondemand",
    "ddr.freq": 534 * MHZ,
    "ddr.load": 97,
    "ddr.bandwidth": estimated(8.29),
}

HOT = DECODING | {
    "npu.freq": 800 * MHZ,
    "npu.max_freq": Flagged(800 * MHZ, ("capped",)),
    "npu.temp": 87.7,
    "gpu.max_freq": Flagged(800 * MHZ, ("capped",)),
    "cpu.cap_freq": Flagged(megahertz(1800, 2208, 2304), ("capped",)),
    "temp.soc": 86.2,
    "temp.npu": 87.7,
    "soc.temp": 86.2,
    "throttle": Flagged(
        "capped",
        (
            "npu 800 of 1000 MHz",
            "gpu 800 of 1000 MHz",
            "cpu cluster 1 2208 of 2304 MHz",
            "cpufreq-cpu4 2/10",
        ),
    ),
}

PROC_LOAD = DECODING | {"npu.load": (40, 41, 42)}
NO_DEBUGFS = DECODING | absent(DEBUGFS_NOT_MOUNTED, "npu.load")


def _without(base: dict[str, object], *prefixes: str) -> dict[str, object]:
    return {name: value for name, value in base.items() if not name.startswith(prefixes)}


MAINLINE: dict[str, object] = _without(IDLE, "temp.soc", "temp.bigcore1") | {
    "board.model": "Xunlong Orange Pi 5 Max",
    "board.kernel": "6.18.2",
    **absent(NO_DRIVER, *NPU_DRIVER_IDS),
    "npu.driver": Flagged(Absent(NO_DRIVER), ("rocket",)),
    "npu.volt": Absent(NO_SENSOR),
    "ram.model": Absent(NO_DRIVER),
    **absent(NOT_ON_THIS_KERNEL, *DDR_IDS, "gpu.load"),
    "temp.package": 44.3,
    "temp.bigcore2": 45.3,
    **absent(NO_SENSOR, "thermal.trip_passive", "thermal.trips_passive", "thermal.trip_hysteresis"),
    "fan.pwm": Flagged(25.0, ("steps",)),
}

NO_NPU_DRIVER = MAINLINE | absent(NO_DRIVER, "npu.driver", "npu.activity", "npu.power", "npu.duty")

SINGLE_CORE: dict[str, object] = _without(
    IDLE, "temp.", "cpu.policy4", "cpu.policy6", "cpu.policy0"
) | {
    "board.model": "Radxa CM3 RPI CM4 IO",
    "board.soc": "rk3566",
    "npu.load": (0,),
    "npu.activity": estimated((0.0,)),
    "npu.freq": 600 * MHZ,
    "npu.min_freq": 200 * MHZ,
    "npu.max_freq": 900 * MHZ,
    "npu.power": "active",
    "npu.table": megahertz(200, 400, 600, 900),
    "npu.volt": Absent(NO_SENSOR),
    "npu.temp": Flagged(51.0, ("fallback",)),
    **absent(NOT_ON_THIS_KERNEL, *DDR_IDS, *GPU_IDS),
    "cpu.load": (0.0,) * 4,
    "cpu.freq": megahertz(1800),
    "cpu.max_freq": megahertz(1800),
    "cpu.cap_freq": megahertz(1800),
    "cpu.policy0.governor": "ondemand",
    "cpu.policy0.cores": (0, 1, 2, 3),
    "thermal.trips_passive": (75.0,),
    "thermal.trip_hysteresis": 2.0,
    "temp.soc": 51.0,
    "temp.gpu": 50.0,
    "soc.temp": 51.0,
    "fan.pwm": Absent(NO_FAN),
    "ram.cma_total": 1048576 * KIB,
    "ram.cma_free": 900000 * KIB,
}

LAPTOP: dict[str, object] = {
    "board.model": Flagged("LENOVO 20XW", ("host",)),
    "board.soc": Flagged("11th Gen Intel(R) Core(TM) i7", ("host",)),
    "board.kernel": "6.8.0-45-generic",
    **absent(NO_DRIVER, *NPU_DRIVER_IDS, "npu.driver", "npu.activity", "npu.power", "npu.duty"),
    **absent(NO_SENSOR, "npu.volt", "npu.temp", "fan.rpm", "power.w"),
    **absent(NO_RUNTIME, "npu.runtime", "npu.rknn_runtime"),
    **absent(NOT_ON_THIS_KERNEL, *DDR_IDS, *GPU_IDS, "throttle"),
    "cpu.load": (0.0,),
    **absent(NOT_ON_THIS_KERNEL, "cpu.freq", "cpu.max_freq", "cpu.cap_freq", "cpu.governor"),
    **absent(
        NO_SENSOR,
        "thermal.trip_passive",
        "thermal.trips_passive",
        "thermal.trip_hysteresis",
        "thermal.trip_critical",
    ),
    "soc.temp": Flagged(52.0, ("host",)),
    "fan.pwm": Absent(NO_FAN),
    **absent(NO_SERVER, *SERVER_IDS),
    "ram.total": 16000000 * KIB,
    "ram.available": 12000000 * KIB,
    "ram.used": 4000000 * KIB,
    "ram.model": Absent(NO_DRIVER),
    "ram.shmem": 4000 * KIB,
    "ram.unevictable": 1000 * KIB,
    **absent(NOT_ON_THIS_KERNEL, "ram.cma_total", "ram.cma_free", "swap.total", "swap.used"),
    **absent(NOT_ON_THIS_KERNEL, "zram.used", "zram.compressed", "zram.ratio"),
    **absent(NOT_ON_THIS_KERNEL, "psi.memory", "psi.memory_full"),
}
