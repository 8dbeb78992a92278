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
"""Seconds after which answers that no run has fetched are removed."""
_RUN_ID = re.compile(r"[0-9]{8}T[0-9]{6}Z-[a-z0-9._-]{1,120}")

Key = tuple[str, int]


class KeptAnswers:
    """One file per answer, in a subfolder of this machine's runs folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / FOLDER

    def keep(self, run_id: str, key: Key, lines: bytes) -> None:
        """Saves the journal lines of one answer. Raises OSError."""
        write_whole(self._file(run_id, key), lines)

    def all_of(self, run_id: str) -> list[bytes]:
        """The kept answers of a run, one block of journal lines each. Unreadable files are left
        out."""
        found = []
        for path in sorted(self._place(run_id).glob("*.jsonl")):
            with suppress(OSError):
                found.append(read_regular(path))
        return found

    def forget(self, run_id: str, key: Key) -> None:
        """Removes an answer, as the run has it in its journal now."""
        with suppress(OSError):
            self._file(run_id, key).unlink(missing_ok=True)
        with suppress(OSError):
            self._place(run_id).rmdir()

    def prune(self) -> None:
        """Removes the answers of runs older than ``KEEP_S``."""
        oldest = time.time() - KEEP_S
        for path in self._folder.glob("*"):
            with suppress(OSError):
                if path.is_dir() and path.stat().st_mtime < oldest:
                    shutil.rmtree(path, ignore_errors=True)

    def _place(self, run_id: str) -> Path:
        # The id comes from another machine and becomes a path here, so it is checked.
        if not _RUN_ID.fullmatch(run_id):
            raise ValueError("this is not the id of a run")
        return self._folder / run_id

    def _file(self, run_id: str, key: Key) -> Path:
        name = hashlib.sha256(f"{key[0]}\0{key[1]}".encode("utf-8", "replace")).hexdigest()[:24]
        return self._place(run_id) / f"{name}.jsonl"
