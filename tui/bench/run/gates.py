"""Gates: conditions checked before a run and between requests. Each is ok, warns or refuses."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

import msgspec

from tui.bench.analysis.hardware import THROTTLED_WORDS, Targets, npu_load, reduced
from tui.bench.model.conditions import Gate, Severity
from tui.board.advice.fixes import tee
from tui.board.advice.remedies import is_container, load_fix
from tui.core.board.clock import check_clock, clock_state
from tui.core.board.finding import Command
from tui.core.board.reading import Snapshot

IDLE_NPU_PCT = 2.0
WARM_START_C = 70.0
HOT_START_C = 85.0
MIN_FREE_WARN_MB = 400.0
MIN_FREE_REFUSE_MB = 120.0
MAX_PRESSURE_PCT = 10.0
MAX_OTHER_CPU_PCT = 40.0
MAX_SWAP_MB = 1.0
COOL_MARGIN_C = 10.0
MB = 2**20
EMPTY_SWAP = Command("sudo swapoff -a && sudo swapon -a")


def preflight(snapshots: Sequence[Snapshot], targets: Targets) -> list[Gate]:
    """All gates that depend on the board, from a few snapshots of the idle board."""
    if not snapshots:
        sentence = "The board of this server cannot be read from here."
        return [_unseen("board", sentence, fix="run npulse on the board itself", ok=False)]
    last = snapshots[-1]
    return [
        idle(snapshots),
        _clock("npu", "NPU", last, "/sys/class/devfreq/*.npu/governor"),
        _clock("ddr", "DDR", last, "/sys/class/devfreq/dmc/governor"),
        _cpu(last, targets),
        heat(last),
        throttle(last),
        memory(last),
        swap(last),
        pressure(last),
        background(snapshots),
    ]


def _unseen(gate_id: str, sentence: str, fix: str | None = None, *, ok: bool = True) -> Gate:
    """A gate whose condition is unknown: it warns."""
    return Gate(id=gate_id, ok=ok, severity="warn", sentence=sentence, fix=fix)


def _command(command: Command, snapshot: Snapshot) -> str:
    """The command, or in a container the advice to run it on the host, which alone can write
    there."""
    if not is_container(snapshot):
        return command
    return f"this is a container; on its host, as root: {command.replace('sudo ', '')}"


def _passed(gate_id: str, sentence: str) -> Gate:
    return Gate(id=gate_id, ok=True, severity="ok", sentence=sentence)


def _level(
    gate: Gate, value: float, *, warn: float, refuse: float | None = None, is_low_bad: bool = False
) -> Gate:
    """The gate with its severity by a number: beyond ``warn`` it warns, beyond ``refuse`` it
    refuses. An ok gate loses its fix.
    """

    def is_beyond(limit: float | None) -> bool:
        return limit is not None and (value < limit if is_low_bad else value > limit)

    severity: Severity = "refuse" if is_beyond(refuse) else "warn" if is_beyond(warn) else "ok"
    return msgspec.structs.replace(
        gate,
        ok=severity == "ok",
        severity=severity,
        value=value,
        limit=refuse if severity == "refuse" else warn,
        fix=None if severity == "ok" else gate.fix,
    )


def _judged(gate_id: str, sentence: str, unit: str, fix: str) -> Gate:
    """A gate whose severity :func:`_level` sets."""
    return Gate(id=gate_id, ok=True, severity="ok", sentence=sentence, unit=unit, fix=fix)


def idle(snapshots: Sequence[Snapshot]) -> Gate:
    """Whether the NPU is idle; another program's work would falsify all rates."""
    loads = [load for s in snapshots if (load := npu_load(reduced(s))) is not None]
    if not loads:
        reason = snapshots[-1].get("npu.load").reason or "no value"
        sentence = f"Whether the NPU is idle is unknown ({reason})."
        return _unseen("npu_idle", sentence, load_fix(snapshots[-1]))
    seen = median(loads)
    is_idle = seen <= IDLE_NPU_PCT
    sentence = "The NPU is idle." if is_idle else f"The NPU is busy ({seen:.0f} %) before the run."
    fix = "wait for it, or end the process that uses the NPU"
    gate = _judged("npu_idle", sentence, "%", fix)
    return _level(gate, seen, warn=IDLE_NPU_PCT, refuse=IDLE_NPU_PCT)


def _clock(name: str, label: str, snapshot: Snapshot, path: str) -> Gate:
    """Whether this clock is at its highest, or its governor raises it under load (the board is
    idle)."""
    found = check_clock(snapshot, name, is_busy=False)
    now, target, governor = found.freq_hz, found.top_hz, found.governor
    gate = f"{name}_clock"
    if now is None or target is None:
        reason = snapshot.get(f"{name}.freq").reason or "its highest clock is not known"
        return _unseen(gate, f"The {label} clock cannot be read ({reason}).")
    is_high = found.state != "low"
    shown = f"{now / 1e6:.0f} of {target / 1e6:.0f} MHz, governor {governor or 'unknown'}"
    if found.state == "resting":
        shown += "; it rises under load"
    return Gate(
        id=gate,
        ok=is_high,
        severity="ok" if is_high else "warn",
        sentence=f"{label} clock: {shown}.",
        value=now,
        limit=target,
        unit="Hz",
        fix=None if found.state == "high" else _command(tee("performance", path), snapshot),
    )


