"""The lines of a recording, each a JSON object with its ``kind``; docs/recording.md describes them.

Times are milliseconds since the first line, with three decimals; wall time (seconds since 1970) is
only for display. A reader skips unknown kinds and keys, so additions need no new version.
:data:`VERSION` increases when old readers would misunderstand something.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Literal, get_args

import msgspec

from tui.core.text.json_text import escaped_json
from tui.core.turn.chunk_log import ChunkMeaning
from tui.core.turn.runtime_numbers import RuntimeNumbers
from tui.core.types import (
    GenerationSettings,
    ModelInfo,
    Phase,
    Role,
    TtftPart,
    TurnStatus,
    UsageDelta,
)

VERSION = 1
MAX_MS = 1e11
"""Three years; a longer time counts as damage."""
MAX_COUNT = 10**12
"""A larger count or time counts as damage."""

Milliseconds = Annotated[float, msgspec.Meta(ge=0, le=MAX_MS)]
Count = Annotated[int, msgspec.Meta(ge=0, le=MAX_COUNT)]
Channel = Literal["answer", "thinking", "refusal"]


class Header(msgspec.Struct, tag_field="kind", tag="recording", kw_only=True):
    """The first line."""

    version: int
    npulse: str = ""
    """The version of npulse that wrote it."""
    is_scrubbed: bool = True
    """Host name, user name, addresses and paths are masked."""
    has_text: bool = True
    """False: texts are replaced by their lengths."""


class RecordedMessage(msgspec.Struct, omit_defaults=True, frozen=True):
    """One message of the request. ``chars``: length of a text that was left out."""

    role: Role
    content: str = ""
    chars: Count = 0


class Line(msgspec.Struct, tag_field="kind", kw_only=True, omit_defaults=True, frozen=True):
    """An event ``t_ms`` after the beginning of the file."""

    t_ms: Milliseconds = 0.0

    @property
    def t_ns(self) -> int:
        return round(self.t_ms * 1e6)


class Request(Line, tag="request", kw_only=True, frozen=True):
    """A request: prompt, settings, model and server. Strings are sanitised when they are shown.

    ``context_tokens``: the context size assumed for the answer.
    """

    time: float = 0.0
    messages: tuple[RecordedMessage, ...] = ()
    settings: GenerationSettings = GenerationSettings()
    """Without the system prompt, which is a message."""
    model: str = ""
    about: ModelInfo | None = None
    chunk_meaning: ChunkMeaning = "unknown"
    context_tokens: Count | None = None
    server: str = ""
    """Name and address of the server, as in the header."""
    dialect: str = ""
    is_simulated: bool = False


class Waiting(Line, tag="waiting", kw_only=True, frozen=True):
    """The server is busy and does not accept the prompt yet. ``reason`` is a short clause.
    ``is_sent``: the request was sent, and the server does not respond yet."""

    reason: str = ""
    is_sent: bool = False
    waited_ms: Milliseconds = 0.0
    """Time waited so far."""


class Sent(Line, tag="sent", kw_only=True, frozen=True):
    """The request was written: all times of the answer count from here."""


class Accepted(Line, tag="accepted", kw_only=True, frozen=True):
    """The headers of the response arrived: prefill begins."""


class PhaseBegins(Line, tag="phase", kw_only=True, frozen=True):
    """A phase of the answer begins; derived from the other lines, for readers of the file."""

    phase: Phase = Phase.WAITING


class ClockIs(Line, tag="clock", kw_only=True, frozen=True):
    """Clock of the following token times: the kernel's at arrival, or npulse's after reading."""

    is_kernel: bool = False


class Token(Line, tag="token", kw_only=True, frozen=True):
    """One chunk of the stream. ``chars``: length of a text that was left out.

    ``is_tagged``: a part of the thinking that the server sent within the answer, between tags.
    """

    channel: Channel = "answer"
    text: str = ""
    chars: Count = 0
    is_tagged: bool = False
    gap_ms: float | None = None
    """Time since the previous chunk; for people who read the file."""
    is_text_estimated: bool = False
    """The chunk's text is unknown; ``text`` is a proportional part of the answer's text."""


class Usage(Line, tag="usage", kw_only=True, frozen=True):
    """Counts and times that the server reported, after plausibility checks."""

    usage: UsageDelta = UsageDelta()


class ModelIs(Line, tag="model", kw_only=True, frozen=True):
    """Name of the model: as the server reports it, or (``is_asked``) as it was requested."""

    name: str = ""
    is_asked: bool = False


class Finish(Line, tag="finish", kw_only=True, frozen=True):
    """Finish reason as the server sends it."""

    reason: str | None = None
    response_id: str | None = None


class Unread(Line, tag="unread", kw_only=True, frozen=True):
    """A part of the stream that could not be parsed."""

    text: str = ""
    is_loss: bool = False


class ServerError(Line, tag="server_error", kw_only=True, frozen=True):
    """The server reported an error inside the stream."""

    message: str = ""


class EndMark(Line, tag="end_mark", kw_only=True, frozen=True):
    """The end marker of the stream (``data: [DONE]``)."""


class Closed(Line, tag="closed", kw_only=True, frozen=True):
    """The body of the response ended."""


class Stopped(Line, tag="stopped", kw_only=True, frozen=True):
    """The user stopped the answer."""


class Failed(Line, tag="failed", kw_only=True, frozen=True):
    """The answer failed. ``error`` names the kind (see :class:`tui.core.types.TurnError`)."""

    error: str = "io"
    sentence: str = ""
    is_refused: bool | None = None


class Lag(Line, tag="lag", kw_only=True, frozen=True):
    """npulse's event loop was late by this much, so times near it are less accurate."""

    lag_ms: Milliseconds = 0.0


