"""The folder of runs, and the name of its lock file."""

from __future__ import annotations

from pathlib import Path

LOCK_FILE = "running.lock"
"""Locked while a benchmark runs, and there ever after the first."""


def default_folder() -> Path:
    """Where runs are kept: ``bench`` in the data folder of the user."""
    from platformdirs import user_data_path

    return user_data_path("npulse", appauthor=False) / "bench"
