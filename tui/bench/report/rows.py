"""Formats a run as table rows: CSV, llama-bench's table, Rockchip's table."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence

from tui.bench.analysis import statistics as stat
from tui.bench.analysis.published_figures import billions_in
from tui.bench.analysis.summary import by_group, decode_tps, headline_source, scored, value_of
from tui.bench.model.records import Document, Request, Source
from tui.bench.report.blocks import Block, Heading, Paragraph, Table
from tui.bench.report.text import line, marked, number
from tui.bench.store.run_files import Loaded, in_suite_order
from tui.core.text.format import UNKNOWN

CSV_METRICS = (
    "decode_tps_rt",
    "decode_tps_cl",
    "decode_tps_est",
    "ttft_client_ms",
    "ttfot_ms",
    "prefill_ms",
    "prefill_tps",
    "prefill_tps_est",
    "overhead_ttft_ms",
    "queue_ms",
    "itl_mean_ms",
    "itl_p50_ms",
    "itl_p99_ms",
    "latency_ms",
    "e2e_tps",
    "last_vs_first",
    "load_s",
    "energy_j_per_tok",
)
STANDARD_IN, STANDARD_OUT = 128, 64
_RISKY = ("=", "+", "-", "@", "\t", "\r")


def safe_cell(value: object) -> object:
    """A CSV cell that no spreadsheet evaluates as a formula. Numbers stay numbers."""
    if value is None:
        return ""
    if not isinstance(value, str):
        return value
    text = line(value)
    return f"'{text}" if text.startswith(_RISKY) else text


def as_csv(loaded: Loaded) -> str:
    """CSV (RFC 4180) with one row per request."""
    out = io.StringIO()
    write = csv.writer(out, lineterminator="\n").writerow
    head = (
        "run",
        "simulated",
        "model",
        "suite",
        "id",
        "rep",
        "order",
        "group",
        "status",
        "finish",
        "tokens_in",
        "tokens_in_source",
        "tokens_out",
        "tokens_out_source",
    )
    board = ("t_max", "clock_ok_pct", "throttled_s", "hwm_mb", "stalls")
    tail = ("checks_passed", "checks_applicable", "taint", "error", "board", "asked_again")
    write((*head, *CSV_METRICS, *board, *tail))
    for request in loaded.document.requests:
        write(tuple(safe_cell(value) for value in _csv_row(loaded.document, request)))
    return out.getvalue()


def _csv_row(document: Document, request: Request) -> Iterator[object]:
    run = document.run
    yield from (run.id, "yes" if run.simulated else "no", document.model.name, run.suite)
    yield from (request.id, request.rep, request.order, request.group)
    yield from (request.status, request.finish, request.tok.input, request.tok.in_source)
    yield from (request.tok.out, request.tok.source)
    for name in CSV_METRICS:
        value = request.m.get(name)
        yield None if value is None else round(value, 4)
    hw = request.hw
    yield from (hw.t_max, hw.clock_ok_pct, hw.throttled_s, hw.hwm_mb, request.itl_ms.stalls)
    kept = [c for c in request.checks if c.passed is not None and not c.info]
    yield from (sum(bool(c.passed) for c in kept), len(kept))
    yield from (" ".join(request.taint), request.error, request.board, request.asked_again)


def llama_bench_rows(loaded: Loaded) -> Table:
    """Rows in llama-bench's format: mean ± sample standard deviation of tokens per second."""
    document = loaded.document
    model = document.model
    size = UNKNOWN if model.size is None else f"{model.size / 2**30:.2f} GiB"
    billions = billions_in(model.name)
    params = UNKNOWN if billions is None else f"{billions:.2f} B"
    rows = []
    for name, values, is_estimated in _tests(loaded):
        shown = UNKNOWN if not values else f"{stat.mean(values):.2f} ± {stat.sample_sd(values):.2f}"
        if is_estimated and values:
            shown = f"~{shown}"
        rows.append((line(model.name), size, params, _backend(document), name, shown))
    columns = ("model", "size", "params", "backend", "test", "t/s")
    return Table(columns, rows, frozenset({1, 2, 4, 5}))


def _backend(document: Document) -> str:
    return "RKLLM (simulated)" if document.run.simulated else "RKLLM"


