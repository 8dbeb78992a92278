"""F2: the servers that answer and their models; which one answers, load and unload."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.geometry import Region

from tui.core.board.headroom import Verdict
from tui.core.screen.fit_words import FIT_ROLES, FIT_WORDS
from tui.core.screen.keymap import Place
from tui.core.screen.keys.forms import MODELS_KEYS
from tui.core.screen.keys.table import closing
from tui.core.screen.models_view import Models, ModelsView, ServerModels
from tui.core.text import format as fmt
from tui.core.text.glyphs import Glyphs
from tui.core.text.model_name import spoken_name
from tui.core.text.model_words import context_words, quantisation_words
from tui.core.types import ModelInfo
from tui.screens.dialog import Dialog
from tui.widgets.chat.key_bar import HintOf, KeyBar, KeyHint, key_hints
from tui.widgets.kit.bindings import bindings
from tui.widgets.kit.grounds import GroundedRows, on_ground
from tui.widgets.kit.rows import Row, Span, pad, spread

REFRESH_S = 0.5
TITLE_ROWS = 2
"""Title and heads, above the first server."""
MARK_CELLS = 4
"""In front of a name: whether it is chosen, and loaded."""
MIN_NAME_CELLS = 12
BUSY_HINTS = (HintOf("do not wait for it", "models.back"),)


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the list, its head and its text at the right edge of its cells."""

    name: str
    head: str
    cells: int


COLUMNS = (
    Column("state", "", 8),
    Column("type", "data type", 11),
    Column("context", "context", 9),
    Column("size", "size", 10),
    Column("fit", "in RAM", 8),
)
LEFT_OUT_FIRST = ("state", "type", "context", "size")
"""Where there is no room for all of them."""


class ModelList(GroundedRows):
    """One row per model, below its server; the chosen one is marked."""

    DEFAULT_CSS = """
    ModelList { height: auto; background: $raised; }
    """

    def __init__(
        self,
        view: Callable[[], ModelsView],
        fit: Callable[[str, ModelInfo], Verdict],
        glyphs: Glyphs,
    ) -> None:
        super().__init__(glyphs, id="model-list")
        self._view = view
        self._fit = fit
        self.chosen = 0
        self._marked: tuple[str, str] | None = None

    def mark(self, index: int) -> None:
        """Choose the model in this place."""
        rows = self._view().rows
        self.chosen = index
        self._marked = _key(rows[index]) if index < len(rows) else None
        self.refresh_rows()

    def follow(self) -> None:
        """Keeps the chosen model chosen, wherever it is now."""
        keys = [_key(row) for row in self._view().rows]
        if self._marked in keys:
            self.chosen = keys.index(self._marked)
        else:
            self.chosen = max(0, min(self.chosen, len(keys) - 1))
        self.refresh_rows()

    def build(self, width: int) -> Sequence[Row]:
        view = self._view()
        fits = [self._fit(server.url, model) for server, model in view.rows]
        return model_rows(view, self.chosen, fits, width, self._glyphs)


def _key(row: tuple[ServerModels, ModelInfo]) -> tuple[str, str]:
    server, model = row
    return server.url, model.name


def model_rows(
    view: ModelsView, chosen: int, fits: Sequence[Verdict], width: int, glyphs: Glyphs
) -> list[Row]:
    """Title, heads of the columns, servers with their models or the reason why there are none, then
    what is being done.

    ``fits`` says of each model whether it fits into the RAM that is free.
    """
    looking = "looking for other servers" if view.is_looking else ""
    columns = _columns(width)
    names = [len(spoken_name(model.name)) for _, model in view.rows]
    room = width - MARK_CELLS - sum(column.cells for column in columns) - 1
    name_cells = max(min(max([*names, MIN_NAME_CELLS]), room), MIN_NAME_CELLS)
    heads: Row = tuple((f"{column.head:>{column.cells}}", "dim") for column in columns)
    rows: list[Row] = [
        spread((("models", "strong"),), ((looking, "dim"),), width),
        spread((), heads, width),
    ]
    number = 0
    for line in _lines(view, width):
        if isinstance(line, ServerModels):
            rows.append(_server_row(line, width))
        elif isinstance(line, ModelInfo):
            cells = _cells(line, fits[number])
            row = _model_row(line, columns, cells, number == chosen, name_cells, width, glyphs)
            rows.append(row)
            number += 1
        else:
            rows.append(((line, "dim"),))
    if not view.servers:
        rows.append((("no server answers yet", "dim"),))
    rows.append(())
    if view.work is not None:
        rows.append(((f"{view.work}  ", "live"), (fmt.long_seconds(view.work_s), "text")))
        return rows
    note = ""
    if chosen < len(view.rows) and not view.rows[chosen][1].is_loaded:
        note = fits[chosen].sentence
    return rows + [
        ((line, role),) for text, role in _remarks(view, note) for line in _fold(text, width)
    ]


