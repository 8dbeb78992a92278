"""Answers side by side, each with its numbers."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical

from tui.core.screen.keys.history import ANSWERS_KEYS
from tui.core.text.glyphs import Glyphs
from tui.history.records import StoredTurn
from tui.history.turn_json import stored_result
from tui.screens.history.page import HistoryData, HistoryPage
from tui.widgets.chat.key_bar import HintOf
from tui.widgets.history.numbers import number_rows
from tui.widgets.history.rows import title_row
from tui.widgets.kit.bindings import bindings
from tui.widgets.kit.rows import Row, Rows
from tui.widgets.kit.rows_panel import RowsPanel
from tui.widgets.transcript.style import MEANING_CSS
from tui.widgets.transcript.transcript import Transcript

MIN_COLUMN_CELLS = 38
MAX_COLUMNS = 3


class AnswersScreen(HistoryPage):
    """As many columns as the width has room for; Left and Right show the other answers."""

    BINDINGS: ClassVar[list[BindingType]] = bindings(ANSWERS_KEYS)
    HINTS = (
        HintOf("scroll all", "answers.up", "answers.down", is_short=True),
        HintOf("other answers", "answers.left", "answers.right", is_short=True),
        HintOf("timelines", "answers.timeline"),
        HintOf("back", "answers.back"),
        HintOf("help", "help"),
    )
    CSS = MEANING_CSS
    DEFAULT_CSS = """
    AnswersScreen #title { height: 1; }
    AnswersScreen #columns { height: 1fr; }
    AnswersScreen .column { width: 1fr; border-left: solid $rule; padding: 0 1; }
    AnswersScreen.-ascii .column { border-left: ascii $rule; }
    AnswersScreen Transcript { height: 1fr; }
    """

    def __init__(self, data: HistoryData, glyphs: Glyphs, turns: Sequence[int]) -> None:
        super().__init__(data, glyphs)
        self._turns = tuple(turns)
        self._answers: list[StoredTurn] = []
        self._prompts: dict[int, str] = {}
        self._is_one_prompt = True
        self._first = 0

    def compose(self) -> ComposeResult:
        yield from self.compose_header()
        yield RowsPanel(self._title, self.glyphs, id="title")
        yield Horizontal(id="columns", classes="ruled")
        yield from self.compose_keys()

    def on_mount(self) -> None:
        async def run() -> None:
            found = await self.ask(lambda: self.history.answers(self._turns)) or []
            self._answers = [one.answer for one in found]
            self._prompts = {one.answer.id: one.prompt for one in found}
            self._is_one_prompt = len(set(self._prompts.values())) == 1
            await self._show_columns()

        self.run_worker(run(), group="read", exclusive=True)

    def on_resize(self) -> None:
        if self._answers:
            self.run_worker(self._show_columns(), group="columns", exclusive=True)

    @property
    def _count(self) -> int:
        """How many columns there are room and answers for."""
        room = max(1, min(MAX_COLUMNS, self.app.size.width // MIN_COLUMN_CELLS))
        return min(room, len(self._answers))

    def _title(self, width: int, _: int) -> list[Row]:
        """Which of the answers are in view."""
        count, last = len(self._answers), self._first + self._count
        shown = f"{self._first + 1} to {last}" if self._count > 1 else f"{last}"
        return [title_row("answers side by side", f"{shown} of {count}" if count else "", width)]

    def _numbers(self, answer: StoredTurn, width: int, _: int) -> list[Row]:
        """The numbers of one answer beside those of the first."""
        return number_rows(answer, self._answers[0], width)

    async def _show_columns(self) -> None:
        columns = self.query_one("#columns")
        self._first = max(0, min(self._first, len(self._answers) - self._count))
        await columns.remove_children()
        for answer in self._answers[self._first : self._first + self._count]:
            transcript = Transcript(self.glyphs)
            await columns.mount(
                Vertical(
                    RowsPanel(partial(self._numbers, answer), self.glyphs),
                    transcript,
                    classes="column",
                )
            )
            failure = None if answer.error is None else answer.error.sentence
            transcript.past_turns.add(
                "" if self._is_one_prompt else self._prompts[answer.id],
                thinking=answer.thinking,
                answer=answer.text,
                state=stored_result(answer).end_state,
                error=failure,
                label="",
            )
        self.call_after_refresh(self._to_start)
        self.query_one("#title", Rows).refresh_rows()

    def _to_start(self) -> None:
        for transcript in self.query(Transcript):
            transcript.show_row(0)

    # Keys -----------------------------------------------------------------------------------

    def action_turn(self, step: int) -> None:
        last = len(self._answers) - self._count
        if 0 <= self._first + step <= last:
            self._first += step
            self.run_worker(self._show_columns(), group="columns", exclusive=True)
        else:
            self.say("there are no more answers" if step > 0 else "this is the first answer")

    def action_timeline(self) -> None:
        """Of the first answer in view, with the one beside it on the same axis."""
        answers = [answer for answer in self._answers if answer.role == "assistant"]
        if answers:
            labels = [_label(answer) for answer in answers]
            compared = self._first + 1 if self._first + 1 < len(answers) else None
            numbers = [answer.id for answer in answers]
            self.post_message(self.OpenTimelines(self, numbers, labels, self._first, compared))

    def action_move(self, rows: int) -> None:
        for transcript in self.query(Transcript):
            transcript.scroll_rows(rows)

    def action_page(self, pages: int) -> None:
        for transcript in self.query(Transcript):
            transcript.scroll_pages(pages)


def _label(answer: StoredTurn) -> str:
    """Which answer it is, by who gave it and how it begins."""
    model = "" if answer.origin is None else answer.origin.model
    return f"{model} {' '.join(answer.text.split())}".strip()
