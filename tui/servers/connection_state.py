"""What a screen may know of the connection to the server, at one moment.

Apart from the connection itself, because it must be cheap to load: a dashboard shows it before
anything of HTTP is needed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tui.core.screen.headline import ServerWord
from tui.core.types import ModelInfo
from tui.servers.slot import SlotState

if TYPE_CHECKING:
    from tui.servers.server import Server


@dataclass(frozen=True, slots=True)
class ConnectionState:
    """One moment. Strings are sanitised, also those of ``models``.

    ``server`` stays while it is busy or gone: it is the one that is waited for. ``problem`` is the
    last failure in one sentence. ``work`` is what a load or an unload does right now and
    ``work_since_ns`` when it began; ``message`` is how the last one went, ``is_error`` whether
    that was badly.
    """

    word: ServerWord = "searching"
    server: Server | None = None
    models: tuple[ModelInfo, ...] = ()
    slot: SlotState = field(default_factory=SlotState)
    looked_at: tuple[str, ...] = ()
    problem: str | None = None
    work: str | None = None
    work_since_ns: int | None = None
    message: str | None = None
    is_error: bool = False

    @property
    def loaded(self) -> ModelInfo | None:
        return next((model for model in self.models if model.is_loaded), None)

    @property
    def is_connected(self) -> bool:
        """A prompt could be sent."""
        return self.server is not None and self.word in ("ready", "busy", "loading")
