"""Boards on disk: trees of /proc and /sys as real kernels show them, and their variants.

A tree is a mapping from path to content. ``None`` removes a file of the tree it is based on. The
contents are those of an Orange Pi 5 Max and its relatives; where no board has told yet (memory
clocks with LPDDR5), they are assumptions of the same form.
"""

from __future__ import annotations

from tests.board.tree_files import (
    GOVERNORS,
    NPU_TABLE,
    Tree,
    changed,
    cooling,
    devfreq,
    interrupts,
    meminfo,
    policy,
    trips,
    without,
    zones,
)

VENDOR_ROWS = tuple((40 + core, 142 + core, "fdab9000.iommu, fdab0000.npu") for core in range(3))


IDLE_MEMORY = {
    "MemTotal": 16370364,
    "MemFree": 14210000,
    "MemAvailable": 15120000,
    "Buffers": 41000,
    "Cached": 910000,
    "Shmem": 21000,
    "Unevictable": 0,
    "Mapped": 180000,
    "SwapTotal": 8185180,
    "SwapFree": 8185180,
    "CmaTotal": 8192,
    "CmaFree": 7000,
}
CPU_STAT = "".join(f"cpu{cpu} 100 0 100 9800 0 0 0 0 0 0\n" for cpu in range(8))
IDLE_TEMPS = {
    "soc-thermal": 44300,
    "bigcore0-thermal": 45300,
    "bigcore1-thermal": 45300,
    "littlecore-thermal": 45300,
    "center-thermal": 43400,
    "gpu-thermal": 42500,
    "npu-thermal": 43400,
}


