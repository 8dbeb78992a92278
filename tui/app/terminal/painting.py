"""Repaint rate: at once, every few seconds with low bandwidth, paused while the focus is elsewhere.

A terminal that reports its focus (DECSET 1004) and has lost it gets nothing after :data:`AWAY_S`;
everything is painted again when the focus is back, or the terminal takes another size. With low
bandwidth the screen is painted every :data:`LOW_BANDWIDTH_S`, and at once for some time after a
key. Answers are received and kept meanwhile, and the board is sampled.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from textual.timer import Timer

from tui.widgets.kit.lean_app import LeanApp

SAY_S = 1.0
"""Time without the focus after which a message says that painting will pause."""
AWAY_S = 1.5
"""Time without the focus after which painting pauses."""
LOW_BANDWIDTH_S = 5.0
"""Time between two paintings with low bandwidth."""
INPUT_S = 1.0
"""Time after a key in which everything is painted at once, also with low bandwidth."""


class Painting:
    """Delays or pauses the painting of an app.

    ``rest`` is called with whether painting is paused; ``say`` just before, and when it resumes.
    """

    def __init__(
        self, app: LeanApp[Any], rest: Callable[[bool], None], say: Callable[[bool], None]
    ) -> None:
        self._app = app
        self._rest = rest
        self._say = say
        self.is_away = False
        """Painting is paused: the focus is elsewhere."""
        self.is_low_bandwidth = False
        """Low bandwidth is on."""
        self._pictures: Timer | None = None
        self._leaving: Timer | None = None
        self._quiet: Timer | None = None

    def save_bandwidth(self, is_low: bool) -> None:
        """Switch low bandwidth on or off."""
        if is_low == self.is_low_bandwidth:
            return
        self.is_low_bandwidth = is_low
        if is_low:
            self._pictures = self._app.set_interval(LOW_BANDWIDTH_S, self._paint_once)
            self.has_input()
            return
        for timer in (self._pictures, self._quiet):
            if timer is not None:
                timer.stop()
        self._pictures = self._quiet = None
        if not self.is_away:
            self._app.hold_painting(False)

    def focus(self, has_focus: bool) -> None:
        """The terminal reports whether it has the focus."""
        if self._leaving is not None:
            self._leaving.stop()
            self._leaving = None
        if has_focus:
            self._come_back()
        elif not self.is_away:
            self._leaving = self._app.set_timer(SAY_S, self._tell)

    def has_input(self) -> None:
        """A key, a click or another size: its effect is to be seen."""
        if self.is_away:
            self._come_back()
            self.focus(False)
        if not self.is_low_bandwidth:
            return
        self._app.hold_painting(False)
        if self._quiet is not None:
            self._quiet.stop()
        self._quiet = self._app.set_timer(INPUT_S, self._hold)

    def _tell(self) -> None:
        self._say(True)
        self._leaving = self._app.set_timer(AWAY_S - SAY_S, self._leave)

    def _leave(self) -> None:
        self._leaving = None
        self.is_away = True
        self._app.hold_painting(True)
        self._rest(True)

    def _come_back(self) -> None:
        was_away, self.is_away = self.is_away, False
        self._say(False)
        if was_away:
            self._rest(False)
            self._app.hold_painting(False)
            if self.is_low_bandwidth:
                self.has_input()

    def _hold(self) -> None:
        self._quiet = None
        self._app.hold_painting(True)

    def _paint_once(self) -> None:
        """The picture of the moment, unless it is painted anyway or nobody looks."""
        if self._quiet is None and not self.is_away:
            self._app.hold_painting(False)
            self._app.screen.call_after_refresh(self._hold_again)

    def _hold_again(self) -> None:
        if self._quiet is None and not self.is_away:
            self._app.hold_painting(True)
