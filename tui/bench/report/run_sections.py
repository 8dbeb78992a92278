"""Report sections on the whole run: summary, configuration, figures, method."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timezone

import msgspec

from tui.bench.analysis.published_figures import nearest
from tui.bench.analysis.summary import scored
from tui.bench.model.metrics import metric
from tui.bench.model.records import NOT_ATTEMPTED, Document, Total
from tui.bench.report.blocks import Block, Code, Facts, Heading, Paragraph, Table
from tui.bench.report.text import figure, interval, line, marked, minutes, number, whole
from tui.bench.store.run_files import Loaded
from tui.core.text.format import UNKNOWN
from tui.core.text.json_text import escaped_json

SIMULATED = (
    "SIMULATED: these answers and times come from npulse's simulated board. They say nothing about "
    "any real model or board."
)
LIMITED = (
    "Imported from another tool's file: what that tool did not record is unknown, and comparisons "
    "with it are limited."
)


_RUN_FIGURES = ("run_decode_tps", "median_decode_tps", "run_wall_tps", "goodput_pct", "good_per_h")
_BOARD_FIGURES = ("clock_ok_pct", "throttled_s", "t_max_c", "swap_mb", "memory_mb", "avail_min_mb")
_COUNTS = (
    "success_pct",
    "tokens_in",
    "tokens_out",
    "tokens_per_success",
    "tokens_per_attempt",
    "check_pass_pct",
    "stalls",
)


def status_line(document: Document) -> str:
    """The run's state, such as ``COMPLETE 10/10`` or ``PARTIAL 6/10``."""
    run, ok = document.run, len(scored(document.requests))
    word = "COMPLETE" if run.status == "complete" else "PARTIAL"
    return f"{word} {ok}/{run.planned or len(document.requests)}"