def idle() -> Tree:
    """(a) Vendor kernel 6.1, 16 GB Orange Pi 5 Max, nothing loaded, read as root."""
    tree: Tree = {
        "proc/device-tree/model": "RK3588 OPi 5 Max\0",
        "proc/device-tree/compatible": "rockchip,rk3588-orangepi-5-max\0rockchip,rk3588\0",
        "proc/device-tree/npu@fdab0000/compatible": "rockchip,rk3588-rknpu\0",
        "proc/device-tree/npu@fdab0000/status": "okay\0",
        "proc/version": "Linux version 6.1.84-vendor-rk35xx (build@armbian) (gcc) #1 SMP\n",
        "proc/loadavg": "0.08 0.11 0.09 1/243 1812\n",
        "proc/stat": "cpu  800 0 800 78400 0 0 0 0 0 0\n"
        + CPU_STAT
        + "intr 123456 0 0 1\nctxt 99\n",
        "proc/swaps": "Filename Type Size Used Priority\n/dev/zram0 partition 8185180 0 5\n",
        "proc/pressure/memory": "some avg10=0.00 avg60=0.00 avg300=0.00 total=0\n"
        "full avg10=0.00 avg60=0.00 avg300=0.00 total=0\n",
        "sys/block/zram0/mm_stat": "    4096       86    12288        0    12288        0"
        "        0        0        0\n",
        "sys/block/zram0/disksize": "8381624320\n",
        "sys/module/rknpu/version": "0.9.8\n",
        "sys/class/drm/renderD129/device/uevent": "DRIVER=RKNPU\nOF_FULLNAME=/npu@fdab0000\n",
        "sys/class/regulator/regulator.12/name": "vdd_npu_s0\n",
        "sys/class/regulator/regulator.12/microvolts": "800000\n",
        "sys/class/regulator/regulator.13/name": "vdd_cpu_big0_s0\n",
        "sys/class/regulator/regulator.13/microvolts": "675000\n",
        "sys/class/hwmon/hwmon7/name": "pwmfan\n",
        "sys/class/hwmon/hwmon7/pwm1": "0\n",
        "sys/class/hwmon/hwmon7/pwm1_enable": "1\n",
    }
    debugfs = {
        "load": "NPU load:  Core0:  0%, Core1:  0%, Core2:  0%,",
        "version": "RKNPU driver: v0.9.8",
        "power": "off",
        "freq": "1000000000",
        "volt": "800000",
        "delayms": "3000",
        "reset": "on",
    }
    tree |= {f"sys/kernel/debug/rknpu/{name}": f"{text}\n" for name, text in debugfs.items()}
    power = {
        "runtime_status": "suspended",
        "runtime_active_time": "41230",
        "runtime_suspended_time": "8123990",
        "control": "auto",
    }
    folder = "sys/devices/platform/fdab0000.npu/power"
    tree |= {f"{folder}/{name}": f"{text}\n" for name, text in power.items()}
    for number, kind in enumerate(IDLE_TEMPS):
        tree[f"sys/class/hwmon/hwmon{number}/name"] = kind.replace("-", "_") + "\n"
        tree[f"sys/class/hwmon/hwmon{number}/temp1_input"] = f"{IDLE_TEMPS[kind]}\n"
    tree |= devfreq(
        "fdab0000.npu",
        name="fdab0000.npu",
        governor="rknpu_ondemand",
        cur_freq="1000000000",
        target_freq="1000000000",
        min_freq="300000000",
        max_freq="1000000000",
        load="100@1000000000Hz",
        available_frequencies=NPU_TABLE,
        available_governors=GOVERNORS,
    )
    tree |= devfreq(
        "dmc",
        governor="dmc_ondemand",
        cur_freq="534000000",
        min_freq="534000000",
        max_freq="2400000000",
        load="3@534000000Hz",
        available_frequencies="534000000 1320000000 1968000000 2400000000",
    )
    tree |= devfreq(
        "fb000000.gpu",
        governor="simple_ondemand",
        cur_freq="300000000",
        min_freq="300000000",
        max_freq="1000000000",
        load="0@300000000Hz",
        available_frequencies=NPU_TABLE,
    )
    tree |= zones(IDLE_TEMPS)
    tree |= trips(0, (75000, "passive"), (85000, "passive"), (115000, "critical"))
    for zone in range(1, 7):
        tree |= trips(zone, (115000, "critical"))
    tree |= cooling(
        ("cpufreq-cpu0", 0, 7),
        ("cpufreq-cpu4", 0, 10),
        ("cpufreq-cpu6", 0, 10),
        ("devfreq-fb000000.gpu", 0, 7),
        ("devfreq-dmc", 0, 3),
    )
    tree |= policy(0, "0 1 2 3", 408000, 1800000, "ondemand")
    tree |= policy(4, "4 5", 408000, 2304000, "ondemand")
    tree |= policy(6, "6 7", 408000, 2304000, "ondemand")
    tree |= interrupts(*VENDOR_ROWS)
    tree |= meminfo(**IDLE_MEMORY)
    return tree


SERVER_STATUS = (
    "Name:\trkllm_server\nUmask:\t0022\nState:\tR (running)\nPid:\t4242\nPPid:\t1\n"
    "VmPeak:\t 6100000 kB\nVmHWM:\t 5012000 kB\nVmRSS:\t 4990000 kB\nRssAnon:\t  210000 kB\n"
    "RssFile:\t   95000 kB\nRssShmem:\t 4685000 kB\nVmSwap:\t       0 kB\nThreads:\t14\n"
    "Cpus_allowed:\tff\nCpus_allowed_list:\t0-7\n"
)


def server_stat(ticks: int = 5000, start: int = 7777, pid: int = 4242) -> str:
    """/proc/PID/stat of the server, with brackets in its name."""
    before = f"{pid} (rkllm) (server) R 1 4242 4242 0 -1 4194304 100 0 0 0"
    after = f"{ticks} 100 0 0 20 0 14 0 {start} 6246400000 1247500 18446744073709551615"
    return f"{before} {after} 1 1 0 0 0 0 0 4096 0 0 0 0 17 5 0 0 0 0 0\n"


