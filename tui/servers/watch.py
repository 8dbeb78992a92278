"""Searches for a server and watches the one in use: available, busy or gone, and its loaded
model.
"""

from __future__ import annotations

from contextlib import suppress

import httpx

from tui.core.screen.headline import ServerStatus
from tui.core.types import ModelInfo
from tui.servers import errors, models
from tui.servers.address import is_explicit
from tui.servers.client import Client, PhaseTimeouts
from tui.servers.connection_state import Server
from tui.servers.detect import busy_sentence, is_busy_error
from tui.servers.locate import Located, look
from tui.servers.model_choice import loaded_model
from tui.servers.models import ModelListError
from tui.servers.session import ServerSession
from tui.servers.time_limit import OutOfTimeError, within

MAX_BUSY_WAIT_S = 40.0
GONE_WAIT_S = 0.2
"""A server that is gone may have been restarted, and be there again already."""


class ServerWatch:
    """Keeps the session's state true, one look after the other.

    Waits ``search_every_s`` between two looks for a server and ``check_every_s`` between two looks
    at it; a server that does not answer is asked ever more rarely.
    """

    def __init__(
        self,
        session: ServerSession,
        probe_timeouts: PhaseTimeouts,
        search_every_s: float,
        check_every_s: float,
    ) -> None:
        self._session = session
        self._probe_timeouts = probe_timeouts
        self._search_every_s = search_every_s
        self._check_every_s = check_every_s
        self._busy_wait_s = check_every_s

    async def run(self) -> None:
        """Looks until it is cancelled."""
        wake = self._session.wake
        while True:
            wake.clear()
            wait_s = await self._look()
            with suppress(OutOfTimeError):
                await within(wait_s, wake.wait())

    async def _look(self) -> float:
        """One look at the server, or for one; returns the seconds until the next."""
        session = self._session
        client = session.client
        if client is None:
            urls = session.urls
            found = await self._look_around()
            if session.urls is not urls or session.client is not None:
                # Another address was pinned, or another server chosen meanwhile.
                return 0.0
            client = self._found(found)
            if client is None:
                is_busy = session.state.status == "busy"
                return self._busy_wait_s if is_busy else self._search_every_s
            await self.check(client)
        elif session.is_quiet:
            await self.check(client)
        if session.state.status == "gone":
            return GONE_WAIT_S
        return self._busy_wait_s if session.state.status == "busy" else self._check_every_s

    async def _look_around(self) -> Located:
        session = self._session
        known = session.state.server
        url = session.state.remembered.url if known is None else known.url
        if known is not None and is_explicit(session.urls) and url not in (session.urls or ()):
            # It was chosen on the models screen in place of the named one.
            return await look((url,), self._probe_timeouts, known.access, url)
        return await look(session.urls, self._probe_timeouts, session.access, url)

    def _found(self, found: Located) -> Client | None:
        session = self._session
        server, known = found.server, session.state.server
        own_url = known.url if known is not None else server.url if server is not None else ""
        others = session.surveyed([one for one in found.servers if one.url != own_url])
        busy_urls = tuple(url for url in found.busy_urls if url != own_url)
        note = session.state.note if known is not None or found.is_arbitrary else found.note
        session.set(others=others, busy_urls=busy_urls, note=note)
        if server is not None and server.url == own_url:
            return self.connect(server)
        if server is not None and known is not None:
            session.set(status="gone", problem=f"{known.label} does not answer.", has_looked=True)
            return None
        # On a port that we only guessed, something that does not answer need not be a server.
        is_named = is_explicit(session.urls) and known is None
        if found.is_busy and (is_named or (known is not None and known.url in found.busy_urls)):
            self._wait_longer()
            session.set(status="busy", problem=found.problem, has_looked=True)
        else:
            status: ServerStatus = "searching" if known is None else "gone"
            session.set(status=status, problem=found.problem, has_looked=True)
        return None

    def connect(self, server: Server) -> Client:
        """This server from now on; it is looked at as often as any."""
        self._busy_wait_s = self._check_every_s
        return self._session.connect(server)

    def _wait_longer(self) -> None:
        self._busy_wait_s = min(self._busy_wait_s * 2, MAX_BUSY_WAIT_S)

    async def check(self, client: Client) -> None:
        """Asks which model is loaded: the cheapest question that a living server answers.

        What comes back of a client that was let go meanwhile says nothing of the present one.
        """
        session = self._session
        try:
            found: tuple[ModelInfo, ...] | None = None
            if not session.models or not await self._is_same_loaded(client):
                found = await models.list_models(client)
        except httpx.HTTPError as error:
            if client is not session.client:
                return
            if is_busy_error(error, client.url):
                self._wait_longer()
                session.set(status="busy", problem=busy_sentence(client.url))
            elif session.is_quiet:
                # Where an answer began meanwhile, its own stream shows whether the server lives.
                failure = errors.transport(error, client.url, client.timeouts.connect_s)
                await session.lose(failure.sentence)
        except ModelListError as error:
            if client is not session.client:
                return
            if session.models:
                # It answers, but not as it did: something else has its place now.
                await session.lose(str(error))
            else:
                # A server without a list may well answer prompts; one shows what is the matter.
                self._is_well(str(error))
        else:
            if client is session.client:
                if found is not None:
                    session.set_models(found)
                self._is_well(None)

    def _is_well(self, problem: str | None) -> None:
        self._busy_wait_s = self._check_every_s
        if not self._session.work.is_running:
            self._session.set(status="ready", problem=problem)

    async def _is_same_loaded(self, client: Client) -> bool:
        """Whether the list is still right, where one short question tells."""
        if client.dialect.models.loaded_path is None:
            return False
        before = loaded_model(self._session.models)
        return await models.loaded_name(client) == (None if before is None else before.name)
