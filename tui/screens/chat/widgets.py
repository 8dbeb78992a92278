"""The dashboard's widgets, each by its name."""

from __future__ import annotations

from collections.abc import Mapping

from textual.widget import Widget

from tui.core.screen.explanations import PanelName
from tui.widgets.chat.message_line import MessageBar
from tui.widgets.chat.prompt import Prompt
from tui.widgets.chat.search_line import SearchLine
from tui.widgets.chat.server_line import ServerLine
from tui.widgets.kit.lean_screen import LeanScreen
from tui.widgets.kit.rows import Rows
from tui.widgets.transcript.transcript import Transcript

PANEL_OF_ID: Mapping[str, PanelName] = {
    "speed": "speed",
    "npu": "npu",
    "memory": "memory",
    "ddr": "board",
    "answers": "answers",
}


class ChatWidgets:
    """Finds the widgets of the dashboard, for the parts that it is made of.

    They live as long as the screen. Those that every frame asks for are looked for once.
    """

    def __init__(self, screen: LeanScreen) -> None:
        self.screen = screen
        self._transcript: Transcript | None = None
        self._panels: dict[str, Rows] = {}

    @property
    def transcript(self) -> Transcript:
        if self._transcript is None:
            self._transcript = self.screen.query_one(Transcript)
        return self._transcript

    @property
    def prompt(self) -> Prompt:
        return self.screen.query_one(Prompt)

    @property
    def search_line(self) -> SearchLine:
        return self.screen.query_one(SearchLine)

    @property
    def server_line(self) -> ServerLine:
        return self.screen.query_one(ServerLine)

    @property
    def message_bar(self) -> MessageBar:
        return self.screen.query_one(MessageBar)

    @property
    def focus_chain(self) -> list[Widget]:
        """What Tab goes through: transcript, the line for a URL, prompt.

        In the order of their meaning. Textual goes by the place on screen, and what has just been
        shown has none yet: it would come first.
        """
        order = (self.transcript, self.server_line.field, self.prompt, self.search_line)
        return [one for one in order if one is not None and one.focusable and _is_shown(one)]

    def refresh_rows(self, *names: str) -> None:
        """Draw these panels anew: header, speed, npu, memory, ddr, strip.

        While the app ends they are gone, and what was read meanwhile has no place any more.
        """
        for name in names:
            if name not in self._panels:
                for panel in self.screen.query(f"#{name}").results(Rows):
                    self._panels[name] = panel
        panels = [self._panels[name] for name in names if name in self._panels]
        for panel in panels:
            panel.refresh_rows()
        self.screen.paint(*panels)

    def scroll_transcript(self, where: str) -> None:
        """To its ``home`` or ``end``, or by ``page_up`` or ``page_down``."""
        transcript = self.transcript
        if where == "end":
            transcript.show_end()
        elif where == "home":
            transcript.show_row(0)
        else:
            transcript.scroll_pages(-1 if where == "page_up" else 1)

    def focus_prompt(self) -> None:
        """At once, for the next key may be here already."""
        self.screen.set_focus(self.prompt)

    def say(self, text: str, role: str = "soft") -> None:
        """One sentence in the bottom line."""
        self.message_bar.say(text, role)


def panel_of(widget: Widget | None) -> PanelName | None:
    """Which panel that widget is."""
    return None if widget is None else PANEL_OF_ID.get(widget.id or "")


def _is_shown(widget: Widget) -> bool:
    return all(node.display for node in widget.ancestors_with_self)
