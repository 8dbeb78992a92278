"""The folder of runs, that of a run on many boards, and the name of their lock files."""

from __future__ import annotations

from pathlib import Path

LOCK_FILE = "running.lock"
"""Locked while a benchmark runs; the file itself is never deleted."""


def default_folder() -> Path:
    """Folder of runs: ``bench`` in the user's data folder."""
    from platformdirs import user_data_path

    return user_data_path("npulse", appauthor=False) / "bench"


def boards_folder(folder: Path) -> Path:
    """Lock and mark of the running benchmark of many boards, below the folder of runs.

    It uses no NPU of this machine, which may measure its own board, or be one of the many, at the
    same time.
    """
    return folder / "boards"