class BeforePrefill(Line, tag="before_prefill", kw_only=True, frozen=True):
    """Work of the server before the prefill, which the TTFT includes."""

    part: TtftPart = "queue"


class Runtime(Line, tag="runtime", kw_only=True, frozen=True):
    """The runtime's own numbers, from its log; after the end."""

    numbers: RuntimeNumbers


class Counted(Line, tag="counted", kw_only=True, frozen=True):
    """Token counts by the model's tokenizer, of the answer and of each message; after the end."""

    tokens: Count = 0
    prompt: tuple[Count, ...] = ()


class Numbers(Line, tag="numbers", kw_only=True, frozen=True):
    """How the answer ended, and its figures, each with its source (``NAME_source``).

    The keys are those of ``npulse ask --json`` and some more. They are for other readers of the
    file: a replay computes them again from the other lines.
    """

    status: TurnStatus | None = None
    numbers: dict[str, object] = {}


Value = float | int | str | tuple[float | int | None, ...] | None


class FullReading(msgspec.Struct, omit_defaults=True, frozen=True):
    """A reading with the fields of :class:`tui.core.board.reading.Reading`."""

    value: Value = None
    unit: str = ""
    source: str = ""
    reason: str | None = None
    flags: tuple[str, ...] = ()


class Program(msgspec.Struct, frozen=True):
    """Another program that uses CPU time, in per cent of one core."""

    pid: int
    name: str
    load_pct: float
    cpu: int | None = None


class Board(Line, tag="board", kw_only=True, frozen=True):
    """A sample of the board, as differences from the previous sample.

    A plain value is a new value of a reading with the same unit, source and flags as before; an
    object is the whole reading. A sample with ``is_full`` has all readings.
    """

    time: float = 0.0
    is_full: bool = False
    readings: dict[str, FullReading | Value] = {}
    programs: tuple[Program, ...] = ()


Event = (
    Waiting
    | Sent
    | Accepted
    | PhaseBegins
    | ClockIs
    | Token
    | Usage
    | ModelIs
    | Finish
    | Unread
    | ServerError
    | EndMark
    | Closed
    | Stopped
    | Failed
    | Lag
    | BeforePrefill
    | Runtime
    | Counted
    | Numbers
    | Board
)
"""Any event after a request."""

AnyLine = Header | Request | Event

_decoder: msgspec.json.Decoder[AnyLine] = msgspec.json.Decoder(AnyLine)
_encoder = msgspec.json.Encoder()
_kind = msgspec.json.Decoder(Mapping[str, msgspec.Raw])

KINDS = frozenset(str(kind.__struct_config__.tag) for kind in (Header, Request, *get_args(Event)))


def encode(line: AnyLine) -> bytes:
    """Encodes a line, with its newline."""
    try:
        data = _encoder.encode(line)
    except UnicodeEncodeError:  # half a surrogate pair
        plain = msgspec.to_builtins(line, str_keys=True)
        data = _encoder.encode(_without_surrogates(plain))
    return escaped_json(data) + b"\n"


def decode(data: bytes) -> AnyLine | None:
    """Decodes a line; None for a kind of a newer npulse. Raises ValueError."""
    try:
        line = _decoder.decode(data)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        if _is_later_kind(data):
            return None
        raise ValueError(str(error)) from None
    if not _is_sane(line):
        raise ValueError("a number is out of range")
    return line


def _is_later_kind(data: bytes) -> bool:
    try:
        kind = msgspec.json.decode(_kind.decode(data).get("kind", b"null"))
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return False
    return isinstance(kind, str) and kind not in KINDS


def _is_sane(line: AnyLine) -> bool:
    """Whether nested numbers are finite and in range."""
    if isinstance(line, Usage):
        return _are_counts(msgspec.to_builtins(line.usage))
    if isinstance(line, Runtime):
        return _are_counts(msgspec.to_builtins(line.numbers))
    if isinstance(line, Request):
        about = None if line.about is None else msgspec.to_builtins(line.about)
        return (
            abs(line.time) < MAX_COUNT
            and _are_counts(msgspec.to_builtins(line.settings))
            and (about is None or _are_counts(about))
        )
    if isinstance(line, Board):
        return abs(line.time) < MAX_COUNT and all(map(_is_reading_sane, line.readings.values()))
    return True


def _are_counts(values: Mapping[str, object]) -> bool:
    numbers = [v for v in values.values() if isinstance(v, int | float)]
    return all(-MAX_COUNT <= value <= MAX_COUNT * 1e3 for value in numbers)


def _is_reading_sane(reading: FullReading | Value) -> bool:
    value = reading.value if isinstance(reading, FullReading) else reading
    values = value if isinstance(value, tuple) else (value,)
    numbers = [v for v in values if isinstance(v, int | float)]
    return all(abs(number) < 1e18 and math.isfinite(number) for number in numbers)


def _without_surrogates(value: object) -> object:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, Mapping):
        return {key: _without_surrogates(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_without_surrogates(one) for one in value]
    return value