def _remarks(view: ModelsView, note: str) -> list[tuple[str, str]]:
    """Remarks below the list, each with its role."""
    said: list[tuple[str, str]] = []
    if view.message is not None:
        said.append((view.message, "bad" if view.is_error else "soft"))
    if view.is_error:
        return said
    if view.answering is not None and view.message != view.answering:
        said.append((view.answering, "warn" if view.has_to_choose else "soft"))
    said += [(note, "soft")] if note else []
    said += [(view.ram, "dim")] if view.ram and view.rows else []
    said += [(text, "dim") for text in view.notes]
    models = [model for _, model in view.rows]
    if any(model.is_quantisation_guessed or model.is_context_guessed for model in models):
        said.append(("~ guessed from the file name", "dim"))
    return said


def _lines(view: ModelsView, width: int) -> list[ServerModels | ModelInfo | str]:
    """What stands below each other: a server, then its models or why there are none."""
    lines: list[ServerModels | ModelInfo | str] = []
    for server in view.servers:
        lines += [server, *server.models]
        if not server.models:
            reason = server.problem or ("lists no models" if server.is_connected else "")
            lines += [f"  {line}" for line in _fold(reason, width - 2) if line]
    return lines


def model_line(view: ModelsView, chosen: int, width: int) -> int:
    """In which row of :func:`model_rows` the chosen model stands."""
    lines = _lines(view, width)
    places = [place for place, line in enumerate(lines) if isinstance(line, ModelInfo)]
    return TITLE_ROWS + places[chosen] if chosen < len(places) else TITLE_ROWS


def _server_row(server: ServerModels, width: int) -> Row:
    role = "soft" if server.is_connected else "dim"
    return spread(((server.label, role),), ((server.state, role),), width)


def _columns(width: int) -> list[Column]:
    """The columns that there is room for beside a short name."""
    columns = list(COLUMNS)
    for name in LEFT_OUT_FIRST:
        if MARK_CELLS + MIN_NAME_CELLS + sum(column.cells for column in columns) < width:
            break
        columns = [column for column in columns if column.name != name]
    return columns


def _cells(model: ModelInfo, verdict: Verdict) -> dict[str, Span]:
    """What stands in each column."""
    state = "listed" if model.is_loaded is None else "loaded" if model.is_loaded else ""
    return {
        "state": (state, "dim" if model.is_loaded is None else "ok"),
        "type": (quantisation_words(model) or fmt.UNKNOWN, "soft"),
        "context": (context_words(model) or fmt.UNKNOWN, "soft"),
        "size": (fmt.size(model.size_bytes), "text"),
        "fit": (FIT_WORDS[verdict.fit], FIT_ROLES[verdict.fit]),
    }


def _model_row(
    model: ModelInfo,
    columns: Sequence[Column],
    cells: Mapping[str, Span],
    is_chosen: bool,
    name_cells: int,
    width: int,
    glyphs: Glyphs,
) -> Row:
    row: Row = (
        (f"{glyphs.closed if is_chosen else ' '} ", "live"),
        (f"{glyphs.dot} " if model.is_loaded else "  ", "ok"),
        (shortened(spoken_name(model.name), name_cells), "strong" if is_chosen else "text"),
    )
    right = tuple((f"{cells[one.name][0]:>{one.cells}}", cells[one.name][1]) for one in columns)
    row = spread(pad(row, name_cells + MARK_CELLS), right, width)
    return on_ground(row, "selected", width) if is_chosen else row


