"""Thread-safe holder of the bench screens' state."""

from __future__ import annotations

import threading
from dataclasses import replace

from tui.bench.model.screen import BenchMessage, BenchView, Role
from tui.core.text.sanitize import clean_line


class ShownView:
    """Holds the view. Each change is atomic for readers."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._view = BenchView()

    @property
    def view(self) -> BenchView:
        with self._lock:
            return self._view

    def change(self, **values: object) -> None:
        """Set these fields of the view."""
        with self._lock:
            self._view = replace(self._view, **values)  # type: ignore[arg-type]

    def say(self, text: str, role: Role = "soft") -> None:
        """Show a sentence in the message line."""
        with self._lock:
            serial = self._view.message.serial + 1
            message = BenchMessage(serial, clean_line(text, 300), role)
            self._view = replace(self._view, message=message)
