"""The folder of runs: ids, finding a run, baselines, and the lock of the running one."""

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
    """A run that cannot be found or used; the message is one sentence."""


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
        make_folder(path, exist_ok=False)
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
        value = json.loads(read_regular(folder / BASELINES_FILE))
    except (OSError, ValueError, RecursionError):
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


def holder(folder: Path) -> str | None:
    """The benchmark that holds the lock of this folder: ``prompts (pid 42)``. None if it is free.

    Asking takes the lock shared for an instant; :class:`Lock` tries again for so long.
    """
    found = lock_holder(folder)
    return None if found is None else found.name


@dataclass(frozen=True, slots=True)
class Holder:
    """The process that holds the lock. ``pid`` is None where the lock file does not say."""

    name: str
    pid: int | None = None


def lock_holder(folder: Path) -> Holder | None:
    """Who holds the lock of this folder, for a program; None where it is free."""
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
    """The lock file: one line for people, then one of JSON with the process id."""
    said, _, fields = data.decode("utf-8", "replace").partition("\n")
    try:
        pid = json.loads(fields)["pid"]
    except (ValueError, KeyError, TypeError, RecursionError):
        pid = None
    name = clean_line(said, 60) or "unknown"
    return Holder(name, pid if isinstance(pid, int) else None)


class Lock:
    """Only one benchmark at a time on a machine and user: the NPU cannot serve two. (Of many boards
    the one that holds it is the one that others follow.)

    The kernel drops the lock with the process, so a killed run leaves none behind.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / LOCK_FILE
        self._fd = -1

    def take(self, who: str) -> None:
        """Raises RunError naming the run that holds it."""
        try:
            make_folder(self._path.parent)
            # A link here would let whoever made it have another file emptied.
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
