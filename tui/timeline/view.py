"""State of a timeline view: visible range, crosshair, selection, and what it is compared with.

Positions on the axis are whole numbers: ns from the request, or, on an axis of tokens,
:data:`~tui.timeline.binning.TOKEN_STEPS` from one token to the next.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from typing import Literal

from tui.core.types import SegmentKind
from tui.timeline.binning import TOKEN_STEPS, TimeAxis, axis_of, token_place
from tui.timeline.record import Mark, Timeline
from tui.timeline.series import GAP, RATE

AxisUnit = Literal["time", "token"]
ZOOM = 2.0
LEAST_NS, LEAST_TOKENS = 20_000_000, 8
SHIFT_SHARE = 0.25
LADDER_S = (5, 7, 10, 15, 20, 30, 45, 60, 90, 120, 180, 240, 300, 450, 600, 900, 1200, 1800, 2700,
            3600)  # fmt: skip
"""Lengths of the axis while an answer grows: it is drawn anew at each step only."""
_WORD = re.compile(r"\S+\s*")


@dataclass(frozen=True, slots=True)
class Selection:
    """A stretch that was chosen, with what lies in it."""

    start_ns: int
    end_ns: int
    chunks: range


class TimelineView:
    """View state of one timeline; for one thread.

    ``is_following``: the crosshair stays at the newest token of an answer that runs.
    """

    def __init__(self, timeline: Timeline) -> None:
        self.timeline = timeline
        self.other: Timeline | None = None
        """The answer that it is compared with."""
        self.unit: AxisUnit = "time"
        self.is_following = timeline.is_running
        self._window: tuple[int, int] | None = None
        """None is the whole answer."""
        self._cursor_ns = timeline.end_ns
        self._anchor_ns: int | None = None
        times = timeline.chunks.times_ns
        self.move_to(times[-1] if timeline.is_running and times else _begin(timeline))
        self.is_following = timeline.is_running

    # What is shown --------------------------------------------------------------------------

    @property
    def cursor_ns(self) -> int:
        """Where the crosshair stands."""
        return self._cursor_ns

    @property
    def chunk(self) -> int | None:
        """The last chunk that had come at the crosshair."""
        return self.timeline.chunks.at(self._cursor_ns)

    def show(self, timeline: Timeline) -> None:
        """Updates the timeline of the same answer."""
        self.timeline = timeline
        if not timeline.is_running:
            if self.is_following and len(timeline.chunks):
                self._cursor_ns = timeline.chunks.times_ns[-1]
            self.is_following = False
        if self.is_following:
            times = timeline.chunks.times_ns
            self._cursor_ns = times[-1] if times else timeline.end_ns
            self._slide()

    def compare(self, other: Timeline | None) -> None:
        """Lay another answer on the same axis, or none."""
        self.other = other
        self._window = None

    def use_unit(self, unit: AxisUnit) -> None:
        """An axis of time, or of tokens."""
        if unit != self.unit:
            self.unit, self._window = unit, None

    def place_of(self, timeline: Timeline, t_ns: int) -> int:
        """Where that time of an answer stands on the axis."""
        if self.unit == "time":
            return t_ns
        return token_place(timeline.chunks.times_ns)(t_ns)

    def time_of(self, place: int) -> int:
        """The time of a position on the axis, of the first answer."""
        if self.unit == "time":
            return self.timeline.held(place)
        times = self.timeline.chunks.times_ns
        if not times:
            return self.timeline.start_ns
        number, step = divmod(max(place, 0), TOKEN_STEPS)
        if number >= len(times) - 1:
            return times[-1]
        return times[number] + (times[number + 1] - times[number]) * step // TOKEN_STEPS

    def extent(self) -> tuple[int, int]:
        """First and last position of all that is shown."""
        shown = [self.timeline] if self.other is None else [self.timeline, self.other]
        if self.unit == "token":
            longest = max(max(len(one.chunks) for one in shown), 2)
            return 0, (longest - 1) * TOKEN_STEPS
        start = min(one.start_ns for one in shown)
        end = max(one.end_ns for one in shown)
        if self.timeline.is_running:
            end = max(end, start + _step_above(end - start))
        return start, max(end, start + 1)

    def bounds(self) -> tuple[int, int]:
        """First and last position of the stretch that is looked at."""
        return self.extent() if self._window is None else self._window

    def axis(self, count: int) -> TimeAxis:
        """That stretch in so many bins."""
        return axis_of(*self.bounds(), count)

    # The crosshair --------------------------------------------------------------------------

    def move_to(self, t_ns: int) -> None:
        """The crosshair to that moment, which comes into view."""
        self._cursor_ns = self.timeline.held(t_ns)
        self.is_following = False
        self._bring_into_view()

    def step_tokens(self, step: int) -> None:
        """To the next token, or the one before; before the first token, to the next sample of the
        board."""
        times = self.timeline.chunks.times_ns
        now_ns = self._cursor_ns
        if times and (now_ns > times[0] or (step > 0 and now_ns >= times[0])):
            number = bisect_right(times, now_ns) - 1
            if step > 0 or times[number] == now_ns:
                number = self._past_equals(number, step)
            self.move_to(times[min(max(number, 0), len(times) - 1)])
            if step < 0 and self._cursor_ns == now_ns:
                self._step_samples(step)
            return
        self._step_samples(step)

    def _past_equals(self, number: int, step: int) -> int:
        """The next chunk that came at another time: those of one read are passed together."""
        times = self.timeline.chunks.times_ns
        at_ns = times[number] if number >= 0 else None
        number += step
        while 0 <= number < len(times) and times[number] == at_ns:
            number += step
        return number

    def _step_samples(self, step: int) -> None:
        timeline, now_ns = self.timeline, self._cursor_ns
        times = timeline.chunks.times_ns
        first_ns = times[0] if times else timeline.end_ns
        stops = {timeline.start_ns, 0, first_ns}
        board = next((s for name, s in timeline.series.items() if name not in (RATE, GAP)), None)
        if board is not None:
            last = bisect_right(board.times_ns, first_ns)
            stops.update(board.times_ns[:last])
        found = sorted(t_ns for t_ns in stops if timeline.start_ns <= t_ns <= first_ns)
        if step > 0:
            self.move_to(next((t_ns for t_ns in found if t_ns > now_ns), first_ns))
        else:
            self.move_to(next((t_ns for t_ns in reversed(found) if t_ns < now_ns), found[0]))

    def step_words(self, step: int) -> None:
        """To the chunk that began the next word, or the one before."""
        chunk = self.chunk
        if chunk is None:
            self.step_tokens(step)
            return
        kind = self.timeline.kind_of(chunk)
        text = self.timeline.characters(kind)
        start, end = self.timeline.chunks.span(kind, chunk, chunk + 1)
        start += len(text[start:end]) - len(text[start:end].lstrip())
        offset = _next_word(text, start) if step > 0 else _word_before(text, start)
        if offset is None:
            self.step_tokens(step)
            return
        found = self.timeline.chunks.of_offset(kind, offset)
        if found is None or (found - chunk) * step <= 0:
            self.step_tokens(step)
        else:
            self.move_to(self.timeline.chunks.times_ns[found])

    def step_page(self, step: int) -> None:
        """By a tenth of what is in view."""
        low, high = self.bounds()
        place = self.place_of(self.timeline, self._cursor_ns)
        self.move_to(self.time_of(place + step * max((high - low) // 10, 1)))

    def to_start(self) -> None:
        self.move_to(self.timeline.start_ns)

    def to_end(self) -> None:
        """To the end, and follow an answer that runs."""
        times = self.timeline.chunks.times_ns
        is_running = self.timeline.is_running
        self.move_to(times[-1] if is_running and times else self.timeline.end_ns)
        self.is_following = is_running

    def to_trouble(self, step: int) -> Mark | None:
        """To the next trouble, or the one before; after the last one, to the first."""
        found = self.timeline.next_trouble(self._cursor_ns, step)
        if found is None:
            ends = self.timeline.start_ns - 1 if step > 0 else self.timeline.end_ns + 1
            found = self.timeline.next_trouble(ends, step)
        if found is not None:
            self.move_to(found.start_ns)
        return found

    def to_offset(self, kind: SegmentKind, offset: int) -> None:
        """To the chunk that wrote this character."""
        chunk = self.timeline.chunks.of_offset(kind, offset)
        if chunk is not None:
            self.move_to(self.timeline.chunks.times_ns[chunk])

    # The stretch ----------------------------------------------------------------------------

    def zoom(self, step: int) -> None:
        """Half as much around the crosshair, or twice as much."""
        low, high = self.bounds()
        first, last = self.extent()
        least = LEAST_NS if self.unit == "time" else LEAST_TOKENS * TOKEN_STEPS
        span = round((high - low) / ZOOM) if step > 0 else round((high - low) * ZOOM)
        span = max(span, min(least, last - first))
        if span >= last - first:
            self._window = None
            return
        place = self.place_of(self.timeline, self._cursor_ns)
        share = min(max((place - low) / (high - low), 0.0), 1.0)
        self._put_window(place - round(share * span), span)

    def show_all(self) -> None:
        """The whole answer."""
        self._window = None

    def _put_window(self, start: int, span: int) -> None:
        first, last = self.extent()
        start = max(min(start, last - span), first)
        self._window = (start, start + span)

    def _bring_into_view(self) -> None:
        if self._window is None:
            return
        low, high = self._window
        place = self.place_of(self.timeline, self._cursor_ns)
        if not low <= place <= high:
            self._put_window(place - (high - low) // 2, high - low)

    def _slide(self) -> None:
        """The window goes with an answer that runs, in steps: most frames change its end only."""
        if self._window is None:
            return
        low, high = self._window
        place = self.place_of(self.timeline, self._cursor_ns)
        if place > high:
            span = high - low
            self._put_window(place - round((1 - SHIFT_SHARE) * span), span)

    # The selection --------------------------------------------------------------------------

    @property
    def is_selecting(self) -> bool:
        return self._anchor_ns is not None

    def select_from(self, t_ns: int | None) -> None:
        """The selection begins there and ends at the crosshair; None ends it."""
        self._anchor_ns = None if t_ns is None else self.timeline.held(t_ns)

    @property
    def selection(self) -> Selection | None:
        """What is selected: both ends belong to it."""
        if self._anchor_ns is None:
            return None
        start_ns, end_ns = sorted((self._anchor_ns, self._cursor_ns))
        return Selection(start_ns, end_ns, self.timeline.chunks.between(start_ns, end_ns + 1))


def _begin(timeline: Timeline) -> int:
    """Where the crosshair stands first: at the first trouble, else at the first token."""
    trouble = timeline.next_trouble(timeline.start_ns - 1)
    if trouble is not None:
        return trouble.start_ns
    return timeline.chunks.times_ns[0] if len(timeline.chunks) else timeline.start_ns


def _step_above(span_ns: int) -> int:
    for seconds in LADDER_S:
        if span_ns < seconds * 1_000_000_000 * 0.98:
            return seconds * 1_000_000_000
    return span_ns * 5 // 4 // 600_000_000_000 * 600_000_000_000 + 600_000_000_000


def _next_word(text: str, start: int) -> int | None:
    """Where the word after the one at ``start`` begins."""
    match = _WORD.match(text, start)
    after = start if match is None else match.end()
    while after < len(text) and text[after].isspace():
        after += 1
    return after if start < after < len(text) else None


def _word_before(text: str, start: int) -> int | None:
    """Where the word before the one at ``start`` begins."""
    if start <= 0:
        return None
    # What stands directly before without a blank is the same word.
    end = start
    while end > 0 and text[end - 1].isspace():
        end -= 1
    if end == 0:
        return None
    while end > 0 and not text[end - 1].isspace():
        end -= 1
    return end
