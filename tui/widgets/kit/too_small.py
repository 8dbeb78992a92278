"""Message of a screen whose terminal is too small for it."""

from __future__ import annotations

from textual.geometry import Size
from textual.widgets import Static

MIN_COLUMNS, MIN_ROWS = 40, 10


class TooSmall(Static):
    """Its screen has the class ``-tiny`` while the terminal is too small, and hides all else."""

    DEFAULT_CSS = """
    TooSmall { display: none; width: 100%; height: 100%; content-align: center middle; }
    """

    def __init__(self) -> None:
        super().__init__("", markup=False)

    def look(self, size: Size) -> bool:
        """Whether a terminal of that size is too small."""
        is_tiny = size.width < MIN_COLUMNS or size.height < MIN_ROWS
        self.screen.set_class(is_tiny, "-tiny")
        if is_tiny:
            needed, found = f"{MIN_COLUMNS}x{MIN_ROWS}", f"{size.width}x{size.height}"
            self.update(f"npulse needs {needed}; this terminal is {found}")
        return is_tiny
