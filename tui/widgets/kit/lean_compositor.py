"""Textual's compositor that draws only the widgets where something changed, and keeps no rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from textual._compositor import ChopsUpdate, Compositor
from textual.geometry import Region
from textual.strip import Strip


class LeanCompositor(Compositor):
    """Textual's compositor, with two of its costs taken out.

    Textual asks every widget for all of its rows whenever anything on the screen has changed; here
    those are asked that stand where it changed, for the rows from the first to the last such one.

    ``Strip.divide`` and ``crop_extend`` remember their results, also where that is the strip
    itself. Such a strip is freed by the garbage collector alone: megabytes in a long answer.
    """

    _changed: Sequence[Region] = ()
    """What a partial update is about, while it is rendered."""

    def render_partial_update(self) -> ChopsUpdate | None:
        self._changed = tuple(self._dirty_regions)
        try:
            return super().render_partial_update()
        finally:
            self._changed = ()

    def _get_renders(
        self, crop: Region | None = None
    ) -> Iterable[tuple[Region, Region, list[Strip]]]:
        if crop is None:
            yield from super()._get_renders()
            return
        changed = self._changed or (crop,)
        for widget, (region, clip) in self.visible_widgets.items():
            shown = region.intersection(clip)
            parts = [part for one in changed if (part := shown.intersection(one))]
            if not parts:
                continue
            top = min(part.y for part in parts)
            height = max(part.bottom for part in parts) - top
            rows = Region(shown.x, top, shown.width, height)
            yield rows, clip, widget.render_lines(rows.translate((-region.x, -region.y)))

    def _render_chops(
        self, crop: Region, is_rendered_line: Callable[[int], bool]
    ) -> Sequence[Mapping[int, Strip]]:
        chops = super()._render_chops(crop, is_rendered_line)
        for line in chops:
            for strip in line.values():
                if strip is not None:  # of rows that were not asked for
                    strip._divide_cache.clear()
                    strip._crop_extend_cache.clear()
        return chops
