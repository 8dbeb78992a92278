"""Converts a timeline to plain values, for JSON."""

from __future__ import annotations

from tui.timeline.record import Timeline
from tui.timeline.series import spec_of


def timeline_values(timeline: Timeline) -> dict[str, object]:
    """Everything that is known, in ms from the request on; values of curves have the unit that
    stands beside them, None where the reading was absent."""
    chunks = timeline.chunks
    return {
        "model": timeline.model,
        "created_ms": timeline.created_ms,
        "is_simulated": timeline.is_simulated,
        "status": timeline.status,
        "error": None if timeline.error is None else timeline.error.sentence,
        "tokens": timeline.tokens,
        "decode_tps": _rounded(timeline.decode_tps, 4),
        "is_rate_estimated": timeline.is_rate_estimated,
        "start_ms": _ms(timeline.start_ns),
        "end_ms": _ms(timeline.end_ns),
        "prompt": timeline.prompt,
        "thinking": timeline.thinking,
        "text": timeline.text,
        "notes": list(timeline.notes),
        "phases": [
            {"name": p.name, "start_ms": _ms(p.start_ns), "end_ms": _ms(p.end_ns)}
            for p in timeline.phases
        ],
        "marks": [
            {
                "kind": mark.kind,
                "start_ms": _ms(mark.start_ns),
                "end_ms": _ms(mark.end_ns),
                "sentence": mark.sentence,
                "series": list(mark.series),
            }
            for mark in timeline.marks
        ],
        "chunks": {
            "times_ms": [_ms(t_ns) for t_ns in chunks.times_ns],
            "text_ends": list(chunks.text_ends),
            "thinking_ends": list(chunks.thinking_ends),
            "are_words_estimated": chunks.is_estimated,
            "is_token": chunks.is_token,
        },
        "series": {
            name: {
                "label": spec_of(name).label,
                "unit": spec_of(name).unit,
                "times_ms": [_ms(t_ns) for t_ns in one.times_ns],
                "values": [_rounded(v, 4) for v in one.values],
            }
            for name, one in timeline.series.items()
        },
    }


def _ms(t_ns: int) -> float:
    return round(t_ns / 1e6, 3)


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None or value - value != 0 else round(value, digits)
