"""Loads a run from its journal or its run.json, and computes its document."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from tui.bench.analysis import cross_answer_checks, suite_figures, summary
from tui.bench.analysis.boards import projections, with_figures
from tui.bench.analysis.fits import decay_fit, prefill_fit
from tui.bench.analysis.totals import failures, totals
from tui.bench.analysis.trace import Trace, decay_bins, measure
from tui.bench.model import events, records
from tui.bench.model.boards import Board
from tui.bench.model.conditions import Config, Env, Gate, Model
from tui.bench.model.records import Document, Fit, Request, Run, Segment
from tui.bench.store import journal
from tui.bench.store.earlier_formulae import CHUNKS_WERE_TOKENS, relabelled, relabelled_request
from tui.bench.store.run_files import TOKENS_FILE, Key, Loaded, read_outputs, with_references
from tui.bench.store.runs import RUN_FILE, RunError
from tui.core.text.sanitize import clean
from tui.files.private import read_regular


def load(path: Path) -> Loaded:
    """A run from its folder or from a run.json. In a folder, the journal takes precedence.

    Raises RunError; its message is one sentence.
    """
    shown = clean(str(path), newlines=False)
    journal_path = path / journal.FILE_NAME if path.is_dir() else None
    if journal_path is not None and journal_path.is_file():
        try:
            lines, damaged = journal.read(journal_path)
        except OSError as error:
            raise RunError(f"{shown}: {error.strerror or 'cannot be read'}") from None
        return replace_folder(from_lines(lines, damaged, shown), path)
    file = path / RUN_FILE if path.is_dir() else path
    try:
        document = relabelled(records.decode(read_regular(file)))
    except OSError as error:
        raise RunError(f"{shown}: {error.strerror or 'cannot be read'}") from None
    except (ValueError, RecursionError) as error:
        raise RunError(f"{shown}: {clean(str(error), newlines=False)[:200]}") from None
    loaded = Loaded(document, folder=path if path.is_dir() else None)
    read_outputs(loaded)
    return loaded


def replace_folder(loaded: Loaded, folder: Path) -> Loaded:
    """The run with its folder set."""
    loaded.folder = folder
    return loaded


def from_lines(lines: Sequence[events.Event], damaged: int = 0, shown: str = "journal") -> Loaded:
    """Build a run from a journal's events. Raises RunError without a header."""
    header = next((line for line in lines if isinstance(line, events.Header)), None)
    if header is None:
        raise RunError(f"{shown}: has no readable header, nothing can be shown")
    segments = [line for line in lines if isinstance(line, events.Segment)]
    own = [line for line in segments if not line.board]
    env = own[-1].env if own else Env()
    model = own[-1].model if own else Model(name="unknown")
    configs = [
        x.config
        for x in lines
        if isinstance(x, events.Configured) or (isinstance(x, events.Segment) and not x.board)
    ]
    config = configs[-1] if configs else header.config
    stamps = journal.stamps(lines)
    requests = _requests(lines, stamps)
    if header.run.formula_set == CHUNKS_WERE_TOKENS:
        requests = tuple(relabelled_request(request) for request in requests)
    loaded = Loaded(
        Document(run=header.run, model=model),
        suite=header.suite,
        texts=journal.texts(lines),
        prompts={(b.id, b.rep): b.prompt for b in lines if isinstance(b, events.RequestStarted)},
        stamps=stamps,
        chunk_ends=journal.chunk_ends(lines),
        samples=[x for x in lines if isinstance(x, events.Sampled) and not x.board],
        board_samples=_board_samples(lines),
        damaged=damaged,
    )
    is_greedy = config.sampling.get("top_k") == 1
    requests = cross_answer_checks.checked(
        requests, loaded.texts, header.suite, is_greedy=is_greedy
    )
    run = _run(header.run, segments, lines, requests, damaged)
    loaded.document = assemble(
        run,
        env=env,
        model=model,
        config=config,
        gates=tuple(line.gate for line in lines if isinstance(line, events.GateSeen)),
        warmup=tuple(line.request for line in lines if isinstance(line, events.WarmupEnded)),
        requests=requests,
        stamps=loaded.stamps,
        samples=loaded.samples,
        boards=_boards(run, lines, requests),
    )
    loaded.document = with_references(loaded)
    return loaded


