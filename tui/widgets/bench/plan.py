"""Rows of the plan of a run in progress."""

from __future__ import annotations

from rich.cells import set_cell_size

from tui.bench.model.screen import PlanItem, RunView
from tui.core.text import format as fmt
from tui.core.text.glyphs import Glyphs
from tui.widgets.bench.parts import short_seconds
from tui.widgets.kit.bars import bar
from tui.widgets.kit.rows import Row, fit, row_width, spread, window

STATE_WORDS = {"waiting": "", "running": "now", "ok": "ok", "failed": "FAIL", "skipped": "skip"}
STATE_ROLES = {"ok": "ok", "failed": "bad", "skipped": "warn", "running": "live"}


def plan_rows(run: RunView, width: int, height: int, glyphs: Glyphs) -> list[Row]:
    """Title and one row per request, the present one in sight."""
    items = run.plan
    at = next((i for i, item in enumerate(items) if item.state == "running"), None)
    if at is None:
        at = next((i for i, item in enumerate(items) if item.state == "waiting"), len(items))
        at = 0 if run.is_over else at
    has_reps = any(item.planned.rep for item in items)
    first, last = window(len(items), max(1, height - 1), at)
    hidden = len(items) - (last - first)
    note = f"{hidden} more" if hidden else "tok/s  out"
    out = [spread(((" plan", "strong"),), ((f"{note} ", "dim"),), width)]
    if not items:
        out.append(((" known once a server is found", "dim"),))
    out += [plan_line(item, width, glyphs, has_reps=has_reps) for item in items[first:last]]
    return out


def plan_line(item: PlanItem, width: int, glyphs: Glyphs, *, has_reps: bool) -> Row:
    """State, name, and either its numbers, its progress, or how long it will take."""
    is_capped = item.request is not None and item.request.status == "capped"
    word = "cap" if is_capped else STATE_WORDS[item.state]
    state_role = STATE_ROLES.get(item.state, "dim")
    left: Row = ((f" {word:<5}", state_role),)
    planned = item.planned
    name = planned.name or planned.id
    name = f"{name} #{planned.rep + 1}" if has_reps else name
    right = _plan_right(item, glyphs)
    room = width - row_width(left) - row_width(right) - 2
    shown = name if len(name) <= room else f"{set_cell_size(name, max(1, room - 1)).rstrip()}…"
    role = {"running": "strong", "waiting": "soft"}.get(item.state, "text")
    return spread((*left, (shown, role)), (*right, (" ", "text")), width)


def _plan_right(item: PlanItem, glyphs: Glyphs) -> Row:
    if item.state == "running" and item.board:
        return fit(((item.board, "live"),), 14)
    if item.state == "running":
        return bar(item.share, 11, glyphs, "live")
    request = item.request
    if item.state == "waiting":
        expected_s = item.planned.expected_s
        return (("" if expected_s is None else f"~{short_seconds(expected_s)}", "dim"),)
    if request is None or item.state in ("failed", "skipped"):
        word = "cancelled" if request is None else request.status_word
        return ((word, STATE_ROLES[item.state]),)
    mark = "~" if request.is_rate_estimated else ""
    rate = f"{mark}{fmt.rate(request.rate_tps)}"
    tokens = fmt.UNKNOWN if request.tok.out is None else str(request.tok.out)
    flag: Row = (("!", "warn"),) if request.taint else ((" ", "text"),)
    return ((f"{rate:>6}", "text"), *flag, (f"{tokens:>4}", "soft"))
