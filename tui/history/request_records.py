"""Records of requests that other programs sent through ``npulse tap``. Plain values only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from tui.core.types import NumberSource
from tui.history.records import Origin

RequestStatus = Literal[
    "running",
    "complete",
    "empty",
    "refused",
    "error",
    "interrupted",
    "client gone",
    "unread",
]
"""How a client's request ended.

===========  ====================================================================================
running      it is not over
complete     the server said that it finished as it should, and some text of an answer came
empty        the same, and nothing but thinking or white space came
refused      the server did not accept it (an HTTP status of 400 and above)
error        it failed before anything of an answer came
interrupted  the answer was cut, failed on the way, or the tap ended
client gone  the client left before the end; ``note`` says whether the server ran on
unread       npulse could not make sense of it (TLS, a websocket, an unknown format, bytes that the
             tap dropped for its reader). The bytes went through all the same
===========  ====================================================================================
"""
RequestPhase = Literal["queued", "prefill", "thinking", "answering"]
"""Phase of a running request, as far as its stream shows. ``queued``: an answer to another client
came first.
"""


@dataclass(frozen=True, slots=True)
class ClientName:
    """Who sent a request. Strings are sanitised; None is not known."""

    host: str
    """Its address, without a port."""
    port: int
    user_agent: str | None = None
    process: str | None = None
    """Its name, where the client runs on this machine and its files in /proc may be read."""
    pid: int | None = None

    @property
    def label(self) -> str:
        """What a list calls it: the process, else the program it says it is, and its address where
        that is another machine's."""
        program = self.process or (self.user_agent or "").partition(" ")[0].partition("/")[0]
        is_here = self.process is not None or self.host in ("127.0.0.1", "::1")
        if not program:
            return self.host
        return program if is_here else f"{program} at {self.host}"


@dataclass(frozen=True, slots=True)
class ClientRequest:
    """One request of another program and its answer, as it was measured at the tap.

    Times are ms since 1970, durations are named with their unit. ``started_ms`` is when the last
    byte of the request was passed on to the server; ``ttft_ms`` counts from there and holds the
    time in the queue. A number is None where its source is ``unknown``.
    """

    started_ms: int
    client: ClientName
    method: str
    path: str
    """Without its query."""
    origin: Origin
    """The server, and the model that answered or was asked for."""
    status: RequestStatus = "running"
    phase: RequestPhase | None = None
    """None once it is over."""
    ended_ms: int | None = None
    is_streamed: bool | None = None
    """Whether the answer was asked for in pieces."""
    http_status: int | None = None
    tokens_in: int | None = None
    tokens_in_source: NumberSource = "unknown"
    tokens_out: int | None = None
    tokens_out_source: NumberSource = "unknown"
    queue_ms: float | None = None
    """How long it waited for the answer of another client, which is a part of ``ttft_ms``."""
    queue_source: NumberSource = "unknown"
    ttft_ms: float | None = None
    ttft_source: NumberSource = "unknown"
    decode_tps: float | None = None
    decode_source: NumberSource = "unknown"
    note: str | None = None
    """One sentence: why it failed, or what there is to know about it."""
    numbers: Mapping[str, object] = field(default_factory=dict)
    """The fields of :class:`tui.core.turn.result.TurnResult` that are numbers (gaps, prefill,
    latency, clock), as for an answer of npulse's own; ``bytes_in`` and ``bytes_out`` of the
    bodies; ``chunk_gaps`` (:mod:`tui.history.chunk_gaps`) of a streamed answer that is over;
    ``operation`` is ``embeddings`` where that was asked for."""
    prompt: str | None = None
    """Its last message, and None unless the tap was told to keep texts."""
    answer: str | None = None
    id: int = 0
    """In this database; 0 before it is stored."""

    @property
    def is_over(self) -> bool:
        return self.status != "running"

    @property
    def is_embedding(self) -> bool:
        """Whether it asked for embeddings: then there are no tokens of an answer."""
        return self.numbers.get("operation") == "embeddings"


@dataclass(frozen=True, slots=True)
class ClientTotals:
    """All requests of one client since some time: those with one label (:class:`ClientName`)."""

    label: str
    requests: int
    failed: int
    """Number of requests that did not complete."""
    tokens_in: int
    tokens_out: int
    is_estimated: bool
    """Some of these counts are not the runtime's own."""
    decode_tps: float | None
    """The median of its answers that have a rate."""
    ttft_ms: float | None
    """The median."""