def _board_samples(lines: Sequence[events.Event]) -> dict[str, list[events.Sampled]]:
    found: dict[str, list[events.Sampled]] = {}
    for line in lines:
        if isinstance(line, events.Sampled) and line.board:
            found.setdefault(line.board, []).append(line)
    return found


def _boards(
    run: Run, lines: Sequence[events.Event], requests: Sequence[Request]
) -> tuple[Board, ...]:
    """The boards with state and figures; empty for a run on one board."""
    seen: dict[str, Board] = {}
    for line in lines:
        if isinstance(line, events.BoardSeen):
            before = seen.get(line.board, Board(name=line.board))
            seen[line.board] = msgspec.structs.replace(
                before,
                state=line.state,
                sentence=line.sentence,
                address=line.address or before.address,
                model=line.model or before.model,
            )
    walls_s: dict[str, float] = {}
    for segment in run.segments:
        if segment.board:
            walls_s[segment.board] = walls_s.get(segment.board, 0.0) + segment.wall_s
    asked = Counter(
        line.board
        for line in lines
        if isinstance(line, events.RequestStarted) and line.board and not line.attempt
    )
    # A request sent to a board and answered by another one, or later, was lost there.
    lost = asked - Counter(request.board for request in requests if request.board)
    return with_figures(list(seen.values()), requests, walls_s, lost)


def _requests(
    lines: Sequence[events.Event], stamps: Mapping[Key, tuple[int, ...]]
) -> tuple[Request, ...]:
    """The final record of each request; one that was sent but has no record was cancelled."""
    ended: dict[Key, Request] = {}
    for line in lines:
        if isinstance(line, events.RequestEnded):
            kept = ended.get(line.request.key)
            # A later attempt replaces an earlier one, but a skip never a measurement.
            if kept is None or line.request.status not in records.NOT_ATTEMPTED:
                ended[line.request.key] = line.request
        elif isinstance(line, events.RequestStarted):
            key = (line.id, line.rep)
            if key not in ended or not ended[key].is_scored:
                ended[key] = _unfinished(line, stamps.get(key, ()))
    return tuple(sorted(ended.values(), key=lambda r: r.order))


def _unfinished(line: events.RequestStarted, stamps: tuple[int, ...]) -> Request:
    """The record of a request during which npulse ended."""
    source: records.Source = "estimated" if stamps else "unknown"
    trace = Trace(
        t0_ns=line.t_ns, stamps_ns=stamps, tokens_out=len(stamps) or None, out_source=source
    )
    measured = measure(trace)
    return Request(
        id=line.id,
        rep=line.rep,
        order=line.order,
        status="cancelled",
        segment=line.segment,
        board=line.board,
        prompt_sha256=line.prompt_sha256,
        t=records.Times(
            wall=line.wall,
            t0_ns=line.t_ns,
            t1_ns=stamps[0] if stamps else None,
            tn_ns=stamps[-1] if stamps else None,
        ),
        tok=measured.tokens,
        m=measured.m,
        why=measured.why,
        itl_ms=measured.gaps,
        error="npulse ended before the answer did",
    )


def _run(
    run: Run,
    segments: Sequence[events.Segment],
    lines: Sequence[events.Event],
    requests: Sequence[Request],
    damaged: int,
) -> Run:
    """The header's run, with its state, wall time and segments."""
    closed = {line.number: line for line in lines if isinstance(line, events.Closed)}
    last_seen = _last_times(lines)
    stretches = []
    for start in segments:
        end = closed.get(start.number)
        seen_s = max(0, last_seen.get(start.number, start.t_ns) - start.t_ns) / 1e9
        stretches.append(
            Segment(
                started_utc=start.started_utc,
                wall_s=seen_s if end is None else end.wall_s,
                requests=sum(r.segment == start.number for r in requests),
                ended="killed" if end is None else end.ended,
                board=start.board,
            )
        )
    done = sum(r.is_scored for r in requests)
    notes = run.notes
    if damaged:
        notes = (*notes, f"{damaged} damaged lines of the journal were left out")
    status = "complete" if done >= run.planned and not damaged else "partial"
    is_open_ended = run.planned == 0
    if is_open_ended:
        status = "complete" if stretches and stretches[-1].ended == "complete" else "partial"
    return msgspec.structs.replace(
        run,
        status=status,
        wall_s=sum(s.wall_s for s in stretches if not s.board),
        segments=tuple(stretches),
        notes=notes,
    )


