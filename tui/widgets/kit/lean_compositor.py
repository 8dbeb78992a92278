"""Textual's compositor that draws only what has changed of the widgets, and keeps no rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from inspect import unwrap

from textual._compositor import ChopsUpdate, Compositor
from textual.geometry import Region
from textual.strip import Strip

# Textual remembers the last 4,096 results of each, and of changed places few come again: 1 MB.
_common = unwrap(Region.intersection)
_overlaps = unwrap(Region.overlaps)
_contains = unwrap(Region.contains_region)
_moved = unwrap(Region.translate)


class LeanCompositor(Compositor):
    """Textual's compositor, with three of its costs taken out.

    Textual cuts every row of the screen at the edges of all widgets, and asks every widget for all
    of its rows, whenever anything on the screen has changed. Here a change that lies within one
    widget is asked of that widget alone, and written as it comes. Where several widgets share a
    change, those are asked that stand there, for the rows from the first to the last such one.

    ``Strip.divide`` and ``crop_extend`` remember their results: the pieces of each row, 1 kB each.
    Where that is the strip itself it is freed by the garbage collector alone: megabytes in a long
    answer.
    """

    _changed: Sequence[Region] = ()
    """What a partial update is about, while it is rendered."""
    _rows: Sequence[Strip] = ()
    """The widgets' rows, while they are cut into pieces."""

    def render_partial_update(self) -> ChopsUpdate | None:
        screen = self.size.region
        self._changed = [part for one in self._dirty_regions if (part := _common(one, screen))]
        try:
            update = self._of_single_widgets()
            if update is None:
                return super().render_partial_update()
            self._dirty_regions.clear()
            return update
        finally:
            self._changed = ()

    def _of_single_widgets(self) -> ChopsUpdate | None:
        """What has changed, where each changed region lies within the one widget that is in front
        there; None where that is not so, or nothing has changed."""
        rows: dict[int, dict[int, Strip]] = {}
        spans: list[tuple[int, int, int]] = []
        changed = self._changed
        for widget, (region, clip) in self.visible_widgets.items():
            if not changed:
                break
            shown = region.intersection(clip)
            here = [one for one in changed if _overlaps(shown, one)]
            if not here:
                continue
            if not all(_contains(shown, one) for one in here):
                return None
            changed = [one for one in changed if one not in here]
            top = min(one.y for one in here)
            asked = Region(shown.x, top, shown.width, max(one.bottom for one in here) - top)
            strips = widget.render_lines(_moved(asked, (-region.x, -region.y)))
            for y, x, end in self._regions_to_spans(here):
                spans.append((y, x, end))
                strip = _cropped(strips[y - top], x - shown.x, end - shown.x)
                rows.setdefault(y, {})[x] = strip
        if changed or not spans:
            return None
        spans.sort()
        chops: list[dict[int, Strip]] = [{}] * self.size.height
        ends: list[list[int]] = [[]] * self.size.height
        for y, row in rows.items():
            chops[y] = row
            ends[y] = [x + strip.cell_length for x, strip in row.items()]
        return ChopsUpdate(chops, spans, ends)

    def _get_renders(
        self, crop: Region | None = None
    ) -> Iterable[tuple[Region, Region, list[Strip]]]:
        if crop is None:
            yield from super()._get_renders()
            return
        self._rows = []
        changed = self._changed or (crop,)
        for widget, (region, clip) in self.visible_widgets.items():
            shown = region.intersection(clip)
            parts = [part for one in changed if (part := _common(shown, one))]
            if not parts:
                continue
            top = min(part.y for part in parts)
            height = max(part.bottom for part in parts) - top
            rows = Region(shown.x, top, shown.width, height)
            strips = widget.render_lines(_moved(rows, (-region.x, -region.y)))
            self._rows += strips
            yield rows, clip, strips

    def _render_chops(
        self, crop: Region, is_rendered_line: Callable[[int], bool]
    ) -> Sequence[Mapping[int, Strip]]:
        chops = super()._render_chops(crop, is_rendered_line)
        for strip in self._rows:
            strip._divide_cache.clear()
            strip._crop_extend_cache.clear()
        self._rows = ()
        return chops


def _cropped(strip: Strip, start: int, end: int) -> Strip:
    """A part of a strip, which does not remember it: what changed once does not change alike
    again."""
    if (start, end) == (0, strip.cell_length):
        return strip
    part = strip.crop(start, end)
    strip._crop_cache.clear()
    return part
