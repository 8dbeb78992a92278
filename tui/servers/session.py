"""The server in use and the model that answers: one record that the connection's parts share."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from time import perf_counter_ns

from tui.core.types import ModelInfo
from tui.servers.access import Access
from tui.servers.client import Client, PhaseTimeouts
from tui.servers.connection_state import NO_CHOICE, ConnectionState, Server, SurveyedServer
from tui.servers.model_choice import chosen_model, shown, shown_name
from tui.servers.model_work import ModelWork
from tui.servers.session_models import SessionModels
from tui.servers.slot import Slot


class ServerSession:
    """Belongs to one event loop. ``state`` may be read from any thread; ``on_change`` is called in
    the loop after it changed.

    ``urls`` are the addresses to look at, None for the default ports. ``client`` is the HTTP client
    of the server in ``state``, None while there is none; ``models`` are its models under the names
    that it gave them, which need not be fit for a terminal.
    """

    def __init__(
        self,
        urls: Sequence[str] | None,
        timeouts: PhaseTimeouts,
        access: Access | None,
        model: str,
        state: ConnectionState,
        on_change: Callable[[], None],
        other_urls: Sequence[str] = (),
    ) -> None:
        self.urls = urls
        self.other_urls = other_urls
        """Where others may be that are offered beside a named server, and never taken for it."""
        self.access = access
        self.on_change = on_change
        self.state = state
        self.client: Client | None = None
        self.models: tuple[ModelInfo, ...] = ()
        self.selection = SessionModels(model)
        self.slot = Slot(lambda: self.set(slot=self.slot.state))
        self.work = ModelWork(self.set, self.why_busy)
        self.wake = asyncio.Event()
        """Set when the next look at the server should not wait."""
        self._timeouts = timeouts
        self._closing: set[asyncio.Task[None]] = set()
        """Clients that are let go."""

    def set(self, **changes: object) -> None:
        """Change fields of ``state``."""
        state = replace(self.state, **changes)  # type: ignore[arg-type]
        if state.status != self.state.status:
            state = replace(state, since_ns=perf_counter_ns())
        if state != self.state:
            self.state = state
            self.on_change()

    # -- the server ----------------------------------------------------------------------------

    @property
    def is_quiet(self) -> bool:
        """Neither an answer nor a change of models is under way, so the server may be asked."""
        return self.slot.state.is_free and not self.work.is_running

    def why_busy(self) -> str | None:
        """Why the server must be left alone now, in one sentence."""
        if self.work.is_running:
            return f"The server is at work already: {self.state.work or 'models'}."
        if self.slot.state.status == "answering":
            return "An answer is running; stop it first."
        if self.slot.state.status == "finishing":
            return (
                "The server is still finishing an answer that was stopped; wait until it is idle."
            )
        return None

    def connect(self, server: Server) -> Client:
        """This server from now on."""
        self.client = Client(server.url, server.dialect, self._timeouts, server.access)
        self.set(status="ready", server=server, problem=None, has_looked=True)
        return self.client

    def pin(self, urls: Sequence[str], access: Access | None, *, is_alone: bool) -> None:
        """Let the server go and look at these addresses only."""
        self.urls = tuple(urls)
        self.other_urls = () if is_alone else self.other_urls
        self.access = access or self.access
        self.slot.abandon()
        self.models = ()
        client, self.client = self.client, None
        if client is not None:
            closing = asyncio.get_running_loop().create_task(client.aclose())
            self._closing.add(closing)
            closing.add_done_callback(self._closing.discard)
        self.set(
            status="searching",
            server=None,
            models=(),
            choice=NO_CHOICE,
            others=(),
            busy_urls=(),
            note=None,
            looked_at=self.urls,
            has_looked=False,
            problem=None,
            message=None,
            is_error=False,
        )

    async def lose(self, sentence: str) -> None:
        """The server is gone, for this reason; it is waited for."""
        client, self.client = self.client, None
        self.models = ()
        self.set(status="gone", models=(), choice=NO_CHOICE, problem=sentence)
        if client is not None:
            await client.aclose()

    async def disconnect(self) -> bool:
        """Close the connection; the state stays. False where there was none."""
        client, self.client = self.client, None
        if client is not None:
            await client.aclose()
        return client is not None

    def surveyed(self, servers: Sequence[Server]) -> tuple[SurveyedServer, ...]:
        """These servers, with what is known of their models already."""
        known = {one.server.url: one for one in self.state.others}
        return tuple(
            replace(known[server.url], server=server)
            if server.url in known
            else SurveyedServer(server)
            for server in servers
        )

    # -- its models ----------------------------------------------------------------------------

    def set_models(self, found: tuple[ModelInfo, ...]) -> None:
        """What the server has."""
        self.models = found
        self.set(models=tuple(shown(model) for model in found))
        self.choose()

    def choose(self) -> None:
        """Which model answers, from what is known now."""
        server = self.state.server
        if server is None:
            return
        wanted, used_last = self.wanted_model(server)
        choice = chosen_model(self.models, wanted, server, used_last)
        self.set(choice=replace(choice, name=shown_name(choice.name)))

    def wanted_model(self, server: Server) -> tuple[str, str | None]:
        """The model to ask this server for, empty where any will do, and the one that it was asked
        for last, None where there was none."""
        remembered = self.state.remembered.model_of(server.url)
        return self.selection.wanted_at(server.url), remembered

    def remember_model(self, url: str, name: str) -> None:
        """The next run of npulse asks the server at ``url`` for this model."""
        self.set(remembered=self.state.remembered.with_model(url, name))
