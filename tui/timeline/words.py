"""Describes a timeline as text, for scripts and screen readers."""

from __future__ import annotations

from collections.abc import Iterator

from tui.core.text import format as fmt
from tui.timeline.binning import BinnedSeries, axis_of
from tui.timeline.record import Mark, Phase, Timeline
from tui.timeline.series import CPU_CLOCK, FREE_RAM, NPU_LOAD, OTHERS, RATE, SPECS

SECTIONS = 10
"""The rate is told for so many equal parts of the answer."""
MAX_MARKS = 200
SECTION_CURVES = (
    RATE, NPU_LOAD, "npu.freq", "soc.temp", "ddr.load", CPU_CLOCK, "ddr.freq", FREE_RAM, OTHERS,
)  # fmt: skip
"""What is told of each section."""
_UNCERTAIN = {True: "~", False: ""}


def timeline_words(timeline: Timeline) -> Iterator[str]:
    """Lines without their ends: how it went, its phases, its marks with their causes, its rate by
    sections with what the board did. All strings are sanitised."""
    yield head(timeline)
    yield from timeline.notes
    yield ""
    yield "Phases"
    yield from (f"  {phase_words(phase)}" for phase in timeline.phases)
    yield ""
    yield "What changed"
    if not timeline.marks:
        yield "  nothing"
    yield from (f"  {mark_words(mark)}" for mark in timeline.marks[:MAX_MARKS])
    if len(timeline.marks) > MAX_MARKS:
        yield f"  and {len(timeline.marks) - MAX_MARKS} more"
    sections = list(_sections(timeline))
    if sections:
        yield ""
        yield "Rate by sections"
        yield from (f"  {line}" for line in sections)


def head(timeline: Timeline) -> str:
    """Who answered, how it ended, how much, how fast, how long."""
    parts = [timeline.model or "model not known"]
    if timeline.is_simulated:
        parts.append("SIMULATED")
    parts.append(timeline.status or "running")
    if timeline.error is not None:
        parts[-1] += f": {timeline.error.sentence.rstrip('.')}"
    mark = _UNCERTAIN[timeline.is_rate_estimated]
    if timeline.tokens is not None:
        parts.append(f"{mark}{timeline.tokens} tokens")
    if timeline.decode_tps is not None:
        parts.append(f"{mark}{fmt.rate(timeline.decode_tps)} tok/s")
    parts.append(fmt.seconds(timeline.end_ns / 1e9))
    return ", ".join(parts)


def phase_words(phase: Phase) -> str:
    """``0.00 s to 1.25 s: prefill, 1.25 s``."""
    length = fmt.seconds((phase.end_ns - phase.start_ns) / 1e9)
    end = "now" if phase.is_open else at(phase.end_ns)
    return f"{at(phase.start_ns)} to {end}: {phase.name}, {length}"


def mark_words(mark: Mark) -> str:
    """When it began and ended, what it was, and its cause."""
    when = at(mark.start_ns)
    if mark.end_ns > mark.start_ns:
        when += f" to {'now' if mark.is_open else at(mark.end_ns)}"
    said = mark.sentence if mark.sentence.startswith(mark.kind) else f"{mark.kind}: {mark.sentence}"
    return f"{when}: {said}"


def at(t_ns: int) -> str:
    """A moment of the answer: 0.41 s, 12.3 s, from ten minutes on 10:04."""
    t_s = t_ns / 1e9
    if t_s < 0:
        return f"-{at(-t_ns)}"
    if t_s < 9.995:
        return f"{t_s:.2f} s"
    return f"{t_s:.1f} s" if t_s < 599.95 else fmt.clock(t_s)


def _sections(timeline: Timeline) -> Iterator[str]:
    times = timeline.chunks.times_ns
    if len(times) < 2 or RATE not in timeline.series:
        return
    axis = axis_of(times[0], max(times[-1], times[0] + 1), min(SECTIONS, len(times) - 1))
    binned = {
        name: BinnedSeries(axis, timeline.series[name])
        for name in SECTION_CURVES
        if name in timeline.series
    }
    for one in binned.values():
        one.update()
    for place in range(axis.count):
        told = [
            _range_words(name, one, place, is_rough=timeline.is_rate_estimated)
            for name, one in binned.items()
        ]
        known = [words for words in told if words]
        if known:
            start, end = axis.time_of(place), min(axis.time_of(place + 1), timeline.end_ns)
            yield f"{at(start)} to {at(end)}: {', '.join(known)}"


def _range_words(name: str, binned: BinnedSeries, place: int, *, is_rough: bool) -> str:
    """``NPU 86 % (80 to 90)``; the range only where there is one."""
    spec, found = SPECS[name], binned.at(place)
    if found.mean is None or found.low is None or found.high is None:
        return ""
    mean, low, high = (spec.shown(v) for v in (found.mean, found.low, found.high))
    spread = f" ({low} to {high})" if low != high else ""
    label = _UNCERTAIN[is_rough] if name == RATE else f"{spec.label} "
    return f"{label}{mean} {spec.unit}{spread}"
