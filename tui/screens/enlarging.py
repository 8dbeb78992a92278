"""Shows a panel of the dashboard over the whole screen."""

from __future__ import annotations

from textual.screen import Screen

from tui.core.screen.backend import ScreenBackend
from tui.core.screen.explanations import PanelName
from tui.core.text.glyphs import Glyphs
from tui.screens.chat.figures import ChatFigures
from tui.screens.chat.sources import DashboardSources


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
