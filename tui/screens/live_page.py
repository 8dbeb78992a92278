"""A page that is redrawn once a second while it is on top."""

from __future__ import annotations

from textual.timer import Timer

from tui.screens.page import Page

REDRAW_S = 1.0


class LivePage(Page):
    """``redraw`` is its own. Textual calls the handlers here besides those of the page."""

    _timer: Timer | None = None

    def on_mount(self) -> None:
        self._timer = self.set_interval(REDRAW_S, self.redraw)
        self.call_after_refresh(self.redraw)

    def on_screen_suspend(self) -> None:
        if self._timer is not None:
            self._timer.pause()

    def on_screen_resume(self) -> None:
        if self._timer is not None:
            self._timer.resume()
            self.call_after_refresh(self.redraw)

    def redraw(self) -> None:
        """Updates everything visible."""
        raise NotImplementedError
