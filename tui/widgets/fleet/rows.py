"""Rows of the fleet screen: one board per line."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from tui.core.screen.fleet import BoardRow, Trouble
from tui.core.text import format as fmt
from tui.core.text.glyphs import Glyphs
from tui.widgets.kit.grounds import indented, on_ground
from tui.widgets.kit.rows import Row, column, fit, row_width, spread, window

WIDE, VERY_WIDE = 98, 148
TROUBLE_ROLES: dict[Trouble, str] = {"bad": "bad", "note": "warn", "none": "ok"}
NONE_SET = (
    "No board is set. Name them in ~/.config/npulse/config.toml:",
    "",
    "  [boards]",
    '  kitchen = "ssh://orangepi@192.168.1.20"',
    "",
    "npulse reaches them by your own ssh. It has to log in with a key: no password is asked here.",
)


def title_row(rows: Sequence[BoardRow], width: int) -> Row:
    """Number of boards, and how many need attention."""
    wrong = sum(row.wrong[0] == "bad" for row in rows)
    words: Row = (("all well", "ok"),) if rows else ()
    if wrong:
        words = ((f"{wrong} of {len(rows)} need attention", "bad"),)
    elif any(row.state == "connecting" for row in rows):
        words = (("connecting", "dim"),)
    boards = "1 board" if len(rows) == 1 else f"{len(rows)} boards"
    return spread(((" fleet", "strong"), (f"  {boards}", "soft")), (*words, (" ", "text")), width)


def fleet_rows(
    rows: Sequence[BoardRow], chosen: int, size: tuple[int, int], glyphs: Glyphs
) -> list[Row]:
    """The table at ``size`` (cells, rows), with more of the chosen board below it."""
    width, height = size[0] - 2, size[1]
    lines = _lines(rows, chosen, (width, height), glyphs)
    return [indented(line) for line in lines]


def _folded(line: str, width: int) -> list[str]:
    """A sentence in as many lines as it takes; what is indented stays as it is."""
    is_text = line and not line.startswith(" ")
    return textwrap.wrap(line, max(width, 20)) if is_text else [line[:width]]


def _lines(
    rows: Sequence[BoardRow], chosen: int, size: tuple[int, int], glyphs: Glyphs
) -> list[Row]:
    width, height = size
    if not rows:
        lines = [part for line in NONE_SET for part in _folded(line, width)]
        return [(), *(((line, "soft"),) for line in lines)][:height]
    room = max(1, height - 5)
    first, end = window(len(rows), room, chosen)
    table = [
        _row(rows[number], width, glyphs, is_chosen=number == chosen)
        for number in range(first, end)
    ]
    return [_head(width), *table, (), *_detail(rows[chosen], width)][:height]


def _head(width: int) -> Row:
    text = f"  {'board':<16}{'state':<9}"
    if width >= WIDE:
        text += f"{'model':<18}"
    text += f"{'tok/s':>7}{'NPU':>9}{'RAM free':>10}{'heat':>7}"
    if width >= WIDE:
        text += f"{'queue':>7}"
    if width >= VERY_WIDE:
        text += f"{'latency':>9}  {'what it is':<24}"
    return fit(((text + "  what is wrong", "dim"),), width)


def _row(row: BoardRow, width: int, glyphs: Glyphs, *, is_chosen: bool) -> Row:
    trouble, words = row.wrong
    role = TROUBLE_ROLES[trouble]
    cells: Row = (
        (f"{glyphs.closed if is_chosen else ' '} ", "live"),
        *column(row.name, 16, "strong" if is_chosen else "text"),
        (f"{_state(row):<9}", role if row.state != "connected" else "soft"),
    )
    if width >= WIDE:
        cells += column(row.model or fmt.UNKNOWN, 18, "text")
    npu = fmt.UNKNOWN if row.npu_pct is None else f"{row.npu_pct:.0f} %"
    if row.npu_pct is None and row.npu_phase != "unknown":
        npu = row.npu_phase
    free = row.ram_available_bytes
    heat = fmt.UNKNOWN if row.temperature_c is None else f"{row.temperature_c:.0f} °C"
    cells += (
        (f"{row.rate or fmt.UNKNOWN:>7}", "text"),
        (f"{npu:>9}", "text"),
        (f"{fmt.UNKNOWN if free is None else f'{free / 2**30:.1f} GiB':>10}", "text"),
        (f"{heat:>7}", "text"),
    )
    if width >= WIDE:
        cells += ((f"{fmt.UNKNOWN if row.queue is None else row.queue:>7}", "text"),)
    if width >= VERY_WIDE:
        latency = fmt.UNKNOWN if row.latency_ms is None else f"{row.latency_ms:.0f} ms"
        cells += ((f"{latency:>9}  ", "soft"), *column(row.board, 24, "soft"))
    if row.state == "lost" and row_width(cells) + 2 + row_width(((words, role),)) > width:
        # In what ssh says the last clause is the reason; all of it stands below the table.
        words = words.rpartition(": ")[2]
    if not words:
        words, role = row.work, "live"
    line = fit((*cells, (f"  {words}", role)), width)
    return on_ground(line, "selected", width + 1) if is_chosen else line


def _state(row: BoardRow) -> str:
    if row.state == "connected":
        return "busy" if row.is_server_busy else row.npu_phase if row.npu_phase != "unknown" else ""
    return "…" if row.state == "connecting" else "lost"


def _detail(row: BoardRow, width: int) -> list[Row]:
    """Details of the chosen board."""
    line = "" if row.latency_ms is None else f"  latency {row.latency_ms:.0f} ms"
    first = f"{row.address}{line}  {row.board}".rstrip()
    serving = "  ".join(part for part in (row.server, row.model) if part)
    told = "; ".join(part for part in (row.wrong[1], row.work) if part)
    second = told or serving or "nothing is wrong"
    role = TROUBLE_ROLES[row.wrong[0]] if row.wrong[1] else "soft"
    return [
        fit(((text, role),), width)
        for text, role in ((first, "soft"), (second, role), (row.way, "dim"))
    ]
