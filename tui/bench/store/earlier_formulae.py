"""Converts runs of earlier formula sets to the present sources of numbers.

Up to 2025.1 the number of chunks had the source ``client``, and the rate from it counted as
measured. As a chunk may have several tokens, both are estimates now.
"""

from __future__ import annotations

import msgspec

from tui.bench.model.records import Document, Request, Summary, Total

CHUNKS_WERE_TOKENS = "2025.1"
WHY = "the token count is only estimated"
_RATE_TOTALS = ("run_decode_tps", "median_decode_tps")


def is_chunk_count(formula_set: str, source: str) -> bool:
    """Whether a number with this source is from a count of chunks."""
    return formula_set == CHUNKS_WERE_TOKENS and source == "client"


def relabelled_request(request: Request) -> Request:
    """The request with its number of chunks marked as an estimate."""
    if request.tok.source != "client":
        return request
    metrics, why = dict(request.m), dict(request.why)
    rate = metrics.get("decode_tps_cl")
    if rate is not None:
        metrics |= {"decode_tps_est": rate, "decode_tps_cl": None}
        why["decode_tps_cl"] = WHY
    tokens = msgspec.structs.replace(request.tok, source="estimated")
    return msgspec.structs.replace(request, tok=tokens, m=metrics, why=why)


def relabelled(document: Document) -> Document:
    """The document with changed sources; its figures are not computed again."""
    if document.run.formula_set != CHUNKS_WERE_TOKENS:
        return document
    requests = tuple(relabelled_request(request) for request in document.requests)
    if requests == document.requests:
        return document
    summary, totals = dict(document.summary), dict(document.totals)
    rate = summary.get("decode_tps")
    if rate is not None and rate.source == "client":
        summary["decode_tps"] = _estimated(rate)
        summary.pop("decode_tps_cl", None)
    for name, total in totals.items():
        if total.source == "client" and name in (*_RATE_TOTALS, "tokens_out"):
            totals[name] = _estimated_total(total)
    return msgspec.structs.replace(document, requests=requests, summary=summary, totals=totals)


def _estimated(summary: Summary) -> Summary:
    return msgspec.structs.replace(summary, source="estimated")


def _estimated_total(total: Total) -> Total:
    return msgspec.structs.replace(total, source="estimated")
