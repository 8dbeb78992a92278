"""One fix of the board: what exactly it changes, the question, the comparison, and the way back."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual.app import ComposeResult, SuspendNotSupported
from textual.binding import BindingType
from textual.containers import VerticalScroll

from tui.core.screen.board_fix import BoardFixes, FixStage, FixView
from tui.core.screen.keymap import Place
from tui.core.screen.keys.board import FIX_KEYS
from tui.core.text.glyphs import Glyphs
from tui.screens.dialog import Dialog
from tui.widgets.board.facts import wrapped
from tui.widgets.chat.key_bar import HintOf, key_hints
from tui.widgets.chat.message_line import MessageBar
from tui.widgets.kit.bars import bar
from tui.widgets.kit.bindings import bindings
from tui.widgets.kit.rows import Row, Rows, fit

REFRESH_S = 0.25
NAME_CELLS = 10
PASSWORD = "\nnpulse: sudo asks for your password, to write what you have just been shown.\n"
HINTS: dict[FixStage, tuple[HintOf, ...]] = {
    "asking": (HintOf("yes, change it", "fix.confirm"), HintOf("no", "fix.back")),
    "waiting": (
        HintOf("change it now, compare nothing", "fix.confirm"),
        HintOf("leave, nothing is changed", "fix.back"),
    ),
    "working": (HintOf("stop, and put back", "fix.back"),),
    "in force": (
        HintOf("put back", "fix.undo"),
        HintOf("card", "fix.card"),
        HintOf("keep it", "fix.back"),
    ),
    "undone": (HintOf("back", "fix.back"),),
    "failed": (HintOf("back", "fix.back"),),
}
QUESTIONS: dict[FixStage, tuple[str, str]] = {
    "asking": ("Change it? Nothing is changed yet.", "strong"),
    "waiting": ("Nothing is changed yet.", "strong"),
    "working": ("", "soft"),
    "in force": ("It is in force.", "soft"),
    "undone": ("It is undone.", "ok"),
    "failed": ("It was not done.", "warn"),
}


class FixScreen(Dialog[None]):
    """Looks a few times a second how far the fix is."""

    DEFAULT_CSS = """
    FixScreen > #fix-box { width: 84; }
    FixScreen #fix-rows { background: $raised; }
    """
    BINDINGS: ClassVar[list[BindingType]] = bindings(FIX_KEYS)
    HELP_PLACE: ClassVar[Place] = "fix"
    HINTS = HINTS["asking"]

    def __init__(self, fixes: BoardFixes, glyphs: Glyphs) -> None:
        super().__init__(glyphs)
        self._fixes = fixes
        self._rows = Rows(glyphs, id="fix-rows")
        self._stage: FixStage = "asking"
        self._is_left = False
        """Esc was pressed before anything was changed; the wait for the server ends now."""
        self._said = ""
        """What became of the card."""

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="fix-box", can_focus=False):
            yield self._rows
        yield from self.compose_keys()

    def on_mount(self) -> None:
        self.set_interval(REFRESH_S, self.redraw)
        self.call_after_refresh(self.redraw)

    def redraw(self) -> None:
        """What there is to say now."""
        width = self._rows.size.width
        if not width or not self.is_mounted:
            return
        view = self._fixes.view()
        if self._is_left and view.stage not in ("waiting", "working"):
            self._leave()
            return
        said = [(), *_sentences([self._said], width)] if self._said else []
        self._rows.show([*fix_rows(view, width, self._glyphs), *said])
        if view.stage != self._stage:
            self._stage = view.stage
            hints = [h for h in HINTS[view.stage] if view.has_card or h.action_ids != ("fix.card",)]
            self.query_one(MessageBar).set_hints(key_hints(self, hints))

    def action_confirm(self) -> None:
        """Yes; while the server is waited for: now."""
        stage = self._fixes.view().stage
        if stage == "waiting" or (stage == "asking" and self._has_rights()):
            self._fixes.confirm()
            self.redraw()

    def action_undo(self) -> None:
        """Put back what was there before."""
        if self._fixes.view().stage == "in force" and self._has_rights():
            self._fixes.undo()
            self.redraw()

    def _has_rights(self) -> bool:
        """Whether this may be written; where only root may, sudo asks in the terminal first."""
        if not self._fixes.view().needs_password:
            return True
        try:
            with self.app.suspend():
                print(PASSWORD, flush=True)
                problem = self._fixes.take_root()
        except SuspendNotSupported:
            problem = "sudo cannot ask in this terminal: run npulse doctor --fix"
        if problem is not None:
            self._say(problem, "warn")
        return problem is None

    def action_card(self) -> None:
        """The result, for others to see."""
        if self._fixes.view().has_card:
            # Among the rows: a path is too long for the bottom line.
            self._said = self._fixes.write_card()
            self.redraw()

    def action_page(self, step: int) -> None:
        box = self.query_one("#fix-box")
        box.scroll_relative(y=step * max(1, box.size.height - 1), animate=False)

    def action_back(self) -> None:
        """Stop what is being compared; else leave, also where the server is still waited for."""
        stage = self._fixes.view().stage
        if stage in ("waiting", "working"):
            self._fixes.stop()
            self._is_left = stage == "waiting"
            what = "nothing was changed" if self._is_left else "everything is put back"
            self._say(f"stopping; {what}")
            return
        self._leave()

    def _leave(self) -> None:
        self._fixes.leave()
        self.dismiss(None)

    def _say(self, text: str, role: str = "soft") -> None:
        self.query_one(MessageBar).say(text, role)


def fix_rows(view: FixView, width: int, glyphs: Glyphs) -> list[Row]:
    """Title, what exactly is changed, how far it is, and what came of it."""
    rows: list[Row] = [((line, "strong"),) for line in wrapped(view.title, width)]
    rows.append(())
    found = [("found", view.found)] if view.found else []
    for name, text in (*found, *view.plan):
        rows += _named(name, text, width)
    if view.plan or found:
        rows.append(())
    if view.stage == "asking":
        rows += _sentences(view.notes, width)
    if view.stage == "waiting":
        rows += _sentences([f"Waiting: {view.waits_for}."], width)
    elif view.stage == "working":
        rows += _progress(view, width, glyphs)
    elif view.result:
        role = "ok" if view.is_better else "warn" if view.stage == "failed" else "text"
        rows += [((line, role),) for line in wrapped(view.result, width)]
    if view.stage not in ("asking", "waiting", "working"):
        rows += _sentences(view.notes, width)
    question, role = QUESTIONS[view.stage]
    if question:
        rows += [(), *(((line, role),) for line in wrapped(question, width))]
    return [fit(row, width) for row in rows]


def _named(name: str, text: str, width: int) -> list[Row]:
    role = "live" if name in ("writes", "makes", "runs", "") else "text"
    return [
        ((f"{name if number == 0 else '':<{NAME_CELLS}}", "dim"), (line, role))
        for number, line in enumerate(wrapped(text, width - NAME_CELLS))
    ]


def _sentences(sentences: Iterable[str], width: int) -> list[Row]:
    return [((line, "soft"),) for sentence in sentences for line in wrapped(sentence, width)]


def _progress(view: FixView, width: int, glyphs: Glyphs) -> list[Row]:
    if not view.total:
        return [(("working ...", "soft"),)]
    said = f"{view.done} of {view.total} answers"
    share = view.done / view.total
    rows: list[Row] = [
        ((f"{said}  ", "soft"), *bar(share, max(4, width - len(said) - 2), glyphs, "live"))
    ]
    said = f"waiting: {view.waits_for}" if view.waits_for else "the first one warms up"
    if view.rates:
        rows += [((line, "text"),) for line in wrapped(view.rates, width)]
    if view.waits_for or not view.rates:
        rows += [((line, "soft"),) for line in wrapped(said, width)]
    return rows
