"""RAM calculator: the RAM that a model needs at a data type and a context."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import zip_longest
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.widgets import Input, Static

from tui.core.board.headroom import Fit
from tui.core.board.history import BoardHistory
from tui.core.board.ram_calculator import RamAnswer, parts_text, ram_answer
from tui.core.screen.fit_words import FIT_ROLES
from tui.core.screen.keymap import Place
from tui.core.screen.keys.board import RAM_FIELD_KEYS, RAM_KEYS
from tui.core.text import format as fmt
from tui.core.text.glyphs import Glyphs
from tui.core.text.sanitize import clean_line
from tui.core.types import ModelInfo
from tui.screens.dialog import Dialog
from tui.widgets.board.facts import wrapped
from tui.widgets.chat.key_bar import HintOf
from tui.widgets.kit.bindings import bindings
from tui.widgets.kit.fields import LineField
from tui.widgets.kit.rows import Row, Rows, fit, spread

FIELDS = (
    ("model", "model", "qwen3-4b, 7b, or 4.6 GiB"),
    ("quantisation", "type", "w8a8, w4a16, w8a8_g128, fp16"),
    ("context", "context", "tokens: 4096, 16k"),
)
REFRESH_S = 1.0
PARTS_CELLS, CONTEXT_CELLS = 34, 32
FIT_MARKS = {"fits": "fits", "tight": "! tight", "too large": "! too large", "unknown": "unknown"}


class RamCalculator(Dialog[None]):
    """Answers while one types."""

    DEFAULT_CSS = """
    RamCalculator > #ram-box { width: 74; }
    RamCalculator #ram-title { text-style: bold; margin-bottom: 1; }
    RamCalculator .line { height: 1; }
    RamCalculator .name { width: 10; color: $dim; }
    RamCalculator Input {
        width: 24; height: 1; border: none; background: $background; color: $foreground;
        padding: 0 1;
    }
    RamCalculator Input:focus { border: none; background: $track; }
    RamCalculator .note { width: 1fr; height: 1; color: $dim; padding: 0 0 0 2; }
    RamCalculator #ram-answer { margin-top: 1; background: $raised; }
    """

    AUTO_FOCUS = "#ram-model"
    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings(RAM_KEYS),
        *bindings(RAM_FIELD_KEYS, has_priority=False),
    ]
    HELP_PLACE: ClassVar[Place] = "ram"
    HINTS = (HintOf("next", "ram.next"), HintOf("back", "ram.back"))

    def __init__(
        self, loaded: ModelInfo | None, history: Callable[[], BoardHistory], glyphs: Glyphs
    ) -> None:
        super().__init__(glyphs)
        self._loaded = loaded
        self._history = history
        self._rows = Rows(glyphs, id="ram-answer")

    def compose(self) -> ComposeResult:
        loaded = self._loaded
        context = None if loaded is None else loaded.context_tokens
        first = {
            "model": "qwen3-4b" if loaded is None else _with_size(loaded),
            "quantisation": clean_line((loaded and loaded.quantisation) or "w8a8", 20),
            "context": str(context or 4096),
        }
        with VerticalScroll(id="ram-box", can_focus=False):
            yield Static("what fits into RAM", id="ram-title", markup=False)
            for name, label, note in FIELDS:
                with Horizontal(classes="line"):
                    yield Static(label, classes="name", markup=False)
                    entry = LineField(
                        first[name], id=f"ram-{name}", compact=True, select_on_focus=True
                    )
                    entry.cursor_blink = False
                    yield entry
                    yield Static(note, id=f"ram-note-{name}", classes="note", markup=False)
            yield self._rows
        yield from self.compose_keys()

    def on_mount(self) -> None:
        self.set_interval(REFRESH_S, self.show_answer)
        self.call_after_refresh(self.show_answer)

    @on(Input.Changed)
    def show_answer(self) -> None:
        """Calculate with what the fields say and the RAM that is free now."""
        width = self._rows.size.width
        if width:
            answer = self.answer()
            self._rows.show(answer_rows(answer, self._free(), self._loaded_bytes(), width))
            note = "not used: the size is given" if answer.is_size_given else FIELDS[1][2]
            self.query_one("#ram-note-quantisation", Static).update(note)

    def action_page(self, step: int) -> None:
        """Further up or down, where the terminal is too low for the whole."""
        box = self.query_one("#ram-box")
        box.scroll_relative(y=step * max(1, box.size.height - 1), animate=False)

    def answer(self) -> RamAnswer:
        """The answer to what the fields say."""
        model, quantisation, context = (
            self.query_one(f"#ram-{name}", Input).value for name, _, _ in FIELDS
        )
        return ram_answer(model, quantisation, context, self._free(), self._loaded_bytes())

    def _free(self) -> float | None:
        snapshot = self._history().latest
        return None if snapshot is None else snapshot.number("ram.available")

    def _loaded_bytes(self) -> float:
        """What the loaded model holds: as read, else the size of its file."""
        loaded = self._loaded
        if loaded is None or not loaded.is_loaded:
            return 0.0
        snapshot = self._history().latest
        held = None if snapshot is None else snapshot.number("ram.model")
        return max(held or 0.0, float(loaded.size_bytes or 0))


def _with_size(model: ModelInfo) -> str:
    """The name, and the size of the file where it is known: that is better than any guess."""
    name = clean_line(model.name, 60)
    return f"{name}, {model.size_bytes / 2**30:.2f} GiB" if model.size_bytes else name


def answer_rows(
    answer: RamAnswer, free_bytes: float | None, loaded_bytes: float, width: int
) -> Sequence[Row]:
    """The parts and the total beside usual contexts, then what is free and the verdict."""
    if answer.problem is not None or answer.need is None:
        return [((line, "warn"),) for line in wrapped(answer.problem or "", width)]
    cells = min(PARTS_CELLS, width)
    parts: list[Row] = [
        spread(((name, "dim"),), ((text, "strong" if name == "total" else "text"),), cells)
        for name, text in parts_text(answer.need)
    ]
    parts.append(spread((("free now", "dim"),), ((fmt.size(free_bytes), "text"),), cells))
    contexts = _contexts(answer, free_bytes)
    if width >= PARTS_CELLS + CONTEXT_CELLS:
        rows = [
            (*left, ("    ", "dim"), *right)
            for left, right in zip_longest(parts, contexts, fillvalue=())
        ]
    else:
        rows = [*parts, *contexts]
    if answer.need.kv_bytes is None:
        note = "without the KV cache: it is not known for this model"
        rows += [((line, "warn"),) for line in wrapped(note, width)]
    rows.append(())
    rows.append(_verdict(answer.fit, "now", free_bytes))
    if answer.in_place is not None and free_bytes is not None:
        freed = free_bytes + loaded_bytes
        rows.append(_verdict(answer.in_place_fit, "in place of the loaded model", freed))
    return [fit(row, width) for row in rows]


def _contexts(answer: RamAnswer, free_bytes: float | None) -> list[Row]:
    rows: list[Row] = []
    for tokens, total in answer.by_context:
        is_fit = free_bytes is not None and total < free_bytes
        mark = "" if free_bytes is None else ("fits" if is_fit else "! not now")
        rows.append(
            (
                (f"{tokens:>6}", "dim"),
                (f"{'~' + fmt.size(total):>10}", "text"),
                (f"  {mark}", "ok" if is_fit else "warn"),
            )
        )
    return rows


def _verdict(fit_word: Fit, when: str, free_bytes: float | None) -> Row:
    free = "how much is free is not known" if free_bytes is None else f"{fmt.size(free_bytes)} free"
    return ((f"{FIT_MARKS[fit_word]:<12}", FIT_ROLES[fit_word]), (f"{when}, {free}", "soft"))
