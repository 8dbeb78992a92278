"""Folders of this user's files, by the XDG base directory specification.

Nothing is made here: a folder is made by whoever first writes into it.
"""

from __future__ import annotations

import os
from pathlib import Path

APP_NAME = "npulse"
ROOT_CHANGES = Path("/var/lib/npulse-changes")
"""What root changed on the board: every user can read it."""
CHANGES_FILE = "changes.json"
"""What was changed on a board; without it nothing of that is loaded."""


def config_folder() -> Path:
    """For ``config.toml`` and ``themes``: what the user writes and npulse only reads."""
    from platformdirs import user_config_path

    return user_config_path(APP_NAME, appauthor=False)


def state_folder() -> Path:
    """For choices made while running, to be restored at the next start."""
    from platformdirs import user_state_path

    return user_state_path(APP_NAME, appauthor=False)


def changes_folder() -> Path:
    """For what was changed on the board: that of this user. Root's is one place, whosever home
    ``sudo`` has left in the environment."""
    is_roots = os.geteuid() == 0 and not os.environ.get("XDG_STATE_HOME")
    return ROOT_CHANGES if is_roots else state_folder()


def data_folder() -> Path:
    """For data that cannot be recreated: conversations, benchmarks."""
    from platformdirs import user_data_path

    return user_data_path(APP_NAME, appauthor=False)


def cache_folder() -> Path:
    """For caches that make the next start faster."""
    from platformdirs import user_cache_path

    return user_cache_path(APP_NAME, appauthor=False)
