"""Performance diagnosis: rules over one snapshot that find why a model runs slowly.

Each finding states the evidence, its effect, and the command that fixes it. A low NPU load while
decoding is no finding: decoding is bound by memory bandwidth. The effects in tok/s are what owners
of such boards measured; they are shown as reports.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from tui.board.advice.fixes import (
    command_of,
    cpu_governors,
    cpu_words,
    devfreq_governor,
    full_fan,
    lift_limit,
)
from tui.board.advice.remedies import FIRMWARE, command_here
from tui.board.readers.clusters import clusters
from tui.board.readers.neighbours import Neighbour
from tui.board.readers.throttle import CAPPED, COOL_C, LIMITED, THROTTLING
from tui.core.board.clock import ClockCheck, check_clock, top_clock
from tui.core.board.finding import Advice, Command, Finding
from tui.core.board.reading import Snapshot
from tui.core.text import format as fmt

BUSY_PCT = 30.0
PRESSURE_PCT = 10.0
OTHERS_PCT = 60.0
OWN_PCT = 10.0
"""More than npulse takes for an answer at 3 tok/s with all charts, so that normal use gives no
finding."""
ROOFLINE_SHARE = 0.45
LEAST_DRIVER = (0, 9, 8)

Phase = Literal["idle", "prefill", "decode", "unknown"]


@dataclass(frozen=True, slots=True)
class Work:
    """The state of requests during a snapshot. Phase ``unknown``: npulse observes no request
    itself."""

    phase: Phase = "unknown"
    is_server_finishing: bool = False
    """The server still computes an answer that was stopped."""
    roofline_share: float | None = None
    """Measured decode rate divided by the roofline, 0 to 1."""
    neighbours: tuple[Neighbour, ...] = ()
    """The busiest other processes; empty if they were not listed."""


Rule = Callable[[Snapshot, Work], Finding | None]


def why_slow(snapshot: Snapshot, work: Work) -> tuple[Finding, ...]:
    """The findings of this snapshot, the costliest first."""
    if not has_npu(snapshot):
        rules: tuple[Rule, ...] = (_memory_pressure, _own_cost)
    else:
        rules = _RULES
    findings = tuple(found for rule in rules if (found := rule(snapshot, work)) is not None)
    findings = tuple(_as_run_here(_with_command(finding), snapshot) for finding in findings)
    if any(finding.weight == "act" for finding in findings) or not has_npu(snapshot):
        return findings
    low = _below_roofline(work)
    return (*findings, low) if low else findings


def _with_command(finding: Finding) -> Finding:
    """The finding, with its fix as a shell command if it has none yet."""
    return replace(finding, command=finding.command or command_of(finding.fix))


def _as_run_here(finding: Finding, snapshot: Snapshot) -> Finding:
    """The finding; in a container, a command that needs root becomes advice for the host."""
    if finding.command is None:
        return finding
    found = command_here(finding.command, snapshot)
    if found == finding.command:
        return finding
    return replace(finding, command=None, advice=Advice(found), fix=None)


def has_npu(snapshot: Snapshot) -> bool:
    """Whether this machine has the vendor's NPU driver. Without it the model runs on another
    machine, and the clocks of this one do not matter."""
    return any(snapshot.get(name).value is not None for name in ("npu.driver", "npu.freq"))


def is_busy(snapshot: Snapshot, work: Work) -> bool:
    """Whether a model computes now: a request runs, or a core's NPU load is above 30 %."""
    if work.phase in ("prefill", "decode") or work.is_server_finishing:
        return True
    return max((load or 0.0 for load in snapshot.numbers("npu.load")), default=0.0) > BUSY_PCT


def _memory_clock(snapshot: Snapshot, work: Work) -> Finding | None:
    if "firmware" in snapshot.get("ddr.freq").flags:
        return Finding(
            "ddr-firmware",
            "the memory clock cannot be changed",
            f"kernel {snapshot.text('board.kernel') or 'unknown'} with rknpu, but no dmc device",
            "it may stay at a fraction of what the memory can do; decode speed follows it",
            advice=FIRMWARE,
        )
    found = check_clock(snapshot, "ddr", is_busy=is_busy(snapshot, work))
    if found.freq_hz is None or found.top_hz is None or found.state != "low":
        return None
    if _is_held(snapshot, "ddr"):
        return None
    return Finding(
        "ddr-clock",
        "the memory runs at a low clock",
        f"{_clock(found)}, {_when(snapshot, work)}",
        f"at most {100 * found.freq_hz / found.top_hz:.0f} % of the bandwidth, "
        "which decode speed follows (reported: 5.5 against 11.2 tok/s at 528 and 2112 MHz)",
        fix=devfreq_governor(snapshot, "ddr-clock", "ddr", "decode_tps"),
    )


