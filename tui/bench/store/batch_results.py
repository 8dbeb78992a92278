"""Results of a batch: one JSON object per line, and a file on the whole batch."""

from __future__ import annotations

from pathlib import Path

import msgspec

from tui.bench.analysis.summary import decode_tps, headline_source
from tui.bench.model.records import Request
from tui.bench.store.run_files import Loaded
from tui.core.text.json_text import escaped_json
from tui.files.private import write_whole

RESULTS_FILE = "results.jsonl"
META_FILE = "results.meta.json"


class Result(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line of the results."""

    id: str
    prompt: str
    response: str
    thinking: str
    status: str
    simulated: bool
    tokens_in: int | None
    tokens_in_source: str
    tokens_out: int | None
    tokens_out_source: str
    ttft_ms: float | None
    decode_tps: float | None
    decode_tps_source: str
    latency_ms: float | None
    finish: str | None
    error: str | None
    board: str = ""
    """Only in a run on several boards."""
    asked_again: str = ""
    """Why it was repeated on another board; omitted otherwise."""


def lines(loaded: Loaded) -> bytes:
    """One line per request, in the order of the document's requests."""
    document = loaded.document
    source = headline_source(document.requests)

    def result(request: Request) -> Result:
        text, thinking = loaded.texts.get(request.key, ("", ""))
        return Result(
            id=request.name or request.id,
            prompt=loaded.prompts.get(request.key, ""),
            response=text,
            thinking=thinking,
            status=request.status,
            simulated=document.run.simulated,
            tokens_in=request.tok.input,
            tokens_in_source=request.tok.in_source,
            tokens_out=request.tok.out,
            tokens_out_source=request.tok.source,
            ttft_ms=request.m.get("ttft_client_ms"),
            decode_tps=decode_tps(request, source),
            decode_tps_source=source,
            latency_ms=request.m.get("latency_ms"),
            finish=request.finish,
            error=request.error,
            board=request.board,
            asked_again=request.asked_again,
        )

    return b"".join(escaped_json(msgspec.json.encode(result(r))) + b"\n" for r in document.requests)


def meta(loaded: Loaded) -> bytes:
    """Identity, totals and failures of the batch, as JSON."""
    document = loaded.document
    totals = {
        name: {"value": t.value, "n": t.n, "unit": t.unit, "formula": t.formula}
        for name, t in document.totals.items()
    }
    value = {
        "run": document.run.id,
        "simulated": document.run.simulated,
        "status": document.run.status,
        "model": document.model.name,
        "server": document.env.server.name,
        "started_utc": document.run.started_utc,
        "wall_s": document.run.wall_s,
        "requests": len(document.requests),
        "sampling": document.config.sampling,
        "totals": totals,
        "failures": {f.status: f.count for f in document.failures},
        "tool": document.run.tool,
        **(
            {"boards": document.boards, "projections": document.projections}
            if document.boards
            else {}
        ),
    }
    return escaped_json(msgspec.json.format(msgspec.json.encode(value), indent=2)) + b"\n"


def save(loaded: Loaded, folder: Path) -> None:
    """Write both files. Raises OSError."""
    write_whole(folder / RESULTS_FILE, lines(loaded))
    write_whole(folder / META_FILE, meta(loaded))
