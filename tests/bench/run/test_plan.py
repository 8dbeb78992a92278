"""Order, filler, forecast, controls: everything that is decided before a request is sent."""

from __future__ import annotations

import itertools
from collections import Counter
from pathlib import Path

import msgspec
import pytest

from tests.bench.made import request, trace
from tests.bench.runs_of import suite_of
from tui.bench.model.options import LimitPolicy
from tui.bench.model.suite import Suite, load_builtin, parse
from tui.bench.run import plan
from tui.bench.run.filler import corrected, first_guess, text_of
from tui.bench.run.forecast import Speed, forecast, tokens_out
from tui.bench.run.preliminary_requests import Calibration, is_warm
from tui.bench.store.controls import Controls, tell


def test_order_is_seeded_and_in_blocks() -> None:
    suite = load_builtin("prompts")
    one, same, other = (plan.ordered(suite, 3, seed, None) for seed in (1, 1, 2))
    assert one == same
    assert [t.key for t in one] != [t.key for t in other]
    ids = [task.prompt.id for task in one]
    for block in (ids[:10], ids[10:20], ids[20:]):
        assert Counter(block) == Counter(prompt.id for prompt in suite.prompts)
    assert ids[:10] != ids[10:20]
    assert [task.order for task in one] == list(range(30))


def test_pairs_of_the_cache_suite_share_their_words() -> None:
    suite = load_builtin("cache")
    tasks = plan.ordered(suite, 2, 1, None)
    assert [task.group for task in tasks[:2]] == ["short cold", "short warm"]
    texts = [plan.words_of(suite, task, 1, {}) for task in tasks]
    assert texts[0] == texts[1]
    assert texts[0] != texts[4]
    assert len({task.key for task in tasks}) == 8


def test_repetitions_of_filler_begin_with_other_words() -> None:
    suite = load_builtin("standard")
    texts = {plan.words_of(suite, task, 1, {}) for task in plan.ordered(suite, 5, 1, None)}
    assert len(texts) == 5
    assert len({text.split()[:3][0] + text.split()[1] for text in texts}) > 1
    assert {len(text.split()) for text in texts} == {120}


def test_what_does_not_fit_is_known_before() -> None:
    suite = load_builtin("sweep")
    small = plan.ordered(suite, 1, 1, 4096)
    fitting = {t.prompt.id for t in small if plan.fits_context(t, 4096)}
    assert fitting == {"d0", "d512", "d1024", "d2048", "d_full"}
    unknown = plan.ordered(suite, 1, 1, None)
    assert "d_full" not in {t.prompt.id for t in unknown if plan.fits_context(t, None)}


def test_runs_by_time_never_end() -> None:
    tasks = plan.endless(load_builtin("soak"))
    keys = [next(tasks).key for _ in range(5)]
    assert keys == [("steady", at) for at in range(5)]


def test_filler() -> None:
    assert text_of(50, "a") == text_of(50, "a")
    assert text_of(50, "a") != text_of(50, "b")
    assert len(text_of(50, "a").split()) == 50
    assert [len(text_of(n, "x").split()) for n in (0, 1, 2, 3)] == [1, 1, 2, 3]
    assert first_guess(128) == 120
    assert first_guess(3) == 1
    assert corrected(120, 128, 131) == 117
    assert corrected(2, 16, 400) == 1


def test_calibration_reaches_its_goal() -> None:
    calibration = Calibration(128)
    while not calibration.is_done:
        calibration.learn(calibration.words + 13)
    assert calibration.words == 115
    assert calibration.tries == 2
    stubborn = Calibration(128)
    while not stubborn.is_done:
        stubborn.learn(stubborn.words + 13 + stubborn.tries % 2)
    assert stubborn.tries <= 5


def test_warm_means_two_rates_agree() -> None:
    assert not is_warm([])
    assert not is_warm([3.1])
    assert is_warm([2.0, 3.1, 3.12])
    assert not is_warm([3.1, 3.2])
    assert not is_warm([3.1, None])


