"""A screen that keeps updating below a dialog, and redraws only where something changed."""

from __future__ import annotations

from textual.events import Idle
from textual.screen import Screen
from textual.timer import Timer
from textual.widget import Widget

from tui.widgets.kit.key_paint import paint_effect_of_key
from tui.widgets.kit.lean_compositor import LeanCompositor

COVERED_S = 0.5
"""Time between two updates of what is below a dialog, since each redraws the dialog too."""


class LeanScreen(Screen[None]):
    """Collects changes while another screen covers this one, and draws them together.

    Textual tells the screen on top where this one has changed, and then takes all of these regions
    for changed again, in every later frame: they only ever become more.
    """

    def __init__(self) -> None:
        super().__init__()
        self._compositor = LeanCompositor()
        self._telling: Timer | None = None

    @property
    def is_covered(self) -> bool:
        """Whether nothing of it is seen: another screen hides all of it, or it was left. A dialog
        lets it be seen."""
        stack = self.app.screen_stack
        if self not in stack:
            return True
        above = stack[stack.index(self) + 1 :]
        return any(screen.styles.background.a == 1 for screen in above)

    async def _on_idle(self, event: Idle) -> None:
        """The effect of a key is painted at once; anything else with the next frame."""
        paint_effect_of_key(self, event)

    def paint(self, *widgets: Widget) -> None:
        """Paint what has changed of these widgets at once. Textual takes a message of each, one of
        the screen and a timer to do so, which cost more than painting a few words."""
        changed = [one for one in widgets if one._repaint_required and not one._layout_required]
        if changed and self.is_current and not self.app._batch_count:
            for widget in changed:
                widget._repaint_required = False
            self._dirty_widgets.update(changed)
            self._on_timer_update()

    def _compositor_refresh(self) -> None:
        app, regions = self.app, self._compositor._dirty_regions
        if self is app.screen or app.is_inline:
            super()._compositor_refresh()
        elif self in app._background_screens and regions:
            self._dirty_widgets.clear()
            if self._telling is None:
                self._telling = self.set_timer(COVERED_S, self._tell_changes)

    def _tell_changes(self) -> None:
        """What has changed below a dialog since it was told last."""
        self._telling = None
        app, regions = self.app, self._compositor._dirty_regions
        if self is not app.screen and self in app._background_screens and regions:
            app.screen.refresh(*regions)
            regions.clear()
