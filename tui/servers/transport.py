"""What carries requests to a server: the interface, and the errors of requests without an answer.

:mod:`tui.servers.stamped_transport` is for ``http:``, :mod:`tui.servers.tls_transport` for
``https:``. A refusal (HTTP 4xx, 5xx) is an answer and no error here.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from tui.core.kernel_clock import Arrival


class TransportError(Exception):
    """A request that got no whole answer. The cause is the socket's or the library's error."""


class ConnectError(TransportError):
    """No connection: refused, no such host, no route, no TLS."""


class ConnectTimeoutError(TransportError):
    """No connection within the limit."""


class SilenceError(TransportError):
    """The server took the connection, and then took or sent nothing within the limit."""


class ProtocolError(TransportError):
    """What the server sent is not HTTP, or ends before it is an answer."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds that a request may take to connect, and that the server may be silent after that;
    None: for ever."""

    connect_s: float
    silence_s: float | None = None


class Response(Protocol):
    """A response whose head has arrived."""

    @property
    def status_code(self) -> int: ...

    @property
    def headers(self) -> Mapping[str, str]:
        """By name in lower case."""

    @property
    def departure_ns(self) -> int | None:
        """When the last byte of the request left; None where it is not known."""

    @property
    def arrival(self) -> Arrival:
        """When the piece that was given last arrived; to be read right after getting it."""

    def pieces(self) -> AsyncGenerator[bytes, None]:
        """The body's bytes as they come, once. Raises TransportError."""


class Transport(Protocol):
    """The way to one server. Every request has a connection of its own."""

    def request(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: bytes | None,
        limits: Limits,
        on_sending: Callable[[], None],
    ) -> AbstractAsyncContextManager[Response]:
        """One request, whose connection is closed at the end. ``path`` stands below the server's
        address; ``on_sending`` is called right before the first byte is written. Raises
        TransportError."""

    async def aclose(self) -> None: ...
