"""A screen that goes on working below others, at the price of what changes on it."""

from __future__ import annotations

from textual.screen import Screen

from tui.widgets.kit.lean_compositor import LeanCompositor


class LeanScreen(Screen[None]):
    """A screen whose changes below another one are drawn once.

    Textual tells the screen on top where this one has changed, and then takes all of these regions
    for changed again, in every later frame: they only ever become more.
    """

    def __init__(self) -> None:
        super().__init__()
        self._compositor = LeanCompositor()

    def _compositor_refresh(self) -> None:
        app, regions = self.app, self._compositor._dirty_regions
        if self is app.screen or app.is_inline:
            super()._compositor_refresh()
        elif self in app._background_screens and regions:
            app.screen.refresh(*regions)
            regions.clear()
            self._dirty_widgets.clear()