def _cpu(snapshot: Snapshot, targets: Targets) -> Gate:
    now = snapshot.numbers("cpu.freq")
    big = [(i, top) for i, top in enumerate(targets.cpu_hz) if top]
    governors = (snapshot.text("cpu.governor") or "").split()
    low: list[str] = []
    resting: list[str] = []
    for index, top in big:
        value = now[index] if index < len(now) else None
        state = clock_state(value, top, _of_cluster(governors, index), is_busy=False)
        if value is not None and state in ("low", "resting"):
            shown = f"{value / 1e6:.0f} of {top / 1e6:.0f} MHz"
            (low if state == "low" else resting).append(shown)
    if not now or not big:
        reason = snapshot.get("cpu.freq").reason or "no value"
        return _unseen("cpu_clock", f"The CPU clocks cannot be read ({reason}).")
    governor = snapshot.text("cpu.governor") or "unknown"
    if resting and not low:
        shown = ", ".join(resting)
        sentence = f"Big CPU clusters: {shown}, governor {governor}; it rises under load."
        return _passed("cpu_clock", sentence)
    if not low:
        sentence = f"The big CPU clusters run at their highest clock, governor {governor}."
        return _passed("cpu_clock", sentence)
    path = "/sys/devices/system/cpu/cpufreq/policy*/scaling_governor"
    return Gate(
        id="cpu_clock",
        ok=False,
        severity="warn",
        sentence=f"Big CPU clusters: {', '.join(low)}, governor {governor}.",
        fix=_command(tee("performance", path), snapshot),
    )


def _of_cluster(governors: list[str], index: int) -> str | None:
    """The governor of a cluster; a single name applies to all clusters."""
    if len(governors) == 1:
        return governors[0]
    return governors[index] if index < len(governors) else None


def heat(snapshot: Snapshot) -> Gate:
    """Whether the board is cool enough to start."""
    temperature = reduced(snapshot).get("temp.max")
    if not isinstance(temperature, int | float):
        return _unseen("heat", "No temperature can be read.")
    sentence = f"The hottest zone is at {temperature:.0f} °C."
    gate = _judged("heat", sentence, "°C", "let the board cool down, or give it a fan")
    return _level(gate, temperature, warn=WARM_START_C, refuse=HOT_START_C)


def throttle(snapshot: Snapshot) -> Gate:
    """Whether a clock is limited."""
    reading = snapshot.get("throttle")
    word = snapshot.text("throttle")
    if word is None:
        sentence = f"Whether clocks are limited is unknown ({reading.reason or 'no value'})."
        return _unseen("throttle", sentence)
    if word == "none":
        return _passed("throttle", "No clock is limited.")
    is_thermal = word in THROTTLED_WORDS
    return Gate(
        id="throttle",
        ok=False,
        severity="warn",
        sentence=f"Clocks are limited: {word} ({', '.join(reading.flags) or 'no detail'}).",
        value=word,
        fix="let the board cool down" if is_thermal else "raise the max_freq that was set by hand",
    )


def memory(snapshot: Snapshot) -> Gate:
    """Whether enough memory is available."""
    free = snapshot.number("ram.available")
    if free is None:
        return _unseen("memory", "The free memory cannot be read.")
    fix = "end other programs, or load a smaller model or context"
    gate = _judged("memory", f"{free / MB:.0f} MB of memory are available.", "MB", fix)
    return _level(
        gate, free / MB, warn=MIN_FREE_WARN_MB, refuse=MIN_FREE_REFUSE_MB, is_low_bad=True
    )


def swap(snapshot: Snapshot) -> Gate:
    """Whether swap is in use: pages of server and runtime may have to be read back during an
    answer."""
    used_mb = (snapshot.number("swap.used") or 0.0) / MB
    if used_mb < MAX_SWAP_MB:
        return _passed("swap", "No swap is in use.")
    return Gate(
        id="swap",
        ok=False,
        severity="warn",
        sentence=f"{used_mb:.0f} MB of swap are in use.",
        value=used_mb,
        limit=MAX_SWAP_MB,
        unit="MB",
        fix=_command(EMPTY_SWAP, snapshot),
    )


def pressure(snapshot: Snapshot) -> Gate:
    """Whether processes wait for memory (PSI)."""
    seen = snapshot.number("psi.memory")
    if seen is None or seen <= MAX_PRESSURE_PCT:
        return _passed("pressure", "No memory pressure.")
    sentence = f"Processes wait for memory {seen:.0f} % of the time."
    return _level(
        _judged("pressure", sentence, "%", "end other programs"), seen, warn=MAX_PRESSURE_PCT
    )


def background(snapshots: Sequence[Snapshot]) -> Gate:
    """Whether other programs use the CPU."""
    others = []
    for snapshot in snapshots:
        loads = [load for load in snapshot.numbers("cpu.load") if load is not None]
        if loads:
            mine = snapshot.number("npulse.cpu") or 0.0
            others.append(sum(loads) - mine - (snapshot.number("server.cpu") or 0.0))
    if not others:
        return _unseen("background", "The load of other programs cannot be read.")
    seen = round(max(0.0, median(others)), 1)
    sentence = f"Other programs use {seen:.0f} % of one core."
    gate = _judged("background", sentence, "%", "find them with: top -o %CPU")
    return _level(gate, seen, warn=MAX_OTHER_CPU_PCT)


def cool_limit(snapshots: Sequence[Snapshot]) -> float | None:
    """Highest temperature in °C at which a request may start: the idle median plus 10; None if
    unknown."""
    seen = [t for s in snapshots if isinstance(t := reduced(s).get("temp.max"), int | float)]
    return median(seen) + COOL_MARGIN_C if seen else None


def refuses(gates: Sequence[Gate], *, strict: bool) -> list[Gate]:
    """The gates that prevent a run. With ``strict`` also warnings, and clocks that are left to
    their governor."""
    return [
        gate
        for gate in gates
        if gate.severity == "refuse"
        or (strict and (gate.severity == "warn" or gate.fix is not None))
    ]
