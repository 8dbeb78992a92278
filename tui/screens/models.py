"""F2: the models a server has; load, unload and switch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen

from tui.core.screen.models_view import ModelsView
from tui.core.text import format as fmt
from tui.core.text.glyphs import Glyphs
from tui.core.types import ModelInfo
from tui.widgets.chat.key_bar import KeyBar, KeyHint
from tui.widgets.kit.rows import Row, Rows, pad, spread

REFRESH_S = 0.5
HINTS = (
    KeyHint("Enter", "load", "load"),
    KeyHint("u", "unload", "unload"),
    KeyHint("Esc", "back", "back"),
)
BUSY_HINTS = (KeyHint("Esc", "do not wait for it", "back"),)


class ModelList(Rows):
    """One row per model; the chosen one is marked."""

    DEFAULT_CSS = """
    ModelList { height: auto; background: $raised; }
    """

    def __init__(
        self,
        view: Callable[[], ModelsView],
        fit_note: Callable[[ModelInfo], str],
        glyphs: Glyphs,
    ) -> None:
        super().__init__(glyphs, id="model-list")
        self._view = view
        self._fit_note = fit_note
        self.chosen = 0

    def build(self, width: int) -> Sequence[Row]:
        view = self._view()
        note = self._fit_note(view.models[self.chosen]) if self.chosen < len(view.models) else ""
        return model_rows(view, self.chosen, note, width, self._glyphs)


def model_rows(view: ModelsView, chosen: int, note: str, width: int, glyphs: Glyphs) -> list[Row]:
    """Title, models or the reason why there are none, then what is being done.

    ``note`` says whether the chosen one fits into the RAM that is free.
    """
    title = spread((("models", "strong"),), ((view.server or "no server", "dim"),), width)
    rows: list[Row] = [title, ()]
    if not view.models:
        reason = "this server lists no models" if view.server else "no server answers yet"
        rows.append(((reason, "dim"),))
    name_cells = max([len(model.name) for model in view.models] + [12])
    name_cells = min(name_cells, width - 34)
    for index, model in enumerate(view.models):
        rows.append(_model_row(model, index == chosen, name_cells, width, glyphs))
    rows.append(())
    if view.work is not None:
        rows.append(((f"{view.work}  ", "live"), (fmt.long_seconds(view.work_s), "text")))
        return rows
    if view.message is not None:
        role = "bad" if view.is_error else "soft"
        rows += [((line, role),) for line in _fold(view.message, width)]
    elif not view.can_load and view.server:
        rows.append((("this server cannot load or unload models", "dim"),))
        return rows
    if not view.is_error:
        rows += [((line, "soft"),) for line in _fold(note, width)] if note else []
        rows.append((("~ guessed from the file name", "dim"),))
    return rows


def _model_row(
    model: ModelInfo, is_chosen: bool, name_cells: int, width: int, glyphs: Glyphs
) -> Row:
    left: Row = (
        (f"{glyphs.closed if is_chosen else ' '} ", "live"),
        (f"{glyphs.dot} " if model.is_loaded else "  ", "ok"),
        (model.name, "strong" if is_chosen else "text"),
    )
    quantisation = model.quantisation or fmt.UNKNOWN
    if model.is_quantisation_guessed:
        quantisation = f"~{quantisation}"
    context = fmt.UNKNOWN if model.context_tokens is None else str(model.context_tokens)
    if model.is_context_guessed:
        context = f"~{context}"
    right: Row = (
        (f"{quantisation:>7}", "soft"),
        (f"{context:>8}", "soft"),
        (f"{fmt.size(model.size_bytes):>10}", "text"),
    )
    return spread(pad(left, name_cells + 4), right, width)


def _fold(text: str, width: int) -> list[str]:
    import textwrap

    return textwrap.wrap(text, max(10, width)) or [""]


class ModelsScreen(ModalScreen[None]):
    """Enter loads the chosen model (a loaded one is unloaded first), u unloads."""

    DEFAULT_CSS = """
    ModelsScreen { align: center middle; background: $background 60%; }
    ModelsScreen #models-box {
        width: 78; max-width: 96%; height: auto; max-height: 80%;
        background: $raised; padding: 1 2;
    }
    ModelsScreen KeyBar { dock: bottom; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "back", show=False, priority=True),
        # Rebound with the key that opens it.
        Binding("f2", "back", "back", show=False, priority=True, id="models"),
        Binding("up,k", "choose(-1)", show=False),
        Binding("down,j", "choose(1)", show=False),
        Binding("enter", "load", show=False),
        Binding("u", "unload", show=False),
    ]

    def __init__(
        self,
        view: Callable[[], ModelsView],
        fit_note: Callable[[ModelInfo], str],
        load: Callable[[str, bool], None],
        unload: Callable[[], None],
        cancel: Callable[[], bool],
        glyphs: Glyphs,
    ) -> None:
        super().__init__()
        self._view = view
        self._load = load
        self._fit_note = fit_note
        self._unload = unload
        self._cancel = cancel
        self._held_back: str | None = None
        self._glyphs = glyphs
        self._list = ModelList(view, fit_note, glyphs)

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="models-box"):
            yield self._list
        yield KeyBar(HINTS, self._glyphs)

    def on_mount(self) -> None:
        loaded = [i for i, model in enumerate(self._view().models) if model.is_loaded]
        self._list.chosen = loaded[0] if loaded else 0
        self.set_interval(REFRESH_S, self.pull)

    def pull(self) -> None:
        """Draw what is there now."""
        self._list.refresh_rows()
        is_busy = self._view().work is not None
        self.query_one(KeyBar).set_hints(BUSY_HINTS if is_busy else HINTS)

    def action_choose(self, step: int) -> None:
        count = len(self._view().models)
        if count:
            self._list.chosen = (self._list.chosen + step) % count
            self._list.refresh_rows()

    def action_load(self) -> None:
        models = self._view().models
        if self._list.chosen < len(models):
            name = models[self._list.chosen].name
            # Asked again for a model that was held back because it may not fit: the user insists.
            self._load(name, name == self._held_back)
            self._held_back = name
            self.pull()

    def action_unload(self) -> None:
        self._unload()
        self.pull()

    def action_back(self) -> None:
        """One step back: first out of a load that runs, then out of the screen."""
        if not self._cancel():
            self.dismiss()

    def on_click(self, event: events.Click) -> None:
        if event.widget is self._list and event.y >= 2:
            index = event.y - 2
            if index < len(self._view().models):
                self._list.chosen = index
                self._list.refresh_rows()

    async def on_key_bar_chosen(self, event: KeyBar.Chosen) -> None:
        await self.run_action(event.action)
