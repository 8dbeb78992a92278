"""Suites: ours are sound, the user's own are read or refused with the place."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.bench.model import batch, suite
from tui.bench.model.suite import SuiteError

SEED_IDS = [
    "completion_01",
    "completion_02",
    "completion_03",
    "completion_04",
    "completion_05",
    "creativity_01",
    "planning_01",
    "coding_01",
    "instruction_following_01",
    "consistency_01",
]
CAPS = [256, 320, 256, 192, 256, 1024, 1536, 1280, 1024, 2048]
MINE = b"""
id = "mine"
[[prompt]]
id = "one"
text = "Say hello."
max_tokens = 16
check = [{ kind = "words", min = 1 }]
"""


def test_the_ten_prompts() -> None:
    ten = suite.load_builtin("prompts")
    assert [prompt.id for prompt in ten.prompts] == SEED_IDS
    assert [prompt.max_tokens for prompt in ten.prompts] == CAPS
    assert sum(CAPS) == 8192
    short = suite.quick(ten)
    assert [prompt.id for prompt in short.prompts] == [SEED_IDS[0], SEED_IDS[3], SEED_IDS[7]]
    assert {prompt.max_tokens for prompt in short.prompts} == {96}


@pytest.mark.parametrize("name", suite.builtin_ids())
def test_every_suite_of_ours_is_sound(name: str) -> None:
    loaded = suite.load_builtin(name)
    assert loaded.id == name
    assert loaded.title
    assert loaded.about
    for prompt in loaded.prompts:
        assert prompt.expected is not None
        assert prompt.expected[0] <= prompt.expected[1] <= prompt.max_tokens
    assert suite.quick(loaded).prompts


def test_the_other_suites_hold_what_they_promise() -> None:
    instructions = suite.load_builtin("instructions")
    groups = [prompt.group for prompt in instructions.prompts]
    assert groups.count("file") == groups.count("text") == 5
    languages = suite.load_builtin("languages")
    assert {prompt.language for prompt in languages.prompts} == {"en", "hu", "vi", "zh", "ar"}
    assert len(languages.prompts) == 10
    fillers = [prompt.filler for prompt in suite.load_builtin("prefill").prompts]
    assert fillers == [16, 32, 64, 128, 256, 512, 1024, 2048]


def test_a_suite_of_ones_own(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_bytes(MINE)
    by_path = suite.find(str(path))
    by_name = suite.find("mine", tmp_path)
    assert by_path == by_name
    assert by_path.sha256 == by_name.sha256
    changed = MINE.replace(b"Say hello.", b"Say good-bye.")
    assert suite.parse(changed, "x").sha256 != by_path.sha256


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ((b"max_tokens = 16", b"max_tokens = 0"), "max_tokens"),
        ((b'kind = "words"', b'kind = "wordz"'), "wordz"),
        ((b"min = 1", b"mim = 1"), "mim"),
        ((b'text = "Say hello."', b""), "either text"),
        ((b'id = "one"', b'id = "../one"'), "letters"),
        ((b'id = "mine"', b'id = "mine'), "mine.toml"),
        ((b"max_tokens = 16", b'max_tokens = "many"'), "prompt[0].max_tokens"),
        ((b'text = "Say hello."', b'filler = "half"'), "filler"),
        ((b'id = "mine"', b'id = "mine"\nruns = 0'), "runs"),
    ],
)
def test_a_broken_suite_is_named(change: tuple[bytes, bytes], said: str) -> None:
    with pytest.raises(SuiteError, match="mine") as caught:
        suite.parse(MINE.replace(*change), "mine.toml")
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_unknown_names() -> None:
    with pytest.raises(SuiteError, match="there is no suite"):
        suite.find("nonsense")
    with pytest.raises(SuiteError, match="No such file"):
        suite.find("/nowhere/at/all.toml")


@given(st.binary(max_size=200))
def test_any_bytes_are_a_suite_or_an_error(data: bytes) -> None:
    with pytest.raises(SuiteError):
        suite.parse(data, "any")


def test_fillers() -> None:
    assert suite.filler_tokens(128, None) == 128
    assert suite.filler_tokens("min", None) == 0
    assert suite.filler_tokens("ctx-64", 4096) == 4032
    assert suite.filler_tokens("ctx-64", None) is None
    assert suite.filler_tokens("ctx-64", 10) == 1
    assert suite.filler_tokens("ctx-x", 4096) is None


def test_thinking_triples_the_caps() -> None:
    thinking = suite.with_thinking(suite.load_builtin("prompts"))
    assert thinking.prompts[0].max_tokens == 768
    assert thinking.thinking


def test_numbered_files() -> None:
    code = suite.load_builtin("code")
    text = code.full_text(code.prompts[0])
    assert "File badge.py:" in text
    assert " 7      colour =" in text
    assert "Answer with a JSON array" in text


def test_batches(tmp_path: Path) -> None:
    path = tmp_path / "b.jsonl"
    path.write_text(
        '{"prompt": "One?"}\n\n'
        '{"id": "a b", "text": "Two?", "max_tokens": 7, "extra": 1}\n'
        '{"messages": [{"role": "system", "content": "Be short."},'
        ' {"role": "user", "content": "Three?"}], "custom_id": "a b"}\n'
    )
    loaded = batch.load(path)
    assert [prompt.id for prompt in loaded.prompts] == ["line-00001", "a-b", "a-b-4"]
    assert loaded.prompts[1].max_tokens == 7
    path.write_text('\ufeff{"prompt": "a\u2028b"}\r\n{"prompt": "c\x85d"}', "utf-8", newline="")
    assert [prompt.text for prompt in batch.load(path).prompts] == ["a\u2028b", "c\x85d"]
    assert (loaded.prompts[2].system, loaded.prompts[2].text) == ("Be short.", "Three?")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", "line 1"),
        ('{"prompt": 3}', "line 1"),
        ('{"prompt": ""}', "no prompt"),
        ('{"prompt": "x", "max_tokens": 0}', "at least 1"),
        ("[]", "line 1"),
        ("", "has no prompt"),
    ],
)
def test_broken_batches_are_named(tmp_path: Path, line: str, said: str) -> None:
    path = tmp_path / "b.jsonl"
    path.write_text(line)
    with pytest.raises(SuiteError, match=said):
        batch.load(path)
    with pytest.raises(SuiteError):
        batch.load(tmp_path / "none.jsonl")


def test_a_number_of_thousands_of_digits_is_a_sentence() -> None:
    with pytest.raises(SuiteError, match="a number in it has thousands of digits"):
        suite.parse(b"runs = " + b"9" * 5000, "long.toml")
