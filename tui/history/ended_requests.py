"""Numbers of requests that ended since the last call, of npulse and of other programs."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tui.history import client_requests
from tui.history.chunk_gaps import GapGroup, grouped_gaps, read_gaps
from tui.history.records import Origin, StoredStatus
from tui.history.request_records import ClientRequest, RequestStatus
from tui.history.token_times import unpack_times
from tui.history.turn_json import decode_numbers, decode_origin

_ENDED = """
SELECT t.id, t.status, o.json, b.numbers, x.times
FROM turns AS t LEFT JOIN bodies AS b ON b.turn = t.id
    LEFT JOIN origins AS o ON o.id = t.origin LEFT JOIN traces AS x ON x.turn = t.id
WHERE t.status <> 'running' AND t.id IN
"""
PAGE = 500
"""Answers that are read at once."""
OWN_AGENT = "npulse"
"""npulse's own User-Agent; its requests through a tap would be counted twice."""


@dataclass(frozen=True, slots=True)
class EndedRequest:
    """A request whose answer is over. ``gaps`` are those between its chunks; none where it came in
    one piece, or they were not kept."""

    status: StoredStatus | RequestStatus
    origin: Origin
    numbers: Mapping[str, object]
    """As :attr:`tui.history.records.StoredTurn.numbers`."""
    gaps: Sequence[GapGroup] = ()

    @property
    def is_embedding(self) -> bool:
        """Whether it asked for embeddings, and for no answer of a model."""
        return self.numbers.get("operation") == "embeddings"


class EndedRequests:
    """Returns each request once, after its end. The first call returns none and sets the start.

    What is imported meanwhile was not answered meanwhile, and is left out. ``since_ms`` is when the
    first look is made, in ms since 1970.
    """

    def __init__(self, since_ms: int) -> None:
        self._since_ms = since_ms
        self._has_begun = False
        self._last_turn = 0
        self._running_turns: set[int] = set()
        self._last_client = 0
        self._running_clients: set[int] = set()

    def look(self, connection: sqlite3.Connection) -> list[EndedRequest]:
        """Requests that ended since the last call. Raises sqlite3.Error."""
        found = [*self._own(connection), *self._of_clients(connection)]
        has_begun, self._has_begun = self._has_begun, True
        return found if has_begun else []

    def _own(self, connection: sqlite3.Connection) -> list[EndedRequest]:
        rows = connection.execute(
            "SELECT id, status = 'running' FROM turns WHERE role = 'assistant' AND id > ?"
            " AND (status = 'running' OR created_ms >= ?)",
            (self._last_turn, self._since_ms),
        ).fetchall()
        was_running = self._running_turns
        still = {turn for turn, is_running in rows if is_running} | _still(connection, was_running)
        over = [turn for turn, is_running in rows if not is_running]
        (newest,) = connection.execute("SELECT coalesce(max(id), 0) FROM turns").fetchone()
        # A turn that is made between the two queries is looked at next time.
        seen = [turn for turn, _ in rows]
        self._last_turn = max([self._last_turn, *seen] if self._has_begun else [int(newest), *seen])
        self._running_turns = still
        return _read(connection, sorted({*over, *(was_running - still)}))

    def _of_clients(self, connection: sqlite3.Connection) -> list[EndedRequest]:
        if not self._has_begun:
            (self._last_client,) = connection.execute(
                "SELECT coalesce(max(id), 0) FROM client_requests"
            ).fetchone()
            self._running_clients = {one.id for one in client_requests.running(connection)}
            return []
        rows = client_requests.after(connection, self._last_client)
        looked_at = [*client_requests.with_ids(connection, sorted(self._running_clients)), *rows]
        self._last_client = max([self._last_client, *(one.id for one in rows)])
        self._running_clients = {one.id for one in looked_at if not one.is_over}
        return [of_client(one) for one in looked_at if one.is_over and not is_own(one)]


def is_own(request: ClientRequest) -> bool:
    """Whether npulse sent it; it is then in the history already."""
    return request.client.user_agent == OWN_AGENT


def of_client(request: ClientRequest) -> EndedRequest:
    """A request that went through ``npulse tap``, in the numbers of an answer."""
    numbers = {
        **request.numbers,
        "tokens_out": request.tokens_out,
        "tokens_source": request.tokens_out_source,
        "prompt_tokens": request.tokens_in,
        "context_source": request.tokens_in_source,
        "queue_ms": request.queue_ms,
        "ttft_ms": request.ttft_ms,
        "ttft_source": request.ttft_source,
        "decode_tps": request.decode_tps,
        "decode_source": request.decode_source,
    }
    gaps = read_gaps(request.numbers.get("chunk_gaps"))
    return EndedRequest(request.status, request.origin, numbers, gaps)


def _still(connection: sqlite3.Connection, turns: set[int]) -> set[int]:
    marks = ", ".join("?" * len(turns))
    rows = connection.execute(
        f"SELECT id FROM turns WHERE status = 'running' AND id IN ({marks})", sorted(turns)
    )
    return {int(turn) for (turn,) in rows}


def _read(connection: sqlite3.Connection, turns: Sequence[int]) -> list[EndedRequest]:
    found = []
    for start in range(0, len(turns), PAGE):
        page = turns[start : start + PAGE]
        rows = connection.execute(f"{_ENDED} ({', '.join('?' * len(page))}) ORDER BY t.id", page)
        for _, status, origin, numbers, times in rows:
            found.append(
                EndedRequest(
                    status,
                    decode_origin(origin) or Origin(""),
                    decode_numbers(numbers) or {},
                    _gaps(times),
                )
            )
    return found


def _gaps(data: bytes | None) -> Sequence[GapGroup]:
    try:
        return () if data is None else grouped_gaps(unpack_times(data))
    except ValueError:
        return ()