def shortened(name: str, cells: int) -> str:
    """A long name without its middle: what tells one file from another stands at both ends."""
    if len(name) <= cells:
        return name
    tail = (cells - 1) * 2 // 3
    return f"{name[: cells - 1 - tail]}…{name[-tail:]}"


def _fold(text: str, width: int) -> list[str]:
    import textwrap

    return textwrap.wrap(text, max(10, width)) or [""]


class ModelsScreen(Dialog[None]):
    """Lets the chosen model answer, loads it or unloads it."""

    DEFAULT_CSS = """
    ModelsScreen > #models-box { max-height: 80%; }
    """

    BINDINGS: ClassVar[list[BindingType]] = bindings([closing("models"), *MODELS_KEYS])
    HELP_PLACE: ClassVar[Place] = "models"
    HINTS = (
        HintOf("use", "models.use"),
        HintOf("load", "models.load"),
        HintOf("unload", "models.unload"),
        HintOf("back", "models.back"),
    )

    def __init__(
        self,
        models: Models,
        glyphs: Glyphs,
    ) -> None:
        super().__init__(glyphs)
        self._models = models
        self._held_back: str | None = None
        self._list = ModelList(models.view, models.fit, glyphs)

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="models-box"):
            yield self._list
        yield from self.compose_keys()

    def on_mount(self) -> None:
        self._models.look_around()
        rows = self._models.view().rows
        marked = [i for i, (server, model) in enumerate(rows) if self._is_answering(server, model)]
        marked += [i for i, (_, model) in enumerate(rows) if model.is_loaded]
        self._list.mark(marked[0] if marked else 0)
        self.set_interval(REFRESH_S, self.pull)

    def _is_answering(self, server: ServerModels, model: ModelInfo) -> bool:
        return server.is_connected and model.name == self._models.view().answering_name

    def pull(self) -> None:
        """Draw what is there now."""
        view = self._models.view()
        self._list.follow()
        self.query_one(KeyBar).set_hints(self._hints(view))

    def _hints(self, view: ModelsView) -> Sequence[KeyHint]:
        if view.work is not None:
            return key_hints(self, BUSY_HINTS)
        can = {"load": view.can_load, "unload": view.can_unload}
        hints = key_hints(self, self.HINTS)
        return [replace(hint, is_dim=not can.get(hint.action, True)) for hint in hints]

    def action_choose(self, step: int) -> None:
        view = self._models.view()
        if view.rows:
            self._list.mark((self._list.chosen + step) % len(view.rows))
            row = Region(0, model_line(view, self._list.chosen, self._list.size.width), 1, 1)
            self.query_one("#models-box").scroll_to_region(row, animate=False)

    @property
    def _chosen(self) -> tuple[ServerModels, ModelInfo] | None:
        rows = self._models.view().rows
        return rows[self._list.chosen] if self._list.chosen < len(rows) else None

    def action_use(self) -> None:
        """The chosen model answers from now on."""
        if self._chosen is not None:
            server, model = self._chosen
            self._models.use(server.url, model.name, self._insists(model))
            self.pull()

    def action_load(self) -> None:
        if self._chosen is not None:
            server, model = self._chosen
            self._models.load(server.url, model.name, self._insists(model))
            self.pull()

    def _insists(self, model: ModelInfo) -> bool:
        """Whether it is asked again for a model that was held back because it may not fit."""
        before, self._held_back = self._held_back, model.name
        return before == model.name

    def action_unload(self) -> None:
        chosen = self._chosen
        is_loaded = chosen is not None and chosen[0].is_connected and chosen[1].is_loaded
        self._models.unload(chosen[1].name if chosen is not None and is_loaded else None)
        self.pull()

    def action_back(self) -> None:
        """One step back: first out of a load that runs, then out of the screen."""
        if not self._models.cancel():
            self.dismiss()

    def on_click(self, event: events.Click) -> None:
        view = self._models.view()
        if event.widget is self._list:
            width = self._list.size.width
            lines = {model_line(view, index, width): index for index in range(len(view.rows))}
            self._list.mark(lines.get(event.y, self._list.chosen))
