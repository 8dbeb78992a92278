"""Records of a run: schema ``bench/1``. Fields may be added; unknown keys are ignored.

Times of a request are ns of the monotonic clock; wall times are only shown. A metric without a
value is null, with the reason in ``why``. There is no NaN and no infinity
(:func:`tui.bench.model.metrics.finite`).
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec
from msgspec import field

from tui.bench.model.boards import Board, Projection
from tui.bench.model.conditions import Config, Env, Gate, Model
from tui.core.screen.footer import included_note
from tui.core.text.json_text import escaped_json
from tui.core.types import TtftPart

SCHEMA = "bench/1"
FORMULA_SET = "2026.1"
"""Version of the formulae in :mod:`tui.bench.model.metrics`; it changes with any of them."""

Status = Literal[
    "ok",
    "capped",
    "loop_aborted",
    "timeout_first",
    "timeout_idle",
    "timeout_total",
    "error_http",
    "error_backend",
    "truncated",
    "empty",
    "cancelled",
    "skipped",
    "skipped_budget",
]
"""How a request ended. Only ``ok`` and ``capped`` count for figures."""

RATES = ("decode_tps_rt", "decode_tps_cl", "decode_tps_est")
"""Metrics of the decode rate, the most reliable first."""

SCORED: frozenset[str] = frozenset({"ok", "capped"})
SKIPPED = "skipped"
"""``error`` of a cancelled request that the user skipped."""

NOT_ATTEMPTED: frozenset[str] = frozenset({"skipped", "skipped_budget"})

CheckOutcome = Literal["failed", "passed", "info", "not applicable"]
"""info: for information only, never counted as a failure."""

RequestOutcome = Literal["ok", "failed", "skipped"]

Taint = Literal[
    "throttled",
    "clock_low",
    "swap",
    "background",
    "cache_hit",
    "buffered_stream",
    "cap_ignored",
    "clock_step",
    "ui_heavy",
    "off_target",
]
"""Disturbances that make a request's timing doubtful. off_target: the token counts differ from
those that the suite prescribes."""

Source = Literal["runtime", "client", "estimated", "unknown"]
Comparability = Literal["full", "limited"]
RunStatus = Literal["running", "complete", "partial", "aborted"]


class Segment(msgspec.Struct, frozen=True, kw_only=True):
    """An uninterrupted part of a run; a resume or a restarted server begins another."""

    started_utc: str
    wall_s: float = 0.0
    requests: int = 0
    ended: str = "running"
    """complete, aborted, killed, budget, drain, server restarted, ..."""
    board: str = ""
    """The segment's board, in a run on several boards; empty otherwise."""


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """Identity, start and state of a run."""

    id: str
    suite: str
    suite_sha256: str
    title: str = ""
    kind: str = "prompts"
    status: RunStatus = "running"
    started_utc: str = ""
    wall_s: float = 0.0
    """Time of all segments, including warm-up, cool-downs and failures."""
    segments: tuple[Segment, ...] = ()
    seed: int = 0
    runs: int = 1
    planned: int = 0
    tool: str = ""
    formula_set: str = FORMULA_SET
    simulated: bool = False
    comparability: Comparability = "full"
    origin: str = "npulse"
    """npulse, or the tool whose file was imported."""
    notes: tuple[str, ...] = ()


class Times(msgspec.Struct, frozen=True, kw_only=True):
    """Times of a request; null if it did not happen. ``wall`` is only shown; symbols as in
    :mod:`tui.bench.model.metrics`."""

    wall: str = ""
    t0_ns: int | None = None
    th_ns: int | None = None
    """Response head received."""
    t1_ns: int | None = None
    tc_ns: int | None = None
    """First token that is not thinking."""
    tn_ns: int | None = None
    te_ns: int | None = None


class Tokens(msgspec.Struct, frozen=True, kw_only=True):
    """Token counts and their sources. ``cap`` is the request's token limit."""

    input: int | None = field(default=None, name="in")
    in_cached: int | None = None
    in_source: Source = "unknown"
    out: int | None = None
    reasoning: int | None = None
    source: Source = "unknown"
    chunks: int | None = None
    server_out: int | None = None
    """The server's own count, if it was not used or differs."""
    cap: int | None = None


