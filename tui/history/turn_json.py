"""Settings, origin and numbers of a turn as the JSON that is stored, and back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import TypeVar

import msgspec

from tui.core.turn.gaps import GapSummary
from tui.core.turn.result import NOT_NUMBERS, TurnResult
from tui.core.turn.runtime_numbers import RuntimeNumbers
from tui.core.turn.turn_stats import TurnStats
from tui.core.types import GenerationSettings, TurnError
from tui.history.records import Origin, StoredTurn

STATS = (
    "headers_ms",
    "ttfot_ms",
    "thinking_s",
    "thinking_tokens",
    "runtime_decode_tps",
    "is_rate_disputed",
    "is_buffered",
    "is_at_limit",
    "prompt_tokens",
    "context_used",
    "context_tokens",
    "context_source",
    "is_marked",
    "max_lag_ms",
    "prompt_estimate",
    "new_prompt_estimate",
    "cached_tokens",
)
"""Fields of :class:`~tui.core.turn.turn_stats.TurnStats` that are kept beside the result's."""


T = TypeVar("T")


class _Numbers(msgspec.Struct, kw_only=True):
    """The numbers of :class:`TurnResult`, read from JSON with the types that it wants."""

    finish: str | None = None
    ttft_ms: float | None = None
    latency_ms: float | None = None
    tokens_out: int | None = None
    tokens_source: str = "unknown"
    decode_tps: float | None = None
    decode_source: str = "unknown"
    prefill_ms: float | None = None
    prefill_tps: float | None = None
    prefill_source: str = "unknown"
    itl_ms: GapSummary = GapSummary()
    chunks: int = 0
    clock: str = "read"
    ttft_source: str = "unknown"
    tokens_hidden: int | None = None
    unread_events: int = 0
    unread_text: str | None = None
    note: str | None = None
    ttft_includes: tuple[str, ...] = ()
    runtime: RuntimeNumbers | None = None
    queue_ms: float | None = None


def numbers_of(result: TurnResult, stats: TurnStats) -> dict[str, object]:
    """Every number that is kept of an answer, with its source."""
    numbers = {k: v for k, v in result.to_json_dict().items() if k not in NOT_NUMBERS}
    for name in STATS:
        value = getattr(stats, name)
        numbers[name] = round(value, 3) if isinstance(value, float) else value
    return numbers


def encode_numbers(numbers: Mapping[str, object]) -> str:
    """Encodes numbers; unknown and empty ones are left out."""
    return _encoded(
        {k: v for k, v in numbers.items() if v is not None and v is not False and v != []}
    )


def decode_numbers(text: str | None) -> dict[str, object] | None:
    """The numbers with None for all that is not known; None where there are none."""
    if text is None:
        return None
    try:
        found = json.loads(text)
    except ValueError:
        return None
    if not isinstance(found, dict):
        return None
    unset = {name: False if name.startswith("is_") else None for name in STATS}
    return {**json.loads(msgspec.json.encode(_Numbers())), **unset, **found}


def encode_settings(settings: GenerationSettings) -> str:
    return _encoded(asdict(settings))


def decode_settings(text: str | None) -> GenerationSettings | None:
    """Decodes settings; invalid values are None."""
    return _decoded(text, GenerationSettings)


def encode_origin(origin: Origin) -> str:
    """Without what is not known."""
    return _encoded({k: v for k, v in asdict(origin).items() if v is not None and v is not False})


def decode_origin(text: str | None) -> Origin | None:
    return _decoded(text, Origin)


def stored_result(turn: StoredTurn) -> TurnResult:
    """A stored answer as the record that a conversation is made of. One that some process still
    writes, or wrote when it ended, counts as interrupted."""
    origin = turn.origin or Origin("")
    try:
        kept = {f.name for f in fields(TurnResult)}
        given = {k: v for k, v in (turn.numbers or {}).items() if k in kept}
        numbers = msgspec.convert(given, _Numbers)
    except msgspec.ValidationError:
        numbers = _Numbers()
    status = turn.status
    return TurnResult(
        text=turn.text,
        thinking=turn.thinking,
        model=origin.model,
        server=origin.server,
        status="interrupted" if status is None or status == "running" else status,
        error=turn.error,
        **{name: getattr(numbers, name) for name in _Numbers.__struct_fields__},
    )


def error_of(kind: str | None, sentence: str | None) -> TurnError | None:
    return None if kind is None and sentence is None else TurnError(kind or "io", sentence or "")


def _encoded(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    # Half a surrogate pair cannot be stored.
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def _decoded(text: str | None, kind: type[T]) -> T | None:
    if text is None:
        return None
    try:
        return msgspec.json.decode(text, type=kind)
    except (msgspec.DecodeError, RecursionError):
        return None
