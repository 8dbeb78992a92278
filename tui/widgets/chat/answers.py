"""The panel of the last answers: when, what was asked, and how fast it was answered."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from textual import events
from textual.message import Message

from tui.core.screen.footer import STATUS_WORDS
from tui.core.screen.last_answers import LastAnswer, slow_answers
from tui.core.text import format as fmt
from tui.core.text.glyphs import Glyphs
from tui.widgets.chat.speed import title_row
from tui.widgets.kit.grounds import GroundedRows, on_ground
from tui.widgets.kit.rows import Row, cut, row_width, spread

RATE_CELLS = 7
TIME_CELLS = 6


class AnswersPanel(GroundedRows):
    """Draws the newest ``count`` answers; ``key`` is the key that enlarges the panel."""

    @dataclass
    class Chosen(Message):
        """This answer was clicked."""

        answer: LastAnswer

    def __init__(
        self,
        answers: Callable[[], Sequence[LastAnswer]],
        glyphs: Glyphs,
        *,
        key: str = "",
        id: str | None = None,
    ) -> None:
        super().__init__(glyphs, id=id)
        self._answers = answers
        self._key = key
        self.count = 4
        self.chosen: int | None = None
        """The place of the answer that the keys chose; None where they do not choose."""

    def choose(self, step: int) -> None:
        """Chooses the next (1) or the previous (-1) answer."""
        last = min(len(self._answers()), self.count) - 1
        self.chosen = min(max((self.chosen or 0) + step, 0), max(last, 0))
        self.refresh_rows()

    def open_chosen(self) -> None:
        """Opens the chosen answer, like a click on it."""
        self._open(self.chosen or 0)

    def _open(self, place: int) -> None:
        found = self._answers()[: self.count]
        if 0 <= place < len(found):
            self.post_message(self.Chosen(found[place]))

    def build(self, width: int) -> Sequence[Row]:
        found, now_s = self._answers(), time.time()
        rows = answer_rows(found, width, self.count, self._glyphs, now_s, self.chosen)
        return [title_row("answers", self._key, (("tok/s", "dim"),), width), *rows]

    def on_click(self, event: events.Click) -> None:
        if 1 <= event.y <= min(len(self._answers()), self.count):
            event.stop()
            self._open(event.y - 1)


def answer_rows(
    answers: Sequence[LastAnswer],
    width: int,
    count: int,
    glyphs: Glyphs,
    now_s: float,
    chosen: int | None = None,
) -> list[Row]:
    """``count`` rows, the newest answer first; blank where there are no more. ``now_s``: seconds
    since 1970."""
    slow = slow_answers(answers)
    rows: list[Row] = []
    for place, one in enumerate(answers[:count]):
        rate = fmt.UNKNOWN if one.rate_tps is None else fmt.rate(one.rate_tps)
        if one.is_estimated and one.rate_tps is not None:
            rate = f"~{rate}"
        is_slow = place in slow
        right: Row = ((f"{rate:>{RATE_CELLS}}", "warn" if is_slow else "text"),)
        if is_slow:
            right = ((f" {f'! {rate}':>{RATE_CELLS}}", "warn"),)
        if one.status in STATUS_WORDS:
            # What was cut short is not told as if it were whole.
            role = "dim" if one.status == "stopped" else "warn"
            right = ((f" {STATUS_WORDS[one.status]}", role), *right)
        asked = fmt.UNKNOWN if one.asked_ms is None else short_time(one.asked_ms / 1000, now_s)
        # Where the keys choose, a sign stands in front of the time.
        sign = "" if chosen is None else f"{glyphs.closed if place == chosen else ' '} "
        when = f"{sign}{asked:<{TIME_CELLS}}"
        room = width - len(when) - row_width(right) - 1
        words = cut(((one.prompt, "strong" if place == chosen else "soft"),), room, glyphs)
        row = spread(((when, "live" if place == chosen else "dim"), *words), right, width)
        rows.append(on_ground(row, "selected", width) if place == chosen else row)
    if not answers:
        rows.append((("none yet", "dim"),))
    return rows + [()] * (count - len(rows))


def short_time(when_s: float, now_s: float) -> str:
    """In five cells: the time of day, ``yest.``, or the date. A time that no calendar has is
    unknown."""
    try:
        then, today = time.localtime(when_s), time.localtime(now_s)
        if then[:3] == today[:3]:
            return time.strftime("%H:%M", then)
        is_yesterday = then[:3] == time.localtime(now_s - 86_400)[:3]
        return "yest." if is_yesterday else time.strftime("%m-%d", then)
    except (OverflowError, ValueError, OSError):
        return fmt.UNKNOWN
