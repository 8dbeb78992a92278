"""The screen below a dialog, dimmed a row at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from textual._context import visible_screen_stack
from textual.events import Idle
from textual.geometry import Region
from textual.renderables.background_screen import BackgroundScreen
from textual.strip import Strip

from tui.widgets.kit.key_paint import paint_effect_of_key

if TYPE_CHECKING:
    from textual.screen import Screen
    from textual.widget import Widget as _Screen
    from typing_extensions import Self
else:
    # Textual looks for styles in the first base that is a widget: that is the screen's own class.
    _Screen = object


class DimsBelow(_Screen):
    """Mixin of a dialog that keeps the screen below it updating. Named before the screen's own
    class.

    Textual renders and tints all of the screen below with each of its changes. Below an answer that
    streams, that is a tenth of a core. Here the rows are kept, and those that changed made anew.
    """

    _dimmed_rows: dict[int, Strip] | None = None

    def refresh(
        self,
        *regions: Region,
        repaint: bool = True,
        layout: bool = False,
        recompose: bool = False,
    ) -> Self:
        """Repaint; with regions, which is what changed on the screen below, only their rows."""
        rows = self._dimmed_rows or {}
        if regions and not (layout or recompose):
            for region in regions:
                for y in region.line_range:
                    rows.pop(y, None)
        else:
            rows.clear()
        return super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)

    async def _on_idle(self, event: Idle) -> None:
        """The effect of a key is painted at once; anything else with the next frame."""
        paint_effect_of_key(cast("Screen[Any]", self), event)

    def render_lines(self, crop: Region) -> list[Strip]:
        background, stack = self.styles.background, visible_screen_stack.get([])
        if not stack or background.a == 1:
            return super().render_lines(crop)
        below = stack.pop()
        if self._dimmed_rows is None:
            self._dimmed_rows = {}
        rows, width = self._dimmed_rows, self.outer_size.width
        missing = [y for y in crop.line_range if y not in rows or rows[y].cell_length != width]
        if missing:
            area = Region(0, missing[0], width, missing[-1] - missing[0] + 1)
            chops = below._compositor._render_chops(area, frozenset(missing).__contains__)
            for y in missing:
                strips = [strip for strip in chops[y].values() if strip] if y < len(chops) else []
                dimmed = BackgroundScreen.process_segments(Strip.join(strips), background)
                rows[y] = Strip(dimmed).adjust_cell_length(width)
        return [rows[y].crop(crop.x, crop.right) for y in crop.line_range]
