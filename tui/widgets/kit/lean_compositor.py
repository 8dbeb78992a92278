"""Screen updates that write the cells that changed, and not the rest of their row.

Textual 8.2 repaints a changed region from the left edge of its widget on, and sets every colour
again for each piece of text. Over SSH that is most of the bytes of a panel in which two digits
change. This compositor gives the same cells, cut at both ends, with neighbours of one style joined.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from rich.color import ColorSystem
from rich.console import Console
from rich.control import Control
from rich.segment import Segment
from textual._compositor import ChopsUpdate, Compositor, CompositorUpdate
from textual.geometry import Region
from textual.strip import Strip


class LeanCompositor(Compositor):
    """Textual's compositor with smaller partial updates."""

    def render_partial_update(self) -> ChopsUpdate | None:
        update = super().render_partial_update()
        return None if update is None else LeanUpdate(update)

    def _render_chops(
        self, crop: Region, is_rendered_line: Callable[[int], bool]
    ) -> Sequence[Mapping[int, Strip]]:
        """The strips of the screen, kept from keeping themselves.

        ``Strip.divide`` and ``crop_extend`` remember their results, also where that is the strip
        itself. Such a strip is freed by the garbage collector alone: megabytes in a long answer.
        """
        chops = super()._render_chops(crop, is_rendered_line)
        for line in chops:
            for strip in line.values():
                if strip is not None:  # of rows that were not asked for
                    strip._divide_cache.clear()
                    strip._crop_extend_cache.clear()
        return chops


class LeanUpdate(ChopsUpdate, CompositorUpdate):
    """The cells of a :class:`ChopsUpdate`, without those left of what changed."""

    def __init__(self, update: ChopsUpdate) -> None:
        super().__init__(update.chops, update.spans, update.chop_ends)

    def render_segments(self, console: Console) -> str:
        """Raw data for the terminal."""
        system = console._color_system or ColorSystem.TRUECOLOR
        out: list[str] = []
        for y, x1, x2 in self.spans:
            line = self.chops[y]
            # Where a chop ends the next begins; those that were not drawn are None.
            for end, (x, strip) in zip(self.chop_ends[y], line.items(), strict=False):
                if strip is None or x >= x2 or end <= x1:
                    continue
                left, right = max(x, x1), min(end, x2)
                cells = strip.crop(left - x, right - x)
                strip._crop_cache.clear()  # what changed once does not change alike again
                out.append(Control.move_to(left, y).segment.text)
                out.extend(_joined(cells, system))
        return "".join(out)


def _joined(strip: Strip, system: ColorSystem) -> Iterable[str]:
    for text, style, _ in Segment.simplify(strip):
        yield text if style is None else Strip.render_style(style, text, system)
