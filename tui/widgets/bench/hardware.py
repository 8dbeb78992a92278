"""Rows of the board during a run, and of its gates."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import count

from tui.bench.model.conditions import Gate
from tui.bench.model.events import Sampled
from tui.bench.model.screen import LiveBoard
from tui.core.text import format as fmt
from tui.core.text.glyphs import Glyphs
from tui.widgets.bench.parts import folded
from tui.widgets.kit.bars import heat, spark
from tui.widgets.kit.rows import Row, fit, pad, row_width, spread

SPARK_CELLS = 6


def hardware_rows(
    board: LiveBoard | None, width: int, glyphs: Glyphs, *, is_short: bool = False
) -> list[Row]:
    """Clocks, loads, heat, memory; three rows where there is little room."""
    if board is None:
        return [spread(((" board", "strong"),), (("not sampled yet ", "dim"),), width)]
    seen = board.latest
    throttle, power_w = seen.values.get("throttle"), seen.number("power.w")
    is_throttled = throttle in ("throttling", "capped")
    right = f"{throttle} " if is_throttled else ""
    if power_w is not None:
        right += f"{power_w:.1f} W "
    out: list[Row] = [
        spread(((" board", "strong"),), ((right, "bad" if is_throttled else "dim"),), width)
    ]
    loads = " ".join(fmt.UNKNOWN if v is None else f"{v:.0f}" for v in _npu_loads(seen))
    npu: Row = (
        (" NPU ", "dim"),
        (f"{fmt.megahertz(seen.number('npu.freq')):>8}", "text"),
        (f"  {loads} %" if loads else f"  {fmt.UNKNOWN}", "text"),
    )
    ddr: Row = (
        (" DDR ", "dim"),
        (f"{fmt.megahertz(seen.number('ddr.freq')):>8}", "text"),
        (f" {fmt.percent(seen.number('ddr.load')):>5}", "text"),
    )
    temperature_c = seen.number("temp.max")
    role, word = heat(temperature_c)
    hot: Row = (
        (" hot ", "dim"),
        (f"{fmt.celsius(temperature_c):>8}", role),
        (f"  {word}", role),
    )
    memory = _memory(seen)
    if is_short:
        short = (*npu, ("  ", "text"), *ddr[:2])
        return [out[0], fit(short, width), fit((*hot, *memory), width)]
    out += [
        fit(npu, width),
        _with_spark(ddr, board.ddr_loads_pct, width, glyphs),
        _with_spark(hot, board.temperatures_c, width, glyphs),
        fit(memory, width),
    ]
    own = seen.number("npulse.cpu")
    own_text = fmt.UNKNOWN if own is None else f"{own:.1f} %"
    swap = seen.number("swap.used")
    swap_row: Row = (
        (" swap ", "dim"),
        (fmt.UNKNOWN if swap is None else fmt.size(swap), "warn" if swap else "text"),
        ("  own CPU ", "dim"),
        (own_text, "soft"),
    )
    return [*out, fit(swap_row, width)]


def _with_spark(row: Row, values: Sequence[float | None], width: int, glyphs: Glyphs) -> Row:
    room = width - SPARK_CELLS - 1
    if row_width(row) >= room:
        return fit(row, width)
    return (*pad(row, room), *spark(values, SPARK_CELLS, glyphs, top=100.0))


def _npu_loads(seen: Sampled) -> Iterator[float | None]:
    """Of each core, in their order."""
    for core in count():
        if f"npu.load.{core}" not in seen.values:
            return
        yield seen.number(f"npu.load.{core}")


def _memory(seen: Sampled) -> Row:
    return (
        (" server ", "dim"),
        (fmt.gib(seen.number("server.rss")), "text"),
        ("  free ", "dim"),
        (f"{fmt.gib(seen.number('ram.available'))} GiB", "text"),
    )


def gate_rows(gates: Sequence[Gate], width: int, height: int) -> list[Row]:
    """How many gates are open; those that are not, with their fix."""
    if not gates:
        return [spread(((" gates", "strong"),), (("not checked yet ", "dim"),), width)]
    closed = sorted(
        (gate for gate in gates if gate.severity != "ok"), key=lambda g: g.severity != "refuse"
    )
    ok = len(gates) - len(closed)
    words = f"{ok} ok" + (f", {len(closed)} to check" if closed else "")
    role = "ok" if not closed else "warn"
    out = [spread(((" gates", "strong"),), ((f"{words} ", role),), width)]
    for number, gate in enumerate(closed):
        block: list[Row] = []
        role = "bad" if gate.severity == "refuse" else "warn"
        mark = "refuse" if gate.severity == "refuse" else "warn"
        lines = folded(f"{mark}: {gate.sentence}", width - 2)
        block += [((f" {line}", role),) for line in lines]
        if gate.fix:
            block += [((f" {line}", "soft"),) for line in folded(gate.fix, width - 2)]
        is_last = number == len(closed) - 1
        # A command that is cut is worse than none: what has no room is counted instead.
        if height and len(out) + len(block) + (not is_last) > height:
            more: Row = (
                (f" {len(closed) - number} more, with their fixes: npulse doctor", "soft"),
            )
            return [*out, more][: max(1, height)]
        out += block
    return out
