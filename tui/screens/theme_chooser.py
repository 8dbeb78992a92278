"""Alt+V: the themes. The one that is chosen is on the screen behind at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from rich.style import Style
from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.color import Color
from textual.containers import Vertical
from textual.theme import Theme

from tui.core.screen.keymap import Place
from tui.core.screen.keys.choice import CHOICE_BACK
from tui.core.text.glyphs import Glyphs
from tui.screens.dialog import Dialog
from tui.widgets.chat.key_bar import HintOf
from tui.widgets.kit.bindings import bindings
from tui.widgets.kit.choice_list import ChoiceLine, ChoiceList
from tui.widgets.kit.rows import Row, Rows, column
from tui.widgets.kit.rows_panel import RowsPanel

MAX_SHOWN = 12
MAX_NAME_CELLS = 26
SWATCH_CELLS = 14
SWATCHES = ("primary", "success", "warning", "error")
"""The colours of a theme that stand beside its name, on its own background."""


class ThemeScreen(Dialog[str | None]):
    """Shows each theme on the screen below as the user comes to it; gives the one to keep.

    Without one that is kept, the theme from before is shown again.
    """

    DEFAULT_CSS = """
    ThemeScreen { align: center bottom; background: $background 0%; }
    ThemeScreen > #theme-box {
        width: 60; max-width: 96%; height: auto; margin-bottom: 1;
        background: $raised; border: round $edge; padding: 0 1;
    }
    ThemeScreen #theme-title { background: $raised; }
    """
    AUTO_FOCUS = "ThemeList"
    BINDINGS: ClassVar[list[BindingType]] = bindings([CHOICE_BACK])
    HELP_PLACE: ClassVar[Place] = "choice"
    HINTS = (
        HintOf("keep it", "choice.take"),
        HintOf("choose", "choice.up", "choice.down"),
        HintOf("as before", "choice.back"),
        HintOf("colours", "colours"),
    )

    def __init__(self, depth_words: Callable[[], str], glyphs: Glyphs) -> None:
        """``depth_words`` says how many colours are drawn, and why."""
        super().__init__(glyphs)
        self._depth_words = depth_words
        self._before = ""

    def compose(self) -> ComposeResult:
        self._before = self.app.theme
        themes = self._themes()
        names = [theme.name for theme in themes]
        with Vertical(id="theme-box"):
            yield RowsPanel(self._title, self._glyphs, id="theme-title")
            found = ThemeList(self._themes, names.index(self._before), self._glyphs)
            found.styles.height = min(len(themes), MAX_SHOWN)
            yield found
        yield from self.compose_keys()

    def _title(self, _: int, __: int) -> list[Row]:
        """What is chosen here, and which version of the themes this terminal gets."""
        return [(("theme", "strong"),), (("drawn in ", "dim"), (self._depth_words(), "soft")), ()]

    def _themes(self) -> list[Theme]:
        return list(self.app.available_themes.values())

    def on_mount(self) -> None:
        self.app.theme_changed_signal.subscribe(self, self._theme_changed)
        self.call_after_refresh(self.show_hints)

    def _theme_changed(self, theme: Theme) -> None:
        """Draw everything in the theme, also what stands below: that is told of it too late."""
        for rows in self.query(Rows):
            rows.notify_style_update()
            rows.refresh_rows()
        self.refresh()

    @on(ChoiceList.Chosen)
    def _preview(self) -> None:
        """Where several keys came at once, only the last theme is shown."""
        self.call_later(self._show_chosen)

    def _show_chosen(self) -> None:
        theme = self._themes()[self.query_one(ThemeList).chosen]
        if self.is_current and theme.name != self.app.theme:
            self.app.theme = theme.name

    @on(ChoiceList.Taken)
    def _keep(self, event: ChoiceList.Taken) -> None:
        self.dismiss(self._themes()[event.number].name)

    def action_back(self) -> None:
        self.app.theme = self._before
        self.dismiss(None)


class ThemeList(ChoiceList):
    """A line for each theme: its name, and what it looks like."""

    def __init__(self, themes: Callable[[], Sequence[Theme]], chosen: int, glyphs: Glyphs) -> None:
        super().__init__(self._theme_lines, glyphs, chosen=chosen, id="themes")
        self._themes = themes

    def _theme_lines(self, width: int) -> list[ChoiceLine]:
        return [
            ChoiceLine(theme_row(theme, width - 2, self._glyphs), number)
            for number, theme in enumerate(self._themes())
        ]

    def style_of(self, role: str) -> Style:
        """The style of a role; ``primary@NAME`` is that colour of another theme."""
        which, is_swatch, name = role.partition("/")[0].partition("@")
        if not is_swatch:
            return super().style_of(role)
        found = self._styles.get(role)
        if found is None:
            theme = next(theme for theme in self._themes() if theme.name == name)
            ink, ground = Color.parse(getattr(theme, which)), Color.parse(theme.background or "")
            found = Style(color=ink.rich_color, bgcolor=ground.rich_color)
            self._styles[role] = found
        return found


def theme_row(theme: Theme, width: int, glyphs: Glyphs) -> Row:
    """Its name, its text and colours, and what kind of ground it has."""
    name = column(theme.name, min(MAX_NAME_CELLS, max(width - SWATCH_CELLS - 8, 8)), "text")
    if theme.primary == "ansi_default":
        return (*name, ("all alike without colours", "dim"))
    if theme.background == "ansi_default":
        return (*name, (" 16 colours   ", "soft"), ("the terminal's", "dim"))
    swatch: Row = (
        (" Aa ", f"foreground@{theme.name}"),
        *((f"{glyphs.square} ", f"{which}@{theme.name}") for which in SWATCHES),
    )
    return (*name, *swatch, ("  ", "text"), ("dark" if theme.dark else "light", "dim"))
