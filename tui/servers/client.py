"""HTTP to one server: queries with an answer, and streams of raw bytes.

Times are taken here. At most 64 KiB are read at once, and every piece of a body is handed on as
soon as it is there, so a stamp taken right after a read is late by one turn of the event loop and
nothing else. How long a server may be silent cannot change between the phases of an answer, so
streams run without that limit and :mod:`tui.servers.exchange` watches the phases.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from time import perf_counter_ns

from tui.servers.access import Access
from tui.servers.address import normalised_url
from tui.servers.dialects import openai
from tui.servers.dialects.dialect import Answer, Dialect, Json
from tui.servers.stamped_transport import StampedTransport
from tui.servers.transport import Limits, Response, SilenceError, Transport, TransportError
from tui.servers.within import OutOfTimeError, within

MAX_QUERY_BYTES = 4 << 20
MAX_ERROR_BYTES = 64 << 10
ERROR_BODY_S = 5.0


@dataclass(frozen=True, slots=True)
class PhaseTimeouts:
    """How long each phase of a request may take, in seconds. There is no limit to the whole.

    ``first_byte_s`` runs from the request to the first text: a long prompt prefills for many
    minutes here. ``idle_s`` is the longest silence after that. ``query_s`` is for the short
    questions (what is there, which model), ``load_s`` for loading a model, ``busy_s`` for how long
    a prompt is kept while the server is busy.
    """

    connect_s: float = 5.0
    first_byte_s: float = 3600.0
    idle_s: float = 120.0
    query_s: float = 3.0
    load_s: float = 3600.0
    busy_s: float = 3600.0


class Client:
    """One server at ``url``, spoken to in ``dialect``. Belongs to one event loop.

    Every request has a connection of its own: a kept one that the server has meanwhile closed
    would fail a prompt for nothing, and on a loopback a new one costs a fraction of a millisecond
    before the clock of TTFT starts. Proxies and .netrc of the environment are not for a server
    on this machine.
    """

    def __init__(
        self,
        url: str,
        dialect: Dialect = openai.DIALECT,
        timeouts: PhaseTimeouts | None = None,
        access: Access | None = None,
    ) -> None:
        self.url = normalised_url(url)
        self.dialect = dialect
        self.timeouts = timeouts or PhaseTimeouts()
        self._transport = _transport(self.url, access or Access())

    async def aclose(self) -> None:
        await self._transport.aclose()

    async def __aenter__(self) -> Client:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def get(self, path: str, timeout_s: float | None = None) -> Answer:
        """The answer to a GET. Raises TransportError; SilenceError when too slow."""
        return await self._query("GET", path, None, timeout_s or self.timeouts.query_s)

    async def post(self, path: str, body: Json, timeout_s: float | None = None) -> Answer:
        """The answer to a POST of ``body`` as JSON. Raises as :meth:`get`."""
        return await self._query("POST", path, body, timeout_s or self.timeouts.query_s)

    async def _query(self, method: str, path: str, body: Json, timeout_s: float) -> Answer:
        # The connect phase has its own limit, so that "not there" and "busy" stay two things; the
        # outer one is for a body that trickles in.
        limits = Limits(self.timeouts.connect_s, timeout_s)
        limit_s = self.timeouts.connect_s + 2 * timeout_s
        try:
            return await within(limit_s, self._ask(method, path, body, limits))
        except OutOfTimeError:
            raise SilenceError(f"no answer within {limit_s:g} s") from None

    async def _ask(self, method: str, path: str, body: Json, limits: Limits) -> Answer:
        is_post = method == "POST"
        content = encoded(body) if is_post else None
        headers = {"accept": "application/json"}
        if is_post:
            headers["content-type"] = "application/json"
        async with self._transport.request(
            method, path, headers, content, limits, lambda: None
        ) as response:
            data = await read_bounded(response, MAX_QUERY_BYTES)
            return _answer(response, data)

    @asynccontextmanager
    async def stream(
        self, path: str, body: Json, on_sent: Callable[[int], None]
    ) -> AsyncIterator[Response]:
        """A POST whose body comes as a stream.

        ``on_sent`` gets the time right before the first byte of the request is written. Raises
        TransportError.
        """
        async with self._transport.request(
            "POST",
            path,
            {"accept": "text/event-stream", "content-type": "application/json"},
            encoded(body),
            Limits(self.timeouts.connect_s),
            lambda: on_sent(perf_counter_ns()),
        ) as response:
            yield response


def _transport(url: str, access: Access) -> Transport:
    headers = {"accept-encoding": "identity", "user-agent": "npulse", **access.headers}
    if url.startswith("http:"):
        return StampedTransport(url, headers)
    from tui.servers.tls_transport import TlsTransport

    return TlsTransport(url, headers, access)


def encoded(body: Json) -> bytes:
    """JSON in UTF-8. Half a surrogate pair, which UTF-8 cannot hold, becomes a question mark."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


async def read_bounded(response: Response, max_bytes: int) -> bytes:
    """The body, at most ``max_bytes`` of it. A body that breaks off gives what there was."""
    parts: list[bytes] = []
    n_bytes = 0
    try:
        async with aclosing(response.pieces()) as pieces:
            async for data in pieces:
                parts.append(data[: max_bytes - n_bytes])
                n_bytes += len(data)
                if n_bytes >= max_bytes:
                    break
    except TransportError:
        if not parts:
            raise
    return b"".join(parts)


async def error_text(response: Response) -> str:
    """The body of a failed request, bounded in size and time; empty where it does not come."""
    try:
        data = await within(ERROR_BODY_S, read_bounded(response, MAX_ERROR_BYTES))
    except (OutOfTimeError, TransportError):
        return ""
    return data.decode("utf-8", "replace")


def _answer(response: Response, data: bytes) -> Answer:
    text = data.decode("utf-8", "replace")
    headers = dict(response.headers)
    decoded: Json = None
    if "json" in headers.get("content-type", ""):
        try:
            decoded = json.loads(text.removeprefix("\ufeff"))
        except (ValueError, RecursionError):
            decoded = None
    return Answer(response.status_code, headers, decoded, text[:MAX_ERROR_BYTES])
