"""Imports result files of other tools as runs with comparability ``limited``.

Formats: RockchipLlama's benchmark JSON (``summary`` and ``detailed_results``) and the Markdown
report made from it; llama-bench's JSON, JSONL, CSV and table; Rockchip's table of published
figures. A missing field is computed from others where possible.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from tui.bench.importers.json_values import json_values
from tui.bench.importers.tables import (
    llama_bench,
    llama_bench_csv,
    llama_bench_table,
    rockchip_table,
)
from tui.bench.model.conditions import Config, Env, Model
from tui.bench.model.metrics import finite, ratio
from tui.bench.model.records import Request, Run, RuntimeTimes, Status, Times, Tokens
from tui.bench.model.suite import prompt_sha256
from tui.bench.run.connect import TOOL
from tui.bench.store.document import assemble
from tui.bench.store.run_files import Loaded
from tui.bench.store.runs import RunError, new_id, utc_now
from tui.core.text.sanitize import clean
from tui.files.private import read_regular

MAX_FILE_BYTES = 256 << 20
TIMEOUT_WORDS = re.compile(r"time[d]?\s*-?out", re.IGNORECASE)
_TEST = re.compile(r"^### Test \d+/\d+:\s*(.*)$", re.MULTILINE)
_ID = re.compile(r"\*\*ID:\*\*\s*`?([A-Za-z0-9_-]+)`?")
_FAILED = re.compile(r"\*\*Failed:\*\*\s*(.+)")
_NUMBER = re.compile(r"-?\d[\d,]*(?:\.\d+)?")


def load(path: Path) -> Loaded:
    """The run in a file of another tool. Raises RunError; its message is one sentence."""
    shown = clean(path.name, newlines=False)
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise RunError(f"{shown}: larger than {MAX_FILE_BYTES >> 20} MiB")
        data = read_regular(path)
    except OSError as error:
        raise RunError(f"{shown}: {error.strerror or 'cannot be read'}") from None
    # A character in a wrong encoding must not prevent reading the numbers.
    is_wide = data[:2] in (b"\xff\xfe", b"\xfe\xff")  # PowerShell's > writes UTF-16
    text = data.decode("utf-16" if is_wide else "utf-8", "replace").lstrip("\ufeff")
    try:
        return _parsed(text, path.stem)
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError) as error:
        raise RunError(f"{shown}: {clean(str(error), newlines=False)[:200]}") from None


def _parsed(text: str, stem: str) -> Loaded:
    values = json_values(text)
    if values:
        return _json(values, stem)
    if _TEST.search(text):
        return report_markdown(text, stem)
    for origin, read in (
        ("Rockchip's table", rockchip_table),
        ("llama-bench", llama_bench_table),
        ("llama-bench", llama_bench_csv),
    ):
        found = read(text)
        if found:
            return _rows(found, origin, stem)
    if "INSERT INTO test" in text:
        raise ValueError("SQL of llama-bench is not supported: run it with -o json")
    raise ValueError(
        "unknown format; supported are JSON of RockchipLlama, JSON, JSONL, CSV or a table of "
        "llama-bench (-o json), or Rockchip's table"
    )


def _json(values: list[Any], stem: str) -> Loaded:
    first = values[0]
    if len(values) == 1 and isinstance(first, dict) and "detailed_results" in first:
        return rockchipllama(first, stem)
    # A file may hold several lists (appended runs) or one object per line: all give rows.
    rows = [row for value in values for row in (value if isinstance(value, list) else [value])]
    kept = [row for row in rows if isinstance(row, dict) and "avg_ts" in row]
    if kept:
        return _rows(llama_bench(kept), "llama-bench", stem)
    if isinstance(first, dict) and str(first.get("schema", "")).startswith("bench/"):
        raise ValueError("this is a run of npulse; report and compare read it without an import")
    raise ValueError("JSON of an unknown tool")


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return finite(value)


def _positive(row: dict[str, Any], *names: str) -> float | None:
    """The first of these fields that is a number above 0; None without one."""
    for name in names:
        value = _number(row.get(name))
        if value is not None and value > 0:
            return value
    return None


# -- RockchipLlama ---------------------------------------------------------------------------------


def rockchipllama(value: dict[str, Any], stem: str) -> Loaded:
    """The output of ``scripts/benchmark.py`` of RockchipLlama.

    The script overwrites ``ttft_ms`` with ``prefill_time_ms``. So it is stored as the runtime's
    prefill time, not as a client's TTFT. Raises ValueError without results.
    """
    raw = value.get("detailed_results")
    rows = [row for row in raw if isinstance(row, dict)] if isinstance(raw, list) else []
    if not rows:
        raise ValueError("detailed_results holds no result")
    summary = value.get("summary")
    summary = summary if isinstance(summary, dict) else {}
    wall_s = _positive(summary, "duration_seconds", "duration_s", "duration")
    spent_s = sum((_positive(row, "total_time_ms") or 0.0) for row in rows) / 1000
    failed = [row for row in rows if not row.get("success", True)]
    each_s = None
    if wall_s is not None and failed and wall_s > spent_s:
        each_s = (wall_s - spent_s) / len(failed)
    requests, prompts = [], {}
    texts: dict[tuple[str, int], tuple[str, str]] = {}
    for order, row in enumerate(rows):
        request = _llama_row(row, order, each_s)
        requests.append(request)
        texts[request.key] = (clean(str(row.get("response_text") or "")), "")
        prompts[request.key] = clean(str(row.get("prompt_text") or ""))
    name = str(summary.get("model_name") or stem)
    started = str(summary.get("timestamp") or "")
    loaded = _loaded(
        requests,
        name=name,
        origin="RockchipLlama benchmark",
        wall_s=wall_s or spent_s,
        started=started,
    )
    loaded.texts, loaded.prompts = texts, {key: text for key, text in prompts.items() if text}
    return loaded


def _llama_row(row: dict[str, Any], order: int, failed_s: float | None) -> Request:
    prompt_id = re.sub(r"[^A-Za-z0-9_-]+", "-", str(row.get("prompt_id") or f"test-{order + 1}"))
    name = clean(str(row.get("prompt_name") or prompt_id), newlines=False)[:80]
    text = clean(str(row.get("prompt_text") or ""))
    error = clean(str(row.get("error_message") or ""), newlines=False)[:300]
    if not row.get("success", True):
        is_late = TIMEOUT_WORDS.search(error) is not None
        status: Status = "timeout_idle" if is_late else "error_backend"
        # A failed row has no time: it gets an equal share of the wall time that is left.
        measured = {} if failed_s is None else {"latency_ms": failed_s * 1000}
        return Request(
            id=prompt_id,
            rep=0,
            order=order,
            status=status,
            name=name,
            prompt_sha256=prompt_sha256(text),
            m=dict(measured),
            why={} if measured else {"latency_ms": "not recorded"},
            error=error or "failed without a reason",
        )
    return answered(
        prompt_id,
        order,
        name=name,
        prompt=text,
        prefill_ms=_positive(row, "prefill_time_ms", "ttft_ms"),
        tokens_in=_positive(row, "input_tokens", "prompt_tokens"),
        tokens_out=_positive(row, "output_tokens", "completion_tokens"),
        generate_ms=_positive(row, "generate_time_ms"),
        rate_tps=_positive(row, "tokens_per_second"),
        total_ms=_positive(row, "total_time_ms"),
        memory_mb=_positive(row, "memory_usage_mb"),
    )


def answered(
    prompt_id: str,
    order: int,
    *,
    name: str = "",
    prompt: str = "",
    prefill_ms: float | None = None,
    tokens_in: float | None = None,
    tokens_out: float | None = None,
    generate_ms: float | None = None,
    rate_tps: float | None = None,
    total_ms: float | None = None,
    memory_mb: float | None = None,
) -> Request:
    """One answered request, from the runtime's own counters.

    A missing decode time is computed from tokens and rate, a missing rate from tokens and time.
    """
    if generate_ms is None:
        generate_ms = ratio(tokens_out, rate_tps, 1000)
    if generate_ms is None and total_ms is not None and prefill_ms is not None:
        generate_ms = total_ms - prefill_ms if total_ms > prefill_ms else None
    count_in = None if tokens_in is None else round(tokens_in)
    count_out = None if tokens_out is None else round(tokens_out)
    unknown = "not recorded by that tool"
    measured = {
        "prefill_ms": prefill_ms,
        "prefill_tps": ratio(count_in, prefill_ms, 1000),
        "decode_tps_rt": rate_tps or ratio(count_out, generate_ms, 1000),
        "latency_ms": total_ms,
        "e2e_tps": ratio(count_out, total_ms, 1000),
        "runtime_mb": memory_mb,
        "ttft_client_ms": None,
        "decode_tps_cl": None,
    }
    return Request(
        id=prompt_id,
        rep=0,
        order=order,
        status="ok" if count_out else "empty",
        name=name,
        prompt_sha256=prompt_sha256(prompt) if prompt else "",
        t=Times(),
        tok=Tokens(
            input=count_in,
            in_source="runtime" if count_in else "unknown",
            out=count_out,
            source="runtime" if count_out else "unknown",
        ),
        rt=RuntimeTimes(
            prefill_ms=prefill_ms,
            prefill_tokens=count_in,
            generate_ms=generate_ms,
            generate_tokens=count_out,
            memory_mb=memory_mb,
        ),
        m=measured,
        why={key: unknown for key, value in measured.items() if value is None},
    )


def report_markdown(text: str, stem: str) -> Loaded:
    """RockchipLlama's Markdown report, for runs without JSON; its figures are rounded."""
    parts = _TEST.split(text)
    requests = []
    spent_s = 0.0
    for order, (name, body) in enumerate(zip(parts[1::2], parts[2::2], strict=True)):
        cells = _two_columns(body)
        given = _ID.search(body)
        prompt_id = given[1] if given else f"test-{order + 1}"
        failure = _FAILED.search(body)
        row: dict[str, Any] = {
            "prompt_id": prompt_id,
            "prompt_name": name,
            "success": failure is None,
            "error_message": failure[1] if failure else "",
            "tokens_per_second": _cell(cells, "generation speed"),
            "prefill_time_ms": _cell(cells, "time to first token"),
            "total_time_ms": (_cell(cells, "total time") or 0.0) * 1000,
            "input_tokens": _cell(cells, "input tokens"),
            "output_tokens": _cell(cells, "output tokens"),
            "memory_usage_mb": _cell(cells, "memory usage"),
        }
        spent_s += row["total_time_ms"] / 1000
        requests.append(row)
    duration = re.search(r"\*\*Duration:\*\*\s*([\d.,]+)\s*seconds", text)
    model = re.search(r"\*\*Model:\*\*(.*)", text)
    generated = re.search(r"\*\*Generated:\*\*\s{0,8}(\S{1,40} \S{1,40})", text)
    wall_s = float(duration[1].replace(",", "")) if duration else spent_s
    summary = {
        "model_name": (model[1].strip().strip("`") if model else "") or stem,
        "duration_seconds": wall_s,
        "timestamp": generated[1] if generated else "",
    }
    return rockchipllama({"summary": summary, "detailed_results": requests}, stem)


