"""Rows of the lab's list: prompt sets above, runs below."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import set_cell_size

from tui.core.text.glyphs import Glyphs
from tui.core.text.sanitize import clean_line
from tui.lab.model.screen import LabView, RunRow, SetRow
from tui.widgets.kit.grounds import on_ground
from tui.widgets.kit.rows import Row, fit, spread, window


def set_rows(
    view: LabView, at: int | None, note: str, width: int, height: int, glyphs: Glyphs, new_key: str
) -> list[Row]:
    """Title and prompt sets; ``at`` is the chosen one, None where the runs have the keys."""
    rows = [spread(((" prompt sets", "strong"),), ((f"{note} ", "dim"),), width)]
    if not view.sets:
        words = f"none yet; {new_key} makes one" if view.has_looked else "reading ..."
        return [*rows, ((f"   {words}", "dim"),)]
    first, last = window(len(view.sets), max(1, height - 1), at or 0)
    rows += [_set_row(view.sets[n], n == at, width, glyphs) for n in range(first, last)]
    return rows


def _set_row(one: SetRow, is_chosen: bool, width: int, glyphs: Glyphs) -> Row:
    front = f" {glyphs.closed if is_chosen else ' '} "
    name = set_cell_size(clean_line(one.name, 40), 22)
    role = "strong" if is_chosen else "text"
    if one.problem:
        problem = (clean_line(one.problem, 300), "warn")
        row = fit(((front, "live"), (name, role), (" ", "text"), problem), width)
        return on_ground(row, "selected", width) if is_chosen else row
    size = f"{one.rows} {glyphs.times} {one.variants} {glyphs.times} {one.repeats}"
    row = fit(
        (
            (front, "live"),
            (name, role),
            (f" {size:<14}", "soft"),
            (clean_line(one.title, 60), "dim"),
        ),
        width,
    )
    return on_ground(row, "selected", width) if is_chosen else row


def run_rows(
    runs: Sequence[RunRow], at: int | None, width: int, height: int, glyphs: Glyphs
) -> list[Row]:
    """Title and runs, latest first."""
    rows = [spread(((" runs", "strong"),), ((f"{len(runs) or ''} ", "dim"),), width)]
    if not runs:
        return [*rows, (("   none yet", "dim"),)]
    first, last = window(len(runs), max(1, height - 1), at or 0)
    rows += [_run_row(runs[n], n == at, width, glyphs) for n in range(first, last)]
    return rows


def _run_row(run: RunRow, is_chosen: bool, width: int, glyphs: Glyphs) -> Row:
    is_whole = run.outcome == "complete"
    mark = (("SIMULATED " if width >= 100 else "SIM ", "warn"),) if run.is_simulated else ()
    left: Row = (
        (f" {glyphs.closed if is_chosen else ' '} ", "live"),
        (f"{run.started_utc[5:16].replace('T', ' ')}  ", "soft"),
        (set_cell_size(clean_line(run.set_id, 40), 22), "strong" if is_chosen else "text"),
        (f" {f'{run.answered}/{run.planned}':>9}  ", "ok" if is_whole else "warn"),
        (run.outcome, "dim" if is_whole else "warn"),
    )
    row = spread(left, mark, width)
    return on_ground(row, "selected", width) if is_chosen else row
