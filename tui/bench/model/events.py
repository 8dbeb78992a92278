"""Events of a running benchmark: immutable records, each one line of JSON.

A screen, a progress line and a follower of a detached run all live on these alone. Texts are
sanitised. ``from_json`` reads what ``to_json`` wrote.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

from tui.bench.model.conditions import Gate
from tui.bench.model.records import Request, Summary, Total
from tui.core.text.json_text import escaped_json

Stage = Literal[
    "connect",
    "load",
    "hash",
    "preflight",
    "probe",
    "warm-up",
    "calibrate",
    "measure",
    "cool-down",
    "drain",
    "paused",
    "report",
]

Outcome = Literal[
    "complete", "incomplete", "refused", "unreachable", "aborted", "failed", "interrupted"
]
"""How a run ended. refused: a gate forbade it. failed: the run itself broke (a full disk)."""


class _Event(msgspec.Struct, frozen=True, kw_only=True, tag_field="event", tag=str.lower):
    """Base of the events."""


class Planned(msgspec.Struct, frozen=True, kw_only=True):
    """One request that is to be made."""

    id: str
    rep: int
    name: str
    group: str
    max_tokens: int
    expected_s: float | None = None


class Started(_Event, frozen=True, kw_only=True):
    """The run has a server, a folder and a plan; the first event of every run that gets so far."""

    run_id: str
    folder: str
    suite: str
    title: str
    model: str
    server: str
    is_simulated: bool
    seed: int
    plan: tuple[Planned, ...]
    done: int = 0
    """Requests that an earlier segment has already made."""
    minutes: float | None = None
    """A run by time: the plan is repeated until then."""
    url: str = ""
    """Of the server."""


class StageChanged(_Event, frozen=True, kw_only=True):
    """What is going on now, and a sentence about it."""

    stage: Stage
    sentence: str = ""


class GateSeen(_Event, frozen=True, kw_only=True):
    """A gate was looked at, before the run or before a request."""

    gate: Gate


class RequestStarted(_Event, frozen=True, kw_only=True):
    """A request was sent. ``number`` of ``planned``; both count skipped ones too."""

    id: str
    rep: int
    name: str
    number: int
    planned: int
    max_tokens: int
    prompt: str
    is_warmup: bool = False


class Progressed(_Event, frozen=True, kw_only=True):
    """The answer so far, a few times a second. ``text`` and ``thinking`` are what is new."""

    id: str
    rep: int
    phase: str
    elapsed_s: float
    tokens: int
    tokens_source: str
    ttft_ms: float | None
    rate_now_tps: float | None
    rate_tps: float | None
    itl_p50_ms: float | None
    itl_p99_ms: float | None
    idle_s: float
    idle_limit_s: float
    context_used: int | None
    context_tokens: int | None
    text: str = ""
    thinking: str = ""


class RequestEnded(_Event, frozen=True, kw_only=True):
    """A request is over; its record holds every number."""

    request: Request
    is_warmup: bool = False


class Sampled(_Event, frozen=True, kw_only=True):
    """The board now: reading id -> value."""

    t_ns: int
    values: dict[str, float | str | None]


class Summarised(_Event, frozen=True, kw_only=True):
    """The figures so far, after each measured request."""

    summary: dict[str, Summary]
    totals: dict[str, Total]


class Forecast(_Event, frozen=True, kw_only=True):
    """How far the run is, by time, and how long it will go on."""

    elapsed_s: float
    left_s: float
    left_low_s: float
    left_high_s: float
    left_most_s: float
    """If every answer took its whole cap."""
    share: float
    """0 to 1."""


class Noted(_Event, frozen=True, kw_only=True):
    """Something worth a line: a warning, a drain, a retry."""

    sentence: str


class Finished(_Event, frozen=True, kw_only=True):
    """The last event of every run."""

    outcome: Outcome
    sentence: str
    run_id: str = ""
    folder: str = ""


Event: TypeAlias = (
    Started
    | StageChanged
    | GateSeen
    | RequestStarted
    | Progressed
    | RequestEnded
    | Sampled
    | Summarised
    | Forecast
    | Noted
    | Finished
)

_decoder = msgspec.json.Decoder(Event)


def to_json(event: Event) -> bytes:
    """One line of JSON without its end."""
    return escaped_json(msgspec.json.encode(event), is_ascii=True)


def from_json(line: bytes) -> Event | None:
    """The event of a line; None where it is none (a torn line, another version)."""
    try:
        event: Event = _decoder.decode(line)
    except (ValueError, RecursionError):
        return None
    return event
