"""Shares, determinism, verdicts, agreement, opinions and word differences."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.bench.made import request
from tui.bench.analysis import thresholds
from tui.bench.analysis.statistics import share_interval
from tui.bench.model.records import Check
from tui.lab import figures, judging
from tui.lab.model.differences import differing, same_words
from tui.lab.model.judgement import Judgement, Pair, Verdict
from tui.lab.model.matrix import LabAnswer, Matrix, MatrixColumn, MatrixRow
from tui.lab.opinions import score_in


def answer(rep: int, text: str, passed: bool = True) -> LabAnswer:
    import msgspec

    record = msgspec.structs.replace(request(rep=rep), checks=(Check(id="words", passed=passed),))
    return LabAnswer(rep, "ok", text=text, tokens=10, rate_tps=4.0, request=record)


def matrix() -> Matrix:
    return Matrix(
        rows=(MatrixRow("one", "one"), MatrixRow("two", "two")),
        columns=(MatrixColumn("cold", is_greedy=True), MatrixColumn("warm")),
        repeats=2,
        cells={
            ("one", "cold"): (answer(0, "a b c"), answer(1, "a b c")),
            ("two", "cold"): (answer(0, "a b c"), answer(1, "a b d")),
            ("one", "warm"): (answer(0, "x", passed=False), LabAnswer(1, "failed")),
        },
    )


def test_wilson_interval_is_that_of_the_textbook() -> None:
    # Newcombe 1998, table I, method 3: 81 of 263 and 0 of 20.
    found = share_interval(81, 263)
    assert (round(found.low, 4), round(found.high, 4)) == (0.2553, 0.3662)
    none = share_interval(0, 20)
    assert (round(none.low, 4), round(none.high, 4)) == (0.0, 0.1611)
    with pytest.raises(ValueError, match="at least one"):
        share_interval(0, 0)


def test_figures_count_answers_checks_and_repetitions() -> None:
    cold, warm = figures.figures_of(matrix())
    assert (cold.answered.count, cold.answered.n, cold.planned) == (4, 4, 4)
    assert (cold.passed.count, cold.passed.n) == (4, 4)
    assert cold.determinism is not None
    assert (cold.determinism.same.count, cold.determinism.same.n) == (1, 2)
    assert cold.determinism.parts_at.median == 2
    assert warm.determinism is None
    assert (warm.answered.count, warm.answered.n, warm.planned) == (1, 2, 4)
    assert (warm.passed.count, warm.passed.n) == (0, 1)
    assert warm.preferred is None


def test_thresholds_name_figures_of_all_and_of_one_variant() -> None:
    made = matrix()
    values = figures.threshold_values(made, figures.figures_of(made))
    conditions = thresholds.parse(["checks<100%,checks.cold<100%,determinism_pct<100"])
    failed = thresholds.judge_values(conditions, values)
    met = [sentence.partition(": ")[0] for sentence in failed]
    assert met == ["checks<100%", "determinism_pct<100"]
    for text, said in (("nobody<1", "no figure"), ("decode<-5%", "a run to compare with")):
        with pytest.raises(thresholds.ConditionError, match=said):
            thresholds.judge_values(thresholds.parse([text]), values)


def test_pairs_are_shuffled_by_pass_and_gone_through_once() -> None:
    made = matrix()
    pairs = judging.pairs_of(made)
    assert [(pair.row, pair.rep) for pair in pairs] == [("one", 0)]
    many = [Pair(row=f"r{at}", left="a", right="b") for at in range(40)]
    first, again = judging.queue(many, [], 1, seed=3), judging.queue(many, [], 1, seed=3)
    assert first == again
    assert first != judging.queue(many, [], 2, seed=3)
    assert {pair.left for pair in first} == {"a", "b"}
    judged = [Judgement(pair=pair, verdict="same") for pair in first[:30]]
    assert len(judging.queue(many, judged, 1, seed=3)) == 10
    assert judging.present_pass(many, judged) == 1
    every = [Judgement(pair=pair, verdict="same") for pair in first]
    assert judging.present_pass(many, every) == 2


def judgement(at: int, verdict: Verdict, number: int, *, is_turned: bool = False) -> Judgement:
    left, right = ("b", "a") if is_turned else ("a", "b")
    pair = Pair(row=f"r{at}", left=left, right=right)
    return Judgement(pair=pair, verdict=verdict, judging_pass=number)


def test_agreement_looks_through_the_sides_and_takes_chance_off() -> None:
    first = [judgement(at, "better" if at < 5 else "worse", 1) for at in range(10)]
    turned = [judgement(at, "worse" if at < 5 else "better", 2, is_turned=True) for at in range(10)]
    whole = figures.agreement(first + turned)
    assert whole is not None
    assert (whole.same.count, whole.same.n, whole.kappa) == (10, 10, 1.0)
    half = [judgement(at, "better", 2) for at in range(10)]
    found = figures.agreement(first + half)
    assert found is not None
    assert found.same.count == 5
    assert found.kappa == pytest.approx(0.0)
    assert figures.agreement(first) is None
    one_word = figures.agreement([judgement(1, "same", 1), judgement(1, "same", 2)])
    assert one_word is not None
    assert one_word.kappa is None


def test_preferred_is_counted_of_the_judged_pairs_whatever_the_side() -> None:
    judged = [
        Judgement(pair=Pair(row="one", left="warm", right="cold"), verdict="worse"),
        Judgement(pair=Pair(row="two", left="cold", right="warm"), verdict="same"),
    ]
    cold, warm = figures.figures_of(matrix(), judged)
    assert cold.preferred is not None
    assert warm.preferred is not None
    assert (cold.preferred.count, cold.preferred.n, cold.equal) == (1, 2, 1)
    assert (warm.preferred.count, warm.preferred.n) == (0, 2)


@pytest.mark.parametrize(
    ("text", "score"),
    [
        ("SCORE: 4\nGood.", 4.0),
        ("Score = 2, since ...", 2.0),
        ("**score:** 5", 5.0),
        ("I give it a 3", 3.0),
        ("Between 2 and 4", None),
        ("SCORE: 9", None),
        ("3.5", None),
        ("", None),
    ],
)
def test_a_score_is_read_or_unknown(text: str, score: float | None) -> None:
    assert score_in(text) == score


@given(st.text(max_size=60), st.text(max_size=60))
def test_what_does_not_differ_is_the_same_in_both(a: str, b: str) -> None:
    left, right = differing(a, b)

    def rest(text: str, spans: list[tuple[int, int]]) -> str:
        kept, at = [], 0
        for start, end in spans:
            assert at <= start < end <= len(text)
            kept.append(text[at:start])
            at = end
        return "".join("".join([*kept, text[at:]]).split())

    assert rest(a, left) == rest(b, right)
    same, longest = same_words(a, b)
    assert 0 <= same <= longest
    if a == b:
        assert not left
        assert same == longest
