"""The files of the simulated board that change, and the model of heat and load behind them.

Loads, clocks and power state follow the server's activity at once. Temperatures approach a plateau
exponentially. Counters only grow. Where measurements from boards exist, the numbers are theirs,
with a small jitter that depends on the seed.
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping
from dataclasses import dataclass

from tui.sim.board.other_programs import NO_PRESSURE, SWAPPED_KB, OtherPrograms
from tui.sim.board.state import Activity, BoardState
from tui.sim.board.tree_still import (
    CPUFREQ,
    DDR,
    DDR_TABLE_HZ,
    DEBUGFS,
    FAN,
    NPU,
    NPU_POWER,
    POLICIES,
    PROCESS,
    SERVER_PID,
    SOCKET_INODE,
    THROTTLED_DEVICE,
    ZONES,
)

NS = 1_000_000_000
POWER_OFF_DELAY_NS = 3 * NS
"""The driver keeps the NPU powered for this long after its last job."""
WARM_UP_S = 25.0
"""Time constant of the temperatures."""
LATCH_NS = NS
"""The driver updates its load once a second, so the jitter changes no faster."""
TICKS_PER_S = 100


@dataclass(frozen=True, slots=True)
class _Level:
    """Loads, clocks and temperatures during one activity."""

    npu_pct: tuple[int, int, int]
    ddr_pct: int
    ddr_step: int
    jobs_per_s: tuple[int, int, int]
    cpu_mhz: tuple[int, int, int]
    """Clocks of the cpufreq policies 0, 4 and 6."""
    cpu_pct: tuple[int, ...]
    temps_mc: tuple[int, ...]
    """The plateau of each thermal zone in m°C."""


_IDLE_MC = (44300, 45300, 45300, 45300, 43400, 42500, 43400)
_BUSY_MC = (63800, 66500, 65600, 63800, 62900, 61000, 64700)
_HOT_MC = (66200, 68400, 67900, 65100, 65000, 62400, 69300)
LEVELS: dict[Activity, _Level] = {
    "idle": _Level((0, 0, 0), 3, 0, (0, 0, 0), (408, 408, 408), (2,) * 8, _IDLE_MC),
    "loading": _Level(
        (0, 0, 0), 41, 2, (0, 0, 0), (1416, 2304, 408), (24, 9, 5, 4, 96, 3, 2, 2), _BUSY_MC
    ),
    "prefill": _Level(
        (95, 95, 94), 38, 3, (5200, 5200, 5100), (1416, 2304, 2304),
        (18, 6, 4, 4, 34, 31, 28, 22), _HOT_MC,
    ),
    "decode": _Level(
        (86, 84, 61), 62, 3, (9500, 9400, 6800), (1800, 2304, 2304),
        (31, 5, 4, 4, 62, 58, 55, 41), _BUSY_MC,
    ),
}  # fmt: skip

LOW_NPU_HZ = 600_000_000
HOT_MC = 81_300.0
OTHERS_PCT = (0, 92, 92, 92, 0, 0, 0, 0)
"""Load of another program on each CPU in per cent, with the fault ``background``."""
COOL_MC = 74_000.0
"""Below the lowest passive trip: here the clocks return to normal."""
UNCOOLED_MC = 84_500.0
ENOUGH_PWM = 128
MEM_TOTAL_KB = 16_370_364
_MEMORY_KB = {
    "MemTotal": MEM_TOTAL_KB,
    "MemFree": 14_210_000,
    "MemAvailable": 15_120_000,
    "Buffers": 41_000,
    "Cached": 910_000,
    "SwapCached": 0,
    "Active": 420_000,
    "Inactive": 690_000,
    "Unevictable": 0,
    "Mlocked": 0,
    "SwapTotal": 8_185_180,
    "SwapFree": 8_185_180,
    "Dirty": 120,
    "Writeback": 0,
    "AnonPages": 310_000,
    "Mapped": 180_000,
    "Shmem": 21_000,
    "Slab": 140_000,
    "CmaTotal": 8_192,
    "CmaFree": 7_000,
}
_SERVER_ANON_KB = 210_000
_SERVER_FILE_KB = 95_000
"""Anonymous and file memory of the server with a model; the rest is shared, pinned memory."""
_SERVER_BARE_KB = 64_000
"""Anonymous memory of the server without a model."""


class Motion:
    """Computes file contents from the server's activity. Not thread-safe."""

    def __init__(self, seed: int, speed: float, start_ns: int) -> None:
        self._rng = random.Random(f"{seed}:tree")
        self._speed = speed
        self._start_ns = start_ns
        self._last_ns = start_ns
        self._temps_mc = [float(temp) for temp in _IDLE_MC]
        self._jobs = [120.0, 0.0, 0.0]
        self._cpu_ticks = [[0.0, 0.0] for _ in range(8)]
        self._active_ms, self._suspended_ms = 41_230.0, 8_123_990.0
        self._server_ticks = 512.0
        self._busy_until_ns = 0
        self._plateaus_mc: tuple[float, ...] = _IDLE_MC
        self._jitter = (0, 0, 0, 0)
        self._jitter_ns = 0
        self._others = OtherPrograms()
        self.is_overheated = False

    def files(self, state: BoardState, now_ns: int) -> dict[str, bytes]:
        """Path below the root -> content, at ``now_ns`` (monotonic)."""
        level = LEVELS[state.activity]
        self._heat(state, level)
        self._pass_time(state, level, now_ns)
        texts = {
            **self._npu(level),
            **self._npu_clock(state),
            **self._ddr(level, state),
            **self._thermal(state),
            **self._cpu(level, state),
            **self._memory(state),
            **self._process(state),
            **self._kernel(state, now_ns),
        }
        return {path: text.encode() for path, text in texts.items()}

    def _heat(self, state: BoardState, level: _Level) -> None:
        """Set the plateaus, and whether the board is too hot: its fan is off, or it has not cooled
        yet."""
        is_uncooled = "hot" in state.conditions and (state.choices.fan_pwm or 0) < ENOUGH_PWM
        if is_uncooled and not self.is_overheated:
            # It is hot from the start: no warming up.
            self._temps_mc = [max(temp, UNCOOLED_MC) for temp in self._temps_mc]
        self._plateaus_mc = tuple(
            max(float(temp), UNCOOLED_MC) if is_uncooled else temp for temp in level.temps_mc
        )
        is_cool = self._temps_mc[0] < COOL_MC
        self.is_overheated = is_uncooled or (self.is_overheated and not is_cool)

    def _pass_time(self, state: BoardState, level: _Level, now_ns: int) -> None:
        seconds = max(0.0, (now_ns - self._last_ns) / NS)
        self._last_ns = now_ns
        if now_ns - self._jitter_ns >= LATCH_NS / self._speed:
            self._jitter_ns = now_ns
            d = self._rng.randint
            self._jitter = (d(-2, 2), d(-2, 2), d(-2, 2), d(-3, 3))
        share = 1 - math.exp(-seconds * self._speed / WARM_UP_S)
        for index, plateau in enumerate(self._plateaus_mc):
            self._temps_mc[index] += (plateau - self._temps_mc[index]) * share
        for core, rate in enumerate(level.jobs_per_s):
            self._jobs[core] += rate * seconds * self._speed
        others = self._others.pass_time(state, level.cpu_pct, seconds)
        if "background" in state.request_troubles:
            others = OTHERS_PCT
        for core, own_pct in enumerate(level.cpu_pct):
            pct = min(own_pct + others[core], 100)
            self._cpu_ticks[core][0] += pct / 100 * seconds * TICKS_PER_S
            self._cpu_ticks[core][1] += (1 - pct / 100) * seconds * TICKS_PER_S
        if state.activity != "idle":
            busy_pct = sum(level.cpu_pct) - 20
            self._server_ticks += busy_pct / 100 * seconds * TICKS_PER_S
        if any(level.jobs_per_s):
            self._busy_until_ns = now_ns + round(POWER_OFF_DELAY_NS / self._speed)
        if self._is_powered:
            self._active_ms += seconds * 1000
        else:
            self._suspended_ms += seconds * 1000

    @property
    def _is_powered(self) -> bool:
        return self._last_ns < self._busy_until_ns

    def _npu(self, level: _Level) -> dict[str, str]:
        loads = [
            min(100, pct + jitter) if pct else 0
            for pct, jitter in zip(level.npu_pct, self._jitter, strict=False)
        ]
        # The driver's format is "%2.d"; the kernel's printf prints a digit for 0 too.
        cores = "".join(f" Core{core}: {load:2d}%," for core, load in enumerate(loads))
        return {
            f"{DEBUGFS}/load": f"NPU load: {cores}\n",
            f"{DEBUGFS}/power": "on\n" if self._is_powered else "off\n",
            f"{NPU_POWER}/runtime_status": "active\n" if self._is_powered else "suspended\n",
            f"{NPU_POWER}/runtime_active_time": f"{self._active_ms:.0f}\n",
            f"{NPU_POWER}/runtime_suspended_time": f"{self._suspended_ms:.0f}\n",
        }

    def _ddr(self, level: _Level, state: BoardState) -> dict[str, str]:
        freq_hz = state.choices.ddr_hz(level.ddr_step)
        # The same bytes/s are a larger share of a lower clock's bandwidth.
        busy_pct = level.ddr_pct * DDR_TABLE_HZ[level.ddr_step] / freq_hz
        load = max(1, round(busy_pct) + (self._jitter[3] if level.ddr_step else 0))
        load = min(load, 97)
        return {f"{DDR}/cur_freq": f"{freq_hz}\n", f"{DDR}/load": f"{load}@{freq_hz}Hz\n"}

    def _npu_clock(self, state: BoardState) -> dict[str, str]:
        """While too hot, the NPU's limit is lowered, and a cooling device is active."""
        is_hot = "throttle" in state.troubles
        is_low = is_hot or "clock" in state.troubles
        chosen = state.choices.npu
        most_hz = min(chosen.limit_hz, LOW_NPU_HZ) if is_hot else chosen.limit_hz
        now_hz = min(state.choices.npu_hz, LOW_NPU_HZ) if is_low else state.choices.npu_hz
        return {
            f"{NPU}/cur_freq": f"{now_hz}\n",
            f"{NPU}/max_freq": f"{most_hz}\n",
            f"sys/class/thermal/cooling_device{THROTTLED_DEVICE}/cur_state": "1\n"
            if is_hot
            else "0\n",
        }

    def _thermal(self, state: BoardState) -> dict[str, str]:
        files: dict[str, str] = {}
        for number, _ in enumerate(ZONES):
            real_mc = self._temps_mc[number]
            if "throttle" in state.request_troubles:
                real_mc = max(real_mc, HOT_MC)
            # The sensor has steps of about 0.9 degrees.
            temp_mc = round(real_mc / 923) * 923
            files[f"sys/class/thermal/thermal_zone{number}/temp"] = f"{temp_mc}\n"
            files[f"sys/class/hwmon/hwmon{number}/temp1_input"] = f"{temp_mc}\n"
        soc_mc = self._temps_mc[0]
        steps = ((70_000, 255), (65_000, 200), (60_000, 150), (55_000, 100), (50_000, 50))
        pwm = next((pwm for limit_mc, pwm in steps if soc_mc >= limit_mc), 0)
        pwm = 0 if "hot" in state.conditions else pwm
        pwm = pwm if state.choices.fan_pwm is None else state.choices.fan_pwm
        return {**files, f"{FAN}/pwm1": f"{pwm}\n"}

    def _cpu(self, level: _Level, state: BoardState) -> dict[str, str]:
        return {
            f"{CPUFREQ}/policy{number}/scaling_cur_freq": f"{state.choices.cpu_mhz(at, mhz)}000\n"
            for at, (number, mhz) in enumerate(zip(POLICIES, level.cpu_mhz, strict=True))
        }

    def _memory(self, state: BoardState) -> dict[str, str]:
        shared_kb, anon_kb = _model_kb(state)
        left_kb = _MEMORY_KB["MemAvailable"] - shared_kb - anon_kb
        others_kb = self._others.filled_kb(state, left_kb)
        moved = {
            "MemFree": -shared_kb - anon_kb - others_kb,
            "MemAvailable": -shared_kb - anon_kb - others_kb,
            "SwapFree": -SWAPPED_KB if others_kb else 0,
            "Cached": shared_kb,
            "Unevictable": shared_kb,
            "Shmem": shared_kb,
            "Mapped": shared_kb,
            "AnonPages": anon_kb + others_kb,
            "Active": anon_kb + others_kb,
        }
        lines = (
            f"{name + ':':<16}{max(0, size_kb + moved.get(name, 0)):>8} kB\n"
            for name, size_kb in _MEMORY_KB.items()
        )
        some, full = self._others.pressure(state)
        return {
            "proc/meminfo": "".join(lines),
            "proc/pressure/memory": f"some {some}\nfull {full}\n",
            "proc/pressure/io": f"some {NO_PRESSURE}\nfull {NO_PRESSURE}\n",
            "proc/pressure/cpu": f"some {NO_PRESSURE}\nfull {NO_PRESSURE}\n",
        }

    def _process(self, state: BoardState) -> dict[str, str]:
        shared_kb, model_anon_kb = _model_kb(state)
        anon_kb = _SERVER_BARE_KB + model_anon_kb
        resident_kb = shared_kb + anon_kb + _SERVER_FILE_KB
        peak_kb = max(resident_kb, state.peak_mb * 1024)
        user = round(self._server_ticks * 0.8)
        system = round(self._server_ticks * 0.2)
        pages = resident_kb // 4
        status = {
            "Name": "rkllm_server",
            "State": "R (running)" if state.activity != "idle" else "S (sleeping)",
            "Pid": f"{SERVER_PID}",
            "PPid": "1",
            "VmPeak": f"{peak_kb + 1_200_000:8d} kB",
            "VmHWM": f"{peak_kb:8d} kB",
            "VmRSS": f"{resident_kb:8d} kB",
            "RssAnon": f"{anon_kb:8d} kB",
            "RssFile": f"{_SERVER_FILE_KB:8d} kB",
            "RssShmem": f"{shared_kb:8d} kB",
            "VmSwap": f"{0:8d} kB",
            "Threads": "14",
            "Cpus_allowed_list": "0-7",
        }
        letter = status["State"][0]
        size = (resident_kb + 1_200_000) * 1024
        stat = (
            f"{SERVER_PID} (rkllm_server) {letter} 1 {SERVER_PID} {SERVER_PID} 0 -1 4194560 "
            f"81234 0 12 0 {user} {system} 0 0 20 0 14 0 1812 {size} {pages} "
            f"18446744073709551615 1 1 0 0 0 0 0 16781312 16386 0 0 0 17 4 0 0 0 0 0 0 0 0 0 0 "
            "0 0 0\n"
        )
        port = f"{state.port:04X}"
        tcp = (
            "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid"
            "  timeout inode\n"
            f"   0: 0100007F:{port} 00000000:0000 0A 00000000:00000000 00:00000000 00000000"
            f"     0        0 {SOCKET_INODE} 1 0000000000000000 100 0 0 10 0\n"
        )
        return {
            f"{PROCESS}/status": "".join(f"{key}:\t{value}\n" for key, value in status.items()),
            f"{PROCESS}/stat": stat,
            "proc/net/tcp": tcp,
        }

    def _kernel(self, state: BoardState, now_ns: int) -> dict[str, str]:
        up_s = 9_000 + (now_ns - self._start_ns) / NS
        running = 5 if state.activity in ("prefill", "decode") else 1
        load = 0.08 if state.activity == "idle" else 4.11
        return {
            "proc/interrupts": self._interrupts(),
            "proc/stat": self._stat(up_s),
            "proc/loadavg": f"{load:.2f} 0.61 0.29 {running}/243 {SERVER_PID + 7}\n",
            "proc/uptime": f"{up_s:.2f} {up_s * 7.6:.2f}\n",
            **self._others.files(state),
        }

    def _interrupts(self) -> str:
        head = " " * 11 + "".join(f"{f'CPU{core}':<11}" for core in range(8)).rstrip() + "\n"
        rows = ""
        for core, count in enumerate(self._jobs):
            # CPU 0 serves all three interrupts, which the NPU shares with its IOMMU.
            counts = "".join(f"{n:>11}" for n in (round(count), 0, 0, 0, 0, 0, 0, 0))
            rows += f"{40 + core:3d}:{counts}     GICv3 {142 + core} Level     "
            rows += "fdab9000.iommu, fdab0000.npu\n"
        return head + rows

    def _stat(self, up_s: float) -> str:
        base = round(9_000 * TICKS_PER_S * 0.95)
        rows: list[tuple[int, int, int]] = []
        for busy, idle in self._cpu_ticks:
            rows.append((1_000 + round(busy * 0.85), 400 + round(busy * 0.15), base + round(idle)))
        total = [sum(column) for column in zip(*rows, strict=True)]
        lines = [f"cpu  {total[0]} 0 {total[1]} {total[2]} 90 0 12 0 0 0"]
        lines += [
            f"cpu{core} {user} 0 {system} {idle} 11 0 1 0 0 0"
            for core, (user, system, idle) in enumerate(rows)
        ]
        lines += [f"intr {round(sum(self._jobs)) + 812_345}", f"ctxt {round(up_s * 900)}"]
        lines += ["btime 1795200000", "processes 4250", "procs_running 1", "procs_blocked 0"]
        return "\n".join(lines) + "\n"


def _model_kb(state: BoardState) -> tuple[int, int]:
    """Memory of the loaded and the leaked models in kB: (shared and pinned, anonymous)."""
    models_mb = state.leaked_mb + (state.model.memory_mb if state.model else 0)
    if not models_mb:
        return 0, 0
    extra_kb = _SERVER_ANON_KB - _SERVER_BARE_KB
    shared_kb = models_mb * 1024 - _SERVER_ANON_KB - _SERVER_FILE_KB
    return min(shared_kb, MEM_TOTAL_KB - 1_200_000), extra_kb


def changed(old: Mapping[str, bytes], new: Mapping[str, bytes]) -> dict[str, bytes]:
    """The files whose content differs from ``old``."""
    return {path: data for path, data in new.items() if old.get(path) != data}
