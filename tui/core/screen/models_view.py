"""Records of the models screen: servers, their models, and the load or unload in progress."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from tui.core.board.headroom import Verdict
from tui.core.types import ModelInfo


@dataclass(frozen=True, slots=True)
class ServerModels:
    """One server of the list. ``label`` is its name and place, ``state`` how it is (``connected``,
    ``busy``), ``problem`` why its models are not known."""

    url: str
    label: str
    models: tuple[ModelInfo, ...] = ()
    is_connected: bool = False
    state: str = ""
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class ModelsView:
    """A moment of the list, the connected server first.

    ``answering`` says which model the next prompt goes to and why, or why none can be asked
    (``has_to_choose``). ``can_load`` and ``can_unload`` are of the connected server, ``notes`` is
    what else to know of it, sentences. ``work`` is a sentence such as
    ``loading qwen3-4b`` while it runs, ``message`` the outcome of the last one. Strings are
    sanitised.
    """

    servers: tuple[ServerModels, ...] = ()
    answering_name: str = ""
    answering: str | None = None
    has_to_choose: bool = False
    can_load: bool = False
    can_unload: bool = False
    notes: tuple[str, ...] = ()
    is_looking: bool = False
    work: str | None = None
    work_s: float = 0.0
    message: str | None = None
    is_error: bool = False
    ram: str = ""
    """How much RAM is free, and how that is known; or why it is not."""

    @property
    def rows(self) -> tuple[tuple[ServerModels, ModelInfo], ...]:
        """Every model with its server, as they stand below each other."""
        return tuple((server, model) for server in self.servers for model in server.models)


class Models(Protocol):
    """What the screen may ask for. Everything returns at once; :meth:`view` shows how it goes.

    A Protocol, for what draws must not import a client of a server.
    """

    def view(self) -> ModelsView:
        """The moment."""

    def fit(self, url: str, model: ModelInfo) -> Verdict:
        """Whether that model of the server at ``url`` fits into the RAM that is free there."""

    def look_around(self) -> None:
        """Look which other servers answer, and what they have."""

    def use(self, url: str, name: str, is_forced: bool) -> None:
        """The next prompts go to that model of that server."""

    def load(self, url: str, name: str, is_forced: bool) -> None:
        """Load that model. ``is_forced``: also where it may not fit."""

    def unload(self, name: str | None) -> None:
        """Unload that model of the connected server, without a name the loaded one."""

    def cancel(self) -> bool:
        """Stop waiting for a load or an unload; False where there is none."""
