"""What the top line says: which board, which model on which server, and in what state."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

ServerWord = Literal["searching", "ready", "busy", "loading", "gone"]


@dataclass(frozen=True, slots=True)
class Headline:
    """Everything that identifies this screen. Strings are sanitised; None is not known."""

    board: str | None = None
    soc: str | None = None
    driver: str | None = None
    server_state: ServerWord = "searching"
    server: str | None = None
    model: str | None = None
    quantisation: str | None = None
    context: str | None = None
    temperature_c: float | None = None
    time_of_day: str = ""
    is_simulated: bool = False
    alert: str | None = None
    """One short line that wants attention now."""
