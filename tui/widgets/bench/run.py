"""Rows of a run in progress: its progress, and the running answer."""

from __future__ import annotations

from tui.bench.model.events import Forecast, Progressed
from tui.bench.model.screen import LiveAnswer, RunView, Span
from tui.core.text import format as fmt
from tui.core.text.glyphs import Glyphs
from tui.widgets.bench.parts import between, parts_row, short_seconds
from tui.widgets.kit.bars import bar, spark
from tui.widgets.kit.rows import Row, fit, row_width, spread

OUTCOME_ROLES = {
    "complete": "ok",
    "incomplete": "warn",
    "aborted": "warn",
    "interrupted": "warn",
    "refused": "warn",
}
RUNNING_PHASES = frozenset({"waiting", "prefill", "thinking", "answering"})
NOTHING_YET = Progressed(
    id="",
    rep=0,
    phase="waiting",
    elapsed_s=0.0,
    tokens=0,
    tokens_source="unknown",
    ttft_ms=None,
    rate_now_tps=None,
    rate_tps=None,
    itl_p50_ms=None,
    itl_p99_ms=None,
    idle_s=0.0,
    idle_limit_s=0.0,
    context_used=None,
    context_tokens=None,
)
"""Shown before the first figures of an answer."""

# -- how far it is ---------------------------------------------------------------------------------


def run_rows(run: RunView, width: int, glyphs: Glyphs, pause_key: str = "p") -> list[Row]:
    """Three rows: the run, its progress by time, and the present activity."""
    return [_title(run, width), _time_row(run, width, glyphs), _stage_row(run, width, pause_key)]


def _title(run: RunView, width: int) -> Row:
    ok, failed, skipped = (run.count(state) for state in ("ok", "failed", "skipped"))
    right: Row = ((f"{ok} ok", "ok" if ok else "dim"),)
    right = (*right, (f"  {failed} failed", "bad" if failed else "dim"))
    if skipped:
        right = (*right, (f"  {skipped} skipped", "warn"))
    if run.planned:
        right = (*right, (f"  of {run.planned}", "dim"))
    parts: list[tuple[int, Row]] = [(0, ((f" {run.title or 'a run'}", "strong"),))]
    started = run.started
    if started is not None:
        if started.is_simulated:
            parts.append((1, (("  SIMULATED", "warn"),)))
        if started.title:
            parts.append((4, ((f"  {started.suite}", "dim"),)))
        parts.append((2, ((f"  {started.model}", "text"),)))
        parts.append((5, ((f"  {started.server}", "dim"),)))
        parts.append((6, ((f"  seed {started.seed}", "dim"),)))
    left = parts_row(parts, width - row_width(right) - 2)
    return spread(left, (*right, (" ", "text")), width)


def _time_row(run: RunView, width: int, glyphs: Glyphs) -> Row:
    time = run.time
    share = None if time is None else min(1.0, max(0.0, time.share))
    if time is not None and time.elapsed_s + time.left_s > 0 and not run.is_over:
        share = time.elapsed_s / (time.elapsed_s + time.left_s)
    elapsed_s = 0.0 if time is None else time.elapsed_s
    percent = fmt.percent(None if share is None else 100 * share)
    right: list[tuple[int, Row]] = [
        (0, ((f"  {percent:>5}", "text"),)),
        (2, ((f"  {fmt.clock(elapsed_s)} elapsed", "soft"),)),
    ]
    right += [] if run.is_over else _left(time)
    words = parts_row(right, width - 16)
    role = "live" if run.finished is None else OUTCOME_ROLES.get(run.finished.outcome, "bad")
    room = max(4, width - row_width(words) - 2)
    return ((" ", "text"), *bar(share, room, glyphs, role), *words)


def _left(time: Forecast | None) -> list[tuple[int, Row]]:
    if time is None:
        return [(1, (("  time left unknown", "dim"),))]
    parts: list[tuple[int, Row]] = [(1, ((f"  ~{short_seconds(time.left_s)} left", "text"),))]
    spread_text = between(Span(time.left_s, time.left_low_s, time.left_high_s))
    if spread_text:
        parts.append((3, ((f" ({spread_text})", "dim"),)))
    return parts


