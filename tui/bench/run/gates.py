"""Gates before a run and between its requests: each ok, a warning, or a refusal with a way out."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from tui.bench.analysis.hardware import THROTTLED_WORDS, Targets, npu_load, reduced
from tui.bench.model.conditions import Gate
from tui.board.advice.remedies import load_fix
from tui.core.board.clock import check_clock, clock_state
from tui.core.board.reading import Snapshot

IDLE_NPU_PCT = 2.0
WARM_START_C = 70.0
HOT_START_C = 85.0
MIN_FREE_WARN_MB = 400.0
MIN_FREE_REFUSE_MB = 120.0
MAX_PRESSURE_PCT = 10.0
MAX_OTHER_CPU_PCT = 40.0
COOL_MARGIN_C = 10.0
MB = 2**20


def preflight(snapshots: Sequence[Snapshot], targets: Targets) -> list[Gate]:
    """Every gate that the board's files can answer, from a few samples of the idle board."""
    if not snapshots:
        return [
            Gate(
                id="board",
                ok=False,
                severity="warn",
                sentence="The board behind this server cannot be read from here.",
                mend="run npulse on the board itself",
            )
        ]
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


def idle(snapshots: Sequence[Snapshot]) -> Gate:
    """Is the NPU free? Somebody else's work makes every number worthless."""
    loads = [load for s in snapshots if (load := npu_load(reduced(s))) is not None]
    if not loads:
        reason = snapshots[-1].get("npu.load").reason or "no value"
        return Gate(
            id="npu_idle",
            ok=True,
            severity="warn",
            sentence=f"Whether the NPU is idle cannot be seen ({reason}).",
            mend=load_fix(snapshots[-1]),
        )
    seen = median(loads)
    is_idle = seen <= IDLE_NPU_PCT
    sentence = "The NPU is idle." if is_idle else f"The NPU is busy ({seen:.0f} %) before the run."
    return Gate(
        id="npu_idle",
        ok=is_idle,
        severity="ok" if is_idle else "refuse",
        sentence=sentence,
        value=seen,
        limit=IDLE_NPU_PCT,
        unit="%",
        mend=None if is_idle else "wait for it, or end the process that uses the NPU",
    )


def _clock(name: str, label: str, snapshot: Snapshot, path: str) -> Gate:
    """Is this clock at its highest, or will it rise under load? The board is at rest here."""
    found = check_clock(snapshot, name, is_busy=False)
    now, target, governor = found.freq_hz, found.top_hz, found.governor
    gate = f"{name}_clock"
    if now is None or target is None:
        reason = snapshot.get(f"{name}.freq").reason or "its highest clock is not known"
        return Gate(
            id=gate,
            ok=True,
            severity="warn",
            sentence=f"The {label} clock cannot be read ({reason}); it is not vouched for.",
        )
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
        mend=None if found.state == "high" else f"echo performance | sudo tee {path}",
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
        sentence = f"The CPU clocks cannot be read ({reason}); they are not vouched for."
        return Gate(id="cpu_clock", ok=True, severity="warn", sentence=sentence)
    governor = snapshot.text("cpu.governor") or "unknown"
    if resting and not low:
        shown = ", ".join(resting)
        sentence = f"Big CPU clusters: {shown}, governor {governor}; it rises under load."
        return Gate(id="cpu_clock", ok=True, severity="ok", sentence=sentence)
    if not low:
        sentence = f"The big CPU clusters run at their highest clock, governor {governor}."
        return Gate(id="cpu_clock", ok=True, severity="ok", sentence=sentence)
    path = "/sys/devices/system/cpu/cpufreq/policy*/scaling_governor"
    return Gate(
        id="cpu_clock",
        ok=False,
        severity="warn",
        sentence=f"Big CPU clusters: {', '.join(low)}, governor {governor}.",
        mend=f"echo performance | sudo tee {path}",
    )


def _of_cluster(governors: list[str], index: int) -> str | None:
    """The governor of a cluster: one word stands for all of them."""
    if len(governors) == 1:
        return governors[0]
    return governors[index] if index < len(governors) else None


def heat(snapshot: Snapshot) -> Gate:
    """Is it cool enough to begin?"""
    temperature = reduced(snapshot).get("temp.max")
    if not isinstance(temperature, int | float):
        sentence = "No temperature can be read; heat is not vouched for."
        return Gate(id="heat", ok=True, severity="warn", sentence=sentence)
    is_hot = temperature >= HOT_START_C
    is_ok = temperature < WARM_START_C
    return Gate(
        id="heat",
        ok=is_ok,
        severity="ok" if is_ok else "refuse" if is_hot else "warn",
        sentence=f"The hottest zone is at {temperature:.0f} °C.",
        value=temperature,
        limit=HOT_START_C if is_hot else WARM_START_C,
        unit="°C",
        mend=None if is_ok else "let the board cool down, or give it a fan",
    )


