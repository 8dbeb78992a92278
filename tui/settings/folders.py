"""Folders of this user's files, by the XDG base directory specification.

Nothing is made here: a folder is made by whoever first writes into it.
"""

from __future__ import annotations

from pathlib import Path

APP_NAME = "npulse"


def config_folder() -> Path:
    """For ``config.toml`` and ``themes``: what the user writes and npulse only reads."""
    from platformdirs import user_config_path

    return user_config_path(APP_NAME, appauthor=False)


def state_folder() -> Path:
    """For choices made while running, to be restored at the next start."""
    from platformdirs import user_state_path

    return user_state_path(APP_NAME, appauthor=False)


def data_folder() -> Path:
    """For data that cannot be recreated: conversations, benchmarks."""
    from platformdirs import user_data_path

    return user_data_path(APP_NAME, appauthor=False)


def cache_folder() -> Path:
    """For caches that make the next start faster."""
    from platformdirs import user_cache_path

    return user_cache_path(APP_NAME, appauthor=False)
