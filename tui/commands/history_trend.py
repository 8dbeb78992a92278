"""``npulse history trend``: speed of each model per day, and its trend."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from datetime import datetime

from tui.commands.exit_code import ExitCode
from tui.commands.history_lines import print_json
from tui.commands.parser import Parser, complain
from tui.commands.stdout_paper import stdout_paper
from tui.core.expect.trend import Day, Drift, Trend, trend_of
from tui.core.text import format as fmt
from tui.core.text.printed import GAP, PLAIN, Cell, Paper, folded, table
from tui.core.text.sanitize import clean_line
from tui.core.turn.model_key import ModelKey
from tui.history.database import Connection
from tui.history.past_answers import models, past_answers

ANSWERS = 400
HEAD = ("day", "answers", "decode", "usual", "TTFT", "usual", "NPU", "DDR", "hottest")
"""Usual is 100 %; clocks in MHz."""

INDENT = "  "


def add_trend_options(made: Parser, count: Callable[[str], int]) -> None:
    """``--model``, ``--answers``."""
    made.add_argument("--model", metavar="NAME", help="only models whose name contains NAME")
    made.add_argument(
        "--answers",
        type=count,
        default=ANSWERS,
        metavar="N",
        help="use the newest N answers of each model",
    )


def print_trend(connection: Connection, options: argparse.Namespace) -> int:
    """Every model of the history, the one used last first."""
    wanted = (options.model or "").lower()
    found = []
    for key in models(connection):
        if wanted in key.model.lower():
            past = past_answers(connection, key, newest=options.answers, has_conditions=True)
            found.append((key, trend_of(past, day_of)))
    if options.json:
        print_json([trend_json(key, trend) for key, trend in found])
        return ExitCode.OK
    if found:
        paper = stdout_paper()
        print("\n\n".join("\n".join(trend_lines(key, trend, paper)) for key, trend in found))
    else:
        named = f" of a model named {options.model!r}" if options.model else ""
        complain("npulse history", f"no answer{named} is kept yet")
    return ExitCode.OK


def day_of(ms: int) -> str:
    """The local day; for a time outside the calendar, the number of its day."""
    try:
        return datetime.fromtimestamp(ms / 1000).astimezone().strftime("%Y-%m-%d")
    except (OverflowError, OSError, ValueError):
        return f"day {ms // 86_400_000}"


def trend_lines(key: ModelKey, trend: Trend, paper: Paper = PLAIN) -> list[str]:
    """A heading, a line per day, and the trend."""
    simulated = paper.styled("SIMULATED", "warn") + " " if key.is_simulated else ""
    where = f" on {clean_line(key.host)}" if key.host else ""
    many = f"{trend.answers} answer{'' if trend.answers == 1 else 's'}"
    model = paper.styled(clean_line(key.model) or "model not known", "strong")
    head = [(word, "dim") for word in HEAD]
    columns = range(1, len(HEAD))
    first, *days = table([head, *map(_day_cells, trend.days)], paper, right=columns, indent=INDENT)
    lines = [f"{simulated}{model}{where}: {many}", first]
    for day, line in zip(trend.days, days, strict=True):
        lines.append(line)
        indent = " " * (len(INDENT) + len(day.day) + len(GAP))
        lines += [
            indent + paper.styled(folded(change, paper, indent), "warn") for change in day.changes
        ]
    for name, drift in (("decode", trend.decode), ("prefill", trend.prefill)):
        said = folded(f"{name}: {drift_words(drift)}", paper, INDENT)
        lines.append(INDENT + paper.styled(said, _drift_role(drift)))
    return lines if trend.latest is None else [*lines, INDENT + folded(trend.latest, paper, INDENT)]


def _day_cells(day: Day) -> tuple[Cell, ...]:
    clocks = (day.conditions.npu_hz, day.conditions.ddr_hz)
    npu, ddr = (fmt.UNKNOWN if hz is None else f"{hz / 1e6:.0f}" for hz in clocks)
    return (
        day.day,
        str(day.answers),
        (fmt.UNKNOWN if day.decode_tps is None else f"{fmt.rate(day.decode_tps)} tok/s", "live"),
        _share(day.decode_share),
        fmt.seconds(day.ttft_s),
        _share(day.prefill_share),
        npu,
        ddr,
        fmt.celsius(day.conditions.hottest_c),
    )


def _drift_role(drift: Drift | None) -> str:
    if drift is None:
        return "dim"
    return "warn" if not drift.is_steady and drift.pct_a_week < 0 else "ok"


def drift_words(drift: Drift | None) -> str:
    """``1.2 % slower a week (0.4 to 2.0)``."""
    if drift is None:
        return "no trend: fewer than ten answers have this figure, or all are from the same time"
    if drift.is_steady:
        return f"steady ({drift.total_pct:+.1f} % over the whole time)"
    word = "slower" if drift.pct_a_week < 0 else "faster"
    low, high = sorted((abs(drift.low or 0.0), abs(drift.high or 0.0)))
    return f"{abs(drift.pct_a_week):.1f} % {word} a week ({low:.1f} to {high:.1f} %)"


def trend_json(key: ModelKey, trend: Trend) -> dict[str, object]:
    """Everything, for scripts. Shares: 1 is the usual speed. None is not known."""
    return {
        "model": key.model,
        "host": key.host,
        "is_simulated": key.is_simulated,
        "answers": trend.answers,
        "decode": _drift_json(trend.decode),
        "prefill": _drift_json(trend.prefill),
        "latest": trend.latest,
        "days": [
            {
                "day": day.day,
                "answers": day.answers,
                "decode_tps": _rounded(day.decode_tps),
                "decode_share": _rounded(day.decode_share),
                "ttft_s": _rounded(day.ttft_s),
                "prefill_share": _rounded(day.prefill_share),
                "conditions": day.conditions.to_json_dict(),
                "changes": list(day.changes),
            }
            for day in trend.days
        ],
    }


def _drift_json(drift: Drift | None) -> dict[str, object] | None:
    if drift is None:
        return None
    return {
        "pct_a_week": _rounded(drift.pct_a_week),
        "low": _rounded(drift.low),
        "high": _rounded(drift.high),
        "total_pct": _rounded(drift.total_pct),
        "is_steady": drift.is_steady,
    }


def _share(share: float | None) -> str:
    return fmt.UNKNOWN if share is None else f"{share * 100:.0f} %"


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
