"""Content of the top line: board, model, server and its state."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

ServerStatus = Literal["searching", "ready", "busy", "loading", "gone"]


NoModel = Literal["no model loaded", "no model chosen", "model not known"]


@dataclass(frozen=True, slots=True)
class Headline:
    """Everything that identifies this screen. Strings are sanitised; None is not known."""

    board: str | None = None
    soc: str | None = None
    driver: str | None = None
    server_state: ServerStatus = "searching"
    server_since: str = ""
    """Since when it is so, with what has passed: ``since 14:02 (3:12)``."""
    server: str | None = None
    model: str | None = None
    no_model: NoModel = "no model loaded"
    """What stands in its place where there is no model to name."""
    is_model_loaded: bool | None = True
    """False where the first prompt loads it; None where the server does not say."""
    is_stop_heeded: bool = True
    """False where the server runs on to the end of an answer that is stopped here."""
    quantisation: str | None = None
    context: str | None = None
    temperature_c: float | None = None
    time_of_day: str = ""
    is_simulated: bool = False
    replay: str | None = None
    """How fast a recorded answer plays: ``4x``. None: everything on the screen happens now."""
    is_server_missing: bool = False
    """Nobody answered at the last look: an address is wanted. False before the first look."""
    server_problem: str | None = None
    """Why no server answers, in one sentence."""
    alert: str | None = None
    """One short line that wants attention now."""
    bench: str | None = None
    """The benchmark that is running, its progress and its key: ``bench 3/10 prompts, F3``."""

    @property
    def server_words(self) -> str:
        """The state of the server with its time, where it is not simply ready."""
        words: dict[ServerStatus, str] = {
            "busy": "busy",
            "loading": "loading",
            "gone": "unreachable",
        }
        word = words.get(self.server_state, "")
        return f"{word} {self.server_since}".strip() if word else ""

    @property
    def activity(self) -> str | None:
        """What the server does, or lacks, while no answer is on its way; None where it is ready."""
        if self.bench is not None:
            return self.bench
        words: dict[ServerStatus, str] = {
            "searching": "no server",
            "gone": "server gone",
            "loading": "loading a model",
            "busy": "server busy",
        }
        return words.get(self.server_state)
