"""A person judges pairs of answers, blind if wanted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll

from tui.core.screen.keys.lab import JUDGE_KEYS
from tui.core.text.glyphs import Glyphs
from tui.core.text.sanitize import clean_line
from tui.lab.model.differences import differing_all
from tui.lab.model.judgement import Judgement, Pair, Verdict
from tui.lab.model.matrix import LabAnswer
from tui.lab.model.screen import OpenLab
from tui.screens.lab.page import LabData, LabPage
from tui.widgets.bench.parts import folded
from tui.widgets.chat.key_bar import HintOf
from tui.widgets.kit.bindings import bindings
from tui.widgets.kit.fields import LineField
from tui.widgets.kit.rows import Row, Rows, fit, spread
from tui.widgets.kit.rows_panel import RowsPanel
from tui.widgets.lab.sides import beside, column_width, said, side_rows

STACKED = 76
"""Below so many columns the answers stand one below the other."""


@dataclass(frozen=True, slots=True)
class Shown:
    """The pair on screen."""

    pair: Pair
    left: LabAnswer
    right: LabAnswer


class LabJudgeScreen(LabPage):
    """One pair after the other; the names come after the verdict where it is blind."""

    AUTO_FOCUS = ""
    BINDINGS: ClassVar[list[BindingType]] = bindings(JUDGE_KEYS)
    HINTS = (
        HintOf("left is better", "judge.left"),
        HintOf("right is better", "judge.right"),
        HintOf("the same", "judge.same"),
        HintOf("note", "judge.note"),
        HintOf("blind", "judge.blind"),
        HintOf("back", "judge.back"),
        HintOf("help", "help"),
    )
    DEFAULT_CSS = """
    LabJudgeScreen #title { height: 4; margin-top: 1; }
    LabJudgeScreen #words { height: 1fr; scrollbar-size-vertical: 1; }
    LabJudgeScreen #note { display: none; height: 1; border: none; padding: 0 1; dock: bottom; }
    LabJudgeScreen #note.-open { display: block; }
    """

    def __init__(self, data: LabData, glyphs: Glyphs) -> None:
        super().__init__(data, glyphs)
        self._opened: OpenLab | None = None
        self._pairs: Sequence[Pair] = ()
        self._pass = 1
        self._at = 0
        self._is_blind = True
        self._note = ""
        self._is_keeping = False
        self._has_read = False

    def compose(self) -> ComposeResult:
        yield from self.compose_header()
        yield RowsPanel(self._title, self.glyphs, id="title")
        with VerticalScroll(id="words", classes="ruled", can_focus=False):
            yield RowsPanel(self._words, self.glyphs, id="word-rows")
        yield LineField(placeholder="a note for the next verdict; Enter keeps it", id="note")
        yield from self.compose_keys()

    def on_mount(self) -> None:
        self.run_worker(self._read(), group="read", exclusive=True)

    async def _read(self) -> None:
        opened = await self.ask(self.session.poll)
        if opened is None:
            return
        found = await self.ask(lambda: self.session.pairs(opened.run_id))
        self._opened = opened
        if found is not None:
            self._pairs, self._pass = found
        self._has_read = True
        self._draw()

    def _draw(self) -> None:
        self.query_one("#word-rows", Rows).refresh(layout=True)
        self.query_one("#words").scroll_home(animate=False)
        self.pull()

    @property
    def shown(self) -> Shown | None:
        """The pair to be judged; None where nothing is left."""
        if self._opened is None or self._at >= len(self._pairs):
            return None
        pair, matrix = self._pairs[self._at], self._opened.matrix
        left, right = (matrix.cell(pair.row, name)[pair.rep] for name in (pair.left, pair.right))
        return Shown(pair, left, right)

    def _title(self, width: int, _: int) -> list[Row]:
        shown = self.shown
        if shown is None:
            if not self._has_read:
                return [((" reading ...", "strong"), ("", "dim")), (), (), ()]
            words = "every pair is judged" if self._pairs else "no case has answers of two variants"
            key = self.key("judge.back")
            more = f"  {key} goes back" if key else ""
            return [((f" {words}", "strong"), (more, "dim")), (), (), ()]
        blind = "blind: names are hidden until you have judged" if self._is_blind else "names shown"
        left: Row = (
            (f" pair {self._at + 1} of {len(self._pairs)}, pass {self._pass}", "strong"),
            (f"  {blind}", "soft"),
        )
        note: Row = ((f"note: {clean_line(self._note, 30)} ", "live"),) if self._note else ()
        asked = folded(clean_line(shown.left.prompt, 400), width - 2)
        rows = [spread(left, note, width)]
        rows += [fit(((f" {line}", "dim"),), width) for line in asked[:2]]
        rows += [()] * (3 - len(rows))
        rows.append(self._names(shown.pair, width))
        return rows

    def _names(self, pair: Pair, width: int) -> Row:
        names = ("left", "right") if self._is_blind else (pair.left, pair.right)
        if width < STACKED:
            return ((f" {names[0]} above, {names[1]} below", "strong"),)
        each = column_width(width, 2)
        columns: list[list[Row]] = [[((f" {clean_line(name, 60)}", "strong"),)] for name in names]
        return beside(columns, each, " ")[0]

    def _words(self, width: int, _: int) -> Sequence[Row]:
        shown = self.shown
        if shown is None:
            return [()]
        texts = [said(shown.left), said(shown.right)]
        places = differing_all(texts)
        is_stacked = width < STACKED
        each = width - 2 if is_stacked else column_width(width, 2) - 1
        columns = [
            [((" ", "text"), *row) for row in side_rows(text, marked, each)]
            for text, marked in zip(texts, places, strict=True)
        ]
        if is_stacked:
            line: Row = (((" right " if self._is_blind else f" {shown.pair.right} "), "strong"),)
            return [*columns[0], (), line, *columns[1]]
        bar = "|" if self.glyphs.is_ascii else "│"
        return beside(columns, each + 1, bar)

    # Keys -----------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """While a note is typed the keys are text, but the one that goes back."""
        is_typing = self.query(LineField) and self.query_one("#note", LineField).has_focus
        return not (is_typing and action in ("judge", "note", "blind", "move"))

    async def action_judge(self, verdict: Verdict) -> None:
        shown, opened = self.shown, self._opened
        if shown is None or opened is None or self._is_keeping:
            return
        judgement = Judgement(
            pair=shown.pair,
            verdict=verdict,
            judging_pass=self._pass,
            is_blind=self._is_blind,
            note=self._note,
        )
        self._is_keeping = True
        try:
            refusal = await self.ask(lambda: self.session.keep(opened.run_id, judgement))
        finally:
            self._is_keeping = False
        if refusal is not None:
            self.say(refusal, "warn")
            return
        word = {"better": "better than", "worse": "worse than", "same": "as good as"}[verdict]
        self.say(f"kept: {shown.pair.left} is {word} {shown.pair.right}")
        self._at, self._note = self._at + 1, ""
        self._draw()

    def action_blind(self) -> None:
        self._is_blind = not self._is_blind
        self.pull()

    def action_note(self) -> None:
        field = self.query_one("#note", LineField)
        field.add_class("-open")
        field.value = self._note
        field.focus()

    def on_input_submitted(self, event: LineField.Submitted) -> None:
        event.stop()
        self._note = event.value.strip()
        self._close_note()

    def _close_note(self) -> None:
        self.query_one("#note").remove_class("-open")
        self.set_focus(None)
        self.pull()

    def action_move(self, rows: int) -> None:
        self.query_one("#words").scroll_relative(y=rows, animate=False)

    def action_back(self) -> None:
        """Out of the note, then out of the screen."""
        if self.query_one("#note").has_class("-open"):
            self._close_note()
        else:
            super().action_back()
