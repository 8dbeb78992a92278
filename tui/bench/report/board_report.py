"""Report with the layout and definitions of the earlier board report (``--compat seed004``).

There, time to first token is the runtime's prefill time, the speed is the mean of Ng / Tg over the
answered prompts, and input processing the mean of Pp / Tp. This report exists to recompute those
figures; it also has the figures that can be compared.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import median

from tui.bench.analysis.summary import scored
from tui.bench.model.metrics import ratio
from tui.bench.model.records import Request
from tui.bench.report import details, run_sections
from tui.bench.report.blocks import Block, Bullets, Facts, Heading, Paragraph, Table
from tui.bench.report.observations import observations
from tui.bench.report.text import line, marked, number, whole
from tui.bench.store.run_files import Loaded
from tui.core.text.format import UNKNOWN


def plain_mean(values: Sequence[float]) -> float | None:
    """Mean by a plain sum from the last value to the first; None without values.

    The earlier report's rows are known with two decimals only, and their mean falls on a rounding
    tie. Summed in this order, it rounds to the figure that the report printed.
    """
    if not values:
        return None
    total = 0.0
    for value in reversed(values):
        total += value
    return total / len(values)


def prefill_ms(request: Request) -> float | None:
    """The runtime's prefill time in ms, else the client's TTFT."""
    known = request.rt.prefill_ms
    return request.m.get("ttft_client_ms") if known is None else known


def speed(request: Request) -> float | None:
    """Ng / Tg in tok/s, else the client's rate or an estimate."""
    known = request.m.get("decode_tps_rt")
    if known is None:
        known = ratio(request.rt.generate_tokens, request.rt.generate_ms, 1000)
    return request.rate_tps if known is None else known


def input_rate(request: Request) -> float | None:
    """Pp / Tp in tok/s, else an estimate."""
    known = ratio(request.rt.prefill_tokens, request.rt.prefill_ms, 1000)
    return request.m.get("prefill_tps_est") if known is None else known


def _known(requests: Sequence[Request], name: str) -> list[float]:
    take = {"speed": speed, "prefill": prefill_ms, "input": input_rate}[name]
    return [value for request in requests if (value := take(request)) is not None]


def content(loaded: Loaded) -> Iterator[Block]:
    """The blocks of the report in the earlier layout."""
    document = loaded.document
    every, kept = document.requests, scored(document.requests)
    speeds, firsts, inputs = (_known(kept, name) for name in ("speed", "prefill", "input"))
    source = "estimated" if any(r.is_rate_estimated for r in kept) else ""
    yield from run_sections.head(loaded)
    yield Paragraph(
        "Definitions of the earlier report: time to first token is the runtime's prefill time, "
        "average speed the mean of Ng / Tg over answered prompts."
    )
    yield Heading(2, "Executive Summary")
    share = ratio(len(kept), len(every), 100)
    tokens_out = sum(r.tok.out or 0 for r in every)
    tokens_in = sum(r.tok.input or 0 for r in kept)
    yield Facts(
        (
            ("Model", line(document.model.name)),
            ("Success Rate", f"{len(kept)}/{len(every)} ({number(share, 0)}%)"),
            ("Total Tokens Generated", f"{whole(tokens_out)} tokens"),
            ("Average Speed", f"{marked(number(plain_mean(speeds)), source)} tok/s"),
            ("Memory Usage", _memory(kept)),
        )
    )
    yield Heading(2, "Performance Metrics")
    rows = [
        _row("Generation Speed (tok/s)", speeds, source),
        _row("Time to First Token (ms)", firsts),
        ("Input Processing (tok/s)", number(plain_mean(inputs)), "-", "-", "-"),
    ]
    columns = ("Metric", "Average", "Median", "Min", "Max")
    yield Table(columns, rows, frozenset({1, 2, 3, 4}))
    yield Heading(2, "Token Statistics")
    yield Facts(
        (
            ("Total Input Tokens", whole(tokens_in)),
            ("Total Output Tokens", whole(tokens_out)),
            (
                "Average Output per Request",
                f"{number(ratio(tokens_out, len(every)), 1)} tokens (divides by all attempts)",
            ),
            ("Total Tokens Processed", whole(tokens_in + tokens_out)),
        )
    )
    yield Heading(2, "Comparable figures")
    yield from _ours(loaded, tokens_out)
    yield from details.requests(loaded)
    yield Heading(2, "Observations")
    yield Bullets(observations(loaded) or ["No observations."])


def _row(label: str, values: Sequence[float], source: str = "") -> tuple[str, ...]:
    if not values:
        return label, *(UNKNOWN,) * 4
    figures = (plain_mean(values), median(values), min(values), max(values))
    return label, *(marked(number(value), source) for value in figures)


def _memory(kept: Sequence[Request]) -> str:
    values = [r.rt.memory_mb for r in kept if r.rt.memory_mb is not None]
    mean = plain_mean(values)
    return UNKNOWN if mean is None else f"~{mean:.0f} MB"


def _ours(loaded: Loaded, tokens_out: int) -> Iterator[Block]:
    document = loaded.document
    totals = document.totals
    weighted = totals.get("run_decode_tps")
    yield Facts(
        (
            (
                "Token-weighted speed",
                f"{number(None if weighted is None else weighted.value)} tok/s "
                f"({weighted.formula if weighted is not None else ''})",
            ),
            (
                "Output per success",
                f"{number(_value(loaded, 'tokens_per_success'), 1)} tokens",
            ),
            (
                "All tokens by the run's wall time",
                f"{number(ratio(tokens_out, document.run.wall_s or None))} tok/s",
            ),
        )
    )


def _value(loaded: Loaded, name: str) -> float | None:
    found = loaded.document.totals.get(name)
    return None if found is None else found.value
