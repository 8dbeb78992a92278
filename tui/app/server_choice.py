"""Chooses the server of this run: from the config file, a typed address, or earlier runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from tui.core.text.sanitize import clean_line
from tui.servers.access import Access
from tui.servers.address import normalised_url, shown_url
from tui.servers.connection_state import ConnectionState
from tui.servers.remembered_servers import RememberedServers
from tui.settings.schema import ServerSection
from tui.settings.server_options import (
    candidate_urls,
    phase_timeouts,
    server_access,
    server_urls,
)

if TYPE_CHECKING:
    from tui.servers.connection import Connection


class ServerChoice:
    """``remembered`` is what earlier runs know of servers, and ``keep`` gets what the next one
    should know."""

    def __init__(
        self,
        settings: ServerSection,
        remembered: RememberedServers,
        keep: Callable[[RememberedServers], object],
    ) -> None:
        self._settings = settings
        self._remembered = remembered
        self._keep = keep
        self._typed_url = ""
        """The address that was typed in this run, or came back from an earlier one."""

    @property
    def urls(self) -> Sequence[str] | None:
        """The servers that are meant; None: any that is found."""
        return server_urls(self._settings)

    def connection(self, on_change: Callable[[], None]) -> Connection:
        """The connection to it. Imports HTTP."""
        from tui.app.memory_saving import load_http_without_openssl

        load_http_without_openssl()
        from tui.servers.connection import Connection

        return Connection(
            self.urls,
            phase_timeouts(self._settings),
            on_change,
            access=server_access(self._settings),
            model=self._settings.model,
            remembered=self._remembered,
            other_urls=candidate_urls(self._settings),
        )

    async def return_to_typed(self, connection: Connection) -> str | None:
        """Use the server whose address was typed in an earlier run, unless another one is named.
        Returns None, or one sentence where it does not answer any more."""
        url = self._remembered.typed_url
        if not url or self._settings.url:
            return None
        from tui.servers.locate import look

        try:
            access = self._access(url)
            found = await look((url,), access=access)
        except ValueError:
            return None  # the file of the state may hold anything
        if found.server is None and not found.is_busy:
            shown = clean_line(shown_url(url))
            return f"{shown}, used last, does not answer: looking on this machine"
        self._typed_url = url
        connection.pin((url,), access)
        return None

    def typed(self, url: str) -> Callable[[Connection], None]:
        """What makes a connection use the server at this address. Raises ValueError with one
        sentence."""
        typed, access = normalised_url(url), self._access(url)
        # With a password in it, it is not written anywhere.
        self._typed_url = "" if "@" in typed else typed
        return lambda connection: connection.pin((typed,), access)

    def _access(self, url: str) -> Access:
        """The key and the certificates for the server at this address. Raises ValueError."""
        from msgspec import structs

        section = structs.replace(self._settings, url=normalised_url(url))
        return server_access(section)

    def remember(self, state: ConnectionState) -> None:
        """Saves choices for the next run; a simulated board is left out."""
        if state.server is None or state.server.is_simulated:
            return
        remembered = replace(state.remembered, typed_url=self._remembered.typed_url)
        if self._typed_url == state.server.url:
            remembered = replace(remembered, typed_url=self._typed_url)
        if remembered != self._remembered:
            self._remembered = remembered
            self._keep(remembered)
