"""Base of the bench screens: top line, messages, and the way back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from textual.binding import BindingType
from textual.message import Message

from tui.bench.model.screen import BenchSession, BenchView
from tui.core.screen.headline import Headline
from tui.core.screen.keymap import Place
from tui.core.screen.keys.table import closing
from tui.core.text.glyphs import Glyphs
from tui.screens.page import Page
from tui.widgets.kit.bindings import bindings

REFRESH_S = 0.5


@dataclass(frozen=True)
class BenchData:
    """Data sources of the bench screens. Every callable returns at once."""

    session: BenchSession
    headline: Callable[[], Headline]


class BenchPage(Page):
    """Base of the bench screens: top line, messages and going back.

    Esc is one step back, F3 leaves all of them. A page does not know the others: it posts one of
    the messages below, and the app opens the screen (:mod:`tui.screens.bench.navigation`).
    """

    @dataclass
    class Open(Message):
        """The page asks for another one."""

        page: BenchPage

    @dataclass
    class OpenRun(Open):
        """Show the running benchmark; with ``is_replacing`` in place of the page that asks."""

        is_replacing: bool = False

    @dataclass
    class OpenResult(Open):
        """Show the results of a run."""

        run_id: str

    @dataclass
    class OpenComparison(Open):
        """Compare run ``b`` with the baseline ``a``."""

        a: str
        b: str

    @dataclass
    class OpenRequest(Open):
        """Show the request at index ``at`` of the results of a run."""

        run_id: str
        at: int

    @dataclass
    class OpenTimelines(Message):
        """Show the timeline of the request at index ``at`` of the results of a run."""

        page: BenchPage
        run_id: str
        at: int

    HORIZONTAL_BREAKPOINTS = [(0, "-small"), (70, "-narrow"), (100, "-wide")]
    VERTICAL_BREAKPOINTS = [(0, "-short"), (32, "-tall")]

    DEFAULT_CSS = "BenchPage VerticalScroll { scrollbar-size-vertical: 1; }"

    BINDINGS: ClassVar[list[BindingType]] = bindings([closing("bench")])
    HELP_PLACE: ClassVar[Place] = "bench"
    EVERY_S: ClassVar[float] = REFRESH_S

    def __init__(self, data: BenchData, glyphs: Glyphs) -> None:
        super().__init__(data.headline, glyphs)
        self.data = data
        self.session = data.session
        self._said = data.session.view().message.serial

    def on_mount(self) -> None:
        self.set_interval(self.EVERY_S, self.pull)
        self.pull()

    def view(self) -> BenchView:
        return self.session.view()

    def pull(self) -> None:
        """Draws the present state, and shows new messages."""
        if self.is_covered:
            return
        self.draw_rows()
        message = self.view().message
        if message.serial != self._said:
            self._said = message.serial
            self.say(message.text, message.role)

    def on_screen_resume(self) -> None:
        self.call_after_refresh(self.pull)

    def say_if(self, refusal: str | None) -> bool:
        """Say why something was refused; whether it was."""
        if refusal is not None:
            self.say(refusal, "warn")
        return refusal is not None

    def open_comparison(self, run_id: str) -> None:
        """Compare a run with the one that fits best, if there is one."""
        partner = self.session.partner_of(run_id) if run_id else None
        if partner is None:
            self.say("there is no earlier run of this suite to compare with", "warn")
        else:
            self.post_message(self.OpenComparison(self, partner, run_id))

    def action_move(self, rows: int) -> None:
        """Scroll the text of the page."""
        self.query_one("#words").scroll_relative(y=rows, animate=False)