def head(loaded: Loaded) -> Iterator[Block]:
    """Title, warnings and identity of the run."""
    document = loaded.document
    run = document.run
    yield Heading(1, f"{line(document.model.name)} NPU Benchmark Results")
    if run.simulated:
        yield Paragraph(SIMULATED, is_warning=True)
    if run.comparability == "limited":
        yield Paragraph(f"{LIMITED} Origin: {line(run.origin)}.", is_warning=True)
    if run.status != "complete":
        yield Paragraph(f"{status_line(document)}: this run is not complete.", is_warning=True)
    for note in run.notes:
        yield Paragraph(line(note), is_warning=True)
    yield Facts(
        (
            ("Generated", datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M:%S UTC")),
            ("Started", line(run.started_utc) or UNKNOWN),
            ("Duration", minutes(run.wall_s)),
            ("Status", status_line(document)),
            ("Suite", f"{line(run.title or run.suite)} ({line(run.suite)})"),
            ("Run", f"{line(run.id)}, {line(run.tool)}, formulae {run.formula_set}"),
        )
    )


def executive(loaded: Loaded) -> Iterator[Block]:
    """The summary, in the layout of the earlier board report, with source and n of each number."""
    document = loaded.document
    totals, decode = document.totals, document.summary.get("decode_tps")
    tried = [r for r in document.requests if r.status not in NOT_ATTEMPTED]
    ok = len(scored(document.requests))
    share = f" ({100 * ok / len(tried):.0f}%)" if tried else ""
    rows = [
        ("Model", _model(document)),
        ("Hardware", _hardware(document)),
        ("Success Rate", f"{ok}/{len(tried)}{share}"),
        ("Total Tokens Generated", f"{_tokens_out(totals)} tokens"),
    ]
    if decode is not None and decode.n:
        source, weighted = f"{decode.source}, n={decode.n}", totals["run_decode_tps"]
        mean, middle = (
            marked(number(value), decode.source) for value in (decode.mean, decode.median)
        )
        by_token = marked(number(weighted.value), weighted.source)
        rows += [
            ("Average Speed", f"{mean} tok/s (mean of requests, {source})"),
            (
                "Median Speed",
                f"{middle} tok/s, 95 % CI {interval(decode.ci95)}, n={decode.n}",
            ),
            (
                "Token-weighted Speed",
                f"{by_token} tok/s ({weighted.formula})",
            ),
        ]
    else:
        rows.append(("Average Speed", f"{UNKNOWN} ({_no_rate(document)})"))
    rows.append(("Memory Usage", _memory(document)))
    rows.append(("Checks Passed", _checks(document)))
    if "clock_ok_pct" in totals:
        rows.append(
            ("Clocks at their highest", f"{_value(totals, 'clock_ok_pct', 0)} % of samples")
        )
    if "t_max_c" in totals:
        rows.append(("Hottest", f"{_value(totals, 't_max_c', 0)} °C"))
    yield Heading(2, "Executive Summary")
    yield Facts(rows)


def _no_rate(document: Document) -> str:
    if document.config.stream_mode == "buffered":
        return "the server does not stream"
    estimated = document.summary.get("decode_tps_est")
    if estimated is not None and estimated.n:
        return f"token counts are only estimated: ~{number(estimated.median)} tok/s"
    return "no scored request has a measured rate"


def _model(document: Document) -> str:
    model = document.model
    parts = [line(model.name)]
    if model.quant:
        parts.append(line(model.quant) + (" (from the name)" if "quant" in model.guessed else ""))
    if model.ctx:
        parts.append(f"context {model.ctx}")
    if model.size:
        parts.append(f"{model.size / 2**20:,.0f} MiB")
    return ", ".join(parts)


def _hardware(document: Document) -> str:
    env = document.env
    parts = [line(text) for text in (env.board, env.soc) if text]
    worked = sum(board.answered > 0 for board in document.boards)
    if document.boards:
        parts.insert(0, f"{worked} of {len(document.boards)} boards answered; one of them")
    if document.model.npu_cores:
        parts.append(f"{document.model.npu_cores} NPU cores")
    return ", ".join(parts) or f"{UNKNOWN} ({line(env.missing.get('board', 'not recorded'))})"


def _memory(document: Document) -> str:
    found = document.totals.get("memory_mb")
    if found is not None and found.value is not None:
        return f"~{found.value:.0f} MB (peak of the server process)"
    runtime = document.summary.get("runtime_mb")
    if runtime is not None and runtime.mean is not None:
        return f"~{runtime.mean:.0f} MB (as the runtime reports it)"
    return f"{UNKNOWN} (not read)"


def _checks(document: Document) -> str:
    found = document.totals.get("check_pass_pct")
    if found is None or found.value is None:
        return f"{UNKNOWN} (no check applies)"
    return f"{found.value:.0f} % of {found.n}"


def _tokens_out(totals: dict[str, Total]) -> str:
    found = totals.get("tokens_out")
    return UNKNOWN if found is None else marked(whole(found.value), found.source)


def _value(totals: dict[str, Total], name: str, digits: int = 2) -> str:
    found = totals.get(name)
    value = None if found is None else found.value
    return whole(value) if digits == 0 else number(value, digits)


def configuration(loaded: Loaded) -> Iterator[Block]:
    """The settings that were sent with their sources, the environment, and the gates."""
    document = loaded.document
    config, env = document.config, document.env
    yield Heading(2, "Configuration")
    plain = {
        "sampling": config.sampling,
        "sources": config.sources,
        "thinking": config.thinking,
        "cache": config.cache,
        "stream_mode": config.stream_mode,
        "timeouts_s": {k: v for k, v in msgspec.to_builtins(config.timeouts).items() if v},
        "runs": document.run.runs,
        "seed": document.run.seed,
        "quick": config.quick,
    }
    data = escaped_json(msgspec.json.format(msgspec.json.encode(plain), indent=2))
    yield Code(data.decode(), "json")
    rows = [
        ("Server", f"{line(env.server.name)} {line(env.server.version or '')}".strip()),
        ("Kernel", line(env.kernel)),
        ("System", line(env.os)),
        ("NPU driver", line(env.npu_driver)),
        ("RKLLM runtime", line(env.runtime.version)),
        ("Model file", line(document.model.file)),
        ("Model sha256", line(document.model.sha256)),
        ("Memory", f"{whole(env.mem_total_mb)} MB"),
        ("Client", f"{env.client.where}, round trip {number(env.client.rtt_ms)} ms"),
        ("Power", line(env.power_source)),
    ]
    clocks = (env.clocks.npu, env.clocks.dmc, *env.clocks.cpu)
    for clock in clocks:
        if clock.target_hz is not None or clock.start_hz is not None:
            start = _mhz(clock.start_hz)
            top = _mhz(clock.target_hz)
            text = f"{start} of {top} MHz before the run, governor {line(clock.gov)}"
            rows.append((f"Clock {line(clock.name)}", text))
    yield Table(("Environment", "Value"), [row for row in rows if row[1] != UNKNOWN])
    if env.missing:
        missing = [(line(name), line(why)) for name, why in env.missing.items()]
        yield Table(("Unknown", "Reason"), missing)
    if document.gates:
        gates = [
            (g.id, g.severity if not g.ok or g.severity == "warn" else "ok", line(g.sentence))
            for g in document.gates
            if g.id != "cool_down"
        ]
        yield Table(("Gate", "Result", "Finding"), gates)


def _mhz(value_hz: float | None) -> str:
    return UNKNOWN if value_hz is None else f"{value_hz / 1e6:.0f}"


def performance(loaded: Loaded) -> Iterator[Block]:
    """One row per metric with its statistics and source, and the run's figures."""
    columns = (
        "Metric",
        "Average",
        "Median",
        "Min",
        "Max",
        "MAD",
        "CI95",
        "MDC %",
        "n",
        "Source",
        "Id",
    )
    rows = []
    for name, found in loaded.document.summary.items():
        if not found.n:
            continue
        known = metric(name)
        label = f"{known.label} ({known.unit})" if known.unit else known.label
        digits = known.digits
        rows.append(
            (
                label,
                *(
                    marked(number(value, digits), found.source)
                    for value in (found.mean, found.median, found.min, found.max)
                ),
                number(found.mad, digits),
                interval(found.ci95, digits),
                number(found.mdc_pct, 1),
                str(found.n),
                found.source,
                name,
            )
        )
    yield Heading(2, "Performance Metrics")
    yield Table(columns, rows, frozenset(range(1, 9)))
    totals = loaded.document.totals
    wanted = (*_RUN_FIGURES, *_BOARD_FIGURES)
    rows2 = [_total_row(name, totals[name]) for name in wanted if name in totals]
    yield Table(("Run figure", "Value", "n", "Source", "Formula"), rows2, frozenset({1, 2}))


def _total_row(name: str, total: Total) -> tuple[str, str, str, str, str]:
    value = marked(number(total.value), total.source) + (
        f" {total.unit}" if total.unit and total.value is not None else ""
    )
    if total.value is None and total.why:
        value = f"{UNKNOWN} ({line(total.why)})"
    return name, value, str(total.n), total.source, total.formula


def tokens(loaded: Loaded) -> Iterator[Block]:
    """Token counts, and their averages per success and per attempt."""
    totals = loaded.document.totals
    found_in, found_out = totals.get("tokens_in"), totals.get("tokens_out")
    total_in = found_in.value or 0 if found_in else 0
    total_out = found_out.value or 0 if found_out else 0
    yield Heading(2, "Token Statistics")
    yield Facts(
        (
            ("Total Input Tokens", f"{whole(total_in)} ({_source(found_in)})"),
            ("Total Output Tokens", f"{whole(total_out)} ({_source(found_out)})"),
            (
                "Average Output per Request, per success",
                f"{_value(totals, 'tokens_per_success', 1)} tokens",
            ),
            (
                "Average Output per Request, per attempt",
                f"{_value(totals, 'tokens_per_attempt', 1)} tokens",
            ),
            ("Total Tokens Processed", whole(total_in + total_out)),
        )
    )


def _source(total: Total | None) -> str:
    return "unknown" if total is None else total.source


def suite_part(loaded: Loaded) -> Iterator[Block]:
    """Figures that only this kind of suite has; empty without any."""
    document = loaded.document
    common = {*_RUN_FIGURES, *_BOARD_FIGURES, *_COUNTS}
    rows = [_total_row(name, t) for name, t in document.totals.items() if name not in common]
    if rows:
        yield Heading(2, "Figures of this suite")
        yield Table(("Figure", "Value", "n", "Source", "Formula"), rows, frozenset({1, 2}))


def reference_part(loaded: Loaded) -> Iterator[Block]:
    """Published figures of the same and of similar models; empty without any."""
    document = loaded.document
    model, env = document.model, document.env
    rows = nearest(model.name, soc=env.soc, dtype=model.quant)
    rows += nearest(model.name, soc=env.soc, dtype=model.quant, source="board report", limit=1)
    if not rows:
        return
    yield Heading(2, "Reference rows")
    yield Paragraph(
        "Published measurements by others, each with its release. A row marked as another model is "
        "of similar size only."
    )
    cells = [
        (
            row.label,
            "the same" if is_same else "another",
            number(row.ttft_ms),
            number(row.prefill_ms),
            number(row.decode_tps),
            number(row.memory_mb, 0),
            row.note or ("128 tokens in, 64 out, highest clocks" if row.prompt_tokens else ""),
        )
        for row, is_same in rows
    ]
    columns = ("Row", "Model", "TTFT ms", "Prefill ms", "tok/s", "MB", "Remark")
    yield Table(columns, cells, frozenset({2, 3, 4, 5}))


def method(loaded: Loaded) -> Iterator[Block]:
    """The method: clocks, statistics, time limits, formulae."""
    document = loaded.document
    used = [metric(name) for name, found in document.summary.items() if found.n]
    yield Heading(2, "Method")
    limits = document.config.timeouts
    yield Facts(
        (
            ("Clock", "monotonic; wall times are only shown"),
            ("Quantiles", "interpolated linearly between order statistics (type 7)"),
            ("Percentiles", "p90 needs 20 values, p95 40, p99 200"),
            ("Spread", "MAD times 1.4826; bootstrap of requests, 10,000 rounds, seeded"),
            ("Order", f"each repetition shuffled, seed {document.run.seed}"),
            (
                "Time limits",
                f"connect {number(limits.connect_s, 0)} s, first token at least "
                f"{number(limits.first_token_s, 0)} s, between tokens at least "
                f"{number(limits.idle_s, 0)} s, whole answer "
                f"{'none' if limits.total_s is None else number(limits.total_s, 0) + ' s'}",
            ),
            ("Scored", "ok and capped; all others are listed with their partial numbers"),
        )
    )
    yield Table(("Metric", "Formula"), [(m.id, m.formula) for m in used])
    yield Paragraph(
        "t0 request written, t1 first token, tc first token after thinking, tN last token, te end; "
        "N tokens of the answer, P of the prompt, Pp of them processed (not cached), Tp and "
        "Tg the runtime's own times."
    )


def metric_cell(name: str, value: float | None) -> str:
    """A request's metric, formatted with its unit."""
    shown = figure(name, value)
    unit = metric(name).unit
    return shown if value is None or not unit else f"{shown} {unit}"
