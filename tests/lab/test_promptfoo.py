"""promptfoo configurations as prompt sets: three shapes, bombs, and anything at all."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.bench.checks.run import check_answer
from tui.bench.model.answer import Answer
from tui.lab.model.prompt_set import PromptSet
from tui.lab.promptfoo import convert, load
from tui.lab.sets.parse import parse_set
from tui.lab.sets.problems import SetError
from tui.lab.sets.starter import as_toml
from tui.lab.yaml_text import YamlError, read_yaml

DATA = Path(__file__).with_name("data")


def imported(name: str) -> tuple[PromptSet, list[str]]:
    table, left_out = load(DATA / f"{name}.yaml")
    return parse_set(as_toml(table).encode(), f"{name}.toml"), left_out


def verdicts(found: PromptSet, case: int, text: str, latency_ms: float = 1.0) -> list[bool | None]:
    specs = found.cases[case].checks
    checks = check_answer(specs, Answer(text=text, latency_ms=latency_ms))
    return [check.passed for check in checks[: len(specs)]]


def test_two_prompts_two_models_and_a_test_for_each_city() -> None:
    found, left_out = imported("simple")
    assert left_out == []
    assert found.title == "Capitals"
    assert [v.model for v in found.variants] == ["qwen3-0.6b", "qwen3-4b"]
    big = found.variants[1]
    assert (big.id, big.temperature, big.max_tokens) == ("big-one", 0.2, 64)
    assert big.server == "http://127.0.0.1:8021"
    assert len(found.rows) == 4
    assert verdicts(found, 0, "It is Paris.") == [True, True, True]
    assert verdicts(found, 0, "paris, not London", 30_000) == [False, False, False]
    assert verdicts(found, 1, "Budapest") == [True, True]
    assert verdicts(found, 1, "budapest!") == [False, False]


def test_anchors_a_default_test_and_lists_of_values() -> None:
    found, left_out = imported("anchors")
    assert [sentence.split(": ")[1] for sentence in left_out] == ["x-limits"]
    assert [v.model for v in found.variants] == ["llama3:8b", "gemma3"]
    assert found.variants[0].top_k == 1
    assert found.variants[0].is_greedy
    assert [case.values["language"] for case in found.cases] == ["English", "Hungarian", "English"]
    rows = [found.row_id(prompt, case) for prompt, case in found.rows]
    assert rows == ["Summary/Two-languages", "Summary/Two-languages-2", "Keys/As-JSON"]
    assert verdicts(found, 2, '{"a": 1}') == [True, True, True]
    assert verdicts(found, 2, "```json\n{}\n```") == [True, False, False]


def test_what_has_no_equal_is_named_and_the_rest_works() -> None:
    found, left_out = imported("strange")
    for name in (
        "env", "file://prompt.txt", "who | upper", "provider.py", "seed", "tools", "transform",
        "threshold", "llm-rubric", "javascript", "not-regex", "is-json", "weight", "more.yaml",
    ):  # fmt: skip
        assert sum(name in sentence for sentence in left_out) == 1, name
    chat, shout = found.prompts
    assert chat.system == "You speak to {{who}}."
    assert [past.content for past in chat.history] == ["Hello", "Good day."]
    assert shout.raw
    assert verdicts(found, 0, "Dear friend, the NPU is fast") == [True, True]


def test_aliases_that_grow_or_hold_themselves_are_refused() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    for at in range(1, 12):
        aliases = ", ".join([f"*a{at - 1}"] * 10)
        lines.append(f"a{at}: &a{at} [{aliases}]")
    bomb = "\n".join([*lines, "prompts: *a11"]).encode()
    for data, said in (
        (bomb, "grow to too many values"),
        (b"prompts: &a [*a]", "holds itself"),
        (b"[" * 5000, "nested too deeply"),
        (b"prompts: !!python/object/apply:os.system [ls]", "could not determine a constructor"),
        (b"a: 1\n---\nb: 2", "another document"),
        (b"\xff\xfe\xff", "not UTF-8"),
        (b"x" * (2 << 20), "larger than 1 MiB"),
    ):
        with pytest.raises(SetError) as caught:
            convert(data, "x.yaml")
        assert said in str(caught.value), said


@given(st.binary(max_size=200))
def test_any_bytes_are_a_value_or_a_clause(data: bytes) -> None:
    with suppress(YamlError):
        read_yaml(data)


_KEYS = st.sampled_from(
    ("prompts", "providers", "tests", "vars", "assert", "type", "value", "id", "config", "raw",
     "defaultTest", "threshold", "description", "label")
)  # fmt: skip
_VALUES = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.text(max_size=6),
        st.sampled_from(("contains", "not-regex", "latency", "{{a}}", "openai:chat:x")),
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(_KEYS, inner, max_size=3)),
    max_leaves=20,
)


@given(st.dictionaries(_KEYS, _VALUES, max_size=5))
def test_any_configuration_is_a_set_or_sentences(table: dict[str, object]) -> None:
    data = json.dumps({"prompts": ["x {{a}}"], **table}).encode()
    with suppress(SetError):
        made, _ = convert(data, "any.yaml")
        parse_set(as_toml(made).encode("utf-8", "replace"), "any.toml")
