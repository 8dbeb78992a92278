"""The folder of runs: ids, search for a run, baselines, and the lock of the running benchmark."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import re
import secrets
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from tui.bench.store.folder import LOCK_FILE
from tui.core.text.sanitize import clean, clean_line
from tui.files.private import create_private, make_folder, read_regular, write_whole

RUN_FILE = "run.json"
BASELINES_FILE = "baselines.json"
LOCK_TRIES, LOCK_PAUSE_S = 5, 0.02
LOCK_BYTES = 1024
_ASK_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_ID = re.compile(r"[0-9]{8}T[0-9]{6}Z-[a-z0-9._-]+")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class RunError(ValueError):
    """A run cannot be found or used. The message is one sentence for the user."""


def utc_now() -> str:
    """The present UTC time, such as 2025-01-31T12:00:00Z."""
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def slug(text: str) -> str:
    """The text as a safe part of a file name, at most 40 characters."""
    return re.sub(r"[^a-z0-9.]+", "-", clean(text, newlines=False).lower()).strip("-.")[:40] or "x"


def new_id(suite: str, model: str) -> str:
    """A new run id: time, suite, model, and four random characters."""
    stamp = datetime.now(timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    return f"{stamp}-{slug(suite)}-{slug(model)}-{secrets.token_hex(2)}"


def make(folder: Path, run_id: str) -> Path:
    """Create the folder of a run. Raises RunError."""
    path = folder / run_id
    try:
        make_folder(path, exist_ok=False)
    except OSError as error:
        reason = error.strerror or "not possible"
        raise RunError(f"cannot make {clean(str(path), newlines=False)}: {reason}") from None
    return path


def all_ids(folder: Path) -> list[str]:
    """The ids of all runs, oldest first."""
    try:
        names = [entry.name for entry in folder.iterdir() if entry.is_dir()]
    except OSError:
        return []
    return sorted(name for name in names if _ID.fullmatch(name))


def find(folder: Path, name: str) -> Path:
    """The folder of a run, by id, beginning or end of an id, baseline, path, or ``last``.

    Raises RunError if no run or several match.
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
    raise RunError(f"{shown!r} matches {len(hits)} runs: {', '.join(hits[:4])}")


def baselines(folder: Path) -> dict[str, str]:
    """Baseline name -> run id; empty without a valid file."""
    try:
        value = json.loads(read_regular(folder / BASELINES_FILE))
    except (OSError, ValueError, RecursionError):
        return {}
    if not isinstance(value, dict):
        return {}
    return {k: v for k, v in value.items() if isinstance(k, str) and isinstance(v, str)}


def set_baseline(folder: Path, name: str, run_id: str) -> None:
    """Name a run as a baseline. Raises RunError for an invalid name, and OSError."""
    if not _NAME.fullmatch(name) or name == "last":
        raise RunError("a baseline's name may have letters, digits, dot, - and _ only")
    known = baselines(folder)
    known[name] = run_id
    write_whole(folder / BASELINES_FILE, json.dumps(known, indent=2, sort_keys=True).encode())


def holder(folder: Path) -> str | None:
    """The benchmark that holds the folder's lock, such as ``prompts (pid 42)``; None if it is free.

    The test holds the lock (shared) for an instant, so :class:`Lock` makes several attempts.
    """
    found = lock_holder(folder)
    return None if found is None else found.name


@dataclass(frozen=True, slots=True)
class Holder:
    """The process that holds the lock. ``pid`` is None if the lock file does not have it."""

    name: str
    pid: int | None = None


def lock_holder(folder: Path) -> Holder | None:
    """The holder of the folder's lock; None if it is free."""
    try:
        fd = os.open(folder / LOCK_FILE, _ASK_FLAGS)
    except OSError:
        return None
    with os.fdopen(fd, "rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return _holder_of(file.read(LOCK_BYTES))
    return None


def _holder_of(data: bytes) -> Holder:
    """Parse the lock file: a line of text, then JSON with the pid."""
    said, _, fields = data.decode("utf-8", "replace").partition("\n")
    try:
        pid = json.loads(fields)["pid"]
    except (ValueError, KeyError, TypeError, RecursionError):
        pid = None
    name = clean_line(said, 60) or "unknown"
    return Holder(name, pid if isinstance(pid, int) else None)


class Lock:
    """The lock (flock) that allows one benchmark at a time per user, as two would share the NPU. Of
    runs on several boards, its holder is the one that other processes follow.

    The kernel releases the lock when the process ends, so a killed run leaves none.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / LOCK_FILE
        self._fd = -1

    def take(self, who: str) -> None:
        """Take the lock. Raises RunError, which names its holder or the error."""
        try:
            make_folder(self._path.parent)
            # Do not follow a link: the file it points to would be truncated.
            self._fd = create_private(self._path, os.O_RDWR | os.O_NOFOLLOW)
        except OSError as error:
            is_link = error.errno == errno.ELOOP
            reason = "it is a symbolic link" if is_link else error.strerror or "not possible"
            shown = clean(str(self._path), newlines=False)
            raise RunError(f"cannot lock {shown}: {reason}") from None
        if not self._is_taken():
            who = _holder_of(os.read(self._fd, LOCK_BYTES)).name
            self.release()
            raise RunError(f"another benchmark is running: {who}")
        os.ftruncate(self._fd, 0)
        said = clean_line(f"{who} (pid {os.getpid()})")
        os.write(self._fd, f"{said}\n{json.dumps({'pid': os.getpid()})}\n".encode())

    def _is_taken(self) -> bool:
        """Try several times, as :func:`lock_holder` holds the lock for an instant."""
        for attempt in range(LOCK_TRIES):
            if attempt:
                time.sleep(LOCK_PAUSE_S)
            with suppress(OSError):
                fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return True
        return False

    def release(self) -> None:
        """Release the lock; does nothing if it is not held."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