def _is_held(snapshot: Snapshot, device: str) -> bool:
    """Whether another governor would not raise the clock: the governor is ``performance`` already,
    or ``max_freq`` is below the highest clock, which has a finding of its own."""
    if snapshot.text(f"{device}.governor") == "performance":
        return True
    limit, top = snapshot.number(f"{device}.max_freq"), top_clock(snapshot, device)
    return limit is not None and top is not None and limit < top


def _when(snapshot: Snapshot, work: Work) -> str:
    return "while a model computes" if is_busy(snapshot, work) else "at rest"


def _heat(snapshot: Snapshot, work: Work) -> Finding | None:
    reading = snapshot.get("throttle")
    what = ", ".join(reading.flags)
    if reading.value == LIMITED:
        return Finding(
            "user-limit",
            "clocks are limited, though the board is cool",
            what,
            "the device cannot run faster than its limit",
            fix=lift_limit(snapshot),
        )
    if reading.value not in (CAPPED, THROTTLING):
        return None
    temperature = snapshot.number("soc.temp")
    by_monitor = reading.value == CAPPED
    heat = "" if temperature is None else f" at {temperature:.0f} °C"
    return Finding(
        "heat",
        "the board is too hot and slows itself down",
        f"{what}{heat}" + ("" if by_monitor else ", by the kernel's thermal governor"),
        f"lower clocks until it has cooled below {_trip_c(snapshot, by_monitor):.0f} °C",
        fix=full_fan(snapshot),
    )


def _trip_c(snapshot: Snapshot, by_monitor: bool) -> float:
    """The temperature in °C below which the clocks rise again: the threshold of the vendor's system
    monitor, or the lowest passive trip for the kernel's thermal governor."""
    trip = snapshot.number("thermal.trip_passive")
    return COOL_C if by_monitor or trip is None else trip


def _npu_clock(snapshot: Snapshot, work: Work) -> Finding | None:
    found = check_clock(snapshot, "npu", is_busy=is_busy(snapshot, work))
    if found.state != "low" or _is_held(snapshot, "npu"):
        return None
    return Finding(
        "npu-clock",
        "the NPU runs below its highest clock",
        _clock(found),
        "prefill takes longer in proportion; decode hardly changes",
        fix=devfreq_governor(snapshot, "npu-clock", "npu", "prefill_tps"),
    )


def _cpu_governor(snapshot: Snapshot, work: Work) -> Finding | None:
    if not is_busy(snapshot, work):
        return None
    slow = [
        cluster
        for cluster in clusters(snapshot)
        if cluster.is_big
        and cluster.governor != "performance"
        and cluster.freq is not None
        and cluster.cap is not None
        and cluster.freq < 0.7 * cluster.cap
    ]
    if not slow:
        return None
    evidence = ", ".join(
        f"{cluster.policy} {_clocks(cluster.freq, cluster.cap, cluster.governor)}"
        for cluster in slow
    )
    return Finding(
        "cpu-governor",
        "the big CPU cores do not speed up",
        evidence,
        "the runtime's own part of each token takes longer (reported: 12 against 21 tok/s)",
        fix=cpu_governors([item.policy for item in slow]),
    )


def _memory_pressure(snapshot: Snapshot, work: Work) -> Finding | None:
    pressure = snapshot.number("psi.memory")
    total, available = snapshot.number("ram.total"), snapshot.number("ram.available")
    swapped = snapshot.number("swap.used")
    evidence = []
    if pressure is not None and pressure > PRESSURE_PCT:
        evidence.append(f"programs waited for memory {pressure:.0f} % of the last 10 s")
    is_short = total is not None and available is not None and available < 0.1 * total
    if is_short and swapped is not None and swapped > 256 << 20:
        evidence.append(f"{swapped / 2**30:.1f} GiB are swapped out")
    if not evidence:
        return None
    if available is not None:
        evidence.append(f"{available / 2**30:.1f} GiB are free")
    return Finding(
        "memory-pressure",
        "RAM is short",
        ", ".join(evidence),
        "programs stop until pages are freed; the model itself cannot be swapped out",
        Command("npulse models unload"),
    )