def _stage_row(run: RunView, width: int, pause_key: str) -> Row:
    if run.finished is not None:
        outcome = run.finished.outcome
        row: Row = ((f" {outcome}  ", OUTCOME_ROLES.get(outcome, "bad")),)
        return fit((*row, (run.finished.sentence, "text")), width)
    if run.is_paused:
        return fit(
            ((" paused  ", "warn"), (f"{pause_key} resumes it; the board cools down", "soft")),
            width,
        )
    row = ((f" {run.stage.stage}", "live"),)
    if run.is_pausing:
        row = (*row, ("  pauses after this request", "warn"))
    if run.retries_after:
        row = (*row, ("  failed prompts are retried at the end", "soft"))
    if run.stage.sentence:
        row = (*row, (f"  {run.stage.sentence}", "soft"))
    elif run.notes and run.stage.stage == "measure":
        row = (*row, (f"  {run.notes[-1]}", "dim"))
    return fit(row, width)


# -- the answer in flight --------------------------------------------------------------------------


def answer_rows(run: RunView, width: int, glyphs: Glyphs) -> list[Row]:
    """Which request, its numbers, its progress by tokens: two rows."""
    answer = run.answer
    if answer is None:
        return [((" no request sent yet", "dim"),), ()]
    return [_answer_title(answer, run, width, glyphs), _answer_numbers(answer, width, glyphs)]


def _answer_title(answer: LiveAnswer, run: RunView, width: int, glyphs: Glyphs) -> Row:
    asked, now = answer.started, answer.progress or NOTHING_YET
    of = f" of {asked.planned}" if asked.planned else ""
    number_of = "" if asked.is_warmup else f"{asked.number}{of}"
    role = "soft" if run.is_over else "live"
    ttft = "" if now.ttft_ms is None else fmt.milliseconds(now.ttft_ms)
    rate = now.rate_now_tps if now.rate_now_tps is not None else now.rate_tps
    mark = "~" if now.tokens_source == "estimated" else ""
    right: list[tuple[int, Row]] = [
        (
            0,
            (
                (f"{mark}{now.tokens}", "text"),
                (f" of {glyphs.at_most} {asked.max_tokens} tokens", "dim"),
            ),
        ),
        (1, ((f"{mark + fmt.rate(rate) if rate is not None else fmt.UNKNOWN:>8}", role),)),
        (1, ((" tok/s", "dim"),)),
        (2, (("   TTFT ", "dim"), (ttft or fmt.UNKNOWN, "text"))),
    ]
    if now.rate_tps is not None:
        right.insert(3, (3, ((f" ({glyphs.average} {mark}{fmt.rate(now.rate_tps)})", "dim"),)))
    name: Row = (
        (f" {number_of}  " if number_of else " ", "soft"),
        (asked.name or asked.id, "strong"),
    )
    # The name gives way last, and a long one not to less than half of the row.
    words = parts_row(right, width - min(row_width(name), width // 2) - 2)
    state: list[tuple[int, Row]] = [
        (0, name),
        (1, ((f"  {now.phase}", role),)),
        (2, ((f" {fmt.clock(now.elapsed_s)}", "dim"),)),
    ]
    left = parts_row(state, width - row_width(words) - 2)
    return spread(left, (*words, (" ", "text")), width)


def _answer_numbers(answer: LiveAnswer, width: int, glyphs: Glyphs) -> Row:
    now, cap = answer.progress or NOTHING_YET, answer.started.max_tokens
    share = now.tokens / cap if cap else None
    bar_cells = 24 if width >= 100 else 14
    spark_cells = 20 if width >= 100 else 10
    parts: list[tuple[int, Row]] = [
        (0, ((" ", "text"), *bar(share, bar_cells, glyphs, "live"))),
        (1, (("  ", "text"), *spark(answer.rates_tps, spark_cells, glyphs, role="soft"))),
    ]
    gaps = fmt.gaps(now.itl_p50_ms, now.itl_p99_ms)
    parts.append((2, (("  gaps ", "dim"), (gaps, "text"))))
    late = now.idle_limit_s > 0 and now.idle_s > 0.5 * now.idle_limit_s
    if now.idle_limit_s > 0 and now.phase in RUNNING_PHASES:
        silent = ((f"  silent {now.idle_s:.1f}", "warn" if late else "dim"),)
        parts.append((3, (*silent, (f" of {now.idle_limit_s:.0f} s", "dim"))))
    if now.context_used is not None:
        of = "" if now.context_tokens is None else f" of {now.context_tokens}"
        parts.append((4, (("  context ", "dim"), (str(now.context_used), "text"), (of, "dim"))))
    return parts_row(parts, width)
