"""One cell of the matrix: its answers as the transcript shows them."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType

from tui.core.screen.keys.lab import LAB_ANSWER_KEYS
from tui.core.text import format as fmt
from tui.core.text.glyphs import Glyphs
from tui.core.turn.result import EndState
from tui.lab.model.matrix import CellKey, LabAnswer
from tui.screens.lab.page import LabData, LabPage
from tui.widgets.chat.key_bar import HintOf
from tui.widgets.kit.bindings import bindings
from tui.widgets.kit.rows import Row, fit
from tui.widgets.kit.rows_panel import RowsPanel
from tui.widgets.lab.matrix import mark_of
from tui.widgets.transcript.style import MEANING_CSS
from tui.widgets.transcript.transcript import Transcript


class LabAnswerScreen(LabPage):
    """Every repetition of a cell, Markdown and thinking as in the chat. Left and Right show the
    same row of the other variants."""

    BINDINGS: ClassVar[list[BindingType]] = bindings(LAB_ANSWER_KEYS)
    HINTS = (
        HintOf("other variants", "lab.left", "lab.right"),
        HintOf("use its settings", "lab.use"),
        HintOf("copy", "transcript.copy"),
        HintOf("thinking", "transcript.thinking"),
        HintOf("back", "lab.back"),
        HintOf("help", "help"),
    )
    CSS = MEANING_CSS
    DEFAULT_CSS = """
    LabAnswerScreen #title { height: 1; }
    LabAnswerScreen Transcript { height: 1fr; }
    """

    def __init__(self, data: LabData, glyphs: Glyphs, cell: CellKey) -> None:
        super().__init__(data, glyphs)
        self._cell = cell

    def compose(self) -> ComposeResult:
        yield from self.compose_header()
        yield RowsPanel(self._title, self.glyphs, id="title")
        yield Transcript(self.glyphs, id="transcript", classes="ruled")
        yield from self.compose_keys()

    def on_mount(self) -> None:
        self.query_one(Transcript).focus()
        self.show_hints(self.HINTS)
        self._show()

    def _title(self, width: int, _: int) -> list[Row]:
        row, variant = self._cell
        return [fit(((f" {row}", "strong"), (f"  {variant}", "live")), width)]

    def _show(self) -> None:
        async def run() -> None:
            opened = await self.ask(self.session.poll)
            if opened is None:
                return
            transcript = self.query_one(Transcript)
            transcript.clear()
            for answer in opened.matrix.cell(*self._cell):
                transcript.past_turns.add(
                    answer.prompt,
                    thinking=answer.thinking,
                    answer=answer.text,
                    footer=footer_of(answer, self.glyphs),
                    state=state_of(answer),
                    error=None if answer.request is None else answer.request.error,
                )
            self.pull()
            self.call_after_refresh(transcript.show_row, 0)

        self.run_worker(run(), group="read", exclusive=True)

    def action_turn(self, step: int) -> None:
        async def run() -> None:
            opened = await self.ask(self.session.poll)
            names = [] if opened is None else [column.id for column in opened.matrix.columns]
            row, variant = self._cell
            at = names.index(variant) + step if variant in names else -1
            if 0 <= at < len(names):
                self._cell = (row, names[at])
                self._show()
            else:
                self.say("there are no more variants" if step > 0 else "this is the first variant")

        self.run_worker(run(), group="turn", exclusive=True)

    async def action_use(self) -> None:
        row, variant = self._cell
        settings = await self.ask(lambda: self.session.settings_of(variant, row))
        if settings is not None:
            self.post_message(self.Use(self, settings, variant))

    @on(Transcript.CopyRequested)
    def _copy(self, event: Transcript.CopyRequested) -> None:
        if event.text:
            self.say(self.data.copy(event.text, event.what))


def state_of(answer: LabAnswer) -> EndState:
    """How the transcript marks its end."""
    if answer.state == "ok":
        return "done"
    return "error" if answer.state == "failed" else "stopped"


def footer_of(answer: LabAnswer, glyphs: Glyphs) -> str:
    """The numbers and the checks of an answer in one line."""
    if answer.state == "waiting":
        return "not asked yet"
    sign = "~" if answer.is_count_estimated else ""
    words = [answer.status_word]
    words += [] if answer.tokens is None else [f"{sign}{answer.tokens} tokens"]
    if answer.rate_tps is not None:
        words.append(f"{'~' if answer.is_rate_estimated else ''}{fmt.rate(answer.rate_tps)} tok/s")
    if answer.ttft_ms is not None:
        words.append(f"TTFT {fmt.milliseconds(answer.ttft_ms)}")
    for check in answer.checks:
        if check.outcome in ("failed", "passed"):
            mark = mark_of(check.outcome == "passed", glyphs)
            detail = f" ({check.detail})" if check.outcome == "failed" else ""
            words.append(f"{mark} {check.id}{detail}")
    return "  ".join(words)