def decoding() -> Tree:
    """(b) qwen3-4b decodes on three cores, everything well tuned."""
    tree = idle()
    tree |= {
        "sys/kernel/debug/rknpu/load": "NPU load:  Core0: 86%, Core1: 84%, Core2: 61%,\n",
        "sys/kernel/debug/rknpu/power": "on\n",
        "sys/devices/platform/fdab0000.npu/power/runtime_status": "active\n",
        "sys/class/hwmon/hwmon7/pwm1": "150\n",
        "proc/4242/comm": "rkllm_server\n",
        "proc/4242/cmdline": "python3\0api.py\0",
        "proc/4242/status": SERVER_STATUS,
    }
    tree |= devfreq("dmc", governor="performance", cur_freq="2400000000", load="62@2400000000Hz")
    tree |= zones(
        {
            "soc-thermal": 63800,
            "bigcore0-thermal": 66500,
            "bigcore1-thermal": 65600,
            "littlecore-thermal": 63800,
            "center-thermal": 62900,
            "gpu-thermal": 61000,
            "npu-thermal": 64700,
        }
    )
    tree |= policy(0, "0 1 2 3", 1800000, 1800000, "ondemand")
    tree |= policy(4, "4 5", 2304000, 2304000, "performance")
    tree |= policy(6, "6 7", 2304000, 2304000, "performance")
    return tree | meminfo(
        **(
            IDLE_MEMORY
            | {
                "MemFree": 5100000,
                "MemAvailable": 9890000,
                "Cached": 5980000,
                "Shmem": 4710000,
                "Unevictable": 4690000,
                "Mapped": 4900000,
            }
        )
    )


def mistuned() -> Tree:
    """(b2) The same with the memory clock left at the bottom."""
    tree = decoding()
    tree["sys/kernel/debug/rknpu/load"] = "NPU load:  Core0: 38%, Core1: 36%, Core2: 35%,\n"
    return tree | devfreq(
        "dmc", governor="dmc_ondemand", cur_freq="534000000", load="97@534000000Hz"
    )


def hot() -> Tree:
    """(b3) Above 85 °C: the system monitor caps NPU, GPU and big cores."""
    tree = decoding()
    tree |= {
        "sys/class/thermal/thermal_zone0/temp": "86200\n",
        "sys/class/thermal/thermal_zone6/temp": "87700\n",
        "sys/class/thermal/cooling_device1/cur_state": "2\n",
        "sys/devices/system/cpu/cpufreq/policy4/scaling_max_freq": "2208000\n",
    }
    tree |= devfreq(
        "fdab0000.npu", max_freq="800000000", cur_freq="800000000", load="100@800000000Hz"
    )
    return tree | devfreq("fb000000.gpu", max_freq="800000000")


def proc_load() -> Tree:
    """(c2) A kernel with the driver's proc files: load for everyone."""
    return decoding() | {"proc/rknpu/load": "NPU load:  Core0: 40%, Core1: 41%, Core2: 42%,\n"}


def no_debugfs() -> Tree:
    """(c3) debugfs is not mounted: its folder is empty, for root as well."""
    return without(decoding(), "sys/kernel/debug/")


def mainline() -> Tree:
    """(d) Mainline with the rocket driver: no load, no clocks, three devices."""
    tree = without(
        idle(),
        "sys/module/rknpu",
        "sys/kernel/debug/",
        "sys/class/devfreq/fdab0000.npu",
        "sys/class/devfreq/dmc",
        "sys/class/thermal/",
        "sys/class/hwmon/",
        "sys/class/regulator/",
        "sys/class/drm/",
    )
    tree |= {
        "proc/device-tree/model": "Xunlong Orange Pi 5 Max\0",
        "proc/device-tree/compatible": "xunlong,orangepi-5-max\0rockchip,rk3588\0",
        "proc/version": "Linux version 6.18.2 (build@host) (gcc) #1 SMP PREEMPT\n",
        "sys/module/rocket/refcnt": "0\n",
        "sys/class/accel/accel0/dev": "261:0\n",
        "sys/class/accel/accel0/device/uevent": "DRIVER=rocket\n",
        "sys/class/devfreq/fb000000.gpu/load": None,
    }
    for address in ("fdab0000", "fdac0000", "fdad0000"):
        folder = f"sys/devices/platform/{address}.npu/power"
        tree[f"{folder}/runtime_status"] = "suspended\n"
        tree[f"{folder}/runtime_active_time"] = "10\n"
        tree[f"{folder}/runtime_suspended_time"] = "10000\n"
    tree |= zones(
        {
            "package-thermal": 44300,
            "bigcore0-thermal": 45300,
            "bigcore2-thermal": 45300,
            "littlecore-thermal": 45300,
            "center-thermal": 43400,
            "gpu-thermal": 42500,
            "npu-thermal": 43400,
        }
    )
    tree |= trips(0, (115000, "critical"))
    tree |= cooling(("cpufreq-cpu0", 0, 7), ("pwm-fan", 1, 4))
    tree |= interrupts(
        (41, 143, "fdaca000.iommu, fdac0000.npu"),
        (40, 142, "fdab9000.iommu, fdab0000.npu"),
        (42, 144, "fdada000.iommu, fdad0000.npu"),
        counts=(7, 120, 3),
    )
    return changed(tree)


