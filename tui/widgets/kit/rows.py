"""A widget made of rows, which repaints only changed cells.

A repainted row is the unit of cost over SSH, so a panel hands in all of its rows each time and only
the cells between the first and the last difference of a row are painted again. A row is a tuple of
spans; a span is a text and the name of its role, and the theme gives each role its colour.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.geometry import Region, Size
from textual.scrollbar import ScrollBarRender
from textual.strip import Strip
from textual.widget import Widget

from tui.core.text.glyphs import Glyphs


class AsciiScrollBar(ScrollBarRender):
    """The ends fall on whole cells: in these, the library's partial blocks are blanks."""

    VERTICAL_BARS: ClassVar[list[str]] = [" "] * 8
    HORIZONTAL_BARS: ClassVar[list[str]] = [" "] * 8


Span = tuple[str, str]
"""A text and its role: one of :data:`ROLES`."""

Row = tuple[Span, ...]

ROLES = ("text", "soft", "dim", "strong", "live", "ok", "warn", "bad", "track", "rule", "key")
"""What a text is; the theme gives the variable of that name its colour."""

VARIABLES = {"text": "foreground", "strong": "foreground", "key": "soft"}
BOLD = frozenset({"strong", "live", "key"})


def row_width(row: Row) -> int:
    """Cells that the row takes."""
    return sum(cell_len(text) for text, _ in row)


def fit(row: Row, width: int) -> Row:
    """The row cut to ``width`` cells; no wide character is split."""
    spans: list[Span] = []
    left = width
    for text, role in row:
        cells = cell_len(text)
        if cells > left:
            text, cells = set_cell_size(text, left), left
        if text:
            spans.append((text, role))
        left -= cells
        if left <= 0:
            break
    return tuple(spans)


def cut(row: Row, width: int, glyphs: Glyphs) -> Row:
    """The row in at most ``width`` cells; where something is left out, a sign says so."""
    if row_width(row) <= width:
        return row
    kept = fit(row, max(width - cell_len(glyphs.ellipsis), 0))
    return (*kept, (glyphs.ellipsis, row[-1][1])) if width > 0 else ()


def spread(left: Row, right: Row, width: int) -> Row:
    """``left`` at the left edge and ``right`` at the right one; the left gives way."""
    room = width - row_width(right)
    if room < 1:
        return fit(right, width)
    left = fit(left, room - 1)
    return (*left, (" " * (room - row_width(left)), "text"), *right)


def pad(row: Row, width: int) -> Row:
    """The row filled with blanks up to ``width`` cells, so that what follows stands in a column."""
    missing = width - row_width(row)
    return (*row, (" " * missing, "text")) if missing > 0 else row


def column(text: str, cells: int, role: str) -> Row:
    """A text in a column of ``cells``, cut so that a blank follows it."""
    return pad(fit(((text, role),), cells - 1), cells)


def window(count: int, height: int, at: int) -> tuple[int, int]:
    """First and last + 1 of ``count`` rows that are shown in ``height`` with ``at`` in sight."""
    if count <= height:
        return 0, count
    first = min(max(0, at - height // 2), count - height)
    return first, first + max(0, height)


def in_glyphs(row: Row, glyphs: Glyphs) -> Row:
    """The row in the terminal's characters. In ASCII some take more or fewer cells: the longest
    blank of the row gives or takes them, so that what stands at the right edge stays there."""
    if not glyphs.is_ascii:
        return row
    plain = tuple((glyphs.text(text), role) for text, role in row)
    missing = row_width(row) - row_width(plain)
    blanks = [at for at, (text, _) in enumerate(plain) if text and not text.strip()]
    if not missing or not blanks:
        return plain
    widest = max(blanks, key=lambda at: len(plain[at][0]))
    text, role = plain[widest]
    kept = " " * max(1, len(text) + missing)
    return (*plain[:widest], (kept, role), *plain[widest + 1 :])


class Rows(Widget):
    """Draws rows given by :meth:`show`; repaints what changed and nothing else."""

    DEFAULT_CSS = "Rows { height: auto; }"

    def __init__(
        self, glyphs: Glyphs, *, id: str | None = None, classes: str | None = None
    ) -> None:
        super().__init__(id=id, classes=classes)
        self._glyphs = glyphs
        self._rows: tuple[Row, ...] = ()
        self._styles: dict[str, Style] = {}
        self.painted_cells = 0
        """Cells that were asked to be painted again since the start: the cost of this widget."""

    def build(self, width: int) -> Sequence[Row]:
        """The rows at ``width`` cells; a widget that follows its size overrides this."""
        return self._rows

    def refresh_rows(self) -> None:
        """Build the rows anew and repaint those that changed."""
        if self.size.width:
            self.show(self.build(self.size.width))

    def show(self, rows: Sequence[Row]) -> None:
        """Show these rows. Where their number changed the widget is laid out again."""
        old, self._rows = self._rows, tuple(in_glyphs(row, self._glyphs) for row in rows)
        if len(old) != len(self._rows):
            self.refresh(layout=self.styles.is_auto_height)
            return
        changed = [
            Region(x, y, cells, 1)
            for y, (before, after) in enumerate(zip(old, self._rows, strict=True))
            if before != after
            for x, cells in [_changed_cells(before, after)]
        ]
        if changed:
            self.painted_cells += sum(region.width for region in changed)
            self.refresh(*changed)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        if not self._rows:
            self._rows = tuple(in_glyphs(row, self._glyphs) for row in self.build(width))
        return len(self._rows)

    def on_resize(self) -> None:
        self.refresh_rows()

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._styles = {}

    def style_of(self, role: str) -> Style:
        """The theme's style of a role on this widget's own background."""
        style = self._styles.get(role)
        if style is None:
            # Straight from the theme: a component class for each role of each widget would be a
            # hundred nodes more for every pass of the style sheet.
            name = VARIABLES.get(role, role)
            colour = Color.parse(self.app.theme_variables[name])
            style = self.rich_style + Style(color=colour.rich_color, bold=role in BOLD or None)
            self._styles[role] = style
        return style

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        if y >= len(self._rows):
            return Strip.blank(width, self.rich_style)
        segments = [Segment(text, self.style_of(role)) for text, role in self._rows[y]]
        return Strip(segments).adjust_cell_length(width, self.rich_style)


def _changed_cells(before: Row, after: Row) -> tuple[int, int]:
    """First column and number of cells that differ between two rows.

    Compared by cell and role; a row with wide characters is taken from its first difference to its
    end, which is always right and only sometimes more than needed.
    """
    a, b = _cells(before), _cells(after)
    common = 0
    for one, two in zip(a, b, strict=False):
        if one != two:
            break
        common += 1
    x = sum(cell_len(text) for text, _ in a[:common])
    tail = 0
    if len(a) == len(b) and row_width(before) == len(a) and row_width(after) == len(b):
        while tail < len(a) - common and a[-1 - tail] == b[-1 - tail]:
            tail += 1
    width = max(row_width(before), row_width(after))
    return x, max(1, width - tail - x)


def _cells(row: Row) -> list[Span]:
    return [(char, role) for text, role in row for char in text]
