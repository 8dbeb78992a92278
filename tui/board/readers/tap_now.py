"""The answer that ``npulse tap`` forwards now, from the state file that it writes below /run.

So a board's decode rate can be read without a request to the server, also over ssh.
"""

from __future__ import annotations

import math
from typing import Literal

import msgspec

from tui.board.readers.files import Files
from tui.board.readers.sample_context import NS, SampleContext
from tui.core.board.reading import Reading
from tui.core.text.sanitize import clean_line

FOLDER, NAME = "npulse-tap", "now.json"
SERVICE_FILE = f"/run/{FOLDER}/{NAME}"
"""Written by the service. A tap run by a user writes below ``/run/user/UID``."""
USERS = "/run/user"
LOOK_NS = 5 * NS
TapPhase = Literal["idle", "queued", "prefill", "thinking", "answering"]


class TapNow(msgspec.Struct, frozen=True, kw_only=True):
    """The present answer's phase and decode rate, and the number of waiting requests."""

    pid: int
    phase: TapPhase = "idle"
    rate_tps: float | None = None
    is_estimated: bool = True
    n_queued: int = 0


class TapReader:
    """Reads ``tap.state``, ``tap.rate`` (tok/s) and ``tap.queue`` (waiting requests)."""

    def __init__(self, files: Files) -> None:
        self._files = files
        self._path: str | None = None
        self._next_look_ns: int | None = None

    def read(self, context: SampleContext) -> dict[str, Reading]:
        """The readings; none where no tap runs, and no rate while nothing is decoded."""
        found = None if self._path is None else self._now(self._path)
        if found is None:
            if self._next_look_ns is not None and context.t_ns < self._next_look_ns:
                return {}
            self._next_look_ns = context.t_ns + LOOK_NS
            self._path, found = self._looked()
        if found is None or self._path is None:
            return {}
        flags = ("estimated",) if found.is_estimated else ()
        rate_tps = found.rate_tps
        readings = {
            "tap.state": Reading(clean_line(found.phase, 20), source=self._path),
            "tap.queue": Reading(max(found.n_queued, 0), source=self._path),
        }
        if rate_tps is not None and math.isfinite(rate_tps) and rate_tps > 0:
            readings["tap.rate"] = Reading(rate_tps, "tok/s", self._path, flags=flags)
        return readings

    def _looked(self) -> tuple[str | None, TapNow | None]:
        own = [f"{USERS}/{name}/{FOLDER}/{NAME}" for name in self._files.names(USERS)[:16]]
        for path in (SERVICE_FILE, *own):
            found = self._now(path)
            if found is not None:
                return path, found
        return None, None

    def _now(self, path: str) -> TapNow | None:
        """The file's record; None without a valid one, or if its process no longer exists."""
        try:
            found = msgspec.json.decode(self._files.read_once(path), type=TapNow)
        except (OSError, msgspec.DecodeError, RecursionError):
            return None
        return found if self._files.exists(f"/proc/{found.pid}/stat") else None
