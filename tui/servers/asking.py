"""Requests of prompts: model choice, waiting, stopping."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from time import perf_counter_ns

from tui.core.turn.turn import Turn
from tui.core.types import Phase, TurnError
from tui.servers import models
from tui.servers.client import Client
from tui.servers.exchange import StreamedRequest
from tui.servers.locate import chosen, no_server_at
from tui.servers.session import ServerSession

LOOK_EVERY_S = 0.1
"""Time between two checks of a waiting prompt."""


class PromptRequests:
    """The requests of prompts that run or wait; the newest is the one that can be stopped."""

    def __init__(self, session: ServerSession) -> None:
        self._session = session
        self._requests: list[StreamedRequest] = []

    def close(self) -> None:
        """End them all."""
        for request in self._requests:
            request.close()

    def stop(self) -> None:
        """The user's stop: the turn of the newest request ends now."""
        if self._requests:
            self._requests[-1].stop()

    def send_now(self) -> None:
        """The prompt that waits is sent, whatever the server still does."""
        self._session.slot.abandon()
        if self._requests:
            self._requests[-1].send_now()

    async def ask(self, turn: Turn, in_use: Callable[[], str | None]) -> None:
        """See :meth:`tui.servers.connection.Connection.ask`."""
        session = self._session
        if not await self._is_work_done(turn):
            return
        client, server = session.client, session.state.server
        if client is None or server is None:
            sentence = no_server_at([url.partition("://")[2] for url in session.state.looked_at])
            turn.fail(perf_counter_ns(), TurnError("refused", session.state.problem or sentence))
            return
        if not session.models:
            # It was found a moment ago.
            session.set_models(await models.list_or_nothing(client))
            if turn.phase.is_over:
                return
        wanted, used_last = session.wanted_model(server)
        found = chosen(session.models, server, turn.request.model or wanted, used_last)
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
            session.remember_model(server.url, choice.name)
        # Who answers was perhaps not known when the prompt was taken.
        turn.request = replace(turn.request, model=choice.name)
        request = StreamedRequest(client, turn.request, turn, session.slot, in_use=in_use)
        self._requests.append(request)
        try:
            await request.run()
        finally:
            if seeing is not None:
                seeing.cancel()
            self._requests.remove(request)
            # A first prompt may have loaded a model, a failed one may have lost the server.
            session.wake.set()

    async def _is_work_done(self, turn: Turn) -> bool:
        """Waits for a load or an unload that is under way; False where the turn ended before."""
        session = self._session
        while session.work.is_running and not turn.phase.is_over:
            turn.note_wait(perf_counter_ns(), session.state.work or "the server changes its model")
            await asyncio.sleep(LOOK_EVERY_S)
        return not turn.phase.is_over

    async def _see_loaded(self, client: Client, turn: Turn) -> None:
        """Which model the server has loaded for this turn, once: as soon as its text comes."""
        while turn.phase in (Phase.WAITING, Phase.PREFILL):  # noqa: ASYNC110 - a turn has no event
            await asyncio.sleep(LOOK_EVERY_S)
        found = () if turn.phase.is_over else await models.list_or_nothing(client)
        if found and client is self._session.client:
            self._session.set_models(found)