def throttle(snapshot: Snapshot) -> Gate:
    """Does the board hold itself back already?"""
    reading = snapshot.get("throttle")
    word = snapshot.text("throttle")
    if word is None:
        sentence = f"Throttling cannot be seen ({reading.reason or 'no value'})."
        return Gate(id="throttle", ok=True, severity="warn", sentence=sentence)
    if word == "none":
        return Gate(id="throttle", ok=True, severity="ok", sentence="No clock is limited.")
    is_thermal = word in THROTTLED_WORDS
    mend = "let the board cool down" if is_thermal else "raise the max_freq that was set by hand"
    return Gate(
        id="throttle",
        ok=False,
        severity="warn",
        sentence=f"Clocks are limited: {word} ({', '.join(reading.flags) or 'no detail'}).",
        value=word,
        mend=mend,
    )


def memory(snapshot: Snapshot) -> Gate:
    """Is there memory left to work in?"""
    free = snapshot.number("ram.available")
    if free is None:
        sentence = "The free memory cannot be read."
        return Gate(id="memory", ok=True, severity="warn", sentence=sentence)
    free_mb = free / MB
    is_ok = free_mb >= MIN_FREE_WARN_MB
    refuses = free_mb < MIN_FREE_REFUSE_MB
    return Gate(
        id="memory",
        ok=is_ok,
        severity="ok" if is_ok else "refuse" if refuses else "warn",
        sentence=f"{free_mb:.0f} MB of memory are available.",
        value=free_mb,
        limit=MIN_FREE_REFUSE_MB if refuses else MIN_FREE_WARN_MB,
        unit="MB",
        mend=None if is_ok else "end other programs, or load a smaller model or context",
    )


def swap(snapshot: Snapshot) -> Gate:
    """Is swap in use? Weights that are swapped out are read back in the middle of an answer."""
    used = snapshot.number("swap.used")
    if used is None or used < MB:
        return Gate(id="swap", ok=True, severity="ok", sentence="No swap is in use.")
    return Gate(
        id="swap",
        ok=False,
        severity="warn",
        sentence=f"{used / MB:.0f} MB of swap are in use.",
        value=used / MB,
        limit=1.0,
        unit="MB",
        mend="sudo swapoff -a && sudo swapon -a",
    )


def pressure(snapshot: Snapshot) -> Gate:
    """Do processes wait for memory?"""
    seen = snapshot.number("psi.memory")
    if seen is None or seen <= MAX_PRESSURE_PCT:
        return Gate(id="pressure", ok=True, severity="ok", sentence="No memory pressure.")
    return Gate(
        id="pressure",
        ok=False,
        severity="warn",
        sentence=f"Processes wait for memory {seen:.0f} % of the time.",
        value=seen,
        limit=MAX_PRESSURE_PCT,
        unit="%",
        mend="end other programs",
    )


def background(snapshots: Sequence[Snapshot]) -> Gate:
    """Does anything else use the CPU?"""
    others = []
    for snapshot in snapshots:
        loads = [load for load in snapshot.numbers("cpu.load") if load is not None]
        if loads:
            mine = snapshot.number("npulse.cpu") or 0.0
            others.append(sum(loads) - mine - (snapshot.number("server.cpu") or 0.0))
    if not others:
        sentence = "The load of other programs cannot be read."
        return Gate(id="background", ok=True, severity="warn", sentence=sentence)
    seen = max(0.0, median(others))
    is_ok = seen <= MAX_OTHER_CPU_PCT
    return Gate(
        id="background",
        ok=is_ok,
        severity="ok" if is_ok else "warn",
        sentence=f"Other programs use {seen:.0f} % of one core.",
        value=round(seen, 1),
        limit=MAX_OTHER_CPU_PCT,
        unit="%",
        mend=None if is_ok else "see who it is: top -o %CPU",
    )


def cool_limit(snapshots: Sequence[Snapshot]) -> float | None:
    """Temperature below which the next request may start: the idle median plus 10 °C."""
    seen = [t for s in snapshots if isinstance(t := reduced(s).get("temp.max"), int | float)]
    return median(seen) + COOL_MARGIN_C if seen else None


def refuses(gates: Sequence[Gate], *, strict: bool) -> list[Gate]:
    """The gates that forbid a run: refusals always, with ``strict`` warnings too, and a clock that
    is left to its governor though it could be held."""
    return [
        gate
        for gate in gates
        if gate.severity == "refuse"
        or (strict and (gate.severity == "warn" or gate.mend is not None))
    ]