def _two_columns(text: str) -> dict[str, str]:
    """First column (lower case) -> second column, of all table rows with two columns."""
    cells: dict[str, str] = {}
    for line in text.splitlines():
        row = line.strip()
        if row.startswith("|") and row.endswith("|") and row.count("|") == 3:
            key, value = row[1:-1].split("|")
            cells[key.strip().lower()] = value.strip()
    return cells


def _cell(cells: dict[str, str], name: str) -> float | None:
    match = _NUMBER.search(cells.get(name, ""))
    return None if match is None else finite(float(match[0].replace(",", "")))


# -- rows ------------------------------------------------------------------------------------------


def _rows(requests: Sequence[Request], origin: str, stem: str) -> Loaded:
    names = list(dict.fromkeys(request.name for request in requests if request.name))
    name = names[0] if len(names) == 1 else stem
    return _loaded(requests, name=name, origin=origin, wall_s=0.0, started="")


def _loaded(
    requests: Iterable[Request], *, name: str, origin: str, wall_s: float, started: str
) -> Loaded:
    kept = tuple(requests)
    clean_name = clean(name, newlines=False)[:120]
    scored = sum(r.is_scored for r in kept)
    run = Run(
        id=new_id("imported", clean_name),
        suite="imported",
        suite_sha256="",
        title=f"Imported from {origin}",
        kind="prompts",
        status="complete" if scored == len(kept) else "partial",
        started_utc=clean(started, newlines=False)[:40] or utc_now(),
        wall_s=wall_s,
        planned=len(kept),
        tool=TOOL,
        comparability="limited",
        origin=origin,
    )
    document = assemble(
        run,
        env=Env(missing={"board": "not recorded by that tool"}),
        model=Model(name=clean_name or "unknown"),
        config=Config(),
        gates=(),
        warmup=(),
        requests=kept,
        stamps={},
    )
    return Loaded(document)
