"""The files of the simulated board that never change: an Orange Pi 5 Max under a vendor kernel.

The contents are from captures of real boards where those exist. The formats are the kernel's: a
blank at the end of ``scaling_available_frequencies``, NUL at the end of device-tree strings, Hz for
devfreq but kHz for cpufreq.
"""

from __future__ import annotations

SERVER_PID = 4242
SOCKET_INODE = 51233

NPU = "sys/class/devfreq/fdab0000.npu"
GPU = "sys/class/devfreq/fb000000.gpu"
DDR = "sys/class/devfreq/dmc"
DEBUGFS = "sys/kernel/debug/rknpu"
NPU_POWER = "sys/devices/platform/fdab0000.npu/power"
CPUFREQ = "sys/devices/system/cpu/cpufreq"
FAN = "sys/class/hwmon/hwmon7"
PROCESS = f"proc/{SERVER_PID}"

ZONES = ("soc", "bigcore0", "bigcore1", "littlecore", "center", "gpu", "npu")
DDR_TABLE_HZ = (534_000_000, 1_320_000_000, 1_968_000_000, 2_400_000_000)
NPU_HZ = 1_000_000_000
POLICIES = {
    0: ((0, 1, 2, 3), (408, 600, 816, 1008, 1200, 1416, 1608, 1800)),
    4: ((4, 5), (408, 600, 816, 1008, 1200, 1416, 1608, 1800, 2016, 2208, 2304)),
    6: ((6, 7), (408, 600, 816, 1008, 1200, 1416, 1608, 1800, 2016, 2208, 2304)),
}
"""cpufreq policy -> its cores and its table in MHz."""

_TENTHS = " ".join(str(n * 100_000_000) for n in range(3, 11))
_PLATFORM = {
    "proc/device-tree/model": "RK3588 OPi 5 Max\0",
    "proc/device-tree/compatible": "rockchip,rk3588-orangepi-5-max\0rockchip,rk3588\0",
    "proc/device-tree/npu@fdab0000/compatible": "rockchip,rk3588-rknpu\0",
    "proc/device-tree/npu@fdab0000/status": "okay\0",
    "proc/version": "Linux version 6.1.84-vendor-rk35xx (build@armbian) "
    "(aarch64-linux-gnu-gcc (Debian 12.2.0-14) 12.2.0, GNU ld (GNU Binutils for Debian) 2.40) "
    "#1 SMP Fri Mar 14 10:21:00 UTC 2025\n",
    "proc/sys/kernel/osrelease": "6.1.84-vendor-rk35xx\n",
    "proc/filesystems": "nodev\tdebugfs\nnodev\ttmpfs\n\text4\n",
    "proc/swaps": "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"
    "/dev/zram0                              partition\t8185180\t\t0\t\t5\n",
    "sys/module/rknpu/version": "0.9.8\n",
    f"{DEBUGFS}/version": "RKNPU driver: v0.9.8\n",
    f"{DEBUGFS}/freq": f"{NPU_HZ}\n",
    f"{DEBUGFS}/volt": "800000\n",
    f"{DEBUGFS}/delayms": "3000\n",
    f"{DEBUGFS}/reset": "on\n",
    "sys/class/regulator/regulator.12/name": "vdd_npu_s0\n",
    "sys/class/regulator/regulator.12/microvolts": "800000\n",
    "sys/class/regulator/regulator.13/name": "vdd_cpu_big0_s0\n",
    "sys/class/regulator/regulator.13/microvolts": "675000\n",
    "sys/class/drm/renderD129/device/uevent": "DRIVER=RKNPU\nOF_NAME=npu\n"
    "OF_FULLNAME=/npu@fdab0000\nOF_COMPATIBLE_0=rockchip,rk3588-rknpu\nOF_COMPATIBLE_N=1\n",
    "sys/block/zram0/disksize": "8381624320\n",
    "sys/block/zram0/mm_stat": "    4096       86    12288        0    12288        0        0"
    "        0        0\n",
    f"{NPU_POWER}/control": "auto\n",
    # Only the text with the version, which is an assumption.
    "usr/lib/librkllmrt.so": "\x7fELF simulated\0RKLLM SDK (version: 1.2.3 simulated)\0",
    "usr/lib/librknnrt.so": "\x7fELF simulated\0librknnrt version: 2.3.2 (simulated)\0",
}
_DEVFREQ = {
    f"{NPU}/name": "fdab0000.npu\n",
    f"{NPU}/governor": "rknpu_ondemand\n",
    f"{NPU}/available_governors": "rknpu_ondemand dmc_ondemand userspace powersave performance "
    "simple_ondemand\n",
    f"{NPU}/available_frequencies": f"{_TENTHS}\n",
    f"{NPU}/target_freq": f"{NPU_HZ}\n",
    f"{NPU}/min_freq": "300000000\n",
    # The NPU's devfreq node gives this constant, idle or busy.
    f"{NPU}/load": f"100@{NPU_HZ}Hz\n",
    f"{GPU}/name": "fb000000.gpu\n",
    f"{GPU}/governor": "simple_ondemand\n",
    f"{GPU}/available_frequencies": f"{_TENTHS}\n",
    f"{GPU}/cur_freq": "300000000\n",
    f"{GPU}/min_freq": "300000000\n",
    f"{GPU}/max_freq": "1000000000\n",
    f"{GPU}/load": "0@300000000Hz\n",
    f"{DDR}/name": "dmc\n",
    f"{DDR}/governor": "dmc_ondemand\n",
    f"{DDR}/available_governors": "dmc_ondemand userspace powersave performance simple_ondemand\n",
    f"{DDR}/available_frequencies": " ".join(map(str, DDR_TABLE_HZ)) + "\n",
    f"{DDR}/min_freq": f"{DDR_TABLE_HZ[0]}\n",
    f"{DDR}/max_freq": f"{DDR_TABLE_HZ[-1]}\n",
}
THROTTLED_DEVICE = 4
"""The cooling device that is active while the board is too hot."""
_COOLING = (
    ("cpufreq-cpu0", 7), ("cpufreq-cpu4", 10), ("cpufreq-cpu6", 10),
    ("devfreq-fb000000.gpu", 7), ("devfreq-dmc", 3),
)  # fmt: skip


