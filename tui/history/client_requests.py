"""Database access to requests of other programs: written by ``npulse tap``, read by screens and the
exporter.

Each function takes a connection and raises sqlite3.Error; those that write are to be called inside
:func:`tui.history.database.transaction`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import replace
from statistics import median
from typing import cast

from tui.core.types import NumberSource
from tui.history.database import transaction
from tui.history.records import Limits, Origin
from tui.history.request_records import (
    ClientName,
    ClientRequest,
    ClientTotals,
    RequestPhase,
    RequestStatus,
)
from tui.history.turn_json import decode_numbers, decode_origin, encode_numbers, encode_origin
from tui.history.writer_process import WriterProcess
from tui.history.writers import TAP_ENDED
from tui.history.writing import shared

DAY_MS = 86_400_000
MAX_FOLLOWED = 1_000
MAX_ROWS = 100_000
"""Most rows, about 50 MB; the oldest are removed first."""

_VALUES = (
    "started_ms", "ended_ms", "status", "phase", "host", "port", "user_agent", "process", "pid",
    "method", "path", "origin", "is_streamed", "http_status", "tokens_in", "tokens_in_source",
    "tokens_out", "tokens_out_source", "queue_ms", "queue_source", "ttft_ms", "ttft_source",
    "decode_tps", "decode_source", "note", "numbers", "prompt", "answer",
)  # fmt: skip
_SELECT = (
    "SELECT r.id, o.json, w.pid, w.started_ticks, w.boot_id, "
    + ", ".join(f"r.{name}" for name in _VALUES if name != "origin")
    + " FROM client_requests AS r LEFT JOIN origins AS o ON o.id = r.origin"
    " LEFT JOIN writers AS w ON w.id = r.writer"
)


def store(connection: sqlite3.Connection, request: ClientRequest, writer: int) -> int:
    """Adds a request, or replaces the one with its ``id``; returns the id. One that runs belongs
    to ``writer`` until it is over."""
    values = dict(zip(_VALUES, _row(connection, request), strict=True))
    values["writer"] = None if request.is_over else writer
    if not request.id:
        names = ", ".join(values)
        marks = ", ".join("?" for _ in values)
        cursor = connection.execute(
            f"INSERT INTO client_requests ({names}) VALUES ({marks})", tuple(values.values())
        )
        assert cursor.lastrowid is not None
        return cursor.lastrowid
    changes = ", ".join(f"{name} = ?" for name in values)
    connection.execute(
        f"UPDATE client_requests SET {changes} WHERE id = ?", (*values.values(), request.id)
    )
    return request.id


def running(connection: sqlite3.Connection) -> list[ClientRequest]:
    """Running requests, oldest first. One whose tap was killed counts as interrupted."""
    rows = connection.execute(f"{_SELECT} WHERE r.writer IS NOT NULL ORDER BY r.id")
    return [request for request in map(_request, rows) if not request.is_over]


def tap_pid(connection: sqlite3.Connection) -> int | None:
    """Pid of a running tap that stores its requests here; None where there is none."""
    rows = connection.execute(
        "SELECT pid, started_ticks, boot_id FROM writers WHERE command = 'tap' ORDER BY id DESC"
    )
    return next((row[0] for row in rows if WriterProcess(*row).is_alive), None)


def newest(connection: sqlite3.Connection, limit: int) -> list[ClientRequest]:
    """The last ``limit`` requests that are over, newest first."""
    rows = connection.execute(f"{_SELECT} ORDER BY r.id DESC LIMIT ?", (limit + 64,))
    return [request for request in map(_request, rows) if request.is_over][:limit]


def newest_ids(connection: sqlite3.Connection, limit: int) -> list[int]:
    """The ids of the last ``limit`` requests that are over, newest first: for callers that have
    most of them already. Finished requests do not change.
    """
    rows = connection.execute(
        "SELECT id FROM client_requests WHERE status != 'running' ORDER BY id DESC LIMIT ?",
        (limit,),
    )
    return [int(id) for (id,) in rows]


def after(connection: sqlite3.Connection, id: int) -> list[ClientRequest]:
    """Requests with a greater id, oldest first: for whoever follows them. One that still runs may
    end after later ones: remember its id, and ask :func:`with_ids` for it."""
    rows = connection.execute(f"{_SELECT} WHERE r.id > ? ORDER BY r.id LIMIT ?", (id, MAX_FOLLOWED))
    return [_request(row) for row in rows]


def with_ids(connection: sqlite3.Connection, ids: Iterable[int]) -> list[ClientRequest]:
    """These requests, as far as they are still kept."""
    found = []
    for id in ids:
        row = connection.execute(f"{_SELECT} WHERE r.id = ?", (id,)).fetchone()
        if row is not None:
            found.append(_request(row))
    return found


def totals(connection: sqlite3.Connection, since_ms: int) -> list[ClientTotals]:
    """Totals of each client since that time, the newest client first."""
    rows = connection.execute(
        "SELECT host, port, user_agent, process, pid, status, tokens_in, tokens_in_source,"
        " tokens_out, tokens_out_source, decode_tps, ttft_ms FROM client_requests"
        " WHERE started_ms >= ? AND status != 'running' ORDER BY id DESC LIMIT ?",
        (since_ms, MAX_ROWS),
    )
    clients: dict[str, list[tuple[object, ...]]] = {}
    for row in rows:
        clients.setdefault(ClientName(*row[:5]).label, []).append(row[5:])
    return [_totals(label, found) for label, found in clients.items()]


def prune(connection: sqlite3.Connection, limits: Limits, now_ms: int) -> int:
    """Removes what is older than the limits, and what is more than :data:`MAX_ROWS`; returns how
    many went. Makes a transaction of its own."""
    oldest_ms = now_ms - limits.max_age_days * DAY_MS if limits.max_age_days else 0
    with transaction(connection):
        gone = connection.execute(
            "DELETE FROM client_requests WHERE writer IS NULL AND (started_ms < ? OR id <="
            " (SELECT id FROM client_requests ORDER BY id DESC LIMIT 1 OFFSET ?))",
            (oldest_ms, MAX_ROWS),
        )
    return gone.rowcount


def _totals(label: str, rows: Sequence[tuple[object, ...]]) -> ClientTotals:
    """Totals of rows that begin with the status, newest first."""
    columns = list(zip(*rows, strict=True))
    status, tokens_in, in_source, tokens_out, out_source, rates, ttfts = columns
    counted = [
        source
        for numbers, sources in ((tokens_in, in_source), (tokens_out, out_source))
        for number, source in zip(numbers, sources, strict=True)
        if number
    ]
    return ClientTotals(
        label=label,
        requests=len(rows),
        failed=sum(word != "complete" for word in status),
        tokens_in=sum(n for n in tokens_in if isinstance(n, int)),
        tokens_out=sum(n for n in tokens_out if isinstance(n, int)),
        is_estimated=any(source not in ("runtime", "measured") for source in counted),
        decode_tps=_median(rates),
        ttft_ms=_median(ttfts),
    )


def _median(values: Sequence[object]) -> float | None:
    known = [value for value in values if isinstance(value, int | float)]
    return median(known) if known else None


def _row(connection: sqlite3.Connection, request: ClientRequest) -> tuple[object, ...]:
    """In the order of :data:`_VALUES`."""
    who = request.client
    return (
        request.started_ms,
        request.ended_ms,
        request.status,
        request.phase,
        who.host,
        who.port,
        who.user_agent,
        who.process,
        who.pid,
        request.method,
        request.path,
        shared(connection, "origins", encode_origin(request.origin)),
        request.is_streamed,
        request.http_status,
        request.tokens_in,
        request.tokens_in_source,
        request.tokens_out,
        request.tokens_out_source,
        request.queue_ms,
        request.queue_source,
        request.ttft_ms,
        request.ttft_source,
        request.decode_tps,
        request.decode_source,
        request.note,
        encode_numbers(request.numbers),
        request.prompt,
        request.answer,
    )


def _request(row: tuple[object, ...]) -> ClientRequest:
    id, origin, pid, ticks, boot, *rest = row
    values = dict(zip((name for name in _VALUES if name != "origin"), rest, strict=True))
    streamed = values["is_streamed"]
    found = ClientRequest(
        id=cast("int", id),
        started_ms=cast("int", values["started_ms"]),
        ended_ms=cast("int | None", values["ended_ms"]),
        client=ClientName(
            cast("str", values["host"]),
            cast("int", values["port"]),
            cast("str | None", values["user_agent"]),
            cast("str | None", values["process"]),
            cast("int | None", values["pid"]),
        ),
        method=cast("str", values["method"]),
        path=cast("str", values["path"]),
        origin=decode_origin(cast("str | None", origin)) or Origin(""),
        status=cast("RequestStatus", values["status"]),
        phase=cast("RequestPhase | None", values["phase"]),
        is_streamed=None if streamed is None else bool(streamed),
        http_status=cast("int | None", values["http_status"]),
        tokens_in=cast("int | None", values["tokens_in"]),
        tokens_in_source=_source(values["tokens_in_source"]),
        tokens_out=cast("int | None", values["tokens_out"]),
        tokens_out_source=_source(values["tokens_out_source"]),
        queue_ms=cast("float | None", values["queue_ms"]),
        queue_source=_source(values["queue_source"]),
        ttft_ms=cast("float | None", values["ttft_ms"]),
        ttft_source=_source(values["ttft_source"]),
        decode_tps=cast("float | None", values["decode_tps"]),
        decode_source=_source(values["decode_source"]),
        note=cast("str | None", values["note"]),
        numbers=decode_numbers(cast("str | None", values["numbers"])) or {},
        prompt=cast("str | None", values["prompt"]),
        answer=cast("str | None", values["answer"]),
    )
    if found.is_over:
        return found
    is_alive = (
        pid is not None
        and WriterProcess(cast("int", pid), cast("int", ticks), cast("str", boot)).is_alive
    )
    # Its tap was killed, and nobody has said so in the database yet.
    return found if is_alive else replace(found, status="interrupted", phase=None, note=TAP_ENDED)


def _source(value: object) -> NumberSource:
    known = ("measured", "runtime", "tokenizer", "estimated")
    return cast("NumberSource", value) if value in known else "unknown"
