"""The server of a session: found, watched, asked, lost and found again.

States and what leads from one to the next::

    searching --found--> ready --no answer in time--> busy --answers--> ready
        ^                  |  \\--load(), unload()--> loading --done--> ready
        |                  |
      (start)     gone <---+  connection refused or closed
                    \\------there again, or another one chosen----> ready

A server that takes connections and does not answer is busy, not gone: while RockchipLlama loads a
model even its health check is frozen. While an answer is on its way nothing is asked at all; the
stream itself shows that the server lives. A server that is gone is waited for: another one that
answers meanwhile is taken only when the user chooses it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from time import perf_counter_ns

import httpx

from tui.core.screen.headline import ServerStatus
from tui.core.turn.turn import Turn
from tui.core.types import ModelInfo, Phase, TurnError
from tui.servers import errors, models
from tui.servers.access import Access
from tui.servers.address import CandidateUrls, is_explicit
from tui.servers.client import Client, PhaseTimeouts
from tui.servers.connection_state import (
    NO_CHOICE,
    ConnectionState,
    Server,
    SurveyedServer,
)
from tui.servers.detect import PROBE_TIMEOUTS, busy_sentence, default_urls, is_busy_error
from tui.servers.exchange import StreamedRequest
from tui.servers.locate import Located, chosen, look, no_server_at
from tui.servers.model_choice import chosen_model, loaded_model, shown, shown_name
from tui.servers.model_work import ModelWork
from tui.servers.models import ModelChange, ModelListError
from tui.servers.remembered import NOTHING_REMEMBERED, RememberedServers
from tui.servers.selection import ModelSelection
from tui.servers.slot import Slot
from tui.servers.survey import shown_servers, survey
from tui.servers.within import OutOfTimeError, within

SEARCH_EVERY_S = 2.0
CHECK_EVERY_S = 5.0
MAX_BUSY_WAIT_S = 40.0
LOOK_EVERY_S = 0.1
"""How often a prompt looks whether what it waits for is there."""


class Connection:
    """Belongs to one event loop, in which every method must be called (from another thread:
    :class:`tui.servers.loop.EventLoopThread`). ``state`` may be read from any thread;
    ``on_change`` is called in the loop after it changed.

    ``urls`` are the addresses, named ones or :class:`~tui.servers.address.CandidateUrls`; None
    tries the default ports of this machine.
    """

    def __init__(
        self,
        urls: Sequence[str] | None = None,
        timeouts: PhaseTimeouts | None = None,
        on_change: Callable[[], None] = lambda: None,
        *,
        search_every_s: float = SEARCH_EVERY_S,
        check_every_s: float = CHECK_EVERY_S,
        probe_timeouts: PhaseTimeouts = PROBE_TIMEOUTS,
        access: Access | None = None,
        model: str = "",
        remembered: RememberedServers = NOTHING_REMEMBERED,
    ) -> None:
        """``model`` is the model that is asked for unless another one is chosen."""
        self._urls = urls
        self._selection = ModelSelection(model)
        self._access = access
        self._timeouts = timeouts or PhaseTimeouts()
        self._probe_timeouts = probe_timeouts
        self._search_every_s = search_every_s
        self._check_every_s = check_every_s
        self.on_change = on_change
        looked_at = default_urls() if urls is None else tuple(urls)
        self._state = ConnectionState(looked_at=looked_at, remembered=remembered)
        self._slot = Slot(self._slot_changed)
        self._client: Client | None = None
        self._models: tuple[ModelInfo, ...] = ()
        self._exchanges: list[StreamedRequest] = []
        self._work = ModelWork(self._set, self._why_busy)
        self._closing: set[asyncio.Task[None]] = set()
        """Clients that are let go."""
        self._wake = asyncio.Event()
        self._busy_wait_s = check_every_s

    @property
    def state(self) -> ConnectionState:
        return self._state

    @property
    def urls(self) -> Sequence[str] | None:
        """The addresses; None where the default ports are tried."""
        return self._urls

    def pin(self, urls: Sequence[str], access: Access | None = None) -> None:
        """Look at these addresses from now on and at no other; the server of before is let go.

        ``access`` None leaves it as it is.
        """
        self._urls = tuple(urls)
        self._access = access or self._access
        self._slot.abandon()
        self._models = ()
        client, self._client = self._client, None
        if client is not None:
            closing = asyncio.get_running_loop().create_task(client.aclose())
            self._closing.add(closing)
            closing.add_done_callback(self._closing.discard)
        self._set(
            status="searching",
            server=None,
            models=(),
            choice=NO_CHOICE,
            others=(),
            busy_urls=(),
            note=None,
            looked_at=self._urls,
            has_looked=False,
            problem=None,
            message=None,
            is_error=False,
        )
        self.look_now()

    @property
    def client(self) -> Client | None:
        """The HTTP client of the server in ``state``; None while there is none."""
        return self._client

    # -- watching ------------------------------------------------------------------------------

    async def run(self) -> None:
        """Searches and watches until it is cancelled, then closes everything."""
        try:
            while True:
                self._wake.clear()
                wait_s = await self._look()
                with suppress(OutOfTimeError):
                    await within(wait_s, self._wake.wait())
        finally:
            await self.aclose()

    async def aclose(self) -> None:
        """Ends the answer, the work and the connection; the state stays as it was."""
        await self._work.aclose()
        for exchange in self._exchanges:
            exchange.close()
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    def look_now(self) -> None:
        """Looks again at once instead of at the next turn."""
        self._wake.set()

    async def _look(self) -> float:
        """One look at the server, or for one; returns the seconds until the next."""
        client = self._client
        if client is None:
            urls = self._urls
            found = await self._look_around()
            if self._urls is not urls or self._client is not None:
                # Another address was pinned, or another server chosen meanwhile.
                return 0.0
            client = self._found(found)
            if client is None:
                return self._busy_wait_s if self._state.status == "busy" else self._search_every_s
            await self._check(client)
        elif self._is_quiet:
            await self._check(client)
        if self._state.status == "gone":
            # It may have been restarted, and be there again already.
            return 0.2
        return self._busy_wait_s if self._state.status == "busy" else self._check_every_s

    @property
    def _is_quiet(self) -> bool:
        return self._slot.state.is_free and not self._work.is_running

    async def _look_around(self) -> Located:
        known = self._state.server
        url = self._state.remembered.url if known is None else known.url
        return await look(self._urls, self._probe_timeouts, self._access, url)

    def _found(self, found: Located) -> Client | None:
        server, known = found.server, self._state.server
        own_url = known.url if known is not None else server.url if server is not None else ""
        others = self._others([one for one in found.servers if one.url != own_url])
        busy_urls = tuple(url for url in found.busy_urls if url != own_url)
        note = self._state.note if known is not None or found.is_arbitrary else found.note
        self._set(others=others, busy_urls=busy_urls, note=note)
        if server is not None and server.url == own_url:
            return self._connect(server)
        if server is not None and known is not None:
            self._set(status="gone", problem=f"{known.label} does not answer.", has_looked=True)
            return None
        # On a port that we only guessed, something that does not answer need not be a server.
        is_named = is_explicit(self._urls) and known is None
        if found.is_busy and (is_named or (known is not None and known.url in found.busy_urls)):
            self._wait_longer()
            self._set(status="busy", problem=found.problem, has_looked=True)
        else:
            status: ServerStatus = "searching" if known is None else "gone"
            self._set(status=status, problem=found.problem, has_looked=True)
        return None

    def _connect(self, server: Server) -> Client:
        self._client = Client(server.url, server.dialect, self._timeouts, server.access)
        self._busy_wait_s = self._check_every_s
        self._set(status="ready", server=server, problem=None, has_looked=True)
        return self._client

    def _others(self, servers: Sequence[Server]) -> tuple[SurveyedServer, ...]:
        """These servers, with what is known of their models already."""
        known = {one.server.url: one for one in self._state.others}
        return tuple(
            replace(known[server.url], server=server)
            if server.url in known
            else SurveyedServer(server)
            for server in servers
        )

    def _wait_longer(self) -> None:
        self._busy_wait_s = min(self._busy_wait_s * 2, MAX_BUSY_WAIT_S)

    async def _check(self, client: Client) -> None:
        """Asks which model is loaded: the cheapest question that a living server answers.

        What comes back of a client that was let go meanwhile says nothing of the present one.
        """
        try:
            found: tuple[ModelInfo, ...] | None = None
            if not self._models or not await self._is_same_loaded(client):
                found = await models.list_models(client)
        except httpx.HTTPError as error:
            if client is not self._client:
                return
            if is_busy_error(error, client.url):
                self._wait_longer()
                self._set(status="busy", problem=busy_sentence(client.url))
            elif self._is_quiet:
                # Where an answer began meanwhile, its own stream shows whether the server lives.
                failure = errors.transport(error, client.url, client.timeouts.connect_s)
                await self._lose(failure.sentence)
        except ModelListError as error:
            if client is not self._client:
                return
            if self._models:
                # It answers, but not as it did: something else has its place now.
                await self._lose(str(error))
            else:
                # A server without a list may well answer prompts; one shows what is the matter.
                self._is_well(str(error))
        else:
            if client is self._client:
                if found is not None:
                    self._set_models(found)
                self._is_well(None)

    def _is_well(self, problem: str | None) -> None:
        self._busy_wait_s = self._check_every_s
        if not self._work.is_running:
            self._set(status="ready", problem=problem)

    async def _is_same_loaded(self, client: Client) -> bool:
        """Whether the list is still right, where one short question tells."""
        if client.dialect.models.loaded_path is None:
            return False
        before = loaded_model(self._models)
        return await models.loaded_name(client) == (None if before is None else before.name)

    async def _lose(self, sentence: str) -> None:
        client, self._client = self._client, None
        self._models = ()
        self._set(status="gone", models=(), choice=NO_CHOICE, problem=sentence)
        if client is not None:
            await client.aclose()

    # -- answers -------------------------------------------------------------------------------

    async def ask(self, turn: Turn, in_use: Callable[[], str | None] = lambda: None) -> None:
        """Drives this turn to its end, after the server is free. Raises only CancelledError.

        Returns when the server is idle again; the turn may be over earlier. ``in_use`` as in
        :class:`~tui.servers.exchange.StreamedRequest`.
        """
        if not await self._is_work_done(turn):
            return
        client, server = self._client, self._state.server
        if client is None or server is None:
            sentence = no_server_at([url.partition("://")[2] for url in self._state.looked_at])
            turn.fail(perf_counter_ns(), TurnError("refused", self._state.problem or sentence))
            return
        if not self._models:
            # It was found a moment ago.
            self._set_models(await models.list_or_nothing(client))
            if turn.phase.is_over:
                return
        wanted = turn.request.model or self._selection.wanted_at(server.url)
        used_last = self._state.remembered.model_of(server.url)
        found = chosen(self._models, server, wanted, used_last)
        choice = found.choice
        if choice.problem is not None:
            error = TurnError("validation", choice.problem)
            turn.fail(perf_counter_ns(), error, is_refused=True)
            return
        seeing: asyncio.Task[None] | None = None
        if found.has_to_load:
            turn.note_before_prefill("load")
            seeing = asyncio.create_task(self._see_loaded(client, turn))
        if choice.name:
            self._set(remembered=self._state.remembered.with_model(server.url, choice.name))
        request = replace(turn.request, model=choice.name)
        # Who answers was perhaps not known when the prompt was taken.
        turn.request = request
        exchange = StreamedRequest(client, request, turn, self._slot, in_use=in_use)
        self._exchanges.append(exchange)
        try:
            await exchange.run()
        finally:
            if seeing is not None:
                seeing.cancel()
            self._exchanges.remove(exchange)
            # A first prompt may have loaded a model, a failed one may have lost the server.
            self.look_now()

    async def _is_work_done(self, turn: Turn) -> bool:
        """Waits for a load or an unload that is under way; False where the turn ended before."""
        while self._work.is_running and not turn.phase.is_over:
            turn.note_wait(perf_counter_ns(), self._state.work or "the server changes its model")
            await asyncio.sleep(LOOK_EVERY_S)
        return not turn.phase.is_over

    async def _see_loaded(self, client: Client, turn: Turn) -> None:
        """Which model the server has loaded for this turn, once: as soon as its text comes."""
        while turn.phase in (Phase.WAITING, Phase.PREFILL):  # noqa: ASYNC110 - a turn has no event
            await asyncio.sleep(LOOK_EVERY_S)
        found = () if turn.phase.is_over else await models.list_or_nothing(client)
        if found and client is self._client:
            self._set_models(found)

    def stop(self) -> None:
        """The user's stop for the answer in flight, or for the prompt that waits behind one that
        was stopped. Its turn ends now; see ``state.slot``."""
        if self._exchanges:
            self._exchanges[-1].stop()

    def send_now(self) -> None:
        """The prompt that waits is sent, whatever the server still does."""
        self.abandon()
        if self._exchanges:
            self._exchanges[-1].send_now()

    def abandon(self) -> None:
        """Do not wait for the rest of a stopped answer: something else shows that the server is
        idle, such as an NPU without load for seconds."""
        self._slot.abandon()

    async def wait_until_free(self) -> None:
        """Returns when the server takes the next prompt."""
        await self._slot.wait_until_free()

    # -- models --------------------------------------------------------------------------------

    async def refresh(self) -> None:
        """Reads the list of models again, unless the server is at work."""
        client = self._client
        if client is None or not self._is_quiet:
            return
        self._models = ()
        await self._check(client)

    async def survey(self) -> None:
        """Looks which other servers answer, and what they have; see ``state.others``."""
        urls = default_urls() if self._urls is None else self._urls
        own = self._state.server
        # The own one is watched anyway, and must not be disturbed in its work.
        open_urls = CandidateUrls(url for url in urls if own is None or url != own.url)
        if is_explicit(self._urls) or not open_urls or self._state.is_surveying:
            return
        self._set(is_surveying=True)
        try:
            found = await look(open_urls, self._probe_timeouts, self._access)
            self._set(others=self._others(found.servers), busy_urls=found.busy_urls)
            self._set(others=shown_servers(await survey(found.servers, self._probe_timeouts)))
        finally:
            self._set(is_surveying=False)

    async def use(self, url: str, name: str) -> None:
        """The next prompt goes to the model ``name`` of the server at ``url``, which becomes the
        server of this session; both are remembered. ``state.choice`` is that model then, else
        ``state.message`` says why not."""
        refusal = self._why_busy() or await self._move(url)
        if refusal is not None:
            self._set(message=refusal, is_error=True)
            return
        remembered = self._state.remembered.with_model(url, name)
        if not is_explicit(self._urls):
            remembered = remembered.with_server(url)
        self._set(remembered=remembered)
        self._selection.choose(url, name)
        self._choose()
        problem = self._state.choice.problem
        self._set(message=problem, is_error=problem is not None)

    async def _move(self, url: str) -> str | None:
        """Makes the server at ``url`` the one of this session; a sentence where it is not known."""
        server = self._state.server
        if server is not None and server.url == url:
            return None
        other = next((one for one in self._state.others if one.server.url == url), None)
        if other is None:
            return f"No server is known at {url} any more."
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()
        others = [one for one in self._state.others if one is not other]
        if server is not None and client is not None:
            others.insert(0, SurveyedServer(server, self._state.models))
        self._models = ()
        self._set(others=tuple(others), models=(), choice=NO_CHOICE, note=None)
        await self._check(self._connect(other.server))
        return None

    async def load(
        self, name: str, available_bytes: int | None = None, is_forced: bool = False
    ) -> ModelChange:
        """Loads a model, unloading another first where that must be; see
        :func:`tui.servers.models.load`. It is the one that answers then."""
        client = self._client
        change = await self._work.run(
            client, lambda one, step: models.load(one, name, step, available_bytes, is_forced)
        )
        if change.is_done and client is not None:
            is_heeded = client.dialect.models.is_name_heeded
            self._selection.note_loaded(client.url, name, is_name_heeded=is_heeded)
            self._set(remembered=self._state.remembered.with_model(client.url, name))
        return self._changed(change)

    async def use_and_load(
        self, url: str, name: str, available_bytes: int | None = None, is_forced: bool = False
    ) -> None:
        """:meth:`load` at the server of that address, which becomes the one of this session."""
        server = self._state.server
        if server is None or server.url != url:
            await self.use(url, name)
            server = self._state.server
        if server is not None and server.url == url:
            await self.load(name, available_bytes, is_forced)

    async def unload(self, name: str | None = None) -> ModelChange:
        """Unloads the model ``name``, without it the loaded one."""
        change = await self._work.run(
            self._client, lambda one, step: models.unload(one, step, name)
        )
        return self._changed(change)

    def cancel_work(self) -> bool:
        """Stops waiting for a load or an unload; the server may well go on with it. False where
        there is none."""
        return self._work.cancel()

    def _why_busy(self) -> str | None:
        """Why the server must be left alone now."""
        if self._work.is_running:
            return f"The server is at work already: {self._state.work or 'models'}."
        if self._slot.state.status == "answering":
            return "An answer is running; stop it first."
        if self._slot.state.status == "finishing":
            return (
                "The server is still finishing an answer that was stopped; wait until it is idle."
            )
        return None

    def _changed(self, change: ModelChange) -> ModelChange:
        if change.models:
            self._set_models(change.models)
        is_left = self._state.status == "loading" and not self._work.is_running
        if is_left and self._client is not None:
            self._set(status="ready")
        self.look_now()
        return change

    # -- state ---------------------------------------------------------------------------------

    def _set_models(self, found: tuple[ModelInfo, ...]) -> None:
        self._models = found
        self._set(models=tuple(shown(model) for model in found))
        self._choose()

    def _choose(self) -> None:
        """Which model answers, from what is known now."""
        server = self._state.server
        if server is None:
            return
        wanted = self._selection.wanted_at(server.url)
        used_last = self._state.remembered.model_of(server.url)
        choice = chosen_model(self._models, wanted, server, used_last)
        self._set(choice=replace(choice, name=shown_name(choice.name)))

    def _slot_changed(self) -> None:
        self._set(slot=self._slot.state)

    def _set(self, **changes: object) -> None:
        state = replace(self._state, **changes)  # type: ignore[arg-type]
        if state.status != self._state.status:
            state = replace(state, since_ns=perf_counter_ns())
        if state != self._state:
            self._state = state
            self.on_change()
