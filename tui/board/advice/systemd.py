"""Writes, verifies, enables and removes systemd units. Needs root and a running systemd."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from tui.board.advice import root_writer
from tui.core.text.sanitize import clean_line

UNIT_FOLDER = "/etc/systemd/system"
SECONDS = 60
MAX_SAID_CHARS = 200


class UnitError(Exception):
    """A unit could not be installed or removed. The message is one sentence that says what to
    do."""


class Outcome(NamedTuple):
    """Whether installing or removing changed anything, and a sentence for the user."""

    is_changed: bool
    sentence: str


Run = Callable[[Sequence[str]], "subprocess.CompletedProcess[str]"]


def run_command(command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """Run a command and capture its output. For root it is one of the system's own, whatever PATH
    says. Raises OSError, or TimeoutExpired after 60 s."""
    path = root_writer.SAFE_PATH if os.geteuid() == 0 else os.environ.get("PATH", "")
    return subprocess.run(
        list(command),
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
        env={**os.environ, "PATH": path},
    )


def require_root(command: str) -> None:
    """Raises UnitError unless run as root. ``command`` is what the message says to run with
    sudo."""
    if os.geteuid() != 0:
        raise UnitError(f"This needs root: sudo {command}")


def is_systemd_here(root: Path) -> bool:
    """Whether systemd runs this system."""
    return (root / "run/systemd/system").is_dir() and shutil.which("systemctl") is not None


def verify(name: str, text: str, run: Run = run_command) -> bool:
    """Check a unit's text with ``systemd-analyze verify``.

    Returns False if the check could not be made or failed without naming the unit. Raises UnitError
    with the program's message if it rejects the unit.
    """
    if shutil.which("systemd-analyze") is None:
        return False
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_text(text, encoding="utf-8")
        try:
            done = run(["systemd-analyze", "verify", "--man=no", str(path)])
        except (OSError, subprocess.SubprocessError):
            return False
    objections = [line for line in done.stderr.splitlines() if name in line]
    if done.returncode != 0 and objections:
        said = clean_line(objections[0], MAX_SAID_CHARS)
        raise UnitError(f"systemd rejects the unit: {said}")
    return done.returncode == 0


def systemctl(run: Run, *arguments: str) -> None:
    """Run systemctl. Raises UnitError with its message if it fails."""
    command(run, "systemctl", *arguments)


def command(run: Run, *arguments: str) -> None:
    """Run a program. Raises UnitError with its message if it fails."""
    words = " ".join(arguments)
    try:
        done = run(list(arguments))
    except (OSError, subprocess.SubprocessError) as error:
        raise UnitError(f"{words} could not be run: {error}.") from error
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip().splitlines()
        reason = clean_line(said[0], MAX_SAID_CHARS) if said else f"code {done.returncode}"
        raise UnitError(f"{words} failed: {reason}")


def switch_on(run: Run, name: str) -> None:
    """Enable and (re)start a unit whose file was written. Raises UnitError."""
    systemctl(run, "daemon-reload")
    systemctl(run, "enable", name)
    # Restart instead of start: a unit that runs already may have an older file.
    systemctl(run, "restart", name)


def remove_unit(run: Run, path: Path) -> None:
    """Disable and stop a unit, and delete its file. Raises UnitError."""
    systemctl(run, "disable", "--now", path.name)
    delete_file(path)
    systemctl(run, "daemon-reload")


def is_on(run: Run, name: str) -> bool:
    """Whether a unit is enabled and active."""
    return _is(run, "is-enabled", name) and _is(run, "is-active", name)


def _is(run: Run, question: str, name: str) -> bool:
    try:
        return run(["systemctl", question, "--quiet", name]).returncode == 0
    except (OSError, subprocess.SubprocessError):
        return False


def read_file(path: Path) -> str | None:
    """The text of a file; None if it cannot be read."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None


def write_file(path: Path, text: str) -> None:
    """Write a file by an atomic rename: systemd may read the folder at any time. Raises
    UnitError."""
    new = path.with_name(f".{path.name}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        new.write_text(text, encoding="utf-8")
        new.chmod(0o644)
        new.replace(path)
    except OSError as error:
        with suppress(OSError):
            new.unlink()
        raise UnitError(f"{path} could not be written: {error.strerror}.") from error


def delete_file(path: Path) -> None:
    """Delete a file, if it exists. Raises UnitError."""
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise UnitError(f"{path} could not be deleted: {error.strerror}.") from error
