"""Imports rows of llama-bench's output and of Rockchip's benchmark table."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from typing import Any

from tui.bench.model.metrics import finite, ratio
from tui.bench.model.records import Request, RuntimeTimes, Tokens
from tui.core.text.sanitize import clean

_COLUMNS = ("seqlen", "new_tokens", "ttft", "tokens/s")


def _number(value: object) -> float | None:
    """The number in a JSON value or a table cell; None if it is no number, or negative."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        number = finite(value)
    elif isinstance(value, str):
        try:
            number = finite(float(value.replace(",", "")))
        except ValueError:
            number = None
    else:
        number = None
    return number if number is not None and number >= 0 else None


def llama_bench(rows: Sequence[dict[str, Any]]) -> list[Request]:
    """One request per repetition of each llama-bench row (``samples_ns``), else one per row.

    ``pp`` rows give the prefill rate, ``tg`` rows the decode rate, both by llama-bench's own times.
    """
    requests: list[Request] = []
    for row in rows:
        size_in, size_out = _count(row.get("n_prompt")), _count(row.get("n_gen"))
        depth = _count(row.get("n_depth"))
        name = clean(str(row.get("model_type") or row.get("model_filename") or ""), newlines=False)
        parts = [f"pp{size_in}"] if size_in else []
        parts += [f"tg{size_out}"] if size_out else []
        test = "-".join(parts) or "empty"
        test += f"_d{depth}" if depth else ""
        for rep, (spent_ns, rate) in enumerate(_samples(row)):
            requests.append(_row(test, rep, len(requests), name, size_in, size_out, spent_ns, rate))
    return requests


def _count(value: object) -> int:
    number = _number(value)
    return 0 if number is None else round(number)


def _samples(row: dict[str, Any]) -> Iterator[tuple[float | None, float | None]]:
    times, rates = row.get("samples_ns"), row.get("samples_ts")
    if isinstance(times, list) and isinstance(rates, list) and len(times) == len(rates) and times:
        for spent, rate in zip(times, rates, strict=True):
            yield _number(spent), _number(rate)
    else:
        yield _number(row.get("avg_ns")), _number(row.get("avg_ts"))


def _row(
    test: str,
    rep: int,
    order: int,
    name: str,
    size_in: int,
    size_out: int,
    spent_ns: float | None,
    rate: float | None,
) -> Request:
    is_decode = size_out > 0 and size_in == 0
    is_prefill = size_in > 0 and size_out == 0
    spent_ms = None if spent_ns is None else spent_ns / 1e6
    measured = {
        "decode_tps_rt": rate if is_decode else None,
        "prefill_tps": rate if is_prefill else None,
        "prefill_ms": spent_ms if is_prefill else None,
        "latency_ms": spent_ms,
    }
    runtime = RuntimeTimes(
        prefill_ms=spent_ms if is_prefill else None,
        prefill_tokens=size_in if is_prefill else None,
        generate_ms=spent_ms if is_decode else None,
        generate_tokens=size_out if is_decode else None,
    )
    return Request(
        id=test,
        rep=rep,
        order=order,
        status="ok",
        name=name,
        group=test,
        target_in=size_in or None,
        target_out=size_out or None,
        tok=Tokens(
            input=size_in or None,
            out=size_out or None,
            in_source="runtime" if size_in else "unknown",
            source="runtime" if size_out else "unknown",
        ),
        rt=runtime,
        m=measured,
        why={key: "not part of this test" for key, value in measured.items() if value is None},
    )


def rockchip_table(text: str) -> list[Request]:
    """The rows of the tables in rknn-llm's ``benchmark.md``; a heading of one word names the SoC.

    A row without a model's name belongs to the model above it. Empty if there is no such table.
    """
    requests: list[Request] = []
    columns: list[str] = []
    soc = model = ""
    for line in text.splitlines():
        heading = line.lstrip("#").split() if line.startswith("#") else []
        if len(heading) == 1:
            soc, columns = heading[0].lower(), []
            continue
        if not line.lstrip().startswith("|"):
            continue
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        lowered = [cell.lower() for cell in cells]
        if all(any(wanted in cell for cell in lowered) for wanted in _COLUMNS):
            columns, model = lowered, ""
        elif columns and len(cells) == len(columns) and not set("".join(cells)) <= set(":- "):
            row = dict(zip(columns, cells, strict=True))
            model = row.get("model") or model
            request = _table_row(row, model, soc, len(requests))
            if request is not None:
                requests.append(request)
    return requests