def _last_times(lines: Sequence[events.Event]) -> dict[int, int]:
    """The time of the last event of each segment, by the segment's own clock (ns)."""
    number, seen = 0, dict[int, int]()
    for line in lines:
        if isinstance(line, events.Segment):
            number = line.number
            seen[number] = line.t_ns
        elif isinstance(line, events.RequestStarted):
            number = line.segment
            seen[number] = line.t_ns
        elif isinstance(line, events.Sampled):
            seen[number] = line.t_ns
        elif isinstance(line, events.TokensArrived) and line.t_ns:
            seen[number] = line.t_ns[-1]
        elif isinstance(line, events.RequestEnded) and line.request.t.te_ns is not None:
            seen[number] = line.request.t.te_ns
    return seen


def assemble(
    run: Run,
    *,
    env: Env,
    model: Model,
    config: Config,
    gates: tuple[Gate, ...],
    warmup: tuple[Request, ...],
    requests: tuple[Request, ...],
    stamps: Mapping[Key, tuple[int, ...]],
    samples: Sequence[events.Sampled] = (),
    boards: tuple[Board, ...] = (),
) -> Document:
    """The document with all figures computed from its requests."""
    found_fits = fits(requests, stamps)
    found_totals = totals(
        requests,
        wall_s=run.wall_s,
        good_ttft_ms=config.good_ttft_ms,
        good_decode_tps=config.good_decode_tps,
    )
    return Document(
        run=run,
        model=model,
        env=env,
        config=config,
        gates=gates,
        warmup=warmup,
        requests=requests,
        series=TOKENS_FILE if stamps else None,
        summary=summary.summaries(requests, seed=run.seed),
        totals=found_totals | suite_figures.figures(run, model, requests, samples, found_fits),
        fits=found_fits,
        failures=failures(requests),
        boards=boards,
        projections=projections(boards),
    )


def fits(requests: Sequence[Request], stamps: Mapping[Key, tuple[int, ...]]) -> tuple[Fit, ...]:
    """The fits of decode time over context and of prefill over prompt length, if there is enough
    data."""
    bins: list[tuple[float, float]] = []
    for request in summary.scored(requests):
        bins += decay_bins(trace_of(request, stamps.get(request.key, ())))
    found = (decay_fit(bins), prefill_fit(requests))
    return tuple(fit for fit in found if fit is not None)


def trace_of(request: Request, stamps: tuple[int, ...]) -> Trace:
    """A trace of a stored request, with what is needed to compute its gaps."""
    cap = request.tok.cap
    is_cut = "cap_ignored" in request.taint and cap is not None
    return Trace(
        t0_ns=request.t.t0_ns or 0,
        stamps_ns=stamps[:cap] if is_cut else stamps,
        is_token_per_chunk=request.itl_ms.n > 0,
        tokens_in=request.tok.input,
        is_buffered="buffered_stream" in request.taint,
    )


def without_tainted(loaded: Loaded) -> Loaded:
    """The run with figures of untainted requests only, and a note on that."""
    document = loaded.document
    kept = tuple(r for r in document.requests if not (r.is_scored and r.taint))
    left_out = len(document.requests) - len(kept)
    note = f"{left_out} tainted requests are left out of this report"
    loaded.document = assemble(
        msgspec.structs.replace(document.run, notes=(*document.run.notes, note)),
        env=document.env,
        model=document.model,
        config=document.config,
        gates=document.gates,
        warmup=document.warmup,
        requests=kept,
        stamps=loaded.stamps,
        samples=loaded.samples,
        boards=with_figures(document.boards, kept, {}, {}),
    )
    return loaded
