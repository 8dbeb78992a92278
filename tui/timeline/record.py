"""Record of an answer over time: curves, chunks, phases and marks, for screens, reports and files.

All times are ns from the moment at which the request was sent. They may lie before it (a prompt
that waited for a busy server) but never outside of ``start_ns`` .. ``end_ns``.

Made by :class:`tui.timeline.builder.TimelineBuilder`, from a running turn
(:mod:`tui.timeline.live`) or from what is stored (:mod:`tui.timeline.stored`).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from tui.core.types import SegmentKind, TurnError, TurnStatus

PhaseName = Literal["queued", "loading", "prefill", "thinking", "answer", "code"]
"""What an answer does. ``code`` is the part of the answer inside fenced code blocks; ``loading``
is a wait for the first token that holds the load of the model, as far as the server tells."""

MarkKind = Literal["throttled", "clock", "program", "memory", "slow", "stopped", "limit", "error"]
"""What changed.

=========  ========================================================================================
throttled  the board lowered its clocks because of heat, or a limit is set
clock      a clock fell below its own highest of this answer, without throttling
program    another program took much CPU time
memory     the kernel reports memory pressure, or nearly no RAM was left
slow       one token took far longer than usual (the gap before it)
stopped    the user stopped the answer
limit      the answer ended at the token limit
error      it was interrupted, refused, or failed
=========  ========================================================================================
"""

TROUBLES: frozenset[MarkKind] = frozenset(
    ("throttled", "clock", "program", "memory", "slow", "error")
)
"""Kinds of marks that "next trouble" goes to."""


@dataclass(frozen=True, slots=True)
class Series:
    """One curve: values with their times, ``values[n]`` at ``times_ns[n]``; NaN where the reading
    was absent, so that a gap stays a gap. Times never fall.

    ``name`` is that of :data:`tui.timeline.series.SPECS`, which has label, unit and digits.
    """

    name: str
    times_ns: Sequence[int]
    values: Sequence[float]

    def __len__(self) -> int:
        return len(self.values)

    def at(self, t_ns: int, max_age_ns: int) -> float | None:
        """The last value at or before ``t_ns``; None where it is older than ``max_age_ns``, or was
        absent."""
        place = bisect_right(self.times_ns, t_ns) - 1
        if place < 0 or t_ns - self.times_ns[place] > max_age_ns:
            return None
        value = self.values[place]
        return value if value == value else None


@dataclass(frozen=True, slots=True)
class Chunks:
    """The pieces in which the answer came, one token each where ``is_token``.

    ``times_ns[n]`` is when chunk ``n`` arrived (never falls); ``text_ends[n]`` and
    ``thinking_ends[n]`` how many characters of :attr:`Timeline.text` and
    :attr:`Timeline.thinking` there were after it. ``is_estimated``: nobody recorded which words a
    chunk brought, and they are spread evenly over the chunks.
    """

    times_ns: Sequence[int]
    text_ends: Sequence[int]
    thinking_ends: Sequence[int]
    is_estimated: bool = False
    is_token: bool = True

    def __len__(self) -> int:
        return len(self.times_ns)

    def at(self, t_ns: int) -> int | None:
        """The last chunk that had arrived at ``t_ns``; None before the first."""
        place = bisect_right(self.times_ns, t_ns) - 1
        return place if place >= 0 else None

    def between(self, start_ns: int, end_ns: int) -> range:
        """The chunks that arrived from ``start_ns`` on and before ``end_ns``."""
        return range(bisect_left(self.times_ns, start_ns), bisect_left(self.times_ns, end_ns))

    def span(self, kind: SegmentKind, first: int, after: int) -> tuple[int, int]:
        """Which characters of the text or the thinking the chunks ``first`` up to, but not with,
        ``after`` brought; the two are equal where they brought none."""
        ends = self.text_ends if kind == "text" else self.thinking_ends
        first, after = max(first, 0), min(after, len(ends))
        start = ends[first - 1] if 0 < first <= len(ends) else 0
        return start, ends[after - 1] if after > first else start

    def of_offset(self, kind: SegmentKind, offset: int) -> int | None:
        """The chunk that brought the character at ``offset`` of the text or the thinking; the last
        one for what is beyond; None where there are no chunks."""
        ends = self.text_ends if kind == "text" else self.thinking_ends
        if not ends:
            return None
        return min(bisect_right(ends, max(offset, 0)), len(ends) - 1)


@dataclass(frozen=True, slots=True)
class Phase:
    """A period of the answer with one activity. ``is_open``: it still goes on."""

    name: PhaseName
    start_ns: int
    end_ns: int
    is_open: bool = False


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that changed, from ``start_ns`` to ``end_ns``, with its cause in words: a sentence
    without a full stop. ``series`` are the curves that show it."""

    kind: MarkKind
    start_ns: int
    end_ns: int
    sentence: str
    series: tuple[str, ...] = ()
    is_open: bool = False

    @property
    def is_trouble(self) -> bool:
        return self.kind in TROUBLES


