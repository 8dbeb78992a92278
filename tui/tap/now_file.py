"""Writes a small file with the tap's present activity, for dashboards on this board."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

from tui.board.readers.tap_now import FOLDER, NAME, TapNow
from tui.history.request_records import ClientRequest


class NowFile:
    """Writes the file into ``folder``, which it creates if needed. Never raises; without a writable
    folder there is no file."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / NAME
        self._last: TapNow | None = None
        with suppress(OSError):
            folder.mkdir(mode=0o755, exist_ok=True)
        self.write(())

    def write(self, running: Sequence[ClientRequest]) -> None:
        """Writes the state for these running requests, oldest first."""
        now = now_of(running)
        if now == self._last:
            return
        self._last = now
        new = self._path.with_name(f".{NAME}.{os.getpid()}")
        with suppress(OSError):
            new.write_bytes(msgspec.json.encode(now))
            new.chmod(0o644)
            new.replace(self._path)

    def remove(self) -> None:
        """Removes the file when the tap ends."""
        with suppress(OSError):
            self._path.unlink()


def own_folder() -> Path | None:
    """The folder for a tap that is not a service, below /run/user/UID; None if that is missing."""
    base = os.environ.get("XDG_RUNTIME_DIR", "")
    return Path(base) / FOLDER if base and Path(base).is_dir() else None


def now_of(running: Sequence[ClientRequest]) -> TapNow:
    """The content of the file for these running requests."""
    active = [one for one in running if one.phase != "queued"]
    n_queued = len(running) - len(active)
    if not active:
        return TapNow(pid=os.getpid(), phase="queued" if n_queued else "idle", n_queued=n_queued)
    rates = [one.decode_tps for one in active if one.decode_tps is not None]
    phases = [one.phase for one in active if one.phase in ("answering", "thinking")]
    return TapNow(
        pid=os.getpid(),
        phase=phases[0] if phases else "prefill",
        rate_tps=round(sum(rates), 2) if rates else None,
        is_estimated=any(one.decode_source not in ("measured", "runtime") for one in active),
        n_queued=n_queued,
    )
