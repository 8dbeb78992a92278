"""Changes of server and model: survey the other servers, use one, load and unload models."""

from __future__ import annotations

import asyncio

from tui.servers import models
from tui.servers.address import CandidateUrls, is_explicit, local_port, shown_url
from tui.servers.client import PhaseTimeouts
from tui.servers.connection_state import NO_CHOICE, SurveyedServer
from tui.servers.detect import default_urls
from tui.servers.locate import look
from tui.servers.models import ModelChange
from tui.servers.session import ServerSession
from tui.servers.survey import shown_servers, survey
from tui.servers.watch import ServerWatch


class ModelSwitch:
    """What the models screen and ``--model`` change of a session. Every sentence about the outcome
    is in the session's ``state.message``."""

    def __init__(
        self, session: ServerSession, watch: ServerWatch, probe_timeouts: PhaseTimeouts
    ) -> None:
        self._session = session
        self._watch = watch
        self._probe_timeouts = probe_timeouts

    async def survey(self) -> None:
        """Looks which other servers answer, and what they have."""
        session = self._session
        named, candidates = self._open_urls()
        if session.state.is_surveying or not (named or candidates):
            return
        session.set(is_surveying=True)
        try:
            # The key and the kind of a named server are of no other.
            access = None if is_explicit(session.urls) else session.access
            looks = (
                look(named, self._probe_timeouts, session.access) if named else None,
                look(candidates, self._probe_timeouts, access) if candidates else None,
            )
            found = await asyncio.gather(*(one for one in looks if one is not None))
            servers = [server for one in found for server in one.servers]
            busy_urls = tuple(url for one in found for url in one.busy_urls)
            session.set(others=session.surveyed(servers), busy_urls=busy_urls)
            session.set(others=shown_servers(await survey(servers, self._probe_timeouts)))
        finally:
            session.set(is_surveying=False)

    def _open_urls(self) -> tuple[tuple[str, ...], CandidateUrls]:
        """Where another server may be: addresses that were named, and candidates. The own one is
        watched anyway, and must not be disturbed in its work."""
        session = self._session
        own = session.state.server
        own_urls = () if own is None else (own.url,)
        if session.urls is None or not is_explicit(session.urls):
            urls = default_urls() if session.urls is None else session.urls
            return (), CandidateUrls(url for url in urls if url not in own_urls)
        named = tuple(url for url in session.urls if url not in own_urls)
        # One server under two names of this machine is one server.
        known = {local_port(url) for url in (*named, *own_urls)} - {None}
        others = (url for url in session.other_urls if local_port(url) not in known)
        return named, CandidateUrls(url for url in others if url not in (*named, *own_urls))

    async def use(self, url: str, name: str) -> None:
        """The next prompt goes to the model ``name`` of the server at ``url``."""
        session = self._session
        refusal = session.why_busy() or await self._move(url)
        if refusal is not None:
            session.set(message=refusal, is_error=True)
            return
        remembered = session.state.remembered.with_model(url, name)
        if session.urls is None or not is_explicit(session.urls) or url not in session.urls:
            # Not one that was named: it is named again the next time, or not meant.
            remembered = remembered.with_server(url)
        session.set(remembered=remembered)
        session.selection.choose(url, name)
        session.choose()
        problem = session.state.choice.problem
        session.set(message=problem, is_error=problem is not None)

    async def _move(self, url: str) -> str | None:
        """Makes the server at ``url`` the one of this session; a sentence where it is not known."""
        session = self._session
        server = session.state.server
        if server is not None and server.url == url:
            return None
        other = next((one for one in session.state.others if one.server.url == url), None)
        if other is None:
            return f"No server is known at {shown_url(url)} any more."
        was_connected = await session.disconnect()
        others = [one for one in session.state.others if one is not other]
        if server is not None and was_connected:
            others.insert(0, SurveyedServer(server, session.state.models))
        session.models = ()
        session.set(others=tuple(others), models=(), choice=NO_CHOICE, note=None)
        await self._watch.check(self._watch.connect(other.server))
        return None

    async def load(self, name: str, available_bytes: int | None, is_forced: bool) -> ModelChange:
        """Loads a model, which is the one that answers then."""
        session = self._session
        client = session.client
        change = await session.work.run(
            client, lambda one, step: models.load(one, name, step, available_bytes, is_forced)
        )
        if change.is_done and client is not None:
            is_heeded = client.dialect.models.is_name_heeded
            session.selection.note_loaded(client.url, name, is_name_heeded=is_heeded)
            session.remember_model(client.url, name)
        return self._changed(change)

    async def use_and_load(
        self, url: str, name: str, available_bytes: int | None, is_forced: bool
    ) -> None:
        """:meth:`load` at the server of that address, which becomes the one of this session."""
        server = self._session.state.server
        if server is None or server.url != url:
            await self.use(url, name)
            server = self._session.state.server
        if server is not None and server.url == url:
            await self.load(name, available_bytes, is_forced)

    async def unload(self, name: str | None) -> ModelChange:
        """Unloads the model ``name``, without it the loaded one."""
        session = self._session
        change = await session.work.run(
            session.client, lambda one, step: models.unload(one, step, name)
        )
        return self._changed(change)

    def _changed(self, change: ModelChange) -> ModelChange:
        session = self._session
        if change.models:
            session.set_models(change.models)
        is_left = session.state.status == "loading" and not session.work.is_running
        if is_left and session.client is not None:
            session.set(status="ready")
        session.wake.set()
        return change
