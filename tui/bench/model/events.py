"""Events of a benchmark: immutable records, each one line of its journal.

The journal is the event stream. Whoever follows a run (a screen, a progress line, another npulse)
lives on these alone, and the run is read back from the same lines. ``type`` names the event; the
names of schema ``bench/1`` are kept. ``from_json`` reads what ``to_json`` wrote.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

import msgspec
from msgspec import field

from tui.bench.model.boards import BoardState
from tui.bench.model.conditions import Config, Env, Gate, Model
from tui.bench.model.records import Request, Run, Summary, Total
from tui.bench.model.suite import Suite
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
    "queue",
    "paused",
    "report",
]

Outcome = Literal[
    "complete", "incomplete", "refused", "unreachable", "aborted", "failed", "interrupted"
]
"""How a run ended. refused: a gate forbade it. failed: the run itself broke (a full disk)."""


class _Event(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag=str.lower):
    """Base of the events."""


class Header(_Event, frozen=True, kw_only=True):
    """What the run is."""

    run: Run
    suite: Suite
    config: Config
    prompts_sha256: dict[str, str] = field(default_factory=dict)


class Segment(_Event, frozen=True, kw_only=True):
    """A stretch of the run begins: at the start, after a resume, with another server process."""

    number: int
    started_utc: str
    t_ns: int
    env: Env
    model: Model
    config: Config
    reason: str = "start"
    board: str = ""
    """Of a run of many boards: whose stretch it is. Its times are of that board's clock."""


class Configured(_Event, frozen=True, kw_only=True):
    """The configuration is known better than before: the server's way of streaming was seen."""

    config: Config


class Closed(_Event, frozen=True, kw_only=True):
    """The segment is over."""

    number: int
    wall_s: float
    ended: str


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


class GateSeen(_Event, frozen=True, kw_only=True, tag="gated"):
    """A gate was looked at, before the run or before a request."""

    gate: Gate
    request: str | None = None
    """The request before which it was, None for the preflight."""


class RequestStarted(_Event, frozen=True, kw_only=True, tag="began"):
    """A request was sent. ``number`` of ``planned``; both count skipped ones too."""

    id: str
    rep: int
    order: int
    segment: int
    wall: str
    t_ns: int
    prompt: str
    prompt_sha256: str
    system: str = ""
    attempt: int = 0
    name: str = ""
    number: int = 0
    planned: int = 0
    max_tokens: int = 0
    is_warmup: bool = False
    """It is not part of the plan and is discarded: a probe, a warm-up, a calibration."""
    board: str = ""
    """Of a run of many boards: the one that was asked."""


class TokensArrived(_Event, frozen=True, kw_only=True, tag="tokens"):
    """What arrived since the last such event."""

    id: str
    rep: int
    t_ns: tuple[int, ...] = ()
    text: str = ""
    thinking: str = ""
    is_warmup: bool = False


class Progressed(_Event, frozen=True, kw_only=True):
    """The figures of the answer so far: at each look for who sees the run from within, twice a
    second in the journal."""

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


class RequestEnded(_Event, frozen=True, kw_only=True, tag="ended"):
    """A request is over, however it ended; its record holds every number. The words are those after
    all corrections."""

    request: Request
    text: str = ""
    thinking: str = ""
    chunk_ends: str = ""
    """Which words each chunk brought: base64 of :func:`tui.history.chunk_ends.pack_ends`. Empty in
    runs of earlier versions, and where the words are not those of the chunks."""


class WarmupEnded(_Event, frozen=True, kw_only=True, tag="warmup"):
    """A discarded request before the measured ones is over."""

    request: Request


Values = Mapping[str, float | str | None]


def number(values: Values, reading_id: str) -> float | None:
    """A value where it is a number."""
    value = values.get(reading_id)
    return value if isinstance(value, int | float) else None


class Sampled(_Event, frozen=True, kw_only=True):
    """The board now: dotted reading id -> value."""

    t_ns: int
    values: dict[str, float | str | None] = field(name="v")
    board: str = ""
    """Of a run of many boards: which one, whose clock the time is of."""

    def number(self, reading_id: str) -> float | None:
        """A value where it is a number."""
        return number(self.values, reading_id)


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
    doing: str = ""
    """Of a run of many boards: how much is answered, and how many of them work."""


class BoardSeen(_Event, frozen=True, kw_only=True, tag="board"):
    """What became of a board, in a run of many; the last one of each counts."""

    board: str
    state: BoardState
    sentence: str = ""
    address: str = ""
    model: str = ""


class Noted(_Event, frozen=True, kw_only=True, tag="note"):
    """Something worth remembering: a warning, a pause, a drain, a retry, a calibrated text."""

    t_ns: int
    sentence: str = field(name="text")


class Finished(_Event, frozen=True, kw_only=True):
    """The last event of every run."""

    outcome: Outcome
    sentence: str
    run_id: str = ""
    folder: str = ""


LiveOnly: TypeAlias = Started | StageChanged | Progressed | Summarised | Forecast | Finished
"""For who follows the run; what the run was is told by the others."""

Event: TypeAlias = (
    LiveOnly
    | Header
    | Segment
    | Configured
    | Closed
    | GateSeen
    | RequestStarted
    | TokensArrived
    | RequestEnded
    | WarmupEnded
    | Sampled
    | BoardSeen
    | Noted
)

_decoder = msgspec.json.Decoder(Event)


def to_json(event: Event, *, is_ascii: bool = True) -> bytes:
    """One line of JSON without its end."""
    return escaped_json(msgspec.json.encode(event), is_ascii=is_ascii)


def from_json(line: bytes) -> Event | None:
    """The event of a line; None where it is none (a torn line, another version)."""
    try:
        event: Event = _decoder.decode(line)
    except (ValueError, RecursionError):
        # Bytes that are no UTF-8 raise UnicodeDecodeError, not msgspec's own error.
        return None
    return event
