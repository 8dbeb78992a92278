"""Asks tmux for the features of the terminal around it."""

from __future__ import annotations

import subprocess

from tui.core.text.sanitize import clean_line

COMMAND = ("tmux", "display-message", "-p", "#{client_termfeatures}")
LIMIT_S = 2.0


def client_features() -> str | None:
    """Words with commas between, of tmux(1) ``terminal-features``: ``256,RGB,title``. None where
    tmux does not say, as before 3.2. Blocks for some milliseconds."""
    try:
        done = subprocess.run(
            COMMAND, stdin=subprocess.DEVNULL, capture_output=True, timeout=LIMIT_S, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return clean_line(done.stdout.decode("utf-8", "replace")).strip() or None
