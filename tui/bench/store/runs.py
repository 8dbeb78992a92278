"""The folder of runs: names, finding one again, baselines, and the lock against two at a time."""

from __future__ import annotations

import fcntl
import json
import os
import re
import secrets
import time
from contextlib import suppress
from datetime import datetime, timezone
from pathlib import Path

from tui.core.text.sanitize import clean, clean_line

RUN_FILE = "run.json"
BASELINES_FILE = "baselines.json"
LOCK_FILE = "running.lock"
LOCK_TRIES, LOCK_PAUSE_S = 5, 0.02
_ID = re.compile(r"[0-9]{8}T[0-9]{6}Z-[a-z0-9._-]+")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class RunError(ValueError):
    """A run that cannot be found or used; the message is one sentence."""


def default_folder() -> Path:
    """Where runs are kept: ``bench`` in the data folder of the user."""
    from platformdirs import user_data_path

    return user_data_path("npulse", appauthor=False) / "bench"


def utc_now() -> str:
    """Wall time as a label: 2025-01-31T12:00:00Z."""
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def slug(text: str) -> str:
    """A short, harmless part of a file name."""
    return re.sub(r"[^a-z0-9.]+", "-", clean(text, newlines=False).lower()).strip("-.")[:40] or "x"


def new_id(suite: str, model: str) -> str:
    """Time, suite, model, and four characters that keep two of one second apart."""
    stamp = datetime.now(timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    return f"{stamp}-{slug(suite)}-{slug(model)}-{secrets.token_hex(2)}"


def make(folder: Path, run_id: str) -> Path:
    """The new folder of a run. Raises RunError with one sentence."""
    path = folder / run_id
    try:
        path.mkdir(parents=True, exist_ok=False)
    except OSError as error:
        reason = error.strerror or "not possible"
        raise RunError(f"cannot make {clean(str(path), newlines=False)}: {reason}") from None
    return path


def all_ids(folder: Path) -> list[str]:
    """Every run there is, oldest first."""
    try:
        names = [entry.name for entry in folder.iterdir() if entry.is_dir()]
    except OSError:
        return []
    return sorted(name for name in names if _ID.fullmatch(name))


def find(folder: Path, name: str) -> Path:
    """The folder of a run by id, beginning or end of an id, baseline, path, or ``last``.

    Raises RunError where there is none or more than one.
    """
    path = Path(name)
    if "/" in name or path.is_dir():
        if path.is_dir():
            return path
        if path.is_file():
            return path.parent if path.name == RUN_FILE else path
        raise RunError(f"there is no run at {clean(name, newlines=False)}")
    ids = all_ids(folder)
    if name == "last":
        if not ids:
            raise RunError("there is no run yet")
        return folder / ids[-1]
    name = baselines(folder).get(name, name)
    if name in ids:
        return folder / name
    hits = [run_id for run_id in ids if run_id.startswith(name) or run_id.endswith(name)]
    shown = clean(name, newlines=False)
    if len(hits) == 1:
        return folder / hits[0]
    if path.is_file():
        return path
    if not hits:
        raise RunError(f"there is no run {shown!r}; npulse bench history lists them")
    raise RunError(f"{shown!r} fits {len(hits)} runs: {', '.join(hits[:4])}")


def baselines(folder: Path) -> dict[str, str]:
    """Baseline name -> run id. Empty where there is no such file, or it is damaged."""
    try:
        value = json.loads((folder / BASELINES_FILE).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    if not isinstance(value, dict):
        return {}
    return {k: v for k, v in value.items() if isinstance(k, str) and isinstance(v, str)}


def set_baseline(folder: Path, name: str, run_id: str) -> None:
    """Gives a run a name to compare with. Raises RunError for a name that cannot be one."""
    if not _NAME.fullmatch(name) or name == "last":
        raise RunError("a baseline has a name of letters, digits, dot, - and _")
    known = baselines(folder)
    known[name] = run_id
    write_whole(folder / BASELINES_FILE, json.dumps(known, indent=2, sort_keys=True).encode())


def write_whole(path: Path, data: bytes) -> None:
    """Replaces a file at once: a reader sees the old or the new one. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def holder(folder: Path) -> str | None:
    """The benchmark that holds the lock of this folder: ``prompts (pid 42)``. None if it is free.

    Asking takes the lock shared for an instant; :class:`Lock` tries again for so long.
    """
    try:
        with (folder / LOCK_FILE).open("rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except OSError:
                return clean_line(file.read(200).decode("utf-8", "replace"), 60) or "unknown"
    except OSError:
        return None
    return None


class Lock:
    """Only one benchmark at a time on a machine and user: the NPU cannot serve two.

    The kernel drops the lock with the process, so a killed run leaves none behind.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / LOCK_FILE
        self._fd = -1

    def take(self, who: str) -> None:
        """Raises RunError naming the run that holds it."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            reason = error.strerror or "not possible"
            raise RunError(f"cannot lock {self._path}: {reason}") from None
        if not self._is_taken():
            who = clean_line(os.read(self._fd, 200).decode("utf-8", "replace"), 60)
            self.release()
            raise RunError(f"another benchmark is running: {who or 'unknown'}")
        os.ftruncate(self._fd, 0)
        os.write(self._fd, f"{who} (pid {os.getpid()})".encode())

    def _is_taken(self) -> bool:
        """Tries a few times: whoever only asks holds it for an instant."""
        for attempt in range(LOCK_TRIES):
            if attempt:
                time.sleep(LOCK_PAUSE_S)
            with suppress(OSError):
                fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return True
        return False

    def release(self) -> None:
        """Lets go; harmless where it was never taken."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
