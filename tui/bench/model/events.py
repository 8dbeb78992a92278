"""Events of a benchmark: immutable records, one line each in its journal.

The journal is the event stream: a follower of the run (a screen, a progress line, another npulse)
needs nothing else, and a finished run is read from the same lines. ``type`` names the event, with
the names of schema ``bench/1``. ``from_json`` is the reverse of ``to_json``.
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
"""How a run ended. refused: a gate prevented it. failed: an error in the run itself (full disk)."""


class _Event(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag=str.lower):
    """Base class of the events."""


class Header(_Event, frozen=True, kw_only=True):
    """The run with its suite and configuration: the first line of a journal."""

    run: Run
    suite: Suite
    config: Config
    prompts_sha256: dict[str, str] = field(default_factory=dict)


class Segment(_Event, frozen=True, kw_only=True):
    """A segment begins: at the start, after a resume, or with a new server process."""

    number: int
    started_utc: str
    t_ns: int
    env: Env
    model: Model
    config: Config
    reason: str = "start"
    board: str = ""
    """In a run on several boards, the segment's board, whose clock its times are of."""


class Configured(_Event, frozen=True, kw_only=True):
    """The configuration, updated after the server's stream mode was detected."""

    config: Config


class Closed(_Event, frozen=True, kw_only=True):
    """A segment ended."""

    number: int
    wall_s: float
    ended: str


class Planned(msgspec.Struct, frozen=True, kw_only=True):
    """One planned request."""

    id: str
    rep: int
    name: str
    group: str
    max_tokens: int
    expected_s: float | None = None


class Started(_Event, frozen=True, kw_only=True):
    """The run has a server, a folder and a plan."""

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
    """Number of requests that earlier segments have completed."""
    minutes: float | None = None
    """For a run by time: how long the plan is repeated."""
    url: str = ""
    """The server's URL."""


class StageChanged(_Event, frozen=True, kw_only=True):
    """The run's present stage, and a sentence about it."""

    stage: Stage
    sentence: str = ""


class GateSeen(_Event, frozen=True, kw_only=True, tag="gated"):
    """A gate was checked, before the run or before a request."""

    gate: Gate
    request: str | None = None
    """Key of the request before which it was checked; None: before the run."""


class RequestStarted(_Event, frozen=True, kw_only=True, tag="began"):
    """A request was sent: ``number`` of ``planned``, both including skipped ones."""

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
    """A probe, warm-up or calibration: not part of the plan, and not counted."""
    board: str = ""
    """In a run on several boards, the board that it was sent to."""


class TokensArrived(_Event, frozen=True, kw_only=True, tag="tokens"):
    """Chunks that arrived since the last event of this type: their times and text."""

    id: str
    rep: int
    t_ns: tuple[int, ...] = ()
    text: str = ""
    thinking: str = ""
    is_warmup: bool = False


class Progressed(_Event, frozen=True, kw_only=True):
    """Figures of the running answer: at each tick for listeners in the process, twice a second in
    the journal."""

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
    """A request ended, in any way. Its record has all numbers. The text is the final one, after
    all corrections."""

    request: Request
    text: str = ""
    thinking: str = ""
    chunk_ends: str = ""
    """The end of each chunk in the text: base64 of :func:`tui.history.chunk_ends.pack_ends`. Empty
    in runs of earlier versions, and if the text is not the concatenation of the chunks."""


class WarmupEnded(_Event, frozen=True, kw_only=True, tag="warmup"):
    """A warm-up request, which is not counted, ended."""

    request: Request


Values = Mapping[str, float | str | None]


def number(values: Values, reading_id: str) -> float | None:
    """A value where it is a number."""
    value = values.get(reading_id)
    return value if isinstance(value, int | float) else None


class Sampled(_Event, frozen=True, kw_only=True):
    """A board sample: reading id -> value (:func:`tui.bench.analysis.hardware.reduced`)."""

    t_ns: int
    values: dict[str, float | str | None] = field(name="v")
    board: str = ""
    """In a run on several boards, the board, whose clock the time is of."""

    def number(self, reading_id: str) -> float | None:
        """A value where it is a number."""
        return number(self.values, reading_id)


class Summarised(_Event, frozen=True, kw_only=True):
    """The run's figures so far, sent after each measured request."""

    summary: dict[str, Summary]
    totals: dict[str, Total]


class Forecast(_Event, frozen=True, kw_only=True):
    """Progress of the run, and its expected remaining time."""

    elapsed_s: float
    left_s: float
    left_low_s: float
    left_high_s: float
    left_most_s: float
    """Remaining time if every answer reached its token limit."""
    share: float
    """Completed share by expected time, 0 to 1."""
    doing: str = ""
    """In a run on several boards, a text with the answered requests and the working boards."""


class BoardSeen(_Event, frozen=True, kw_only=True, tag="board"):
    """State of a board in a run on several; the last event of each board counts."""

    board: str
    state: BoardState
    sentence: str = ""
    address: str = ""
    model: str = ""


class Noted(_Event, frozen=True, kw_only=True, tag="note"):
    """A remark: a warning, a pause, a drain, a retry, a calibration."""

    t_ns: int
    sentence: str = field(name="text")


class Finished(_Event, frozen=True, kw_only=True):
    """The last event of every run."""

    outcome: Outcome
    sentence: str
    run_id: str = ""
    folder: str = ""


LiveOnly: TypeAlias = Started | StageChanged | Progressed | Summarised | Forecast | Finished
"""Events for followers only: a finished run is read from the others."""

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
    """The event as one line of JSON, without the line break."""
    return escaped_json(msgspec.json.encode(event), is_ascii=is_ascii)


def from_json(line: bytes) -> Event | None:
    """The event of a line; None if it is invalid (torn line, unknown type)."""
    try:
        event: Event = _decoder.decode(line)
    except (ValueError, RecursionError):
        # ValueError, as invalid UTF-8 raises UnicodeDecodeError instead of msgspec's error.
        return None
    return event
