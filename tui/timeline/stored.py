"""Timeline of a stored answer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from tui.core.turn.chunk_words import ChunkEnds
from tui.history.board_samples import BoardSample
from tui.history.records import StoredTurn
from tui.timeline.builder import TimelineBuilder
from tui.timeline.record import Timeline

MOST_TOKENS_A_CHUNK = 1.25
MOST = 1e12
"""Larger numbers and times (ms) count as damage."""
ESTIMATED_WORDS = "the times of the words are estimated: they were not recorded"
BUFFERED = "the tokens came in bursts: a buffer between server and npulse held them back"


def stored_timeline(
    prompt: str,
    answer: StoredTurn,
    times_ns: Sequence[int],
    samples: Iterable[BoardSample],
    ends: ChunkEnds | None = None,
) -> Timeline:
    """An answer of the history with the times of its chunks, the samples of its board and, where it
    was recorded, which words each chunk brought."""
    numbers = answer.numbers or {}
    origin = answer.origin
    builder = TimelineBuilder(
        prompt,
        "" if origin is None else origin.model,
        created_ms=answer.created_ms,
        is_simulated=origin is not None and origin.is_simulated,
    )
    tokens, chunks = _number(numbers, "tokens_out"), len(times_ns)
    builder.is_token = tokens is None or not chunks or tokens <= MOST_TOKENS_A_CHUNK * chunks
    builder.queued(round((_number(numbers, "queue_ms") or 0.0) * 1e6))
    includes = numbers.get("ttft_includes")
    if isinstance(includes, list | tuple) and "load" in includes:
        builder.before_first = "loading"
    fill(builder, answer.text, answer.thinking, times_ns, samples, ends)
    rate = _number(numbers, "decode_tps")
    builder.count(
        None if tokens is None else round(tokens),
        rate,
        is_estimated=numbers.get("decode_source") not in ("measured", "runtime"),
    )
    notes = [ESTIMATED_WORDS] if ends is None and chunks else []
    if numbers.get("is_buffered"):
        notes.append(BUFFERED)
    builder.notes = tuple(notes)
    latency_ms = _number(numbers, "latency_ms")
    if answer.status is None or answer.status == "running":
        builder.spread_words()
        return builder.timeline()
    builder.end(
        answer.status,
        answer.error,
        None if latency_ms is None else round(latency_ms * 1e6),
        is_at_limit=bool(numbers.get("is_at_limit")),
    )
    return builder.timeline()


def fill(
    builder: TimelineBuilder,
    text: str,
    thinking: str,
    times_ns: Sequence[int],
    samples: Iterable[BoardSample],
    ends: ChunkEnds | None,
) -> None:
    """Chunks and samples in the order in which they came, as if the answer ran now. Times are ns
    from the request on; ``ends`` that do not fit the times are not used."""
    builder.add_words(text, thinking)
    ordered = sorted(samples, key=lambda sample: sample.t_ns)
    # With the first chunk another part of the answer begins; after it samples and chunks do not
    # touch each other, and thousands of chunks at once are far cheaper.
    n_early = sum(1 for sample in ordered if sample.t_ns < times_ns[0]) if times_ns else 0
    builder.add_samples((sample.t_ns, sample.values) for sample in ordered[:n_early])
    if ends is not None and len(ends.text) == len(ends.thinking) == len(times_ns):
        builder.add_chunks(times_ns, ends.text, ends.thinking)
    else:
        builder.add_chunks(times_ns)
    builder.add_samples((sample.t_ns, sample.values) for sample in ordered[n_early:])


def _number(numbers: Mapping[str, object], name: str) -> float | None:
    value = numbers.get(name)
    return float(value) if isinstance(value, int | float) and 0 <= value < MOST else None
