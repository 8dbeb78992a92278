"""HTTP over TLS, by httpx. Loaded for ``https:`` addresses alone: it takes 8 MB with OpenSSL."""

from __future__ import annotations

import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from time import perf_counter_ns

import httpx

from tui.core.kernel_clock import Arrival
from tui.servers.access import Access, check_regular
from tui.servers.transport import (
    ConnectError,
    ConnectTimeoutError,
    Limits,
    ProtocolError,
    SilenceError,
    TransportError,
)

SENDING = "http11.send_request_headers.started"
"""What httpx's ``trace`` is told before the first byte is written."""

_ERRORS: tuple[tuple[type[httpx.HTTPError], type[TransportError]], ...] = (
    (httpx.ConnectTimeout, ConnectTimeoutError),
    (httpx.PoolTimeout, ConnectTimeoutError),
    (httpx.TimeoutException, SilenceError),
    (httpx.ConnectError, ConnectError),
    (httpx.RemoteProtocolError, ProtocolError),
    (httpx.HTTPError, TransportError),
)


class TlsTransport:
    """Requests to the ``https:`` address ``url``; see :class:`tui.servers.transport.Transport`.

    Raises OSError and ssl.SSLError where ``access`` names certificates that cannot be read.
    """

    def __init__(self, url: str, headers: Mapping[str, str], access: Access) -> None:
        self._url = url
        self._http = httpx.AsyncClient(
            verify=_trusted(access),
            trust_env=False,
            http1=True,
            http2=False,
            follow_redirects=False,
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=0),
            headers=dict(headers),
        )

    @asynccontextmanager
    async def request(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: bytes | None,
        limits: Limits,
        on_sending: Callable[[], None],
    ) -> AsyncIterator[TlsResponse]:
        async def trace(event: str, _: Mapping[str, object]) -> None:
            if event == SENDING:
                on_sending()

        with _errors_as_own():
            async with self._http.stream(
                method,
                self._url + path,
                content=body,
                headers=dict(headers),
                timeout=httpx.Timeout(limits.silence_s, connect=limits.connect_s, pool=None),
                extensions={"trace": trace},
            ) as response:
                yield TlsResponse(response)

    async def aclose(self) -> None:
        await self._http.aclose()


def _trusted(access: Access) -> ssl.SSLContext:
    """The usual authorities and those of ``access``. Raises OSError, ssl.SSLError."""
    context = httpx.create_ssl_context(trust_env=False)
    for ca_file in access.ca_files:
        check_regular(ca_file)
        context.load_verify_locations(cafile=ca_file)
    return context


class TlsResponse:
    """See :class:`tui.servers.transport.Response`. The kernel does not stamp what TLS reads."""

    departure_ns = None

    def __init__(self, response: httpx.Response) -> None:
        self._response = response
        self.status_code = response.status_code
        self.headers: Mapping[str, str] = dict(response.headers.items())

    @property
    def arrival(self) -> Arrival:
        return Arrival(perf_counter_ns(), is_kernel=False)

    async def pieces(self) -> AsyncGenerator[bytes, None]:
        with _errors_as_own():
            async for data in self._response.aiter_raw():
                yield data


@contextmanager
def _errors_as_own() -> Iterator[None]:
    """httpx's errors as the transport's."""
    try:
        yield
    except httpx.HTTPError as error:
        kind = next(own for theirs, own in _ERRORS if isinstance(error, theirs))
        raise kind(str(error)) from error