class RuntimeTimes(msgspec.Struct, frozen=True, kw_only=True):
    """Counters of librkllmrt, if the server or its log has them."""

    prefill_ms: float | None = None
    prefill_tokens: int | None = None
    generate_ms: float | None = None
    generate_tokens: int | None = None
    memory_mb: float | None = None
    source: str = ""
    """``runtime-log`` if they are from the log; empty if they are from the server's response."""


class Gaps(msgspec.Struct, frozen=True, kw_only=True):
    """Inter-token times in ms. ``series_ref`` refers to the request in the token file."""

    n: int = 0
    p50: float | None = None
    p90: float | None = None
    p99: float | None = None
    max: float | None = None
    stalls: int = 0
    series_ref: str | None = None


class Hardware(msgspec.Struct, frozen=True, kw_only=True):
    """The board during one request, from its samples. Temperatures are in °C."""

    samples: int = 0
    t_start: float | None = None
    t_max: float | None = None
    t_end: float | None = None
    clock_ok_pct: float | None = None
    clock_ok: dict[str, float] = field(default_factory=dict)
    throttled_s: float | None = None
    avail_min_mb: float | None = None
    rss_mb: float | None = None
    hwm_mb: float | None = None
    swap_delta_mb: float | None = None
    energy_j: float | None = None
    """Energy from the first to the last token; only with a power sensor."""
    idle_w: float | None = None
    own_cpu_pct: float | None = None


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """Result of one check. ``pass`` is null if the check is not applicable."""

    id: str
    passed: bool | None = field(default=None, name="pass")
    detail: str = ""
    loose: bool | None = None
    """For instructions: whether the answer passes after removing typical additions."""
    info: bool = False
    """Information only; never counted as a failure."""
    score: dict[str, float] = field(default_factory=dict)

    @property
    def outcome(self) -> CheckOutcome:
        if self.passed is None:
            return "not applicable"
        if self.info:
            return "info"
        return "passed" if self.passed else "failed"


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """One request of a run, with its metrics and checks."""

    id: str
    rep: int
    order: int
    status: Status
    name: str = ""
    segment: int = 0
    board: str = ""
    """The board that answered, in a run on several boards."""
    asked_again: str = ""
    """Why it was first sent to another board, in a run on several; empty otherwise."""
    finish: str | None = None
    prompt_sha256: str = ""
    group: str = ""
    """Group for figures: a context depth, a language, a phase."""
    target_in: int | None = None
    target_out: int | None = None
    t: Times = Times()
    tok: Tokens = Tokens()
    ttft_includes: tuple[TtftPart, ...] = ()
    """What TTFT includes beside prefill."""
    is_ttft_estimated: bool = False
    """The first tokens came in a burst, so that the first one was made earlier."""
    rt: RuntimeTimes = RuntimeTimes()
    m: dict[str, float | None] = field(default_factory=dict)
    why: dict[str, str] = field(default_factory=dict)
    """Metric id -> reason why it is null."""
    itl_ms: Gaps = Gaps()
    hw: Hardware = Hardware()
    taint: tuple[Taint, ...] = ()
    warnings: tuple[str, ...] = ()
    checks: tuple[Check, ...] = ()
    error: str | None = None
    prompt_ref: str | None = None
    output_ref: str | None = None
    thinking_ref: str | None = None

    @property
    def is_scored(self) -> bool:
        return self.status in SCORED

    @property
    def outcome(self) -> RequestOutcome:
        """ok: answered. failed: an error. skipped: not attempted or cancelled, by the user or at
        the end of the run."""
        if self.is_scored:
            return "ok"
        is_skipped = self.status in NOT_ATTEMPTED or self.status == "cancelled"
        return "skipped" if is_skipped else "failed"

    @property
    def status_word(self) -> str:
        """How it ended, as shown on a screen."""
        is_by_hand = self.status == "cancelled" and self.error == SKIPPED
        return "by you" if is_by_hand else self.status.replace("_", " ")

    @property
    def passed_checks(self) -> tuple[int, int] | None:
        """(passed, applicable) numbers of checks; None if none is applicable."""
        kept = [
            check.passed for check in self.checks if check.passed is not None and not check.info
        ]
        return (sum(kept), len(kept)) if kept else None

    @property
    def rate_tps(self) -> float | None:
        """The decode rate in tok/s: the runtime's, else the measured one, else an estimate."""
        found = (self.m.get(name) for name in RATES)
        return next((rate for rate in found if rate is not None), None)

    @property
    def is_rate_estimated(self) -> bool:
        """Whether the decode rate is only an estimate."""
        is_measured = any(self.m.get(name) is not None for name in RATES[:-1])
        return self.rate_tps is not None and not is_measured

    @property
    def rate_doubt(self) -> str:
        """Why the decode rate is an estimate, or the bounds between which it lies."""
        return self.why.get("decode_tps_cl") or "the token count is only estimated"

    def marked_ttft(self, shown: str) -> str:
        """A formatted TTFT with ``~`` before it if it is an estimate, and a note such as ``(loading
        included)`` after it if it includes more than prefill."""
        return f"{'~' if self.is_ttft_estimated else ''}{shown}{included_note(self.ttft_includes)}"

    @property
    def key(self) -> tuple[str, int]:
        """Identifies the planned request, in any segment."""
        return (self.id, self.rep)


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """One metric over the scored requests of a run."""

    n: int
    median: float | None = None
    mad: float | None = None
    mean: float | None = None
    sd: float | None = None
    min: float | None = None
    max: float | None = None
    ci95: tuple[float, float] | None = None
    mdc_pct: float | None = None
    p90: float | None = None
    p95: float | None = None
    p99: float | None = None
    unit: str = ""
    formula: str = ""
    source: str = ""


