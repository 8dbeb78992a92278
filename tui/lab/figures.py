"""Figures of a run: shares with intervals, medians, determinism, verdicts, opinions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import median

import msgspec

from tui.bench.analysis.statistics import Interval, bootstrap, share_interval
from tui.lab.model.differences import same_words
from tui.lab.model.judgement import Judgement, Opinion
from tui.lab.model.matrix import LabAnswer, Matrix
from tui.lab.model.variant_figures import (
    Agreement,
    Determinism,
    Middle,
    Share,
    VariantFigures,
)

RESAMPLES = 2_000


def share(count: int, n: int) -> Share:
    """A share with its Wilson interval; without figures if ``n`` is 0."""
    if not n:
        return Share(count=count, n=n)
    found = share_interval(count, n)
    return Share(
        count=count, n=n, pct=100 * count / n, low_pct=100 * found.low, high_pct=100 * found.high
    )


def middle(values: Iterable[float | None], *, is_estimated: bool = False) -> Middle:
    """Median of the known values; with an interval if there are at least two."""
    known = [value for value in values if value is not None]
    if not known:
        return Middle(n=0)
    found: Interval | None = bootstrap(known, resamples=RESAMPLES)
    return Middle(
        n=len(known),
        median=median(known),
        low=None if found is None else found.low,
        high=None if found is None else found.high,
        is_estimated=is_estimated,
    )


def figures_of(
    matrix: Matrix,
    judged: Sequence[Judgement] = (),
    opinions: Sequence[Opinion] = (),
) -> tuple[VariantFigures, ...]:
    """The figures of every variant, in the order of the columns."""
    out = []
    for column in matrix.columns:
        preferred, equal, judged_pairs = _preferred(judged, column.id)
        scores = [one.score for one in opinions if one.variant == column.id]
        out.append(
            msgspec.structs.replace(
                _of_answers(column.id, [answer for _, answer in matrix.answers(column.id)]),
                determinism=determinism(matrix, column.id) if column.is_greedy else None,
                preferred=share(preferred, judged_pairs) if judged_pairs else None,
                equal=equal,
                opinion=middle(scores) if scores else None,
            )
        )
    return tuple(out)


def _of_answers(variant: str, every: Sequence[LabAnswer]) -> VariantFigures:
    """Figures from the answers alone."""
    kept = [answer for answer in every if answer.state == "ok"]
    verdicts = [a.is_passed for a in kept if a.is_passed is not None]
    checks = [found for a in kept if (found := a.passed_checks) is not None]
    counts = [a.tokens for a in kept if a.tokens is not None]
    rates = [a.rate_tps for a in kept]
    return VariantFigures(
        variant=variant,
        planned=len(every),
        answered=share(len(kept), sum(a.state in ("ok", "failed") for a in every)),
        passed=share(sum(verdicts), len(verdicts)),
        checks=share(sum(n for n, _ in checks), sum(of for _, of in checks)),
        tokens=middle(counts, is_estimated=any(a.is_count_estimated for a in kept)),
        total_tokens=sum(counts) if counts else None,
        decode_tps=middle(rates, is_estimated=any(a.is_rate_estimated for a in kept)),
        ttft_ms=middle(a.ttft_ms for a in kept),
        latency_ms=middle(a.latency_ms for a in kept),
    )


def determinism(matrix: Matrix, variant: str) -> Determinism | None:
    """Agreement of repetitions with the first answer of their cell; None without two."""
    same = count = 0
    parts: list[float] = []
    for row in matrix.rows:
        answers = [a for a in matrix.cell(row.id, variant) if a.state == "ok"]
        for other in answers[1:]:
            count += 1
            if _said(other) == _said(answers[0]):
                same += 1
            else:
                parts.append(same_words(_said(answers[0]), _said(other))[0])
    return Determinism(same=share(same, count), parts_at=middle(parts)) if count else None


def _said(answer: LabAnswer) -> str:
    return answer.thinking + answer.text


def _preferred(judged: Sequence[Judgement], variant: str) -> tuple[int, int, int]:
    """(preferred, called the same, judged) over the pairs with this variant."""
    preferred = equal = count = 0
    for one in judged:
        if variant not in (one.pair.left, one.pair.right):
            continue
        count += 1
        equal += one.verdict == "same"
        winner = one.pair.left if one.verdict == "better" else one.pair.right
        preferred += one.verdict != "same" and winner == variant
    return preferred, equal, count


def agreement(judged: Sequence[Judgement]) -> Agreement | None:
    """Agreement of the first two judging passes, with Cohen's kappa (1960); None without two."""
    passes = sorted({one.judging_pass for one in judged})
    if len(passes) < 2:
        return None
    first, second = (
        {one.pair.key: one.of_first() for one in judged if one.judging_pass == number}
        for number in passes[:2]
    )
    both = [(first[key], second[key]) for key in first if key in second]
    if not both:
        return None
    same = sum(a == b for a, b in both)
    n = len(both)
    by_chance = sum(
        sum(a == word for a, _ in both) * sum(b == word for _, b in both) / n**2
        for word in ("better", "worse", "same")
    )
    kappa = None if by_chance >= 1 else (same / n - by_chance) / (1 - by_chance)
    return Agreement(share(same, n), kappa)


def threshold_values(matrix: Matrix, found: Sequence[VariantFigures]) -> dict[str, float | None]:
    """The values for ``--fail-on``: ``METRIC`` over all variants, ``METRIC.VARIANT`` for one."""
    same = [one.determinism.same for one in found if one.determinism is not None]
    n_same = sum(one.n for one in same)
    whole = _of_answers("", [answer for _, answer in matrix.answers()])
    values = _values(whole, share(sum(one.count for one in same), n_same))
    for one in found:
        own = _values(one, None if one.determinism is None else one.determinism.same)
        values |= {f"{name}.{one.variant}": value for name, value in own.items()}
    return values


def _values(found: VariantFigures, same: Share | None) -> dict[str, float | None]:
    return {
        "success_pct": found.answered.pct,
        "pass_pct": found.passed.pct,
        "check_pass_pct": found.checks.pct,
        "decode_tps": found.decode_tps.median,
        "ttft_client_ms": found.ttft_ms.median,
        "latency_ms": found.latency_ms.median,
        "determinism_pct": None if same is None else same.pct,
    }
