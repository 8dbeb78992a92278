"""Figures per board of a run on several boards, and the projected time of larger runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median

import msgspec

from tui.bench.analysis import statistics as stat
from tui.bench.analysis.summary import decode_tps, headline_source, scored
from tui.bench.analysis.totals import run_decode
from tui.bench.model.boards import Board, Projection
from tui.bench.model.metrics import ratio
from tui.bench.model.records import NOT_ATTEMPTED, Request

PROJECTED_PROMPTS = (100, 1_000, 5_000, 10_000)


def with_figures(
    boards: Sequence[Board],
    requests: Sequence[Request],
    walls_s: Mapping[str, float],
    lost: Mapping[str, int],
) -> tuple[Board, ...]:
    """The boards with the figures of their requests. ``walls_s`` (time that a board worked) and
    ``lost`` (requests given back) are by the board's name."""
    return tuple(
        figures_of(
            msgspec.structs.replace(
                board,
                wall_s=walls_s.get(board.name, board.wall_s),
                lost=lost.get(board.name, board.lost),
            ),
            [r for r in requests if r.board == board.name],
        )
        for board in boards
    )


def figures_of(board: Board, requests: Sequence[Request]) -> Board:
    """The board with the figures of these requests, which it was asked."""
    kept, source = scored(requests), headline_source(requests)
    rates = [rate for r in kept if (rate := decode_tps(r, source)) is not None]
    firsts = [ms for r in kept if (ms := r.m.get("ttft_client_ms")) is not None]
    heats = [r.hw.t_max for r in requests if r.hw.t_max is not None]
    throttled = [r.hw.throttled_s for r in requests if r.hw.throttled_s is not None]
    failed = [r for r in requests if r.outcome == "failed" and r.status not in NOT_ATTEMPTED]
    return msgspec.structs.replace(
        board,
        answered=len(kept),
        failed=len(failed),
        tokens_out=sum(r.tok.out or 0 for r in kept),
        decode_tps=run_decode(kept, source).value,
        median_tps=median(rates) if rates else None,
        min_tps=min(rates, default=None),
        mad_tps=stat.mad(rates) if len(rates) > 1 else None,
        source=source if kept else "",
        ttft_median_ms=median(firsts) if firsts else None,
        t_max_c=max(heats, default=None),
        throttled_s=sum(throttled) if throttled else None,
        requests_per_h=ratio(3600 * len(kept), board.wall_s or None),
    )


def projections(boards: Sequence[Board]) -> tuple[Projection, ...]:
    """Hours for several numbers of prompts: on one of these boards, on all, and on twice as many.

    Boards fetch their next request when they are free, so their rates add up: hours = n /
    sum(requests per hour), plus one request of the slowest board, which may start last. Each board
    counts as the average of those that answered.
    """
    worked = [b.requests_per_h for b in boards if b.answered and b.requests_per_h]
    if not worked:
        return ()
    together, tail_h = sum(worked), 1 / min(worked)
    return tuple(
        Projection(
            prompts=prompts,
            boards=count,
            hours=prompts / (together * count / len(worked)) + (tail_h if count > 1 else 0.0),
        )
        for prompts in PROJECTED_PROMPTS
        for count in sorted({1, len(worked), 2 * len(worked)})
    )
