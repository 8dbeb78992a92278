"""Files of a board's /sys and /proc, as parts of a tree."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

Content = str | bytes | None
Tree = dict[str, Content]

GOVERNORS = "rknpu_ondemand dmc_ondemand userspace powersave performance simple_ondemand"
NPU_TABLE = "300000000 400000000 500000000 600000000 700000000 800000000 900000000 1000000000"
ZERO_TO_SEVEN = "".join(f"       CPU{cpu}" for cpu in range(8))


def write(tree: Mapping[str, Content], root: Path) -> Path:
    """Put a tree below ``root``."""
    for name, content in tree.items():
        path = root / name
        if content is None:
            path.unlink(missing_ok=True)
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return root


def changed(base: Tree, **parts: Mapping[str, Content]) -> Tree:
    """``base`` with the files of all ``parts`` replaced."""
    tree = dict(base)
    for part in parts.values():
        tree.update(part)
    return {name: content for name, content in tree.items() if content is not None}


def without(base: Tree, *prefixes: str) -> Tree:
    """``base`` without the files below these paths."""
    return {name: content for name, content in base.items() if not name.startswith(prefixes)}


def zones(temps: Mapping[str, int], first: int = 0) -> Tree:
    """Thermal zones by type, numbered in that order."""
    tree: Tree = {}
    for number, (kind, millidegrees) in enumerate(temps.items(), first):
        folder = f"sys/class/thermal/thermal_zone{number}"
        tree[f"{folder}/type"] = f"{kind}\n"
        tree[f"{folder}/temp"] = f"{millidegrees}\n"
        tree[f"{folder}/mode"] = "enabled\n"
    return tree


def trips(zone: int, *points: tuple[int, str]) -> Tree:
    """Trip points of one zone."""
    tree: Tree = {}
    for number, (millidegrees, kind) in enumerate(points):
        base = f"sys/class/thermal/thermal_zone{zone}/trip_point_{number}"
        tree |= {
            f"{base}_temp": f"{millidegrees}\n",
            f"{base}_type": f"{kind}\n",
            f"{base}_hyst": "2000\n",
        }
    return tree


def cooling(*devices: tuple[str, int, int]) -> Tree:
    """Cooling devices: type, current state, highest state."""
    tree: Tree = {}
    for number, (kind, now, top) in enumerate(devices):
        folder = f"sys/class/thermal/cooling_device{number}"
        tree |= {
            f"{folder}/type": f"{kind}\n",
            f"{folder}/cur_state": f"{now}\n",
            f"{folder}/max_state": f"{top}\n",
        }
    return tree


def devfreq(node: str, **files: str) -> Tree:
    """One devfreq node."""
    return {f"sys/class/devfreq/{node}/{file}": f"{text}\n" for file, text in files.items()}


def policy(
    number: int, cpus: str, now: int, top: int, governor: str, cap: int | None = None
) -> Tree:
    """One cpufreq policy, in kHz. The list of clocks ends in a blank, as the kernel writes it."""
    folder = f"sys/devices/system/cpu/cpufreq/policy{number}"
    return {
        f"{folder}/related_cpus": f"{cpus}\n",
        f"{folder}/affected_cpus": f"{cpus}\n",
        f"{folder}/scaling_cur_freq": f"{now}\n",
        f"{folder}/cpuinfo_max_freq": f"{top}\n",
        f"{folder}/scaling_max_freq": f"{top if cap is None else cap}\n",
        f"{folder}/scaling_governor": f"{governor}\n",
        f"{folder}/scaling_driver": "cpufreq-dt\n",
        f"{folder}/scaling_available_frequencies": "408000 600000 816000 1008000 1800000 \n",
    }


def interrupts(*rows: tuple[int, int, str], counts: tuple[int, ...] = (120, 0, 0)) -> Tree:
    """/proc/interrupts with NPU rows (number, hardware number, devices) among others."""
    lines = [
        f"    {ZERO_TO_SEVEN}",
        " 13:     412345     398213     401112     388231     912334     901223     887123"
        "     878342     GICv3  30 Level     arch_timer",
    ]
    for (number, hardware, devices), count in zip(rows, counts, strict=True):
        zeros = "          0" * 7
        lines.append(f" {number}: {count:10d}{zeros}     GICv3 {hardware} Level     {devices}")
    lines.append(
        "IPI0:      12345      12345      12345      12345          0          0          0"
        "          0       Rescheduling interrupts"
    )
    return {"proc/interrupts": "\n".join(lines) + "\n"}


def meminfo(**kilobytes: int) -> Tree:
    """/proc/meminfo with right-aligned numbers."""
    lines = [f"{name + ':':<16}{value:8d} kB" for name, value in kilobytes.items()]
    return {"proc/meminfo": "\n".join(lines) + "\n"}
