"""Base of the objects that open screens over the dashboard."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from textual.screen import Screen

    from tui.app.backend import Backend
    from tui.app.terminal_app import Appearance
    from tui.screens.dashboard import Dashboard


@dataclass(frozen=True)
class AppPages:
    """``dashboard`` has the chat; ``copy`` puts a text into the clipboard and gives the sentence
    that says where it is; ``push`` opens a screen."""

    backend: Backend
    dashboard: Dashboard
    appearance: Appearance
    copy: Callable[[str, str], str]
    push: Callable[[Screen[None]], object]