def still_files() -> dict[str, bytes]:
    """Path below the root -> content."""
    files = {**_PLATFORM, **_DEVFREQ, **_thermal(), **_cpus(), **_process()}
    return {path: text.encode() for path, text in files.items()}


def still_links() -> dict[str, str]:
    """Path below the root -> where the symbolic link points."""
    return {
        f"{PROCESS}/fd/0": "/dev/null",
        f"{PROCESS}/fd/6": f"socket:[{SOCKET_INODE}]",
        f"{PROCESS}/fd/11": "/dev/dri/renderD129",
    }


def _thermal() -> dict[str, str]:
    files: dict[str, str] = {}
    for number, name in enumerate(ZONES):
        zone = f"sys/class/thermal/thermal_zone{number}"
        trips = [("115000", "critical")]
        if name == "soc":
            trips = [("75000", "passive"), ("85000", "passive"), *trips]
        files |= {f"{zone}/type": f"{name}-thermal\n", f"{zone}/mode": "enabled\n"}
        files[f"{zone}/policy"] = "power_allocator\n" if name == "soc" else "step_wise\n"
        for trip, (temp, kind) in enumerate(trips):
            files[f"{zone}/trip_point_{trip}_temp"] = f"{temp}\n"
            files[f"{zone}/trip_point_{trip}_type"] = f"{kind}\n"
            files[f"{zone}/trip_point_{trip}_hyst"] = "2000\n"
        files[f"sys/class/hwmon/hwmon{number}/name"] = f"{name}_thermal\n"
    for number, (kind, most) in enumerate(_COOLING):
        device = f"sys/class/thermal/cooling_device{number}"
        files |= {f"{device}/type": f"{kind}\n", f"{device}/max_state": f"{most}\n"}
        if number != THROTTLED_DEVICE:
            files[f"{device}/cur_state"] = "0\n"
    # The board's fan has no tachometer and is no cooling device.
    return {**files, f"{FAN}/name": "pwmfan\n", f"{FAN}/pwm1_enable": "1\n"}


def _cpus() -> dict[str, str]:
    files: dict[str, str] = {"sys/devices/system/cpu/online": "0-7\n"}
    for number, (cores, table_mhz) in POLICIES.items():
        policy = f"{CPUFREQ}/policy{number}"
        listed = " ".join(map(str, cores))
        files |= {
            f"{policy}/related_cpus": f"{listed}\n",
            f"{policy}/affected_cpus": f"{listed}\n",
            f"{policy}/cpuinfo_min_freq": f"{table_mhz[0]}000\n",
            f"{policy}/cpuinfo_max_freq": f"{table_mhz[-1]}000\n",
            f"{policy}/scaling_min_freq": f"{table_mhz[0]}000\n",
            f"{policy}/scaling_max_freq": f"{table_mhz[-1]}000\n",
            f"{policy}/scaling_governor": "ondemand\n",
            f"{policy}/scaling_driver": "cpufreq-dt\n",
            f"{policy}/scaling_available_frequencies": "".join(f"{n}000 " for n in table_mhz)
            + "\n",
        }
    parts = {0: "0xd05", 4: "0xd0b"}
    files["proc/cpuinfo"] = "".join(
        f"processor\t: {core}\nBogoMIPS\t: 48.00\nCPU implementer\t: 0x41\n"
        f"CPU architecture: 8\nCPU part\t: {parts[0 if core < 4 else 4]}\n\n"
        for core in range(8)
    )
    return files


def _process() -> dict[str, str]:
    return {
        f"{PROCESS}/comm": "rkllm_server\n",
        f"{PROCESS}/cmdline": "python3\0src/main.py\0",
    }
