"""Layout of the dashboard: wide, narrow, ASCII, too small."""

from __future__ import annotations

from textual.geometry import Size
from textual.screen import Screen

from tui.core.screen.panel_rows import panel_rows
from tui.widgets.chat.answers import AnswersPanel
from tui.widgets.chat.speed import SpeedPanel

BROAD_COLUMNS = 160
"""Width from which there are three columns."""
TALL_ROWS = 20
"""Height from which a blank row sets the status strip off from the answer."""
PANEL_CELLS, MOST_PANEL_CELLS = 44, 84
FRAME_ROWS = 4
"""Top line, bottom line, and the prompt with its line."""

DASHBOARD_CSS = """
Dashboard { layout: vertical; background: $background; color: $foreground; }
Dashboard #body { height: 1fr; }
Dashboard #panels {
    width: 44; padding: 0 1; border-left: solid $rule; overflow: hidden hidden;
}
Dashboard #panels Rows { border-top: solid $rule; }
Dashboard #panels #speed { border-top: none; }
Dashboard #conversations { display: none; }
Dashboard.-broad #conversations {
    display: block; width: 34; height: 100%; padding: 0 1; border-right: solid $rule;
}
Dashboard.-broad #transcript { max-width: 110; }
Dashboard #strip { height: 1; }
Dashboard.-tall #strip { margin-top: 1; }
Dashboard #prompt-box {
    height: auto; max-height: 40%; border-top: solid $rule; padding: 0;
}
Dashboard #prompt-mark { width: 3; height: 1; color: $live; }
Dashboard Prompt { width: 1fr; }
Dashboard.-narrow #panels { display: none; }
Dashboard.-wide #strip { display: none; }
Dashboard.-ascii #panels { border-left: ascii $rule; }
Dashboard.-ascii #conversations { border-right: ascii $rule; }
Dashboard.-ascii #panels Rows, Dashboard.-ascii #prompt-box { border-top: ascii $rule; }
Dashboard.-ascii #panels #speed { border-top: none; }
Dashboard.-tiny > * { display: none; }
Dashboard.-tiny TooSmall { display: block; }
"""


def arrange(screen: Screen[None], size: Size) -> None:
    """Give the columns and the panels of the dashboard what ``size`` has room for."""
    is_broad = size.width >= BROAD_COLUMNS
    screen.set_class(is_broad, "-broad")
    screen.set_class(size.height >= TALL_ROWS, "-tall")
    room = panel_rows(size.height - FRAME_ROWS)
    speed, answers = screen.query_one(SpeedPanel), screen.query_one(AnswersPanel)
    speed.chart_rows, answers.count = room.chart, room.answers
    answers.display = room.answers > 0
    panels = screen.query_one("#panels")
    more = (size.width - BROAD_COLUMNS) // 2 if is_broad else 0
    panels.styles.width = min(PANEL_CELLS + more, MOST_PANEL_CELLS)
    for panel in (speed, answers):
        panel.refresh_rows()
