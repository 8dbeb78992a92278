"""Lists earlier runs, and the lengths of their answers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import msgspec

from tui.bench.model.past_run import PastRun
from tui.bench.model.records import Summary, Total
from tui.bench.store import journal, runs
from tui.bench.store.earlier_formulae import is_chunk_count
from tui.files.private import read_regular

MAX_RUNS = 40


class _Run(msgspec.Struct, kw_only=True):
    id: str
    suite: str = ""
    status: str = ""
    started_utc: str = ""
    simulated: bool = False
    comparability: str = "full"
    planned: int = 0
    formula_set: str = ""


class _Model(msgspec.Struct, kw_only=True):
    name: str = ""


class _Tokens(msgspec.Struct, kw_only=True):
    out: int | None = None


class _Request(msgspec.Struct, kw_only=True):
    id: str = ""
    status: str = ""
    tok: _Tokens = msgspec.field(default_factory=_Tokens)


class _Board(msgspec.Struct, kw_only=True):
    """One of many: that there is one says enough."""


class _Slim(msgspec.Struct, kw_only=True):
    """The parts of a document that a list needs."""

    run: _Run
    model: _Model = msgspec.field(default_factory=_Model)
    requests: tuple[_Request, ...] = ()
    summary: dict[str, Summary] = msgspec.field(default_factory=dict)
    totals: dict[str, Total] = msgspec.field(default_factory=dict)
    boards: tuple[_Board, ...] = ()


_decoder = msgspec.json.Decoder(_Slim)


def _read(folder: Path, run_id: str) -> _Slim | None:
    try:
        return _decoder.decode(read_regular(folder / run_id / runs.RUN_FILE))
    except (OSError, ValueError, RecursionError):
        return None


def entries(
    folder: Path, *, model: str | None = None, suite: str | None = None, limit: int = 200
) -> list[PastRun]:
    """The newest ``limit`` runs, oldest first, including unfinished ones."""
    found: list[PastRun] = []
    for run_id in reversed(runs.all_ids(folder)):
        slim = _read(folder, run_id)
        if slim is None:
            past = _unfinished(folder, run_id)
            if model in (None, past.model) and suite in (None, past.suite):
                found.append(past)
        elif model in (None, slim.model.name) and suite in (None, slim.run.suite):
            found.append(_entry(run_id, slim))
        if len(found) >= limit:
            break
    names = {run_id: name for name, run_id in runs.baselines(folder).items()}
    return [
        replace(past, baseline=names.get(past.id), can_resume=_can_resume(folder, past))
        for past in reversed(found)
    ]


def _can_resume(folder: Path, past: PastRun) -> bool:
    return past.status != "complete" and (folder / past.id / journal.FILE_NAME).is_file()


def _unfinished(folder: Path, run_id: str) -> PastRun:
    """A run without run.json, as it is running or was killed; read from its journal."""
    try:
        found = journal.outline(folder / run_id / journal.FILE_NAME)
    except OSError:
        found = journal.Outline(None, None, 0, is_of_boards=False)
    run = None if found.header is None else found.header.run
    return PastRun(
        id=run_id,
        started_utc=run_id[:16] if run is None else run.started_utc,
        suite=run_id.split("-")[1] if run is None else run.suite,
        model="" if found.segment is None else found.segment.model.name,
        status="unfinished",
        is_simulated=run is not None and run.simulated,
        scored=found.scored,
        planned=0 if run is None else run.planned,
        is_of_boards=found.is_of_boards,
    )


def _entry(run_id: str, slim: _Slim) -> PastRun:
    decode, first = slim.summary.get("decode_tps"), slim.summary.get("ttft_client_ms")
    total = slim.totals.get("run_decode_tps")
    return PastRun(
        id=run_id,
        started_utc=slim.run.started_utc,
        suite=slim.run.suite,
        model=slim.model.name,
        status=slim.run.status,
        is_simulated=slim.run.simulated,
        comparability=slim.run.comparability,
        scored=sum(r.status in ("ok", "capped") for r in slim.requests),
        planned=slim.run.planned or len(slim.requests),
        decode_median=None if decode is None else decode.median,
        decode_ci=None if decode is None else decode.ci95,
        is_rate_estimated=decode is not None
        and (decode.source == "estimated" or is_chunk_count(slim.run.formula_set, decode.source)),
        ttft_median_ms=None if first is None else first.median,
        run_decode_tps=None if total is None else total.value,
        is_of_boards=bool(slim.boards),
    )


def usual_tokens(folder: Path, model: str) -> dict[str, list[float]]:
    """Prompt id -> tokens of this model's earlier answers, for the forecast."""
    lengths: dict[str, list[float]] = {}
    for run_id in runs.all_ids(folder)[-MAX_RUNS:]:
        slim = _read(folder, run_id)
        if slim is None or slim.model.name != model:
            continue
        for request in slim.requests:
            if request.status in ("ok", "capped") and request.tok.out is not None:
                lengths.setdefault(request.id, []).append(float(request.tok.out))
    return lengths
