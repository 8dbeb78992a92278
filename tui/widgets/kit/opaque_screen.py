"""A screen that covers the one below it completely, and is not disturbed by it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.geometry import Region

from tui.widgets.kit.lean_screen import LeanScreen

if TYPE_CHECKING:
    from typing_extensions import Self


class OpaqueScreen(LeanScreen):
    """A full screen over another one that goes on working.

    Textual repaints the screen on top wherever the one below changes, as if it could be seen
    through. Below an answer that streams, that is the whole screen several times a second.
    """

    def refresh(
        self,
        *regions: Region,
        repaint: bool = True,
        layout: bool = False,
        recompose: bool = False,
    ) -> Self:
        """Repaint, but not for regions: those are what changed on the screen below."""
        if regions and not (layout or recompose):
            return self
        return super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)
