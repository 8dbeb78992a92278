"""``npulse doctor``: what is read from where, what is missing, and the command for it."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from tui.board.access import load_rungs
from tui.board.board_checks import board_checks
from tui.board.command import EXIT_USAGE, one_shot
from tui.board.diagnosis import Work, why_slow
from tui.board.files import Files
from tui.board.neighbours import Neighbours
from tui.board.npu_load import Rung
from tui.board.output import write_out
from tui.board.report import to_json, wall_time
from tui.board.sampler import Sampler
from tui.core.check import Check
from tui.core.reading import Snapshot
from tui.core.sanitize import clean

EXIT_OK, EXIT_ATTENTION = 0, 1
MARKS = {"ok": "ok       ", "note": "note     ", "attention": "ATTENTION"}


def parser() -> argparse.ArgumentParser:
    """The options of ``npulse doctor``."""
    options = argparse.ArgumentParser(
        prog="npulse doctor",
        description="Looks at the board, the server and the settings: what is read from where, "
        "what is missing, and the exact command for it. Changes nothing. Exit code 1 if something "
        "needs attention.",
    )
    options.add_argument("--json", action="store_true", help="one JSON object")
    options.add_argument(
        "--root", metavar="DIR", default="/", help="read /proc and /sys below DIR instead of /"
    )
    options.add_argument("--url", metavar="URL", help="the server; without it the known ports")
    options.add_argument("--config", metavar="FILE", help="a config file on top of your own")
    return options


def main(
    argv: Sequence[str] | None = None,
    more_checks: Callable[[argparse.Namespace], Iterable[Check]] = lambda _: (),
) -> int:
    """Run the command; returns the exit code.

    ``more_checks`` gives what the board does not know about: server, model, locale, terminal,
    config, data folder. It is called once with the options, after the board was read.
    """
    try:
        options = parser().parse_args(argv)
    except SystemExit as end:
        return int(end.code or 0)
    root = Path(options.root)
    if not root.is_dir():
        name = clean(options.root, newlines=False)
        print(f"npulse doctor: --root {name}: there is no such directory", file=sys.stderr)
        return EXIT_USAGE
    snapshot, rungs, checks = examine(root)
    checks += more_checks(options)
    if options.json:
        write_out(json.dumps(as_json(snapshot, rungs, checks), allow_nan=False) + "\n")
    else:
        write_out(as_text(snapshot, rungs, checks))
    return EXIT_ATTENTION if needs_attention(checks) else EXIT_OK


def examine(root: Path) -> tuple[Snapshot, list[Rung], list[Check]]:
    """Read the board for about a second."""
    sampler, files = Sampler(root), Files(root)
    try:
        neighbours = Neighbours(files)
        neighbours.busiest(time.perf_counter_ns())
        snapshot = one_shot(sampler, time.sleep)
        server = snapshot.number("server.pid")
        own = {os.getpid(), -1 if server is None else int(server)}
        busiest = neighbours.busiest(time.perf_counter_ns(), without=frozenset(own))
        findings = why_slow(snapshot, Work(neighbours=tuple(busiest)))
        rungs = load_rungs(files, snapshot.time)
        return snapshot, rungs, board_checks(snapshot, rungs, findings)
    finally:
        files.close()
        sampler.close()


def needs_attention(checks: Iterable[Check]) -> bool:
    """Whether something should be done."""
    return any(check.status == "attention" for check in checks)


def as_json(snapshot: Snapshot, rungs: list[Rung], checks: list[Check]) -> dict[str, object]:
    """``{"time", "needs_attention", "npu_load": [{"path", "loads", "reason"}], "checks": [{"id",
    "status", "title", "detail", "command"}], "board": <as npulse board --json>}``."""
    return {
        "time": wall_time(snapshot.time),
        "needs_attention": needs_attention(checks),
        "npu_load": [
            {
                "path": clean(rung.path, newlines=False),
                "loads": None if rung.loads is None else list(rung.loads.by_core.values()),
                "reason": rung.reason,
            }
            for rung in rungs
        ],
        "checks": [
            {
                "id": check.id,
                "status": check.status,
                "title": clean(check.title, newlines=False),
                "detail": clean(check.detail, newlines=False),
                "command": None if check.command is None else clean(check.command, newlines=False),
            }
            for check in checks
        ],
        "board": to_json(snapshot),
    }


def as_text(snapshot: Snapshot, rungs: list[Rung], checks: list[Check]) -> str:
    """A line per check, its command below it, then where the NPU's load could come from."""
    lines = [f"npulse doctor, {wall_time(snapshot.time)}", ""]
    for check in checks:
        title = clean(check.title, newlines=False)
        lines.append(f"{MARKS[check.status]}  {title}: {clean(check.detail, newlines=False)}")
        if check.command is not None:
            lines.append(f"           $ {clean(check.command, newlines=False)}")
    lines += ["", "NPU load, in this order"]
    for rung in rungs:
        says = "can be read" if rung.loads is not None else str(rung.reason)
        lines.append(f"  {clean(rung.path, newlines=False)}: {says}")
    absent: dict[str, list[str]] = {}
    for name, reading in snapshot.readings.items():
        if reading.value is None:
            absent.setdefault(str(reading.reason), []).append(name)
    lines += ["", "Not read"] if absent else []
    lines += [
        f"  {clean(reason, newlines=False)}: {', '.join(names)}" for reason, names in absent.items()
    ]
    count = sum(check.status == "attention" for check in checks)
    verdict = "Nothing needs attention."
    if count:
        verdict = f"{count} {'thing needs' if count == 1 else 'things need'} attention."
    return "\n".join([*lines, "", verdict]) + "\n"
