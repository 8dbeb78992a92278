"""Makes the dashboard's widgets, from the top line down."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widget import Widget

from tui.core.screen.backend import ScreenBackend
from tui.core.screen.explanations import PanelName
from tui.core.text.glyphs import Glyphs
from tui.screens.chat.figures import ChatFigures
from tui.screens.chat.sources import DashboardSources
from tui.widgets.board.panels import BoardPanel, memory_rows, npu_rows
from tui.widgets.chat.answers import AnswersPanel
from tui.widgets.chat.conversations import ConversationColumn
from tui.widgets.chat.header import Header
from tui.widgets.chat.message_line import MessageBar
from tui.widgets.chat.server_line import ServerLine
from tui.widgets.chat.speed import SpeedPanel
from tui.widgets.chat.strip import StatusStrip
from tui.widgets.kit.too_small import TooSmall
from tui.widgets.transcript.transcript import Transcript


def dashboard_widgets(
    backend: ScreenBackend,
    figures: ChatFigures,
    glyphs: Glyphs,
    connect_key: str,
    prompt: Iterable[Widget],
    sources: DashboardSources,
    panel_keys: Mapping[PanelName, str],
    history_key: str,
) -> ComposeResult:
    """Every widget, from the top line down; ``prompt`` is the row in which something is written,
    ``panel_keys`` the keys that enlarge the panels, ``history_key`` that of all conversations."""
    keys = panel_keys
    yield Header(backend.headline, glyphs, id="header")
    with Horizontal(id="body"):
        yield ConversationColumn(sources.conversations, glyphs, key=history_key, id="conversations")
        yield Transcript(glyphs, id="transcript")
        with Vertical(id="panels"):
            yield SpeedPanel(
                figures.stats,
                figures.outlook,
                figures.note,
                figures.timeline,
                glyphs,
                key=keys["speed"],
                id="speed",
            )
            history = figures.history
            yield BoardPanel(npu_rows, history, glyphs, key=keys["npu"], id="npu")
            yield BoardPanel(memory_rows, history, glyphs, key=keys["memory"], id="memory")
            yield BoardPanel(figures.board_rows, history, glyphs, key=keys["board"], id="ddr")
            yield AnswersPanel(sources.answers, glyphs, key=keys["answers"], id="answers")
    yield StatusStrip(
        figures.stats,
        figures.outlook,
        figures.note,
        figures.history,
        figures.warning_key,
        glyphs,
        id="strip",
    )
    yield ServerLine(connect_key, id="server")
    with Horizontal(id="prompt-box"):
        yield from prompt
    yield MessageBar((), glyphs, id="keys")
    yield TooSmall()
