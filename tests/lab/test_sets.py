"""Prompt sets: what a file means, sweeps, and one sentence for each mistake."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.refusals import result_or_refusal
from tui.bench.model.suite import builtin_ids, load_builtin
from tui.lab import plan, store
from tui.lab.model.prompt_set import PromptSet
from tui.lab.sets.from_suite import table_of
from tui.lab.sets.parse import parse_set
from tui.lab.sets.problems import SetError
from tui.lab.sets.starter import as_toml, starter

GOOD = """
title = "Good"
repeats = 2
[[prompt]]
id = "explain"
text = '''
Explain {{topic}}
in {{ words }} words.'''
[[prompt.check]]
kind = "words"
max = 60
[[prompt.check]]
kind = "contains"
texts = ["{{topic}}"]
[[case]]
id = "cache"
values = { topic = "a cache", words = 40 }
[[case]]
id = "fan"
values = { topic = "a fan", words = 9 }
check = [{ kind = "not", check = { kind = "has_text", text = "{{topic}} is" } }]
[[variant]]
id = "sweep"
temperature = { from = 0.2, to = 1.0, steps = 5 }
system = ["Be brief.", "Be kind."]
[[variant]]
id = "other"
model = ["a", "b"]
thinking = true
"""


def made(text: str) -> PromptSet:
    return parse_set(text.encode(), "set.toml")


def sentences(text: str) -> tuple[str, ...]:
    with pytest.raises(SetError) as caught:
        made(text)
    return caught.value.sentences


def test_a_sweep_is_one_variant_of_each_combination() -> None:
    found = made(GOOD)
    names = [variant.id for variant in found.variants]
    assert names[:3] == [
        "sweep-temperature-0.2-system-1",
        "sweep-temperature-0.2-system-2",
        "sweep-temperature-0.4-system-1",
    ]
    assert names[-2:] == ["other-model-a", "other-model-b"]
    assert len(names) == 12
    assert [v.temperature for v in found.variants][:10:2] == [0.2, 0.4, 0.6, 0.8, 1.0]


def test_the_variants_of_one_model_run_together() -> None:
    found = made(GOOD)
    parts = plan.parts_of(found)
    assert [(part.model, len(part.variants)) for part in parts] == [("", 10), ("a", 1), ("b", 1)]
    suites = [plan.suite_of(found, part) for part in parts]
    assert [len(suite.prompts) for suite in suites] == [20, 2, 2]
    ids = [prompt.id for suite in suites for prompt in suite.prompts]
    assert set(ids) == set(plan.cells_of(found))
    assert len(ids) == len(set(ids))


def test_values_are_filled_into_texts_and_checks() -> None:
    found = made(GOOD)
    suite = plan.suite_of(found, plan.parts_of(found)[0])
    first, last = suite.prompts[0], suite.prompts[-1]
    assert first.text == "Explain a cache\nin 40 words."
    assert first.checks[1].texts == ("a cache",)  # type: ignore[union-attr]
    assert last.checks[2].check.text == "a fan is"  # type: ignore[union-attr]
    assert first.system == "Be brief."
    assert first.sampling is not None
    assert first.sampling.temperature == 0.2


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("repeats = 2", "repeats = 0", "line 3: repeats is 0; it takes a whole number from 1"),
        ("repeats = 2", "repeat = 2", 'has no key "repeat"; did you mean repeats?'),
        ('id = "explain"', 'id = "a b"', 'line 5: id is "a b"; it takes up to'),
        ('kind = "words"', 'kind = "word"', "did you mean words?"),
        ("max = 60", "maxi = 60", 'the check "words" has no key "maxi"; did you mean max?'),
        ("max = 60", 'max = "60"', 'line 9: the check "words" cannot be read'),
        ("{{topic}}\n", "{{topic|upper}}\n", "which is not a variable; write {{name}}"),
        ("{{topic}}\n", "{{topik}}\n", 'line 17: the case "cache" has no value for {{topik}}'),
        ('id = "fan"', 'id = "cache"', 'line 19: the case "cache" is there twice'),
        ("steps = 5", "steps = 1", "temperature has a range of steps that takes"),
        ("steps = 5", "step = 5", "a range is written { from = 0.2, to = 1.0, steps = 5 }"),
        ('["a", "b"]', "[]", "line 28: model is an empty list"),
        ("thinking = true", 'thinking = "yes"', 'line 29: thinking is "yes"; it takes true'),
        ("thinking = true", 'server = "nowhere at all"', 'server is "nowhere at all"'),
        ("repeats = 2", 'order = "random"', 'order is "random"; there are shuffled'),
        ("repeats = 2", 'fail_on = ["speed is low"]', "fail_on: 'speed is low' is not a condition"),
        ("repeats = 2", "judge = 1", "judge is 1; write [judge] and its keys below"),
        ("repeats = 2", "repeats = 1" + "0" * 400, "repeats is 1000000000"),
        ('id = "fan"', 'prompts = ["nobody"]', 'the prompt "nobody", which is not in the set'),
        ("repeats = 2", "repeats = = 2", "line 3, column 11: this is not TOML"),
    ],
)
def test_a_mistake_is_one_sentence_with_its_line_and_the_way_out(
    before: str, after: str, said: str
) -> None:
    assert before in GOOD
    found = sentences(GOOD.replace(before, after, 1))
    assert any(said in sentence for sentence in found), found
    assert all(sentence.startswith("set.toml") for sentence in found)
    assert all("\n" not in sentence and len(sentence) <= 400 for sentence in found)


def test_a_range_of_a_share_has_its_steps_and_one_of_a_count_whole_numbers() -> None:
    text = """
