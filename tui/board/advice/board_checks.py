"""The board's own checks for ``npulse doctor``."""

from __future__ import annotations

from tui.board.advice.remedies import (
    NO_LOCAL_SERVER,
    is_rockchip,
    no_npu,
    remedy,
    remedy_command,
)
from tui.board.readers.npu_load import Rung
from tui.board.readers.reasons import NO_DRIVER, NO_PERMISSION, NO_SERVER
from tui.core.board.clock import check_clock
from tui.core.board.finding import Finding
from tui.core.board.reading import Reading, Snapshot
from tui.core.screen.doctor_check import Check, CheckStatus
from tui.core.text import format as fmt


def board_checks(
    snapshot: Snapshot, rungs: list[Rung], findings: tuple[Finding, ...]
) -> list[Check]:
    """The checks of one snapshot: identity, readable values, and findings.

    ``rungs`` are the files that the NPU's load may come from, with the reason where one fails.
    """
    checks: list[Check | None] = [_machine(snapshot)]
    if not is_rockchip(snapshot):
        checks.append(Check("npu", "note", "NPU", no_npu(snapshot)))
    else:
        checks += [_driver(snapshot), _load(snapshot, rungs), *_versions(snapshot)]
        checks += [_clock(snapshot, findings), _heat(snapshot)]
    checks += [_memory(snapshot), _server(snapshot), _pressure(snapshot)]
    checks += [_finding(finding) for finding in findings]
    return [check for check in checks if check is not None]


def _machine(snapshot: Snapshot) -> Check:
    words = [snapshot.text(f"board.{name}") for name in ("model", "soc", "kernel")]
    detail = ", ".join(word for word in words if word) or "unknown"
    profile = snapshot.text("board.simulated")
    if profile is not None:
        return Check("board", "note", "board", f"SIMULATED, profile {profile}: {detail}")
    return Check("board", "ok", "board", detail)


def _driver(snapshot: Snapshot) -> Check:
    reading = snapshot.get("npu.driver")
    if reading.value is not None:
        return Check("npu.driver", "ok", "NPU driver", f"rknpu {reading.value}")
    return _absent("npu.driver", "NPU driver", snapshot, "attention")


def _load(snapshot: Snapshot, rungs: list[Rung]) -> Check:
    reading = snapshot.get("npu.load")
    if reading.value is not None:
        return Check("npu.load", "ok", "NPU load", f"read from {reading.source}")
    if reading.reason == NO_DRIVER:
        # The check of the driver says how to get it.
        return Check("npu.load", "note", "NPU load", NO_DRIVER)
    if reading.reason != NO_PERMISSION:
        return _absent("npu.load", "NPU load", snapshot, "attention")
    command = remedy_command("npu.load", reading, snapshot)
    advice = None if command else remedy("npu.load", reading, snapshot)
    tried = "; ".join(f"{rung.path}: {rung.reason}" for rung in rungs if rung.reason)
    activity = snapshot.get("npu.activity").value is not None
    instead = "; its activity in jobs a second is shown instead" if activity else ""
    return Check("npu.load", "attention", "NPU load", f"{tried}{instead}", command, advice)


def _versions(snapshot: Snapshot) -> list[Check]:
    reading = snapshot.get("npu.runtime")
    if reading.value is None:
        return [_absent("npu.runtime", "runtime", snapshot, "note")]
    return [Check("npu.runtime", "ok", "runtime", f"librkllmrt {reading.value}, {reading.source}")]


def _clock(snapshot: Snapshot, findings: tuple[Finding, ...]) -> Check | None:
    reading = snapshot.get("ddr.freq")
    if any(finding.rule == "ddr-clock" for finding in findings):
        return None
    if reading.value is None:
        # A firmware that cannot change the memory clock has a finding of its own.
        is_found = "firmware" in reading.flags
        return None if is_found else _absent("ddr.freq", "memory clock", snapshot, "note")
    found = check_clock(snapshot, "ddr", is_busy=False)
    clock, governor = fmt.megahertz(found.freq_hz), found.governor or "unknown"
    if found.state != "resting":
        return Check("ddr.freq", "ok", "memory clock", f"{clock}, governor {governor}")
    return Check(
        "ddr.freq",
        "ok",
        "memory clock",
        f"{clock} of {fmt.megahertz(found.top_hz)} at rest, governor {governor}. Whether it rises "
        "while the server answers is shown by:",
        "npulse doctor --fix --dry-run",
    )


def _heat(snapshot: Snapshot) -> Check:
    reading = snapshot.get("soc.temp")
    if reading.value is None:
        return _absent("soc.temp", "temperature", snapshot, "note")
    detail = f"SoC {fmt.celsius(snapshot.number('soc.temp'))}"
    fan = snapshot.number("fan.pwm")
    if fan is not None:
        detail += f", fan {fmt.percent(fan)}"
    return Check("soc.temp", "ok", "temperature", detail)


def _memory(snapshot: Snapshot) -> Check:
    if snapshot.number("ram.available") is None:
        return _absent("ram.available", "RAM", snapshot, "attention")
    free, total = (snapshot.number(f"ram.{name}") for name in ("available", "total"))
    return Check("ram", "ok", "RAM", f"{fmt.size(free)} free of {fmt.size(total)}")


def _server(snapshot: Snapshot) -> Check:
    if snapshot.get("server.pid").reason == NO_SERVER:
        return Check("server.pid", "note", "server process", NO_LOCAL_SERVER)
    if snapshot.get("server.pid").value is None:
        return _absent("server.pid", "server process", snapshot, "note")
    name, rss = snapshot.text("server.name") or "unnamed", snapshot.number("server.rss")
    pid = snapshot.get("server.pid").value
    return Check("server.pid", "ok", "server process", f"{name} ({pid}), {fmt.size(rss)}")


def _pressure(snapshot: Snapshot) -> Check | None:
    if snapshot.get("psi.memory").value is not None:
        return None
    return _absent("psi.memory", "memory pressure", snapshot, "note")


def _absent(reading_id: str, title: str, snapshot: Snapshot, status: CheckStatus) -> Check:
    reading: Reading = snapshot.get(reading_id)
    detail = f"{reading.reason}: {reading.source}" if reading.source else str(reading.reason)
    command = remedy_command(reading_id, reading, snapshot)
    return Check(reading_id, status, title, detail, command, remedy(reading_id, reading, snapshot))


def _finding(finding: Finding) -> Check:
    status: CheckStatus = "attention" if finding.weight == "act" else "note"
    detail = f"{finding.evidence}. Effect: {finding.effect}"
    return Check(
        f"slow.{finding.rule}", status, finding.title, detail, finding.command, finding.advice
    )
