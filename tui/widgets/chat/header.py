"""The top line: board, model, server and its state, temperature, time."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tui.core.screen.headline import Headline
from tui.core.text import format as fmt
from tui.core.text.glyphs import Glyphs
from tui.widgets.kit.bars import heat
from tui.widgets.kit.rows import Row, Rows, Span, row_width, spread

WIDE_COLUMNS = 100
STATE_ROLES = {"ready": "ok", "busy": "warn", "loading": "warn", "searching": "dim", "gone": "bad"}


class Header(Rows):
    """One row: name, board, model and server, heat and time."""

    DEFAULT_CSS = """
    Header { height: 1; background: $raised; }
    """

    def __init__(
        self, headline: Callable[[], Headline], glyphs: Glyphs, *, id: str | None = None
    ) -> None:
        super().__init__(glyphs, id=id)
        self._headline = headline

    def build(self, width: int) -> Sequence[Row]:
        return [header_row(self._headline(), width, self._glyphs)]


def header_row(line: Headline, width: int, glyphs: Glyphs) -> Row:
    """The row at ``width`` cells: whole parts are left out until the rest fits, none is cut."""
    wide = width >= WIDE_COLUMNS
    right = _right(line, wide)
    parts: list[tuple[int, Row]] = [(0, ((" npulse", "live"),))]
    if line.replay:
        parts.append((0, ((f"  REPLAY {line.replay}", "warn"),)))
    if line.is_simulated:
        parts.append((0, (("  SIMULATED", "warn"),)))
    if line.bench:
        parts.append((1, ((f"  {line.bench}", "live"),)))
    if line.alert:
        parts.append((2, ((f"  {line.alert}", "warn"),)))
    if wide:
        parts += _board(line)
    parts += _server(line, glyphs)
    room = width - row_width(right) - 1
    while len(parts) > 1 and sum(row_width(row) for _, row in parts) > room:
        parts.remove(max(parts, key=lambda part: part[0]))
    return spread(tuple(span for _, row in parts for span in row), right, width)


def _right(line: Headline, wide: bool) -> Row:
    role, word = heat(line.temperature_c)
    spans: list[Span] = []
    if line.temperature_c is not None:
        spans.append((f"{fmt.celsius(line.temperature_c)} ", role if word else "soft"))
        if word and wide:
            spans.append((f"{word} ", role))
    spans.append((f" {line.time_of_day if wide else line.time_of_day[:5]} ", "soft"))
    return tuple(spans)


def _board(line: Headline) -> list[tuple[int, Row]]:
    """Board, SoC and driver, each with its drop order."""
    named = ((4, line.board, "soft"), (6, line.soc, "dim"))
    parts: list[tuple[int, Row]] = [
        (order, ((f"  {text}", role),)) for order, text, role in named if text
    ]
    if line.driver:
        parts.append((7, ((f"  rknpu {line.driver}", "dim"),)))
    return parts


def _server(line: Headline, glyphs: Glyphs) -> list[tuple[int, Row]]:
    """Model and server with their states, each with its drop order."""
    role = STATE_ROLES[line.server_state]
    words = {"searching": "looking for a server", "gone": line.server_words}
    name = line.model or words.get(line.server_state, line.no_model)
    dot: Row = ((f"   {glyphs.dot} ", role), (name, "strong" if line.model else "soft"))
    parts: list[tuple[int, Row]] = [(1, dot)]
    if line.model:
        parts += [(5, ((f" {text}", "dim"),)) for text in (line.quantisation, line.context) if text]
        if line.is_model_loaded is False:
            parts.append((4, (("  not loaded yet", "dim"),)))
    if line.server:
        parts.append((3, ((f"  {line.server}", "dim"),)))
    if line.server_words and line.server_words != name:
        parts.append((2, ((f"  {line.server_words}", role),)))
    return parts
