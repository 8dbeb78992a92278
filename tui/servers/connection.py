"""The server of a session: found, watched, asked, lost and found again.

States and what leads from one to the next::

    searching --found--> ready --no answer in time--> busy --answers--> ready
        ^                  |  \\--load(), unload()--> loading --done--> ready
        |                  |
      (start)     gone <---+  connection refused or closed
                    \\------found again, there or at another address----> ready

A server that takes connections and does not answer is busy, not gone: while RockchipLlama loads a
model even its health check is frozen. While an answer is on its way nothing is asked at all; the
stream itself shows that the server lives.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from dataclasses import replace
from time import perf_counter_ns

import httpx

from tui.core.screen.headline import ServerStatus
from tui.core.turn.turn import Turn
from tui.core.types import ModelInfo, TurnError
from tui.servers import errors, models
from tui.servers.access import Access
from tui.servers.address import is_explicit
from tui.servers.client import Client, PhaseTimeouts
from tui.servers.connection_state import ConnectionState
from tui.servers.detect import PROBE_TIMEOUTS, busy_sentence, default_urls
from tui.servers.exchange import StreamedRequest
from tui.servers.locate import Located, chosen, look, no_server_at
from tui.servers.model_choice import loaded_model, shown
from tui.servers.models import ModelChange, ModelListError
from tui.servers.slot import Slot
from tui.servers.within import OutOfTimeError, within

SEARCH_EVERY_S = 2.0
CHECK_EVERY_S = 5.0
MAX_BUSY_WAIT_S = 40.0


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
    ) -> None:
        self._urls = urls
        self._access = access
        self._timeouts = timeouts or PhaseTimeouts()
        self._probe_timeouts = probe_timeouts
        self._search_every_s = search_every_s
        self._check_every_s = check_every_s
        self.on_change = on_change
        looked_at = default_urls() if urls is None else tuple(urls)
        self._state = ConnectionState(looked_at=looked_at)
        self._slot = Slot(self._slot_changed)
        self._client: Client | None = None
        self._models: tuple[ModelInfo, ...] = ()
        self._exchanges: list[StreamedRequest] = []
        self._work: asyncio.Task[ModelChange] | None = None
        self._wake = asyncio.Event()
        self._busy_wait_s = check_every_s

    @property
    def state(self) -> ConnectionState:
        return self._state

    @property
    def urls(self) -> Sequence[str] | None:
        """The addresses; None where the default ports are tried."""
        return self._urls

    def pin(self, urls: Sequence[str]) -> None:
        """Look at these addresses from now on."""
        self._urls = tuple(urls)
        self._set(looked_at=self._urls)
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
        running = [self._work] if self._work is not None else []
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
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
            client = self._found(await look(self._urls, self._probe_timeouts, self._access))
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
        return self._slot.state.is_free and self._work is None

    def _found(self, found: Located) -> Client | None:
        server = found.server
        if server is not None:
            self._client = Client(server.url, server.dialect, self._timeouts, server.access)
            self._busy_wait_s = self._check_every_s
            self._set(status="ready", server=server, problem=None)
            return self._client
        known = self._state.server
        # On a port that we only guessed, something that does not answer need not be a server.
        is_named = is_explicit(self._urls) and known is None
        if found.is_busy and (is_named or (known is not None and known.url in found.busy_urls)):
            self._wait_longer()
            self._set(status="busy", problem=found.problem)
        else:
            self._set(status="searching" if known is None else "gone", problem=found.problem)
        return None

    def _wait_longer(self) -> None:
        self._busy_wait_s = min(self._busy_wait_s * 2, MAX_BUSY_WAIT_S)

    async def _check(self, client: Client) -> None:
        """Asks which model is loaded: the cheapest question that a living server answers."""
        try:
            loaded = await models.loaded_name(client)
            before = loaded_model(self._models)
            if not self._models or loaded != (before.name if before is not None else None):
                self._set_models(await models.list_models(client))
        except (httpx.ReadTimeout, httpx.WriteTimeout):
            self._wait_longer()
            sentence = busy_sentence(client.url)
            self._set(status="busy", problem=sentence)
        except httpx.HTTPError as error:
            if not self._is_quiet:
                # An answer began meanwhile; its own stream shows whether the server lives.
                return
            failure = errors.transport(error, client.url, client.timeouts.connect_s)
            await self._lose(failure.sentence)
        except ModelListError as error:
            # It answers, but not as this kind of server does: something else has its place now.
            await self._lose(str(error))
        else:
            self._busy_wait_s = self._check_every_s
            if self._work is None and self._state.status != "ready":
                self._set(status="ready", problem=None)

    async def _lose(self, sentence: str) -> None:
        client, self._client = self._client, None
        self._models = ()
        self._set(status="gone", models=(), problem=sentence)
        if client is not None:
            await client.aclose()

    # -- answers -------------------------------------------------------------------------------

    async def ask(self, turn: Turn) -> None:
        """Drives this turn to its end, after the server is free. Raises only CancelledError.

        Returns when the server is idle again; the turn may be over earlier.
        """
        client, server = self._client, self._state.server
        if client is None or server is None:
            sentence = no_server_at([url.partition("://")[2] for url in self._state.looked_at])
            turn.fail(perf_counter_ns(), TurnError("refused", self._state.problem or sentence))
            return
        if self._work is not None:
            sentence = f"{server.name} is busy: {self._state.work or 'changing its model'}."
            turn.fail(perf_counter_ns(), TurnError("busy", sentence))
            return
        found = chosen(self._models, server, turn.request.model)
        choice = found.choice
        if choice.problem is not None:
            error = TurnError("validation", choice.problem)
            turn.fail(perf_counter_ns(), error, is_refused=True)
            return
        if found.has_to_load:
            turn.note_before_prefill("load")
        request = replace(turn.request, model=choice.name)
        exchange = StreamedRequest(client, request, turn, self._slot)
        self._exchanges.append(exchange)
        try:
            await exchange.run()
        finally:
            self._exchanges.remove(exchange)
            # A first prompt may have loaded a model, a failed one may have lost the server.
            self.look_now()

    def stop(self) -> None:
        """The user's stop for the answer in flight, or for the prompt that waits behind one that
        was stopped. Its turn ends now; see ``state.slot``."""
        if self._exchanges:
            self._exchanges[-1].stop()

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

    async def load(
        self, name: str, available_bytes: int | None = None, is_forced: bool = False
    ) -> ModelChange:
        """Loads a model, unloading another first; see :func:`tui.servers.models.load`."""
        client = self._client

        def work() -> Coroutine[None, None, ModelChange]:
            assert client is not None
            return models.load(client, name, self._step, available_bytes, is_forced)

        return await self._do(work)

    async def unload(self) -> ModelChange:
        """Unloads the loaded model."""
        client = self._client

        def work() -> Coroutine[None, None, ModelChange]:
            assert client is not None
            return models.unload(client, self._step)

        return await self._do(work)

    def cancel_work(self) -> bool:
        """Stops waiting for a load or an unload; the server may well go on with it. False where
        there is none."""
        if self._work is None or self._work.done():
            return False
        self._work.cancel()
        return True

    async def _do(self, work: Callable[[], Coroutine[None, None, ModelChange]]) -> ModelChange:
        refusal = self._why_no_work()
        if refusal is not None:
            change = ModelChange(False, refusal)
            self._set(message=change.sentence, is_error=True)
            return change
        self._set(message=None, is_error=False)
        self._work = task = asyncio.create_task(work(), name="npulse-models")
        try:
            await asyncio.wait((task,))
        finally:
            task.cancel()
            self._work = None
            change = self._outcome(task)
            self._done(change)
        return change

    def _why_no_work(self) -> str | None:
        if self._client is None:
            return "No server answers yet."
        if self._work is not None:
            return f"The server is at work already: {self._state.work or 'models'}."
        if self._slot.state.status == "answering":
            return "An answer is running; stop it first."
        if self._slot.state.status == "finishing":
            return (
                "The server is still finishing an answer that was stopped; wait until it is idle."
            )
        return None

    def _outcome(self, task: asyncio.Task[ModelChange]) -> ModelChange:
        if task.done() and not task.cancelled() and task.exception() is None:
            return task.result()
        return ModelChange(False, "Not waited for any longer; the server may go on with it.")

    def _done(self, change: ModelChange) -> None:
        if change.models:
            self._set_models(change.models)
        status: ServerStatus = "ready" if self._client is not None else self._state.status
        self._set(
            status=status,
            work=None,
            work_since_ns=None,
            message=change.sentence,
            is_error=not change.is_done,
        )
        self.look_now()

    def _step(self, sentence: str) -> None:
        self._set(status="loading", work=sentence, work_since_ns=perf_counter_ns())

    # -- state ---------------------------------------------------------------------------------

    def _set_models(self, found: tuple[ModelInfo, ...]) -> None:
        self._models = found
        self._set(models=tuple(shown(model) for model in found))

    def _slot_changed(self) -> None:
        self._set(slot=self._slot.state)

    def _set(self, **changes: object) -> None:
        state = replace(self._state, **changes)  # type: ignore[arg-type]
        if state != self._state:
            self._state = state
            self.on_change()
