"""Pairs of answers for judging: their order and their sides are shuffled by a seed."""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import combinations

from tui.lab.model.judgement import Judgement, Pair
from tui.lab.model.matrix import Matrix


def pairs_of(matrix: Matrix) -> list[Pair]:
    """All pairs of answers with the same row and repetition and different variants."""
    names = [column.id for column in matrix.columns]
    return [
        Pair(row=row.id, rep=rep, left=a, right=b)
        for row in matrix.rows
        for rep in range(matrix.repeats)
        for a, b in combinations(names, 2)
        if all(matrix.cell(row.id, name)[rep].state == "ok" for name in (a, b))
    ]


def queue(
    pairs: Sequence[Pair], judged: Sequence[Judgement], judging_pass: int, seed: int
) -> list[Pair]:
    """Pairs left to judge in this pass, in shuffled order and with shuffled sides."""
    rng = random.Random(f"{seed}:{judging_pass}:judging")
    done = {one.pair.key for one in judged if one.judging_pass == judging_pass}
    out = []
    for pair in rng.sample(list(pairs), len(pairs)):
        is_turned = rng.random() < 0.5
        shown = Pair(row=pair.row, rep=pair.rep, left=pair.right, right=pair.left)
        if pair.key not in done:
            out.append(shown if is_turned else pair)
    return out


def present_pass(pairs: Sequence[Pair], judged: Sequence[Judgement]) -> int:
    """The number of the present judging pass; a new one if every pair of the last was judged."""
    last = max((one.judging_pass for one in judged), default=1)
    done = {one.pair.key for one in judged if one.judging_pass == last}
    is_over = bool(pairs) and all(pair.key in done for pair in pairs)
    return last + 1 if is_over else last