def test_limits_grow_with_the_prompt_and_the_pace() -> None:
    policy = LimitPolicy()
    short = policy.limits(prefill_s=1.0, gap_s=0.3, full_s=300.0)
    assert (short.first_s, short.idle_s, short.total_s) == (60.0, 30.0, None)
    slow = policy.limits(prefill_s=600.0, gap_s=4.0, full_s=300.0)
    assert (slow.first_s, slow.idle_s) == (1800.0, 80.0)
    whole = policy.buffered(short, full_s=300.0)
    assert whole.idle_s > 600
    assert LimitPolicy(total_factor=2).limits(10, None, 300).total_s == 610


def test_forecast_learns() -> None:
    suite = load_builtin("prompts")
    tasks = plan.ordered(suite, 1, 1, None)
    speed = Speed()
    before = forecast(tasks, speed, elapsed_s=0, history={})
    assert before.left_low_s < before.left_s < before.left_high_s <= before.left_most_s
    assert 1200 < before.left_s < 3000
    for prompt in (31, 80, 168, 400):
        speed.learn(
            request("x", made=trace(tokens=200, tps=31.3, ttft_ms=3.4 * prompt, prompt=prompt))
        )
    assert speed.is_measured
    after = forecast(tasks, speed, elapsed_s=60, history={})
    assert after.left_s == pytest.approx(before.left_s / 10, rel=0.2)
    assert 0 < after.share < 1
    assert speed.prefill_s(1000) == pytest.approx(3.4, rel=0.02)


def test_forecast_prefers_earlier_answers() -> None:
    task = plan.ordered(load_builtin("prompts"), 1, 1, None)[0]
    assert tokens_out(task, [50, 60, 70])[0] == 60
    assert tokens_out(task, [10**6])[2] == task.prompt.max_tokens


def test_forecast_learns_how_much_of_their_limit_answers_use() -> None:
    """Of prompts that nobody has asked before: half of it until a few are answered."""
    task = plan.ordered(suite_of("Say it.", cap=100), 1, 1, None)[0]
    speed = Speed()
    assert tokens_out(task, (), speed.cap_shares) == (50, 10, 100)
    for out in (80, 90, 100, 100, 100):
        made = request("x", made=trace(tokens=out, tps=10.0, ttft_ms=10.0, prompt=8))
        tokens = msgspec.structs.replace(made.tok, cap=100)
        speed.learn(msgspec.structs.replace(made, tok=tokens))
    middle, low, high = tokens_out(task, (), speed.cap_shares)
    assert (middle, high) == (100, 100)
    assert 80 <= low < 90
    one = forecast([task], speed, elapsed_s=0, history={})
    assert one.left_s == pytest.approx(10.0, rel=0.05)


def test_controls(tmp_path: Path) -> None:
    controls = Controls()
    tell(tmp_path, "pause")
    tell(tmp_path, "skip")
    controls.obey_file(tmp_path)
    assert controls.is_paused
    assert controls.take_skip()
    assert not controls.take_skip()
    controls.obey_file(tmp_path)
    assert controls.is_paused
    assert controls.obey("resume")
    assert not controls.obey("dance")
    assert controls.obey("abort")
    assert (controls.is_paused, controls.is_aborted) == (False, True)


def _same_words(count: int, prefix: str) -> Suite:
    """Three texts, each asked with so many settings."""
    rows = "".join(
        f'[[prompt]]\nid = "{text}{at}"\ntext = "{text}"\nmax_tokens = 4\n'
        f"sampling = {{ temperature = {at / 10} }}\n"
        for text in ("x", "y", "z")
        for at in range(count)
    )
    return parse(f'id = "own"\nprefix = "{prefix}"\n{rows}'.encode(), "own.toml")


def test_the_same_words_stand_together_or_apart_as_the_suite_says() -> None:
    together = plan.ordered(_same_words(4, "together"), 2, 7, None)
    texts = [task.prompt.text for task in together]
    assert all(len(set(texts[at : at + 4])) == 1 for at in range(0, 24, 4))
    apart = [task.prompt.text for task in plan.ordered(_same_words(4, "apart"), 2, 7, None)]
    assert all(one != next_one for one, next_one in itertools.pairwise(apart))
    assert Counter(apart) == Counter(texts)
    any_order = plan.ordered(_same_words(4, "any"), 2, 7, None)
    assert {task.key for task in any_order} == {task.key for task in together}
