"""Answers that a board keeps on disk until the run has them in its own journal."""

from __future__ import annotations

import hashlib
import re
import shutil
import time
from contextlib import suppress
from pathlib import Path

from tui.files.private import read_regular, write_whole

FOLDER = "fleet"
KEEP_S = 30 * 86_400.0
"""How long answers are kept of a run that never came back for them."""
_RUN_ID = re.compile(r"[0-9]{8}T[0-9]{6}Z-[a-z0-9._-]{1,120}")

Key = tuple[str, int]


class KeptAnswers:
    """One file an answer, below the folder of this machine's runs."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / FOLDER

    def keep(self, run_id: str, key: Key, lines: bytes) -> None:
        """Raises OSError."""
        write_whole(self._file(run_id, key), lines)

    def all_of(self, run_id: str) -> list[bytes]:
        """The answers that the run does not have yet; one that cannot be read is left out."""
        found = []
        for path in sorted(self._place(run_id).glob("*.jsonl")):
            with suppress(OSError):
                found.append(read_regular(path))
        return found

    def forget(self, run_id: str, key: Key) -> None:
        """The run has this one."""
        with suppress(OSError):
            self._file(run_id, key).unlink(missing_ok=True)
        with suppress(OSError):
            self._place(run_id).rmdir()

    def prune(self) -> None:
        """Removes what nobody has come for."""
        oldest = time.time() - KEEP_S
        for path in self._folder.glob("*"):
            with suppress(OSError):
                if path.is_dir() and path.stat().st_mtime < oldest:
                    shutil.rmtree(path, ignore_errors=True)

    def _place(self, run_id: str) -> Path:
        # It comes from another machine, and becomes a path here.
        if not _RUN_ID.fullmatch(run_id):
            raise ValueError("this is no id of a run")
        return self._folder / run_id

    def _file(self, run_id: str, key: Key) -> Path:
        name = hashlib.sha256(f"{key[0]}\0{key[1]}".encode("utf-8", "replace")).hexdigest()[:24]
        return self._place(run_id) / f"{name}.jsonl"
