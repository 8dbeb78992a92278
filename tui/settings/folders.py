"""Where this user's files are, as the XDG base directory specification has it.

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
    """For what was chosen while running and is to be there again at the next start."""
    from platformdirs import user_state_path

    return user_state_path(APP_NAME, appauthor=False)


def data_folder() -> Path:
    """For what was made here and cannot be made again: conversations, benchmarks."""
    from platformdirs import user_data_path

    return user_data_path(APP_NAME, appauthor=False)


def cache_folder() -> Path:
    """For what makes the next start faster, and can be thrown away."""
    from platformdirs import user_cache_path

    return user_cache_path(APP_NAME, appauthor=False)