def _tests(loaded: Loaded) -> Iterator[tuple[str, list[float], bool]]:
    """(test, rates, is estimated) for prompt processing and generation of each group."""
    document = loaded.document
    source = headline_source(document.requests)
    for members in by_group(scored(in_suite_order(loaded)), lambda r: r.group or r.id).values():
        first = members[0]
        target_in = first.target_in if first.target_in is not None else _common_in(members)
        prefill = _values(members, "prefill_tps", source)
        is_estimated = not prefill
        prefill = prefill or _values(members, "prefill_tps_est", source)
        decode = [v for r in members if (v := decode_tps(r, source)) is not None]
        if target_in:
            yield f"pp{target_in}", prefill, is_estimated
        if document.run.kind == "prefill":
            continue
        new = first.target_out or _common_out(members)
        depth = f" @ d{target_in}" if document.run.kind == "sweep" and target_in else ""
        yield f"tg{new}{depth}", decode, source == "estimated"


def _values(members: Sequence[Request], name: str, source: Source) -> list[float]:
    return [v for r in members if (v := value_of(r, name, source)) is not None]


def _common_in(members: Sequence[Request]) -> int:
    sizes = {r.tok.input for r in members if r.tok.input}
    return sizes.pop() if len(sizes) == 1 else 0


def _common_out(members: Sequence[Request]) -> str:
    sizes = {r.tok.out for r in members if r.tok.out}
    return str(sizes.pop()) if len(sizes) == 1 else "~" + str(max(sizes, default=0))


def rockchip_row(loaded: Loaded) -> tuple[Table, list[str]] | None:
    """The row in the format of Rockchip's table, and the reasons why it is not comparable with it.

    None unless it is a run of the suite ``standard`` (128 prompt tokens, 64 new tokens).
    """
    document = loaded.document
    kept = [r for r in scored(document.requests) if r.target_in == STANDARD_IN]
    if document.run.kind != "standard" or not kept:
        return None
    source = headline_source(document.requests)
    problems = []
    if any(r.tok.out != STANDARD_OUT for r in kept):
        problems.append("not every answer has exactly 64 tokens")
    if any(r.tok.in_source != "runtime" for r in kept):
        problems.append("the 128 prompt tokens are estimated, as this server does not count them")
    elif any(r.tok.input != STANDARD_IN for r in kept):
        problems.append("not every prompt has exactly 128 tokens")
    if document.run.simulated:
        problems.append("simulated")
    if source == "estimated":
        problems.append("the decode rate is estimated, as this server does not count its tokens")
    taints = {taint for r in kept for taint in r.taint}
    problems += [f"taint: {taint}" for taint in sorted(taints)]
    first = _values(kept, "prefill_ms", source) or _values(kept, "ttft_client_ms", source)
    rates = [v for r in kept if (v := decode_tps(r, source)) is not None]
    memory = document.totals.get("memory_mb")
    billions = billions_in(document.model.name)
    cells = (
        line(document.model.name),
        UNKNOWN if billions is None else f"{billions:g}B",
        line(document.model.quant or UNKNOWN),
        str(STANDARD_IN),
        str(STANDARD_OUT),
        number(stat.mean(first)),
        marked(number(stat.mean(rates)), source),
        number(None if memory is None else memory.value),
    )
    columns = (
        "Model",
        "Size",
        "Dtype",
        "Seqlen",
        "New_tokens",
        "TTFT(ms)",
        "Tokens/s",
        "memory(MB)",
    )
    return Table(columns, [cells], frozenset(range(3, 8))), problems


def published_rows(loaded: Loaded) -> Iterator[Block]:
    """Rows for comparison with published tables; empty for other suites."""
    if not scored(loaded.document.requests):
        return
    if loaded.document.run.kind in ("standard", "sweep", "prefill"):
        yield Heading(2, "In llama-bench's format")
        yield llama_bench_rows(loaded)
    row = rockchip_row(loaded)
    if row is None:
        return
    table, problems = row
    yield Heading(2, "In the format of Rockchip's table")
    yield table
    if problems:
        yield Paragraph(f"Not comparable: {'; '.join(problems)}.", is_warning=True)