def no_driver() -> Tree:
    """(d2) Mainline without any NPU driver."""
    tree = without(mainline(), "sys/module/rocket", "sys/class/accel", "sys/devices/platform")
    return tree | interrupts(counts=())


def single_core() -> Tree:
    """(e) RK3566: one NPU core, one CPU cluster, two thermal zones, no memory scaling."""
    tree = without(
        idle(),
        "sys/class/thermal/",
        "sys/class/devfreq/",
        "sys/devices/",
        "sys/class/hwmon/",
        "sys/class/regulator/",
        "sys/kernel/debug/",
    )
    tree |= {
        "proc/device-tree/model": "Radxa CM3 RPI CM4 IO\0",
        "proc/device-tree/compatible": "radxa,radxa-cm3-rpi-cm4-io\0rockchip,rk3566\0",
        "proc/stat": "cpu  400 0 400 39200 0 0 0 0 0 0\n" + CPU_STAT[: len(CPU_STAT) // 2],
        "sys/kernel/debug/rknpu/load": "NPU load:  0%\n",
        "sys/devices/platform/fde40000.npu/power/runtime_status": "active\n",
        "sys/devices/platform/fde40000.npu/power/runtime_active_time": "10\n",
        "sys/devices/platform/fde40000.npu/power/runtime_suspended_time": "10000\n",
    }
    tree |= devfreq(
        "fde40000.npu",
        governor="rknpu_ondemand",
        cur_freq="600000000",
        min_freq="200000000",
        max_freq="900000000",
        load="100@600000000Hz",
        available_frequencies="200000000 400000000 600000000 900000000",
    )
    tree |= zones({"soc-thermal": 51000, "gpu-thermal": 50000})
    tree |= trips(0, (75000, "passive"), (115000, "critical"))
    tree |= policy(0, "0 1 2 3", 1800000, 1800000, "ondemand")
    tree |= interrupts((40, 183, "fde4b000.iommu, fde40000.npu"), counts=(500,))
    return tree | meminfo(**(IDLE_MEMORY | {"CmaTotal": 1048576, "CmaFree": 900000}))


def laptop() -> Tree:
    """A PC: firmware names, package temperature by hwmon, no Rockchip at all."""
    tree: Tree = {
        "sys/class/dmi/id/sys_vendor": "LENOVO\n",
        "sys/class/dmi/id/product_name": "20XW\n",
        "proc/cpuinfo": "processor\t: 0\nmodel name\t: 11th Gen Intel(R) Core(TM) i7\n",
        "proc/version": "Linux version 6.8.0-45-generic (buildd@lcy02) (gcc)\n",
        "proc/stat": "cpu  1 0 1 98 0 0 0 0 0 0\ncpu0 1 0 1 98 0 0 0 0 0 0\n",
        "proc/interrupts": "           CPU0\n  8:          1   IR-IO-APIC   8-edge      rtc0\n",
        "sys/class/hwmon/hwmon0/name": "BAT0\n",
        "sys/class/hwmon/hwmon3/name": "coretemp\n",
        "sys/class/hwmon/hwmon3/temp1_input": "52000\n",
        "sys/kernel/debug/other/file": "x\n",
    }
    return tree | meminfo(
        MemTotal=16000000, MemFree=9000000, MemAvailable=12000000, Shmem=4000, Unevictable=1000
    )