[[prompt]]
text = "x"
[[variant]]
top_p = { from = 0, to = 1, steps = 5 }
[[variant]]
top_k = { from = 1, to = 4, steps = 3 }
"""
    found = made(text).variants
    assert [v.top_p for v in found[:5]] == [0, 0.25, 0.5, 0.75, 1]
    assert [v.top_k for v in found[5:]] == [1, 2, 4]


def test_every_mistake_is_told_at_once() -> None:
    found = sentences(GOOD.replace("repeats = 2", "repeats = 0").replace("max = 60", "maxi = 1"))
    assert len(found) == 2


def test_a_pattern_that_a_value_breaks_is_told_before_the_run() -> None:
    text = GOOD.replace('kind = "words"\nmax = 60', 'kind = "has_match"\npattern = "{{topic}}"')
    assert made(text)
    assert any("is not a regular expression" in s for s in sentences(text.replace("a fan", "(")))


def test_too_many_requests_and_too_many_variants_are_refused() -> None:
    assert "sweep or repeat less" in sentences(GOOD.replace("repeats = 2", "repeats = 1000") +
        "".join(f'[[case]]\nid = "x{at}"\nvalues = {{ topic = "t", words = 1 }}\n'
                for at in range(20)))[0]  # fmt: skip
    many = "top_k = { from = 1, to = 100, steps = 100 }\ntop_p = { from = 0, to = 1, steps = 100 }"
    assert (
        "too many variants; sweep less"
        in sentences(f'[[prompt]]\ntext = "x"\n[[variant]]\n{many}')[0]
    )


def assert_set_or_sentences(data: bytes) -> None:
    found, refusal = result_or_refusal(SetError, lambda: parse_set(data, "any.toml"))
    if refusal:
        assert refusal.sentences
        assert all(sentence.startswith("any.toml") for sentence in refusal.sentences)
    else:
        assert found
        assert found.prompts


@given(st.binary(max_size=300))
def test_any_bytes_are_a_set_or_sentences(data: bytes) -> None:
    assert_set_or_sentences(data)


_WORDS = st.sampled_from(
    ("prompt", "case", "variant", "judge", "text", "values", "check", "kind", "temperature", "id",
     "history", "fail_on", "rubric", "words", "not")
)  # fmt: skip
_VALUES = st.recursive(
    st.one_of(st.booleans(), st.integers(), st.floats(), st.text(max_size=5), _WORDS),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(_WORDS, inner, max_size=3)
    ),
    max_leaves=12,
)


@given(st.dictionaries(_WORDS, _VALUES, max_size=6))
def test_any_table_is_a_set_or_sentences(table: dict[str, object]) -> None:
    assert_set_or_sentences(as_toml(table).encode("utf-8", "replace"))


def test_the_example_of_a_new_set_is_a_good_one(tmp_path: Path) -> None:
    found = parse_set(starter("my-set").encode(), "my-set.toml")
    assert (len(found.rows), len(found.variants)) == (2, 2)
    folders = store.lab_folders(tmp_path)
    path = store.new_set_path(folders, "my-set")
    store.save_set(path, starter("my-set"))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert store.set_names(folders) == ["my-set"]
    for name in ("my-set", "../up", "a/b", ""):
        with pytest.raises(SetError):
            store.new_set_path(folders, name)


@pytest.mark.parametrize("suite_id", builtin_ids())
def test_a_suite_of_words_becomes_a_set(suite_id: str) -> None:
    suite = load_builtin(suite_id)
    if any(prompt.filler is not None for prompt in suite.prompts):
        with pytest.raises(SetError, match="filler"):
            table_of(suite)
        return
    found = parse_set(as_toml(table_of(suite)).encode(), "suite.toml")
    assert [p.text for p in found.prompts] == [suite.full_text(p) for p in suite.prompts]
    assert [p.checks for p in found.prompts] == [p.checks for p in suite.prompts]
