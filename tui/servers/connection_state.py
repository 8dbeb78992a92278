"""State of the server connection at one moment, for screens.

Apart from the connection itself, because it must be cheap to load: a dashboard shows it before
anything of HTTP is needed.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from tui.core.screen.headline import ServerStatus
from tui.core.types import ModelInfo
from tui.servers.access import Access
from tui.servers.address import is_local, local_port, shown_url
from tui.servers.chosen_model import Choice
from tui.servers.dialects.dialect import Dialect
from tui.servers.remembered_servers import RememberedServers
from tui.servers.slot import SlotState

NO_CHOICE = Choice("")


@dataclass(frozen=True, slots=True)
class Server:
    """Address and kind of a server. Strings are sanitised.

    ``name`` is what it calls itself, ``version`` None where it does not say. ``is_simulated`` is
    true for the simulated board, which says so in a header of every answer. ``access`` is what it
    asks for.
    """

    url: str
    dialect: Dialect
    name: str
    version: str | None = None
    is_simulated: bool = False
    access: Access = field(default_factory=Access, repr=False)

    @property
    def is_on_this_machine(self) -> bool:
        """Whether it uses the NPU and the RAM of this machine. The simulator uses a board of its
        own, wherever it runs."""
        return is_local(self.url) and not self.is_simulated

    @property
    def port_on_this_machine(self) -> int | None:
        """Its port where it :attr:`is_on_this_machine`, else None."""
        return None if self.is_simulated else local_port(self.url)

    @property
    def label(self) -> str:
        """Name and place, short: ``RockchipLlama :8021`` on this machine, else with the host."""
        place = shown_url(self.url).partition("://")[2]
        _, colon, port = place.rpartition(":")
        is_short = bool(colon) and port.partition("/")[0].isdecimal() and is_local(self.url)
        return f"{self.name} {f':{port}' if is_short else place}"


@dataclass(frozen=True, slots=True)
class SurveyedServer:
    """A server that answers, and what it has; ``problem`` is why its models are not known, in one
    sentence."""

    server: Server
    models: tuple[ModelInfo, ...] = ()
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class ConnectionState:
    """One moment. Strings are sanitised, also those of ``models``, ``choice`` and ``others``.

    ``server`` stays while it is busy or gone: it is the one that is waited for; ``since_ns`` is
    when ``status`` began. ``choice`` is the model that the next prompt goes to. ``others`` are
    further servers that answer, as they were seen last, at ``busy_urls`` something does not answer;
    ``note`` says in one sentence why this server is not the one that was chosen earlier.
    ``problem`` is the last failure in one sentence. ``work`` is what a load or an unload does right
    now and ``work_since_ns`` when it began; ``message`` is how the last change went, ``is_error``
    whether that was badly. ``remembered`` is what the next run of npulse should know.
    """

    status: ServerStatus = "searching"
    since_ns: int | None = None
    server: Server | None = None
    models: tuple[ModelInfo, ...] = ()
    choice: Choice = NO_CHOICE
    others: tuple[SurveyedServer, ...] = ()
    busy_urls: tuple[str, ...] = ()
    is_surveying: bool = False
    note: str | None = None
    slot: SlotState = field(default_factory=SlotState)
    looked_at: tuple[str, ...] = ()
    problem: str | None = None
    has_looked: bool = False
    """These addresses were looked at before; ``status`` is no longer a first guess."""
    work: str | None = None
    work_since_ns: int | None = None
    message: str | None = None
    is_error: bool = False
    remembered: RememberedServers = field(default_factory=RememberedServers)

    @property
    def may_answer_soon(self) -> bool:
        """No prompt can be sent yet: the first look is not over, or what is there is too busy to
        say what it is."""
        is_looking = self.status == "searching" and not self.has_looked
        return not self.is_connected and (self.status == "busy" or is_looking)

    @property
    def answering(self) -> ModelInfo | None:
        """The model that the next prompt goes to; None where the server chooses, or none can be
        asked."""
        name = self.choice.name if self.choice.problem is None else ""
        return next((model for model in self.models if name and model.name == name), None)

    @property
    def in_use(self) -> ModelInfo | None:
        """The model to speak of: the one that answers, else the loaded one."""
        return self.answering or self.loaded

    @property
    def loaded(self) -> ModelInfo | None:
        return next((model for model in self.models if model.is_loaded), None)

    @property
    def is_connected(self) -> bool:
        """A prompt could be sent."""
        return self.server is not None and self.status in ("ready", "busy", "loading")
