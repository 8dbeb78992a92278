"""Connection to the server of a session: search, watch, prompts, reconnect.

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

from collections.abc import Callable, Sequence

from tui.core.turn.turn import Turn
from tui.servers.access import Access
from tui.servers.asking import PromptRequests
from tui.servers.client import PhaseTimeouts
from tui.servers.connection_state import ConnectionState
from tui.servers.detect import PROBE_TIMEOUTS, default_urls
from tui.servers.models import ModelChange
from tui.servers.remembered_servers import NOTHING_REMEMBERED, RememberedServers
from tui.servers.session import ServerSession
from tui.servers.switching import ModelSwitch
from tui.servers.watch import ServerWatch

SEARCH_EVERY_S = 2.0
CHECK_EVERY_S = 5.0


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
        other_urls: Sequence[str] = (),
    ) -> None:
        """``model`` is the model that is asked for unless another one is chosen. ``other_urls``:
        where :meth:`survey` looks beside named ``urls``."""
        self.on_change = on_change
        looked_at = default_urls() if urls is None else tuple(urls)
        state = ConnectionState(looked_at=looked_at, remembered=remembered)
        self._session = session = ServerSession(
            urls,
            timeouts or PhaseTimeouts(),
            access,
            model,
            state,
            lambda: self.on_change(),
            other_urls,
        )
        self._watch = ServerWatch(session, probe_timeouts, search_every_s, check_every_s)
        self._requests = PromptRequests(session)
        self._models = ModelSwitch(session, self._watch, probe_timeouts)

    @property
    def state(self) -> ConnectionState:
        return self._session.state

    # -- watching ------------------------------------------------------------------------------

    async def run(self) -> None:
        """Searches and watches until it is cancelled, then closes everything."""
        try:
            await self._watch.run()
        finally:
            await self.aclose()

    async def aclose(self) -> None:
        """Ends the answer, the work and the connection; the state stays as it was."""
        await self._session.work.aclose()
        self._requests.close()
        await self._session.disconnect()

    def look_now(self) -> None:
        """Looks again at once instead of at the next turn."""
        self._session.wake.set()

    def pin(
        self, urls: Sequence[str], access: Access | None = None, *, is_alone: bool = False
    ) -> None:
        """Uses only these addresses from now on; drops the present server.

        ``access`` None leaves it as it is. ``is_alone``: no other server is offered any more.
        """
        self._session.pin(urls, access, is_alone=is_alone)
        self.look_now()

    # -- answers -------------------------------------------------------------------------------

    async def ask(self, turn: Turn, in_use: Callable[[], str | None] = lambda: None) -> None:
        """Drives this turn to its end, after the server is free. Raises only CancelledError.

        Returns when the server is idle again; the turn may be over earlier. ``in_use`` as in
        :class:`~tui.servers.exchange.StreamedRequest`.
        """
        await self._requests.ask(turn, in_use)

    def stop(self) -> None:
        """The user's stop for the answer in flight, or for the prompt that waits behind one that
        was stopped. Its turn ends now; see ``state.slot``."""
        self._requests.stop()

    def send_now(self) -> None:
        """The prompt that waits is sent, whatever the server still does."""
        self._requests.send_now()

    def abandon(self) -> None:
        """Do not wait for the rest of a stopped answer: something else shows that the server is
        idle, such as an NPU without load for seconds."""
        self._session.slot.abandon()

    # -- models --------------------------------------------------------------------------------

    async def survey(self) -> None:
        """Searches for other servers and their models; see ``state.others``."""
        await self._models.survey()

    async def use(self, url: str, name: str) -> None:
        """The next prompt goes to the model ``name`` of the server at ``url``, which becomes the
        server of this session; both are remembered. ``state.choice`` is that model then, else
        ``state.message`` says why not."""
        await self._models.use(url, name)

    async def load(
        self, name: str, available_bytes: int | None = None, is_forced: bool = False
    ) -> ModelChange:
        """Loads a model, unloading another first where that must be; see
        :func:`tui.servers.models.load`. It is the one that answers then."""
        return await self._models.load(name, available_bytes, is_forced)

    async def use_and_load(
        self, url: str, name: str, available_bytes: int | None = None, is_forced: bool = False
    ) -> None:
        """:meth:`load` at the server of that address, which becomes the one of this session."""
        await self._models.use_and_load(url, name, available_bytes, is_forced)

    async def unload(self, name: str | None = None) -> ModelChange:
        """Unloads the model ``name``, without it the loaded one."""
        return await self._models.unload(name)

    def cancel_work(self) -> bool:
        """Stops waiting for a load or an unload; the server may well go on with it. False where
        there is none."""
        return self._session.work.cancel()
