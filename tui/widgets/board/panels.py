"""The board's panels: NPU cores, memory, DDR and heat, and what npulse itself costs."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tui.core.board.history import BoardHistory
from tui.core.board.reading import Snapshot
from tui.core.text import format as fmt
from tui.core.text.glyphs import Glyphs
from tui.core.text.sanitize import clean
from tui.widgets.kit.bars import bar, heat, spark, stacked, values_in
from tui.widgets.kit.rows import Row, Rows, pad, spread

USUAL_NPU_ROWS = 4


class BoardPanel(Rows):
    """A panel over the last snapshot; ``rows_of`` is one of the functions below, ``key`` the key
    that enlarges the panel."""

    def __init__(
        self,
        rows_of: Callable[[BoardHistory, int, Glyphs], list[Row]],
        history: Callable[[], BoardHistory],
        glyphs: Glyphs,
        *,
        key: str = "",
        id: str | None = None,
    ) -> None:
        super().__init__(glyphs, id=id)
        self._rows_of = rows_of
        self._panel_key = key
        self._history = history

    def build(self, width: int) -> Sequence[Row]:
        title, *rest = self._rows_of(self._history(), width, self._glyphs)
        return [_with_key(title, self._panel_key), *rest]


def _with_key(title: Row, key: str) -> Row:
    """The title with the key that enlarges the panel, where the blank after its name has room."""
    if not key or len(title) < 2 or len(title[1][0]) < len(key) + 3 or title[1][0].strip():
        return title
    name, (blank, role), *rest = title
    return (name, (f" {key}", "dim"), (blank[len(key) + 1 :], role), *rest)


def npu_rows(history: BoardHistory, width: int, glyphs: Glyphs) -> list[Row]:
    """Title with clock and temperature, then one row per core, or the reason why there is none.

    Always room for three cores, so that nothing below moves when the first sample is there.
    """
    rows = _npu_rows(history, width, glyphs)
    return rows + [()] * (USUAL_NPU_ROWS - len(rows))


def _npu_rows(history: BoardHistory, width: int, glyphs: Glyphs) -> list[Row]:
    snapshot = history.latest
    if snapshot is None:
        return [spread((("npu", "strong"),), ((history.absence, "dim"),), width)]
    right: Row = (
        (fmt.megahertz(snapshot.number("npu.freq")), "dim"),
        ("  ", "dim"),
        (fmt.celsius(snapshot.number("npu.temp")), "dim"),
    )
    rows: list[Row] = [spread((("npu", "strong"),), right, width)]
    loads = snapshot.numbers("npu.load")
    if not loads:
        return rows + _npu_without_load(snapshot, width, glyphs)
    cells = history_cells(width)
    room = max(6, width - cells - 11)
    for core, load in enumerate(loads):
        name = str(core) if len(loads) > 1 else "NPU"
        rows.append(
            spread(
                (
                    (f"{name} ", "dim"),
                    *bar(None if load is None else load / 100, room, glyphs),
                    (f"{fmt.percent(load):>6}", "text"),
                ),
                past_row(history, f"npu.load.{core}", cells, glyphs),
                width,
            )
        )
    return rows


def _npu_without_load(snapshot: Snapshot, width: int, glyphs: Glyphs) -> list[Row]:
    reading = snapshot.get("npu.load")
    reason = clean(reading.reason or "unknown", newlines=False)
    rows: list[Row] = [(("load ", "dim"), (fmt.UNKNOWN, "text"), (f"  {reason}", "warn"))]
    activity = snapshot.numbers("npu.activity")
    if activity:
        total = sum(value for value in activity if value is not None)
        rows.append((("activity ", "dim"), (f"~{total:.0f} jobs/s", "text")))
    if "permission" in reason:
        rows.append((("why and what to do: ", "dim"), ("npulse doctor", "soft")))
    return rows


def history_cells(width: int) -> int:
    """How many cells of a panel's row its history takes."""
    return max(width // 2 - 4, 6)


def past_row(
    history: BoardHistory, name: str, cells: int, glyphs: Glyphs, role: str = "soft"
) -> Row:
    """The last samples of a reading that goes up to 100, as a line."""
    values = history.in_place(name, values_in(cells, glyphs))
    return spark(values, cells, glyphs, top=100.0, role=role)


def memory_rows(history: BoardHistory, width: int, glyphs: Glyphs) -> list[Row]:
    """Total, one stacked bar, and the split into model, other and free."""
    snapshot = history.latest
    total = None if snapshot is None else snapshot.number("ram.total")
    title = spread((("memory", "strong"),), ((f"{fmt.gib(total)} GiB", "dim"),), width)
    if snapshot is None or not total:
        reason = history.absence if snapshot is None else snapshot.get("ram.total").reason
        return [title, ((f"{fmt.UNKNOWN}  {reason or ''}", "dim"),), ()]
    available = snapshot.number("ram.available")
    model = snapshot.number("ram.model")
    used = None if available is None else max(0.0, total - available)
    other = None if used is None else max(0.0, used - (model or 0.0))
    shares = [(model, "live"), (other, "soft")] if model is not None else [(other, "soft")]
    parts = [((part or 0.0) / total, role) for part, role in shares]
    other_sign = glyphs.bar_full if model is None else glyphs.bar_dashed
    free_role = "text"
    if available is not None and available < 0.10 * total:
        free_role = "bad" if available < 0.05 * total else "warn"
    of_model: Row = (
        (f"{glyphs.bar_full} ", "live"),
        ("model ", "dim"),
        (fmt.gib(model), "text"),
        ("  ", "dim"),
    )
    left: Row = (
        *(of_model if model is not None else ()),
        (f"{other_sign} ", "soft"),
        ("other " if model is not None else "used ", "dim"),
        (fmt.gib(other), "text"),
        ("  free ", "dim"),
        (f"{fmt.gib(available)} GiB", free_role),
    )
    return [title, stacked(parts, width, glyphs), left]


def board_rows(history: BoardHistory, width: int, glyphs: Glyphs) -> list[Row]:
    """DDR clock and load, SoC temperature, and npulse's own cost."""
    snapshot = history.latest
    if snapshot is None:
        return [spread((("board", "strong"),), ((history.absence, "dim"),), width), (), (), ()]
    governor = snapshot.text("npu.governor")
    title_right = f"governor {clean(governor, newlines=False)}" if governor else ""
    cells = history_cells(width)
    ddr_load = snapshot.number("ddr.load")
    ddr_freq = snapshot.number("ddr.freq")
    if ddr_freq is None and ddr_load is None:
        why = clean(snapshot.get("ddr.freq").reason or "unknown", newlines=False)
        ddr: Row = (("DDR ", "dim"), (fmt.UNKNOWN, "text"), (f"  {why}", "dim"))
    else:
        left: Row = (
            ("DDR ", "dim"),
            (f"{fmt.megahertz(ddr_freq):>9}", "text"),
            (f"{fmt.percent(ddr_load):>7}", "text"),
        )
        ddr = (*pad(left, width - cells), *past_row(history, "ddr.load", cells, glyphs))
    temperature = snapshot.number("soc.temp")
    role, word = heat(temperature)
    left = (("SoC ", "dim"), (f"{fmt.celsius(temperature):>9}", role), (f"  {word}", role))
    past = past_row(history, "soc.temp", cells, glyphs, role if word else "soft")
    soc = (*pad(left, width - cells), *past)
    own: Row = (
        ("npulse itself ", "dim"),
        (_own_cpu(snapshot.number("npulse.cpu")), "soft"),
        (" CPU  ", "dim"),
        (fmt.size(snapshot.number("npulse.rss")), "soft"),
    )
    return [
        spread((("board", "strong"),), ((title_right, "dim"),), width),
        ddr,
        soc,
        own,
    ]


def _own_cpu(value_pct: float | None) -> str:
    """npulse's own CPU; below 1 % no figure, since it would change every second."""
    if value_pct is None:
        return fmt.UNKNOWN
    return "<1 %" if value_pct < 1 else f"{value_pct:.0f} %"