@dataclass(frozen=True, slots=True)
class Timeline:
    """An answer from its request to its end. All strings are sanitised.

    A timeline of a running answer shares its growing columns with the builder that made it: it is
    valid until the builder takes more.
    """

    prompt: str
    model: str
    start_ns: int
    end_ns: int
    """Of the axis: the end of the answer, or what is known so far."""
    thinking: str
    text: str
    chunks: Chunks
    series: Mapping[str, Series]
    """By name; only those that have a value somewhere."""
    phases: tuple[Phase, ...] = ()
    """In order, without overlap; together they cover the axis as far as it is known."""
    marks: tuple[Mark, ...] = ()
    """By their start."""
    status: TurnStatus | None = None
    """How it ended; None while it runs."""
    error: TurnError | None = None
    tokens: int | None = None
    decode_tps: float | None = None
    is_rate_estimated: bool = True
    created_ms: int | None = None
    """ms since 1970 at which it was asked; None is not known."""
    is_simulated: bool = False
    notes: tuple[str, ...] = field(default=())
    """What a reader should know of the times, a sentence each."""

    @property
    def is_running(self) -> bool:
        return self.status is None

    @property
    def span_ns(self) -> int:
        """Length of the axis; at least 1."""
        return max(self.end_ns - self.start_ns, 1)

    def characters(self, kind: SegmentKind) -> str:
        """The text, or the thinking."""
        return self.text if kind == "text" else self.thinking

    def kind_of(self, chunk: int) -> SegmentKind:
        """Whether a chunk brought text or thinking: text where it brought some of both."""
        start, end = self.chunks.span("text", chunk, chunk + 1)
        if end > start or not self.thinking:
            return "text"
        thinking = self.chunks.span("thinking", chunk, chunk + 1)
        if thinking[1] > thinking[0]:
            return "thinking"
        return "text" if start else "thinking"

    def words(self, first: int, after: int) -> str:
        """What the chunks ``first`` up to, but not with, ``after`` wrote: thinking, then text."""
        pieces = []
        kinds: tuple[SegmentKind, ...] = ("thinking", "text")
        for kind in kinds:
            start, end = self.chunks.span(kind, first, after)
            pieces.append(self.characters(kind)[start:end])
        return "".join(pieces)

    def phase_at(self, t_ns: int) -> Phase | None:
        """The phase at that moment."""
        return next((p for p in self.phases if p.start_ns <= t_ns < p.end_ns), None) or next(
            (p for p in reversed(self.phases) if p.start_ns <= t_ns <= p.end_ns), None
        )

    def marks_at(self, start_ns: int, end_ns: int | None = None) -> tuple[Mark, ...]:
        """The marks that touch that moment, or that stretch."""
        end_ns = start_ns if end_ns is None else end_ns
        return tuple(m for m in self.marks if m.start_ns <= end_ns and m.end_ns >= start_ns)

    def next_trouble(self, t_ns: int, step: int = 1) -> Mark | None:
        """The next trouble that begins after ``t_ns``, or the last one that began before it."""
        if step > 0:
            return next((m for m in self.marks if m.is_trouble and m.start_ns > t_ns), None)
        before = (m for m in reversed(self.marks) if m.is_trouble and m.start_ns < t_ns)
        return next(before, None)

    def held(self, t_ns: int) -> int:
        """That moment, or the nearest one on the axis."""
        return min(max(t_ns, self.start_ns), self.end_ns)
