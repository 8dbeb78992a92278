"""The numbers of a stored answer, beside those of another one."""

from __future__ import annotations

from tui.core.screen.footer import STATUS_WORDS
from tui.core.text import format as fmt
from tui.core.turn.result import TurnResult
from tui.history.records import StoredTurn
from tui.history.turn_json import stored_result
from tui.widgets.history.rows import shown_time
from tui.widgets.kit.rows import Row, fit, spread


def number_rows(answer: StoredTurn, first: StoredTurn, width: int) -> list[Row]:
    """Model, time, and each number with its difference to that of ``first``."""
    one, other = stored_result(answer), stored_result(first)
    origin = answer.origin
    model = fmt.UNKNOWN if origin is None or not origin.model else origin.model
    status = "" if one.status == "complete" else STATUS_WORDS[one.status]
    settings = answer.settings
    heat = "" if settings is None else f"temperature {settings.temperature:g}"
    rows: list[Row] = [
        spread(((model, "strong"),), ((status, "warn"),), width),
        fit(
            ((f"{shown_time(answer.created_ms, has_year=True)}  {heat}", "dim"),),
            width,
        ),
    ]
    for name, shown, value, base in _figures(one, other):
        note = "" if answer.id == first.id else _difference(value, base)
        rows.append(spread(((f"{name:<9}", "dim"), (shown, "text")), ((note, "soft"),), width))
    return rows


def _figures(
    one: TurnResult, other: TurnResult
) -> list[tuple[str, str, float | None, float | None]]:
    """Label, shown text, and the values of both answers."""
    rate = f"{fmt.marked(fmt.rate(one.decode_tps), one.decode_source)} tok/s"
    tokens = fmt.UNKNOWN if one.tokens_out is None else str(one.tokens_out)
    ttft_s = None if one.ttft_ms is None else one.ttft_ms / 1000
    return [
        (
            "speed",
            rate if one.decode_tps is not None else fmt.UNKNOWN,
            one.decode_tps,
            other.decode_tps,
        ),
        ("TTFT", fmt.marked(fmt.seconds(ttft_s), one.ttft_source), one.ttft_ms, other.ttft_ms),
        ("tokens", fmt.marked(tokens, one.tokens_source), one.tokens_out, other.tokens_out),
        ("p99 gap", fmt.milliseconds(one.itl_ms.p99), one.itl_ms.p99, other.itl_ms.p99),
    ]


def _difference(value: float | None, base: float | None) -> str:
    if value is None or not base:
        return ""
    return f"{round((value / base - 1) * 100):+d} %"