class Total(msgspec.Struct, frozen=True, kw_only=True):
    """One figure of a whole run, with its n, formula and source."""

    value: float | None
    n: int = 0
    unit: str = ""
    formula: str = ""
    source: str = ""
    why: str | None = None


class Fit(msgspec.Struct, frozen=True, kw_only=True):
    """A fitted line, value = a + b * x, over ``n`` points; ``b`` with its 95 % interval."""

    id: str
    a: float
    b: float
    n: int
    b_low: float | None = None
    b_high: float | None = None
    x: str = ""
    y: str = ""
    method: str = ""
    x_min: float | None = None
    x_max: float | None = None


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    status: str
    count: int


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """A complete run, as stored in run.json."""

    run: Run
    model: Model
    schema: str = SCHEMA
    env: Env = Env()
    config: Config = Config()
    gates: tuple[Gate, ...] = ()
    warmup: tuple[Request, ...] = ()
    requests: tuple[Request, ...] = ()
    series: str | None = None
    hardware: str | None = None
    """Name of the file with the board samples."""
    summary: dict[str, Summary] = field(default_factory=dict)
    totals: dict[str, Total] = field(default_factory=dict)
    fits: tuple[Fit, ...] = ()
    failures: tuple[Failure, ...] = ()
    boards: tuple[Board, ...] = ()
    """The boards of a run on several boards."""
    projections: tuple[Projection, ...] = ()


# Decoders are created at import, under the import lock: msgspec crashes if two threads analyse the
# same type at the same time.
_decoder = msgspec.json.Decoder(Document)


def schema() -> dict[str, Any]:
    """The JSON Schema of a run document."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"npulse {SCHEMA}",
        **msgspec.json.schema(Document),
    }


def encode(document: Document) -> bytes:
    """The document as indented JSON with a final line break."""
    return escaped_json(msgspec.json.format(msgspec.json.encode(document), indent=2)) + b"\n"


def decode(data: bytes) -> Document:
    """Parse a document. Raises ValueError with the place that does not match the schema."""
    document = _decoder.decode(data)
    if document.schema.split("/")[0] != "bench":
        raise ValueError(f"not a benchmark document: schema {document.schema!r}")
    return document