def _others_on_big_cores(snapshot: Snapshot, work: Work) -> Finding | None:
    if not is_busy(snapshot, work):
        return None
    cpus = [cpu for cluster in clusters(snapshot) if cluster.is_big for cpu in cluster.cpus]
    loads = snapshot.numbers("cpu.load")
    busy = sum(loads[cpu] or 0.0 for cpu in cpus if cpu < len(loads))
    server = snapshot.number("server.cpu")
    if server is None or busy - server < OTHERS_PCT:
        return None
    named = [entry for entry in work.neighbours if entry.load_pct >= 20]
    names = ", ".join(f"{entry.name} ({entry.pid}) {entry.load_pct:.0f} %" for entry in named[:3])
    little = [cpu for cluster in clusters(snapshot) if not cluster.is_big for cpu in cluster.cpus]
    command = None
    if named and little:
        command = Command(f"taskset -acp {cpu_words(little)} {named[0].pid}")
    return Finding(
        "cpu-others",
        "other programs use the big CPU cores",
        f"they are {busy:.0f} % busy, the server takes {server:.0f} %"
        + (f"; busiest: {names}" if names else ""),
        "the runtime's threads wait for a core",
        command,
    )


def _others_on_npu(snapshot: Snapshot, work: Work) -> Finding | None:
    if work.phase != "idle" or work.is_server_finishing or not is_busy(snapshot, work):
        return None
    loads = ", ".join(f"{load or 0:.0f}" for load in snapshot.numbers("npu.load"))
    return Finding(
        "npu-others",
        "something else uses the NPU",
        f"load {loads} % without a request from here",
        "the next answer shares the NPU, or waits for it",
        Command("sudo fuser -v /dev/dri/renderD*"),
    )


def _driver(snapshot: Snapshot, work: Work) -> Finding | None:
    text = snapshot.text("npu.driver")
    match = re.match(r"([0-9]+)\.([0-9]+)(?:\.([0-9]+))?", text or "")
    if match is None:
        return None
    version = tuple(int(part or 0) for part in match.groups())
    if version >= LEAST_DRIVER:
        return None
    runtime = snapshot.text("npu.runtime")
    beside = f", librkllmrt {runtime}" if runtime else ""
    return Finding(
        "old-driver",
        "the NPU driver is old",
        f"rknpu {text}{beside}",
        "RKLLM is made for 0.9.8 and newer and warns about older ones",
        Command("sudo apt full-upgrade"),
    )


def _finishing(snapshot: Snapshot, work: Work) -> Finding | None:
    if not work.is_server_finishing:
        return None
    loads = ", ".join(f"{load or 0:.0f}" for load in snapshot.numbers("npu.load"))
    return Finding(
        "finishing",
        "the server still finishes an answer that was stopped",
        f"NPU load {loads} %" if loads else "it has not become idle since",
        "the next answer waits until it is done",
        None,
        "note",
    )


def _idle_cores(snapshot: Snapshot, work: Work) -> Finding | None:
    loads = snapshot.numbers("npu.load")
    known = [load for load in loads if load is not None]
    if len(known) < 2 or max(known) < 50 or min(known) > 2:
        return None
    idle = [str(core) for core, load in enumerate(loads) if load is not None and load <= 2]
    return Finding(
        "idle-cores",
        "not all NPU cores work",
        f"core {', '.join(idle)} idle, the busiest at {max(known):.0f} %",
        "some models are built for fewer cores; only a model built for all uses them",
        None,
        "note",
    )


def _own_cost(snapshot: Snapshot, work: Work) -> Finding | None:
    cost = snapshot.number("npulse.cpu")
    if cost is None or cost <= OWN_PCT:
        return None
    return Finding(
        "npulse",
        "npulse itself takes CPU time",
        f"{cost:.1f} % of a core",
        "less is left for the runtime; a smaller window or npulse ask takes less",
        None,
        "note",
    )


def _below_roofline(work: Work) -> Finding | None:
    share = work.roofline_share
    if share is None or share >= ROOFLINE_SHARE or work.phase != "decode":
        return None
    return Finding(
        "roofline",
        "decoding stays far below what the memory allows",
        f"{100 * share:.0f} % of the bound, with nothing else found wrong",
        "boards with 8 GB may have 32-bit memory (half the bound); grouped data types (g128) cost "
        "about a quarter; servers differ by up to 2.5 times with the same model",
        None,
        "note",
    )


def _clock(found: ClockCheck) -> str:
    return _clocks(found.freq_hz, found.top_hz, found.governor)


def _clocks(freq_hz: float | None, top_hz: float | None, governor: str | None) -> str:
    clocks = f"{fmt.megahertz(freq_hz)} of {fmt.megahertz(top_hz)}"
    return f"{clocks}, governor {governor or 'unknown'}"


_RULES: tuple[Rule, ...] = (
    _finishing,
    _memory_clock,
    _heat,
    _memory_pressure,
    _cpu_governor,
    _others_on_big_cores,
    _others_on_npu,
    _npu_clock,
    _driver,
    _idle_cores,
    _own_cost,
)
"""The costliest cause first."""
