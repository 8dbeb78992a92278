"""Textual's compositor without its cache of rendered rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from textual._compositor import Compositor
from textual.geometry import Region
from textual.strip import Strip


class LeanCompositor(Compositor):
    """Textual's compositor, whose strips do not keep themselves.

    ``Strip.divide`` and ``crop_extend`` remember their results, also where that is the strip
    itself. Such a strip is freed by the garbage collector alone: megabytes in a long answer.
    """

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
