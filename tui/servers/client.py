"""HTTP to one server: queries with an answer, and streams of raw bytes.

Times are taken here. At most 64 KiB are read at once, and every piece of a body is handed on as
soon as it is there, so a stamp taken right after a read is late by one turn of the event loop and
nothing else; httpx's ``read`` timeout is per read and cannot change between the phases of an
answer, so streams run without it and :mod:`tui.servers.exchange` watches the phases.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from time import perf_counter_ns

import httpx

from tui.servers.access import Access
from tui.servers.address import normalised_url
from tui.servers.dialects import openai
from tui.servers.dialects.dialect import Answer, Dialect, Json
from tui.servers.stamped_transport import StampedTransport
from tui.servers.time_limit import OutOfTimeError, within

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
        access = access or Access()
        self._http = httpx.AsyncClient(
            # Certificates are loaded only where they are needed: that costs 20 ms.
            verify=access.tls() if self.url.startswith("https:") else False,
            trust_env=False,
            http1=True,
            http2=False,
            follow_redirects=False,
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=0),
            transport=StampedTransport() if self.url.startswith("http:") else None,
            headers={"accept-encoding": "identity", "user-agent": "npulse", **access.headers},
            timeout=httpx.Timeout(None, connect=self.timeouts.connect_s),
        )

    async def aclose(self) -> None:
        await self._http.aclose()

    async def __aenter__(self) -> Client:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def get(self, path: str, timeout_s: float | None = None) -> Answer:
        """The answer to a GET. Raises httpx.TransportError; httpx.ReadTimeout when too slow."""
        return await self._query("GET", path, None, timeout_s or self.timeouts.query_s)

    async def post(self, path: str, body: Json, timeout_s: float | None = None) -> Answer:
        """The answer to a POST of ``body`` as JSON. Raises as :meth:`get`."""
        return await self._query("POST", path, body, timeout_s or self.timeouts.query_s)

    async def _query(self, method: str, path: str, body: Json, timeout_s: float) -> Answer:
        # The connect phase has its own limit, so that "not there" and "busy" stay two things; the
        # outer one is for a body that trickles in.
        limits = httpx.Timeout(timeout_s, connect=self.timeouts.connect_s, pool=None)
        limit_s = self.timeouts.connect_s + 2 * timeout_s
        try:
            return await within(limit_s, self._ask(method, path, body, limits))
        except OutOfTimeError:
            raise httpx.ReadTimeout(f"no answer within {limit_s:g} s") from None

    async def _ask(self, method: str, path: str, body: Json, limits: httpx.Timeout) -> Answer:
        is_post = method == "POST"
        content = encoded(body) if is_post else None
        headers = {"accept": "application/json"}
        if is_post:
            headers["content-type"] = "application/json"
        async with self._http.stream(
            method, self.url + path, content=content, headers=headers, timeout=limits
        ) as response:
            data = await read_bounded(response, MAX_QUERY_BYTES)
            return _answer(response, data)

    @asynccontextmanager
    async def stream(
        self, path: str, body: Json, on_sent: Callable[[int], None]
    ) -> AsyncIterator[httpx.Response]:
        """A POST whose body comes as a stream; read it with ``aiter_raw``.

        ``on_sent`` gets the time right before the first byte of the request is written. Raises
        httpx.TransportError.
        """

        async def trace(event: str, _: Mapping[str, object]) -> None:
            if event == "http11.send_request_headers.started":
                on_sent(perf_counter_ns())

        opened: AbstractAsyncContextManager[httpx.Response] = self._http.stream(
            "POST",
            self.url + path,
            content=encoded(body),
            headers={"accept": "text/event-stream", "content-type": "application/json"},
            extensions={"trace": trace},
        )
        async with opened as response:
            yield response


def encoded(body: Json) -> bytes:
    """JSON in UTF-8. Half a surrogate pair, which UTF-8 cannot hold, becomes a question mark."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


async def read_bounded(response: httpx.Response, max_bytes: int) -> bytes:
    """The body, at most ``max_bytes`` of it. A body that breaks off gives what there was."""
    parts: list[bytes] = []
    n_bytes = 0
    try:
        async for data in response.aiter_raw():
            parts.append(data[: max_bytes - n_bytes])
            n_bytes += len(data)
            if n_bytes >= max_bytes:
                break
    except httpx.TransportError:
        if not parts:
            raise
    return b"".join(parts)


async def error_text(response: httpx.Response) -> str:
    """The body of a failed request, bounded in size and time; empty where it does not come."""
    try:
        data = await within(ERROR_BODY_S, read_bounded(response, MAX_ERROR_BYTES))
    except (OutOfTimeError, httpx.TransportError):
        return ""
    return data.decode("utf-8", "replace")


def _answer(response: httpx.Response, data: bytes) -> Answer:
    text = data.decode("utf-8", "replace")
    headers = {name.lower(): value for name, value in response.headers.items()}
    decoded: Json = None
    if "json" in headers.get("content-type", ""):
        try:
            decoded = json.loads(text.removeprefix("\ufeff"))
        except (ValueError, RecursionError):
            decoded = None
    return Answer(response.status_code, headers, decoded, text[:MAX_ERROR_BYTES])
