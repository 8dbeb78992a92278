"""A snapshot as JSON and as a plain-text report."""

from __future__ import annotations

import math
import sys
from datetime import datetime, timezone

from tui.board.advice.remedies import remedies
from tui.core.board.reading import Reading, ReadingValue, Snapshot
from tui.core.board.reading_text import value_text
from tui.core.text import format as fmt
from tui.core.text.printed import PLAIN, Paper, folded
from tui.core.text.sanitize import clean


def write_out(text: str) -> None:
    """Write to standard output and flush. Raises BrokenPipeError if the reader has closed the
    pipe."""
    try:
        # Checked first: a stream with errors="replace" would turn each sign it lacks into a "?".
        text.encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        plain = text.replace("°C", "C").replace("–", "-")
        text = plain.encode("ascii", "replace").decode("ascii")
    sys.stdout.write(text)
    sys.stdout.flush()


TITLES = {
    "board": "Board",
    "npu": "NPU",
    "ddr": "Memory clock",
    "cpu": "CPU",
    "gpu": "GPU",
    "soc": "Heat",
    "temp": "Heat",
    "thermal": "Heat",
    "throttle": "Heat",
    "fan": "Heat",
    "ram": "Memory",
    "swap": "Memory",
    "zram": "Memory",
    "psi": "Memory",
    "server": "Server process",
    "power": "Power",
    "npulse": "npulse itself",
}
"""First part of a reading's id -> title of its group. The order is that of the report."""


def to_json(snapshot: Snapshot) -> dict[str, object]:
    """``{"t_ns", "time", "readings": {id: {"value", "unit", "source", "reason", "flags"}}}``.

    ``time`` is ISO 8601 with the UTC offset. A reading with several values has a list. NaN and
    infinity, which JSON lacks, become null with a reason.
    """
    return {
        "t_ns": snapshot.t_ns,
        "time": wall_time(snapshot.time),
        "readings": {
            clean(name, newlines=False): _reading(reading)
            for name, reading in snapshot.readings.items()
        },
    }


def wall_time(seconds: float) -> str:
    """Local time of a UNIX time in s, as ISO 8601 with offset and ms; the epoch if out of range."""
    try:
        moment = datetime.fromtimestamp(seconds, tz=timezone.utc).astimezone()
    except (OverflowError, OSError, ValueError):
        moment = datetime.fromtimestamp(0, tz=timezone.utc)
    return moment.isoformat(timespec="milliseconds")


def to_text(snapshot: Snapshot, paper: Paper = PLAIN) -> str:
    """The report as text: per group one value a line and absent values by reason; at the end the
    remedies."""
    lines = [f"npulse board, {wall_time(snapshot.time)}"]
    profile = snapshot.text("board.simulated")
    if profile is not None:
        said = f"SIMULATED board, profile {clean(profile, newlines=False)}"
        lines.append(paper.styled(said, "warn"))
    for title in dict.fromkeys(TITLES.values()):
        members = {
            name: reading
            for name, reading in snapshot.readings.items()
            if TITLES.get(name.partition(".")[0]) == title
        }
        if members:
            lines += ["", paper.styled(title, "strong"), *_group(members, paper)]
    ways = remedies(snapshot)
    if ways:
        lines += ["", paper.styled("To get what is missing", "strong")]
        lines += [f"  {folded(way, paper, '  ')}" for way in ways]
    return "\n".join(lines) + "\n"


def _reading(reading: Reading) -> dict[str, object]:
    value, reason = reading.value, reading.reason
    if isinstance(value, float) and not math.isfinite(value):
        value, reason = None, "unreadable (implausible)"
    return {
        "value": _plain(value),
        "unit": reading.unit,
        "source": clean(reading.source, newlines=False),
        "reason": None if reason is None else clean(reason, newlines=False),
        "flags": [clean(flag, newlines=False) for flag in reading.flags],
    }


def _plain(value: ReadingValue) -> object:
    if isinstance(value, tuple):
        return [item if item is None or math.isfinite(item) else None for item in value]
    return clean(value, newlines=False) if isinstance(value, str) else value


def _group(members: dict[str, Reading], paper: Paper) -> list[str]:
    lines: list[str] = []
    width = max(map(len, members))
    absent: dict[str, list[str]] = {}
    for name, reading in members.items():
        if reading.value is None:
            absent.setdefault(reading.reason or "unknown", []).append(name)
            continue
        shown = [flag for flag in reading.flags if flag != "estimated"]
        notes = f"  ({clean(', '.join(shown), newlines=False)})" if shown else ""
        blanks = " " * (width - len(name))
        lines.append(
            f"  {paper.styled(name, 'dim')}{blanks}  {value_text(reading)}"
            f"{paper.styled(notes, 'dim')}"
        )
    for reason, names in absent.items():
        said = f"{fmt.UNKNOWN} {clean(reason, newlines=False)}: {', '.join(names)}"
        lines.append(f"  {paper.styled(folded(said, paper, '    '), 'dim')}")
    return lines
