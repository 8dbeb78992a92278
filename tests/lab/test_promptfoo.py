"""promptfoo configurations as prompt sets: three shapes, bombs, and anything at all."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.refusals import result_or_refusal
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


FILES = {
    "promptfooconfig.yaml": """
prompts:
  - file://prompts/short.txt
  - prompts/chat.json
  - id: file://prompts/table.csv
  - {id: "file://prompts/lines*.jsonl", label: lines}
providers: [openai:chat:qwen3-4b]
defaultTest:
  vars: file://common.yaml
tests:
  - file://tests.csv
  - file://tests.jsonl
  - file://tests.json
  - vars: {who: file://who.txt, facts: file://facts.json, cpu: rk3588}
""",
    "prompts/short.txt": "Tell {{who}} about {{cpu}}.\n---\nShortly: {{who}}, {{cpu}}?\n",
    "prompts/chat.json": '[{"role": "system", "content": "Be {{tone}}."},'
    ' {"role": "user", "content": "Hi {{who}}"}]',
    "prompts/table.csv": 'prompt,label\n"One, {{who}}",first\nTwo {{cpu}},second\n',
    "prompts/lines1.jsonl": '[{"role": "user", "content": "From a line: {{who}}"}]\n',
    "common.yaml": "tone: brief\n",
    "tests.csv": "who,cpu,__expected,__expected2,__description,__metric\n"
    "Ann,rk3588,contains: NPU,not-icontains: gpu,for Ann,m\n"
    "Bob,rk3576,Exactly this,latency(500),,\n",
    "tests.jsonl": '{"vars": {"who": "Cleo", "cpu": "rk3568"}}\n',
    "tests.json": '[{"vars": {"who": "Dan", "cpu": "x"}, "assert": [{"type": "is-json"}]}]',
    "who.txt": "\ufeffEve\n",
    "facts.json": '{"cores": 3}',
}


def written(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder / "promptfooconfig.yaml"


def test_prompts_variables_and_tests_stand_in_files(tmp_path: Path) -> None:
    table, left_out = load(written(tmp_path, FILES))
    assert [sentence.partition(": ")[2] for sentence in left_out] == [
        'test 1: its key "__metric" is not understood and was left out'
    ]
    found = parse_set(as_toml(table).encode(), "x.toml")
    assert [prompt.id for prompt in found.prompts] == [
        "short", "short-2", "chat", "first", "second", "lines",
    ]  # fmt: skip
    assert found.prompts[1].text == "Shortly: {{who}}, {{cpu}}?"
    assert found.prompts[2].system == "Be {{tone}}."
    assert found.prompts[5].text == "From a line: {{who}}"
    assert [case.values["who"] for case in found.cases] == ["Ann", "Bob", "Cleo", "Dan", "Eve"]
    assert found.cases[0].id == "for-Ann"
    assert {case.values["tone"] for case in found.cases} == {"brief"}
    assert json.loads(found.cases[4].values["facts"]) == {"cores": 3}
    assert verdicts(found, 0, "the NPU, no GPU") == [True, False]
    assert verdicts(found, 1, "Exactly this", 400) == [True, True]
    assert verdicts(found, 1, "Exactly that", 600) == [False, False]
    assert verdicts(found, 3, "{}") == [True]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("file://../secret.txt", "lies outside of the configuration's folder"),
        ("file:///etc/passwd", "lies outside of the configuration's folder"),
        ("file://link.txt", "lies outside of the configuration's folder"),
        ("file://missing.txt", "cannot be read: No such file or directory"),
        ("file://folder.txt", "cannot be read"),
        ("file://odd.txt", "is not UTF-8"),
        ("file://large.txt", "is larger than 1 MiB"),
        ("file://no*.txt", "names no files"),
        ("file://bad.yaml", "cannot be read as YAML"),
        ("file://make.py", "is a program"),
    ],
)
def test_a_file_that_cannot_be_taken_is_named_once(tmp_path: Path, name: str, said: str) -> None:
    folder = tmp_path / "config"
    files = {"promptfooconfig.yaml": f'prompts: ["plain", "{name}"]', "bad.yaml": "a: [1"}
    path = written(folder, files)
    (tmp_path / "secret.txt").write_text("secret")
    (folder / "link.txt").symlink_to(tmp_path / "secret.txt")
    (folder / "folder.txt").mkdir()
    (folder / "odd.txt").write_bytes(b"\xff\xfe\xff")
    (folder / "large.txt").write_text("x" * ((1 << 20) + 1))
    table, left_out = load(path)
    assert [prompt["text"] for prompt in table["prompt"]] == ["plain"]
    (sentence,) = left_out
    assert sentence.startswith("promptfooconfig.yaml: prompt 2: ")
    assert said in sentence


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
    text, refusal = result_or_refusal(YamlError, lambda: json.dumps(read_yaml(data), default=str))
    assert text or str(refusal)


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

    def converted() -> PromptSet:
        made, _ = convert(data, "any.yaml")
        return parse_set(as_toml(made).encode("utf-8", "replace"), "any.toml")

    found, refusal = result_or_refusal(SetError, converted)
    assert found.prompts if found else refusal and refusal.sentences
