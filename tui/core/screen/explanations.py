"""Explains each figure of the dashboard: exact value, source and formula.

The formulae are those of the glossary: one table for both.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from tui.core.board.reading import Snapshot
from tui.core.screen.glossary import GLOSSARY
from tui.core.text import format as fmt
from tui.core.turn.turn_stats import TurnStats
from tui.core.types import NumberSource

PanelName = Literal["speed", "npu", "memory", "board", "answers"]
PANELS: tuple[PanelName, ...] = ("speed", "npu", "memory", "board", "answers")
_FORMULAE = dict(GLOSSARY)
SOURCE_WORDS: Mapping[NumberSource, str] = {
    "measured": "measured by npulse at the socket",
    "runtime": "reported by the runtime, unit checked",
    "estimated": "~ estimated by npulse",
    "unknown": "not known",
}


@dataclass(frozen=True, slots=True)
class Explanation:
    """One figure. ``value`` is as exact as it is known, ``source`` a clause, ``formula`` a sentence
    of the glossary or empty."""

    name: str
    value: str
    source: str
    formula: str = ""


def figure(name: str, value: float | None, unit: str, source: str, term: str = "") -> Explanation:
    """One figure; its formula is that of the glossary's ``term``, or of its name."""
    shown = fmt.UNKNOWN if value is None else f"{value:.6g} {unit}".rstrip()
    return Explanation(name, shown, source, _FORMULAE.get(term or name, ""))


def speed_explanations(stats: TurnStats | None) -> list[Explanation]:
    """The figures of the panel of the rate."""
    if stats is None:
        return []
    ttft = SOURCE_WORDS[stats.ttft_source]
    if stats.ttft_includes:
        ttft += f"; with {', '.join(stats.ttft_includes)}"
    tokens = SOURCE_WORDS[stats.tokens_source]
    gaps = f"measured: {max(stats.chunks - 1, 0)} gaps between chunks"
    middle = None if not stats.itl_p50_ms else 1000 / stats.itl_p50_ms
    found = [
        figure("tok/s", stats.decode_tps, "tok/s", SOURCE_WORDS[stats.decode_source]),
        figure("now", stats.rate_now_tps, "tok/s", "over the last 3 s or 8 gaps"),
        figure("median", middle, "tok/s", "one second by the median gap"),
        figure("TTFT", stats.ttft_ms, "ms", ttft),
        figure("prefill", stats.prefill_tps, "tok/s", SOURCE_WORDS[stats.prefill_source]),
        figure("p50", stats.itl_p50_ms, "ms", gaps, "p50/p99"),
        figure("p99", stats.itl_p99_ms, "ms", gaps, "ITL"),
        figure("tokens", stats.tokens, "", tokens, "token"),
        figure("context", stats.context_used, "tokens", SOURCE_WORDS[stats.context_source]),
    ]
    if stats.runtime_decode_tps is not None:
        found.insert(
            1,
            figure("runtime", stats.runtime_decode_tps, "tok/s", SOURCE_WORDS["runtime"], "decode"),
        )
    if not stats.phase.is_over:
        found.append(figure("ETA", stats.eta_s, "s", "until the limit of tokens, at most"))
    return found


_READINGS: Mapping[PanelName, tuple[tuple[str, str, str], ...]] = {
    "npu": (
        ("npu.load", "NPU load", ""),
        ("npu.freq", "NPU clock", ""),
        ("npu.max_freq", "NPU at most", ""),
        ("npu.temp", "NPU heat", ""),
        ("npu.governor", "governor", "governor"),
        ("npu.driver", "driver", ""),
    ),
    "memory": (
        ("ram.total", "RAM total", ""),
        ("ram.available", "RAM free", "RAM free"),
        ("ram.model", "RAM of model", "RAM of model"),
        ("psi.memory", "pressure", "memory pressure"),
    ),
    "board": (
        ("ddr.freq", "DDR clock", ""),
        ("ddr.load", "DDR load", ""),
        ("ddr.peak_bandwidth", "DDR at most", "DDR at most"),
        ("soc.temp", "SoC heat", ""),
        ("thermal.trip_passive", "slows at", "throttled"),
        ("npulse.cpu", "npulse CPU", ""),
        ("npulse.rss", "npulse RAM", ""),
    ),
}
"""Reading, name and term of the glossary."""


def reading_explanations(panel: PanelName, snapshot: Snapshot | None) -> list[Explanation]:
    """The readings behind a panel of the board, as the board gave them."""
    if snapshot is None:
        return []
    found = []
    for reading_id, name, term in _READINGS.get(panel, ()):
        reading = snapshot.get(reading_id)
        value = reading.value
        parts = value if isinstance(value, tuple) else (value,)
        shown = ", ".join(map(_raw, parts))
        unit = f" {reading.unit}" if reading.unit and value is not None else ""
        source = reading.reason or reading.source or reading_id
        found.append(Explanation(name, shown + unit, source, _FORMULAE.get(term, "")))
    return found


def board_explanations(snapshot: Snapshot | None) -> list[Explanation]:
    """The main readings of the whole board; those that stand in two panels once."""
    found = [one for panel in PANELS for one in reading_explanations(panel, snapshot)]
    return list(dict.fromkeys(found))


def _raw(value: float | str | None) -> str:
    if isinstance(value, float):
        return f"{value:.10g}"
    return fmt.UNKNOWN if value is None else f"{value}"
