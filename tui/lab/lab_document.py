"""A run of the lab as JSON: the records of the export and their schema (``lab/1``)."""

from __future__ import annotations

from typing import Any

import msgspec

from tui.bench.model.records import Check
from tui.core.text.json_text import escaped_json
from tui.lab.model.judgement import Judgement, Opinion
from tui.lab.model.matrix import CellState, LabAnswer
from tui.lab.model.records import Part
from tui.lab.model.result import LabResult
from tui.lab.model.variant_figures import VariantFigures

SCHEMA = "lab/1"


class ExportedAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """One answer. Times are milliseconds; null is unknown."""

    row: str
    prompt_id: str
    case: str
    variant: str
    rep: int
    state: CellState
    status: str
    prompt: str
    text: str
    thinking: str
    tokens: int | None
    is_token_count_estimated: bool
    rate_tps: float | None
    is_rate_estimated: bool
    ttft_ms: float | None
    latency_ms: float | None
    checks: tuple[Check, ...] = ()
    taint: tuple[str, ...] = ()
    error: str | None = None
    t0_ns: int | None = None
    """When the request was sent, nanoseconds of the monotonic clock."""


class ExportedVariant(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    settings: str
    model: str
    server: str


class LabDocument(msgspec.Struct, frozen=True, kw_only=True):
    """A run of the lab as ``npulse lab export --json`` writes it."""

    run_id: str
    schema: str = SCHEMA
    set_id: str
    title: str
    set_sha256: str
    started_utc: str
    tool: str
    outcome: str
    sentence: str
    is_simulated: bool
    loads: int
    """How often a model was loaded."""
    repeats: int
    parts: tuple[Part, ...]
    variants: tuple[ExportedVariant, ...]
    figures: tuple[VariantFigures, ...]
    answers: tuple[ExportedAnswer, ...]
    judgements: tuple[Judgement, ...] = ()
    agreement_pct: float | None = None
    """Share of the pairs judged in both passes that got the same verdict, in per cent."""
    agreement_kappa: float | None = None
    """Cohen's kappa of the two passes."""
    opinions: tuple[Opinion, ...] = ()
    """Ratings by a judge model; they never count as checks."""


_encode = msgspec.json.Encoder().encode


def schema() -> dict[str, Any]:
    """The JSON Schema of the export."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"npulse {SCHEMA}",
        **msgspec.json.schema(LabDocument),
    }


def document(result: LabResult) -> LabDocument:
    """The run as one record."""
    run, matrix = result.run, result.matrix
    rows = {row.id: row for row in matrix.rows}
    found = result.agreement
    return LabDocument(
        run_id=run.id,
        set_id=run.prompt_set.id,
        title=run.prompt_set.title,
        set_sha256=run.prompt_set.sha256,
        started_utc=run.started_utc,
        tool=run.tool,
        outcome=run.outcome,
        sentence=run.sentence,
        is_simulated=run.is_simulated,
        loads=run.loads,
        repeats=matrix.repeats,
        parts=run.parts,
        variants=tuple(
            ExportedVariant(
                id=column.id, settings=column.settings, model=column.model, server=column.server
            )
            for column in matrix.columns
        ),
        figures=result.figures,
        answers=tuple(
            _exported(rows[row].prompt, rows[row].case, row, variant, answer)
            for (row, variant), answer in matrix.answers()
        ),
        judgements=tuple(result.judged),
        agreement_pct=None if found is None else found.same.pct,
        agreement_kappa=None if found is None else found.kappa,
        opinions=tuple(result.opinions),
    )


def _exported(
    prompt_id: str, case: str, row: str, variant: str, answer: LabAnswer
) -> ExportedAnswer:
    request = answer.request
    return ExportedAnswer(
        row=row,
        prompt_id=prompt_id,
        case=case,
        variant=variant,
        rep=answer.rep,
        state=answer.state,
        status=answer.status_word if request is None else request.status,
        prompt=answer.prompt,
        text=answer.text,
        thinking=answer.thinking,
        tokens=answer.tokens,
        is_token_count_estimated=answer.is_count_estimated,
        rate_tps=answer.rate_tps,
        is_rate_estimated=answer.is_rate_estimated,
        ttft_ms=answer.ttft_ms,
        latency_ms=answer.latency_ms,
        checks=answer.checks,
        taint=() if request is None else request.taint,
        error=None if request is None else request.error,
        t0_ns=None if request is None else request.t.t0_ns,
    )


def as_json(result: LabResult) -> bytes:
    return escaped_json(msgspec.json.format(_encode(document(result)), indent=2)) + b"\n"
