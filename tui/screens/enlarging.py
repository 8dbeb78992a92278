"""Shows a panel of the dashboard over the whole screen."""

from __future__ import annotations

from collections.abc import Mapping

from textual.screen import Screen
from textual.widget import Widget

from tui.core.screen.backend import ScreenBackend
from tui.core.screen.explanations import PanelName
from tui.core.text.glyphs import Glyphs
from tui.screens.chat.figures import ChatFigures
from tui.screens.chat.sources import DashboardSources

PANEL_OF_ID: Mapping[str, PanelName] = {
    "speed": "speed",
    "npu": "npu",
    "memory": "memory",
    "ddr": "board",
    "answers": "answers",
}


def enlarge(
    screen: Screen[None],
    panel: PanelName,
    backend: ScreenBackend,
    figures: ChatFigures,
    sources: DashboardSources,
    glyphs: Glyphs,
) -> None:
    """Open the screen of a panel over this one."""
    from tui.screens.panel import PanelScreen

    screen.app.push_screen(PanelScreen(backend, figures, sources.answers, panel, glyphs))


def panel_of(widget: Widget | None) -> PanelName | None:
    """Which panel that widget is."""
    return None if widget is None else PANEL_OF_ID.get(widget.id or "")
