"""Rows of a run in progress: how far it is, its answer, plan, statistics, board and gates."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import set_cell_size

from tui.bench.model.conditions import Gate
from tui.bench.model.screen import (
    HardwareNow,
    LiveAnswer,
    PlanRow,
    RunView,
    Span,
    StatRow,
    TimeLeft,
)
from tui.core.text import format as fmt
from tui.core.text.glyphs import Glyphs
from tui.widgets.bench.parts import (
    between,
    folded,
    interval,
    number,
    parts_row,
    short_seconds,
    window,
)
from tui.widgets.kit.bars import bar, heat, spark
from tui.widgets.kit.rows import Row, fit, pad, row_width, spread

OUTCOME_ROLES = {"complete": "ok", "incomplete": "warn", "aborted": "warn", "interrupted": "warn"}
STATE_WORDS = {"waiting": "", "running": "now", "ok": "ok", "failed": "FAIL", "skipped": "skip"}
STATE_ROLES = {"ok": "ok", "failed": "bad", "skipped": "warn", "running": "live"}
RUNNING_PHASES = frozenset({"waiting", "prefill", "thinking", "answering"})
SPARK_CELLS = 8

# -- how far it is ---------------------------------------------------------------------------------


def run_rows(run: RunView, width: int, glyphs: Glyphs) -> list[Row]:
    """What runs, how far it is by time, and what is going on now: three rows."""
    return [_title(run, width), _time_row(run, width, glyphs), _stage_row(run, width)]


def _title(run: RunView, width: int) -> Row:
    ok, failed, skipped = (run.count(state) for state in ("ok", "failed", "skipped"))
    right: Row = ((f"{ok} ok", "ok" if ok else "dim"),)
    right = (*right, (f"  {failed} failed", "bad" if failed else "dim"))
    if skipped:
        right = (*right, (f"  {skipped} skipped", "warn"))
    if run.planned:
        right = (*right, (f"  of {run.planned}", "dim"))
    parts: list[tuple[int, Row]] = [(0, ((f" {run.title or run.suite or 'a run'}", "strong"),))]
    if run.is_simulated:
        parts.append((1, (("  SIMULATED", "warn"),)))
    if run.suite and run.title:
        parts.append((4, ((f"  {run.suite}", "dim"),)))
    if run.model:
        parts.append((2, ((f"  {run.model}", "text"),)))
    if run.server:
        parts.append((5, ((f"  {run.server}", "dim"),)))
    parts.append((6, ((f"  seed {run.seed}", "dim"),)))
    left = parts_row(parts, width - row_width(right) - 2)
    return spread(left, (*right, (" ", "text")), width)


def _time_row(run: RunView, width: int, glyphs: Glyphs) -> Row:
    time = run.time
    share = None if time.share is None else min(1.0, max(0.0, time.share))
    if time.left_s is not None and time.elapsed_s + time.left_s > 0 and not run.is_over:
        share = time.elapsed_s / (time.elapsed_s + time.left_s)
    percent = fmt.percent(None if share is None else 100 * share)
    right: list[tuple[int, Row]] = [
        (0, ((f"  {percent:>5}", "text"),)),
        (2, ((f"  {fmt.clock(time.elapsed_s)} elapsed", "soft"),)),
    ]
    right += [] if run.is_over else _left(time)
    words = parts_row(right, width - 16)
    role = "live" if not run.is_over else OUTCOME_ROLES.get(run.outcome or "", "bad")
    room = max(4, width - row_width(words) - 2)
    return ((" ", "text"), *bar(share, room, glyphs, role), *words)


def _left(time: TimeLeft) -> list[tuple[int, Row]]:
    if time.left_s is None:
        return [(1, (("  time left not known yet", "dim"),))]
    parts: list[tuple[int, Row]] = [(1, ((f"  ~{short_seconds(time.left_s)} left", "text"),))]
    if time.low_s is not None and time.high_s is not None:
        spread_text = between(Span(time.left_s, time.low_s, time.high_s))
        if spread_text:
            parts.append((3, ((f" ({spread_text})", "dim"),)))
    return parts


def _stage_row(run: RunView, width: int) -> Row:
    if run.is_over:
        role = OUTCOME_ROLES.get(run.outcome or "", "bad")
        row: Row = ((f" {run.outcome}  ", role), (run.outcome_sentence, "text"))
        return fit(row, width)
    if run.is_paused:
        return fit(((" paused  ", "warn"), ("p resumes; the board cools down", "soft")), width)
    row = ((f" {run.stage}", "live"),)
    if run.is_pausing:
        row = (*row, ("  pauses after this request", "warn"))
    if run.retries_after:
        row = (*row, ("  failed prompts are retried at the end", "soft"))
    if run.sentence:
        row = (*row, (f"  {run.sentence}", "soft"))
    elif run.notes and run.stage == "measure":
        row = (*row, (f"  {run.notes[-1]}", "dim"))
    return fit(row, width)


# -- the answer in flight --------------------------------------------------------------------------


def answer_rows(run: RunView, width: int, glyphs: Glyphs) -> list[Row]:
    """Which request, its numbers, its progress by tokens: two rows."""
    answer = run.answer
    if answer is None:
        return [((" nothing asked yet", "dim"),), ()]
    return [_answer_title(answer, run, width, glyphs), _answer_numbers(answer, width, glyphs)]


def _answer_title(answer: LiveAnswer, run: RunView, width: int, glyphs: Glyphs) -> Row:
    of = f" of {answer.planned}" if answer.planned else ""
    number_of = "" if answer.is_warmup else f"{answer.number}{of}"
    role = "soft" if run.is_over else "live"
    ttft = "" if answer.ttft_ms is None else fmt.milliseconds(answer.ttft_ms)
    now = answer.rate_now_tps if answer.rate_now_tps is not None else answer.rate_tps
    right: list[tuple[int, Row]] = [
        (
            0,
            (
                (f"{'~' if answer.is_estimated else ''}{answer.tokens}", "text"),
                (f" of {glyphs.at_most} {answer.cap} tokens", "dim"),
            ),
        ),
        (1, ((f"{number(now, 2) if (now or 0) < 9.995 else fmt.rate(now):>8}", role),)),
        (1, ((" tok/s", "dim"),)),
        (2, (("   TTFT ", "dim"), (ttft or fmt.UNKNOWN, "text"))),
    ]
    if answer.rate_tps is not None:
        right.insert(3, (3, ((f" ({glyphs.average} {fmt.rate(answer.rate_tps)})", "dim"),)))
    name: Row = ((f" {number_of}  " if number_of else " ", "soft"), (answer.name, "strong"))
    # The name gives way last, and a long one not to less than half of the row.
    words = parts_row(right, width - min(row_width(name), width // 2) - 2)
    state: list[tuple[int, Row]] = [
        (0, name),
        (1, ((f"  {answer.phase}", role),)),
        (2, ((f" {fmt.clock(answer.elapsed_s)}", "dim"),)),
    ]
    left = parts_row(state, width - row_width(words) - 2)
    return spread(left, (*words, (" ", "text")), width)


def _answer_numbers(answer: LiveAnswer, width: int, glyphs: Glyphs) -> Row:
    share = answer.tokens / answer.cap if answer.cap else None
    bar_cells = 24 if width >= 100 else 14
    spark_cells = 20 if width >= 100 else 10
    parts: list[tuple[int, Row]] = [
        (0, ((" ", "text"), *bar(share, bar_cells, glyphs, "live"))),
        (1, (("  ", "text"), *spark(answer.rates_tps, spark_cells, glyphs, role="soft"))),
    ]
    gaps = fmt.gaps(answer.itl_p50_ms, answer.itl_p99_ms)
    parts.append((2, (("  gaps ", "dim"), (gaps, "text"))))
    late = answer.idle_limit_s > 0 and answer.idle_s > 0.5 * answer.idle_limit_s
    if answer.idle_limit_s > 0 and answer.phase in RUNNING_PHASES:
        silent = ((f"  silent {answer.idle_s:.1f}", "warn" if late else "dim"),)
        parts.append((3, (*silent, (f" of {answer.idle_limit_s:.0f} s", "dim"))))
    if answer.context_used is not None:
        of = "" if answer.context_tokens is None else f" of {answer.context_tokens}"
        parts.append((4, (("  context ", "dim"), (str(answer.context_used), "text"), (of, "dim"))))
    return parts_row(parts, width)


# -- the plan --------------------------------------------------------------------------------------


def plan_rows(run: RunView, width: int, height: int, glyphs: Glyphs) -> list[Row]:
    """Title and one row per request, the present one in sight."""
    rows = run.plan
    at = next((i for i, row in enumerate(rows) if row.state == "running"), None)
    if at is None:
        at = next((i for i, row in enumerate(rows) if row.state == "waiting"), len(rows))
        at = 0 if run.is_over else at
    has_reps = any(row.rep for row in rows)
    first, last = window(len(rows), max(1, height - 1), at)
    hidden = len(rows) - (last - first)
    note = f"{hidden} more" if hidden else "tok/s  out"
    out = [spread(((" plan", "strong"),), ((f"{note} ", "dim"),), width)]
    if not rows:
        out.append(((" comes when the server is found", "dim"),))
    out += [plan_line(row, width, glyphs, has_reps=has_reps) for row in rows[first:last]]
    return out


def plan_line(row: PlanRow, width: int, glyphs: Glyphs, *, has_reps: bool) -> Row:
    """State, name, and either its numbers, its progress, or how long it will take."""
    word = "cap" if row.word == "capped" else STATE_WORDS[row.state]
    state_role = STATE_ROLES.get(row.state, "dim")
    left: Row = ((f" {word:<5}", state_role),)
    name = f"{row.name} #{row.rep + 1}" if has_reps else row.name
    right = _plan_right(row, glyphs)
    room = width - row_width(left) - row_width(right) - 2
    shown = name if len(name) <= room else f"{set_cell_size(name, max(1, room - 1)).rstrip()}…"
    role = {"running": "strong", "waiting": "soft"}.get(row.state, "text")
    return spread((*left, (shown, role)), (*right, (" ", "text")), width)


def _plan_right(row: PlanRow, glyphs: Glyphs) -> Row:
    if row.state == "running":
        return bar(row.share, 11, glyphs, "live")
    if row.state == "waiting":
        text = "" if row.expected_s is None else f"~{short_seconds(row.expected_s)}"
        return ((text, "dim"),)
    if row.state in ("failed", "skipped"):
        return ((row.word.replace("_", " "), STATE_ROLES[row.state]),)
    mark = "~" if row.is_estimated and row.rate_tps is not None else ""
    rate = f"{mark}{fmt.rate(row.rate_tps)}"
    tokens = fmt.UNKNOWN if row.tokens is None else str(row.tokens)
    flag: Row = (("!", "warn"),) if row.taints else ((" ", "text"),)
    return ((f"{rate:>6}", "text"), *flag, (f"{tokens:>4}", "soft"))


# -- statistics ------------------------------------------------------------------------------------


def stat_table(stats: Sequence[StatRow], width: int) -> list[Row]:
    """Title and one row per metric; columns give way from the right of what matters least."""
    has_mad, has_mdc = width >= 44, width >= 50
    n = max((row.n for row in stats), default=0)
    head = f"{'median':>8}" + (f"{'MAD':>7}" if has_mad else "") + f"{'CI95':>15}"
    head += f"{'MDC':>7}" if has_mdc else ""
    title: Row = ((" statistics", "strong"), (f"  n {n}", "dim"))
    if row_width(title) + len(head) + 2 > width:
        title = title[:1]
    out = [spread(title, ((f"{head} ", "dim"),), width)]
    for row in stats:
        values: Row = (
            (f"{number(row.median, row.digits, is_estimated=row.is_estimated):>8}", "text"),
        )
        if has_mad:
            values = (*values, (f"{number(row.mad, max(row.digits, 1)):>7}", "soft"))
        values = (*values, (f"{interval(row.ci95, row.digits):>15}", "soft"))
        if has_mdc:
            mdc = fmt.UNKNOWN if row.mdc_pct is None else f"{row.mdc_pct:.1f} %"
            values = (*values, (f"{mdc:>7}", "dim"))
        label: Row = ((f" {row.label} ", "soft"), (row.unit, "dim"))
        out.append(spread(label, (*values, (" ", "text")), width))
    return out


# -- the board -------------------------------------------------------------------------------------


def hardware_rows(
    hardware: HardwareNow | None, width: int, glyphs: Glyphs, *, is_short: bool = False
) -> list[Row]:
    """Clocks, loads, heat, memory; three rows where there is little room."""
    if hardware is None:
        return [spread(((" board", "strong"),), (("not sampled yet ", "dim"),), width)]
    throttle = hardware.throttle
    is_throttled = throttle in ("throttling", "capped")
    right = f"{throttle} " if throttle and is_throttled else ""
    if hardware.power_w is not None:
        right += f"{hardware.power_w:.1f} W "
    out: list[Row] = [
        spread(((" board", "strong"),), ((right, "bad" if is_throttled else "dim"),), width)
    ]
    loads = " ".join(fmt.UNKNOWN if v is None else f"{v:.0f}" for v in hardware.npu_load_pct)
    npu: Row = (
        (" NPU ", "dim"),
        (f"{fmt.megahertz(hardware.npu_hz):>8}", "text"),
        (f"  {loads} %" if loads else f"  {fmt.UNKNOWN}", "text"),
    )
    ddr: Row = (
        (" DDR ", "dim"),
        (f"{fmt.megahertz(hardware.ddr_hz):>8}", "text"),
        (f"  {fmt.percent(hardware.ddr_load_pct)}", "text"),
    )
    role, word = heat(hardware.temperature_c)
    hot: Row = (
        (" hot ", "dim"),
        (f"{fmt.celsius(hardware.temperature_c):>8}", role),
        (f"  {word}", role),
    )
    memory = _memory(hardware)
    if is_short:
        short = (*npu, ("  ", "text"), *ddr[:2])
        return [out[0], fit(short, width), fit((*hot, *memory), width)]
    out += [
        fit(npu, width),
        _with_spark(ddr, hardware.ddr_loads_pct, width, glyphs),
        _with_spark(hot, hardware.temperatures_c, width, glyphs),
        fit(memory, width),
    ]
    own = hardware.own_cpu_pct
    own_text = fmt.UNKNOWN if own is None else f"{own:.1f} %"
    swap = hardware.swap_bytes
    swap_row: Row = (
        (" swap ", "dim"),
        (fmt.UNKNOWN if swap is None else fmt.size(swap), "warn" if swap else "text"),
        ("  own CPU ", "dim"),
        (own_text, "soft"),
    )
    return [*out, fit(swap_row, width)]


def _with_spark(row: Row, values: Sequence[float | None], width: int, glyphs: Glyphs) -> Row:
    room = width - SPARK_CELLS - 1
    if row_width(row) > room:
        return fit(row, width)
    return (*pad(row, room), *spark(values, SPARK_CELLS, glyphs, top=100.0))


def _memory(hardware: HardwareNow) -> Row:
    return (
        (" server ", "dim"),
        (fmt.gib(hardware.server_bytes), "text"),
        ("  free ", "dim"),
        (f"{fmt.gib(hardware.available_bytes)} GiB", "text"),
    )


def gate_rows(gates: Sequence[Gate], width: int, height: int) -> list[Row]:
    """How many gates are open; those that are not with their fix."""
    if not gates:
        return [spread(((" gates", "strong"),), (("not looked at yet ", "dim"),), width)]
    closed = sorted(
        (gate for gate in gates if gate.severity != "ok"), key=lambda g: g.severity != "refuse"
    )
    ok = len(gates) - len(closed)
    words = f"{ok} ok" + (f", {len(closed)} to look at" if closed else "")
    role = "ok" if not closed else "warn"
    out = [spread(((" gates", "strong"),), ((f"{words} ", role),), width)]
    for gate in closed:
        role = "bad" if gate.severity == "refuse" else "warn"
        mark = "refuse" if gate.severity == "refuse" else "warn"
        lines = folded(f"{mark}: {gate.sentence}", width - 2)
        out += [((f" {line}", role),) for line in lines]
        if gate.fix:
            out += [((f" {line}", "soft"),) for line in folded(gate.fix, width - 2)]
    return out[: max(1, height)] if height else out