def _table_row(row: dict[str, str], model: str, soc: str, order: int) -> Request | None:
    def column(start: str) -> float | None:
        return next((_number(v) for k, v in row.items() if k.startswith(start)), None)

    rate, first = column("tokens/s"), column("ttft")
    size_in, size_out = column("seqlen"), column("new_tokens")
    if rate is None or first is None or not size_in or not size_out:
        return None
    size = next((v for k, v in row.items() if "size" in k), "")
    dtype = row.get("dtype", "")
    name = clean(" ".join(part for part in (model, size, dtype, soc) if part), newlines=False)
    measured = {
        "decode_tps_rt": rate,
        "prefill_ms": first,
        "prefill_tps": ratio(size_in, first, 1000),
        "runtime_mb": column("memory"),
    }
    return Request(
        id=re.sub(r"[^A-Za-z0-9_-]+", "-", name)[:80] or f"row-{order + 1}",
        rep=0,
        order=order,
        status="ok",
        name=name,
        group=name,
        target_in=round(size_in),
        target_out=round(size_out),
        tok=Tokens(
            input=round(size_in), in_source="runtime", out=round(size_out), source="runtime"
        ),
        rt=RuntimeTimes(
            prefill_ms=first,
            prefill_tokens=round(size_in),
            generate_ms=ratio(size_out, rate, 1000),
            generate_tokens=round(size_out),
            memory_mb=measured["runtime_mb"],
        ),
        m=measured,
        why={"ttft_client_ms": "a published row: how it was measured is not stated"},
    )


def llama_bench_csv(text: str) -> list[Request]:
    """The rows of ``llama-bench -o csv``, maybe after other lines. Empty if there are none."""
    lines = text.splitlines()
    head = next((at for at, line in enumerate(lines) if _is_csv_head(line)), None)
    if head is None:
        return []
    rows = csv.DictReader(lines[head:])
    try:
        return llama_bench([row for row in rows if _number(row.get("avg_ts"))])
    except csv.Error:
        return []


def _is_csv_head(line: str) -> bool:
    return "avg_ts" in line and "n_gen" in line and "," in line and not line.startswith("{")


def llama_bench_table(text: str) -> list[Request]:
    """The rows of ``llama-bench -o md``, its default, with columns model, test and t/s.

    A test is ``pp512``, ``tg128`` or ``pp512+tg128``, with ``@ d4096`` for a depth. Empty if there
    is no such table.
    """
    rows: list[dict[str, Any]] = []
    columns: list[str] = []
    for line in text.splitlines():
        row = line.strip()
        if not row.startswith("|"):
            continue
        cells = [cell.strip() for cell in row.strip("|").split("|")]
        if {"model", "test", "t/s"} <= set(cells):
            columns = cells
        elif columns and len(cells) == len(columns) and not set(row) <= set("|:- "):
            found = _table_test(dict(zip(columns, cells, strict=True)))
            rows += [] if found is None else [found]
    return llama_bench(rows)


def _table_test(row: dict[str, str]) -> dict[str, Any] | None:
    rate = _number(row["t/s"].partition("±")[0].strip())
    sizes = {part[:2]: part[2:] for part in row["test"].partition("@")[0].strip().split("+")}
    if not rate or not set(sizes) <= {"pp", "tg"}:
        return None
    return {
        "model_type": row["model"],
        "n_prompt": sizes.get("pp", "0"),
        "n_gen": sizes.get("tg", "0"),
        "n_depth": row["test"].partition("@ d")[2],
        "avg_ts": rate,
    }
