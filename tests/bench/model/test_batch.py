"""Batches of prompts as their programs write them: sent whole, or refused by name."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.bench.model import batch
from tui.bench.model.suite import PastMessage, SuiteError, load_builtin

DATA = Path(__file__).parent / "data"


def of(folder: Path, *lines: object) -> Path:
    path = folder / "b.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    return path


def test_a_batch_file_of_openai() -> None:
    loaded = batch.load(DATA / "openai_batch.jsonl")
    assert [prompt.id for prompt in loaded.prompts] == ["request-0", "request-1", "request-2"]
    first = loaded.prompts[0]
    assert (first.system, first.text, first.max_tokens) == ("Be short.", "What is an NPU?", 64)
    assert loaded.notes == ()
    (short,) = batch.load(DATA / "batchreq.jsonl").prompts
    assert (short.id, short.text, short.max_tokens) == ("r1", "Say hi", 5)


def test_null_means_absent() -> None:
    first, second = batch.load(DATA / "pandas_null.jsonl").prompts
    assert (first.system, first.max_tokens) == ("", 64)
    assert (second.system, second.max_tokens) == ("Be short.", batch.DEFAULT_MAX_TOKENS)
    (tool,) = batch.load(DATA / "tool_null.jsonl").prompts
    assert (tool.text, tool.history) == ("go on", (PastMessage(role="user", content="Hi"),))


def test_the_developer_speaks_as_the_system() -> None:
    (prompt,) = batch.load(DATA / "developer.jsonl").prompts
    assert (prompt.system, prompt.text) == ("Answer in French.", "Hello")


def test_a_conversation_is_sent_whole(tmp_path: Path) -> None:
    said = [("user", "One?"), ("assistant", "Two."), ("user", "Three?")]
    messages = [{"role": role, "content": content} for role, content in said]
    (prompt,) = batch.load(of(tmp_path, {"messages": messages})).prompts
    assert [(past.role, past.content) for past in prompt.history] == said[:2]
    assert prompt.text == "Three?"


def test_parts_of_text_are_one_text_and_other_parts_are_refused(tmp_path: Path) -> None:
    def ask(*parts: dict[str, object]) -> Path:
        return of(tmp_path, {"messages": [{"role": "user", "content": list(parts)}]})

    hello: dict[str, object] = {"type": "text", "text": "Hello"}
    assert batch.load(ask(hello, {"type": "text", "text": " there"})).prompts[0].text == (
        "Hello there"
    )
    with pytest.raises(SuiteError, match="line 1: content: a part of type 'image_url'"):
        batch.load(ask(hello, {"type": "image_url", "image_url": {"url": "x"}}))


def test_settings_of_single_lines_are_named(tmp_path: Path) -> None:
    body = {"prompt": "a", "temperature": 0.2, "seed": None, "novelty": 1, "model": "m"}
    line = {"custom_id": "x", "method": "POST", "url": "/v1/completions", "body": body}
    loaded = batch.load(of(tmp_path, line, line, {"prompt": "b", "temperature": 1, "topic": "t"}))
    assert loaded.notes == (
        "batch b.jsonl: novelty of 2 lines not sent; unknown key",
        "batch b.jsonl: temperature of 3 lines not sent; the run's settings apply to all prompts",
    )


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ({"custom_id": "a", "method": "GET", "url": "/v1/models"}, "needs a body"),
        ({"method": "GET", "body": {"prompt": "a"}}, "method 'GET'"),
        ({"url": "/v1/embeddings", "body": {"input": "a"}}, "url '/v1/embeddings'"),
        ({"body": "x"}, "body is not a JSON object"),
        ({"body": {"prompt": "a", "tools": [{"type": "function"}]}}, "tools"),
        ({"body": {"prompt": "a", "n": 2}}, "n: npulse asks"),
        ({"body": {"prompt": "a", "response_format": {"type": "json_object"}}}, "response_format"),
        ({"prompt": ["a", "b"]}, "put each prompt on a line of its own"),
        ({"prompt": "a", "max_tokens": "many"}, "max_tokens must be a whole number"),
        ({"messages": [{"role": "tool", "content": "x"}]}, "role 'tool'"),
        ({"messages": [{"role": "assistant", "tool_calls": [1], "content": None}]}, "tool_calls"),
        ({"messages": [{"role": "assistant", "content": "x"}]}, "the last message"),
        ({"messages": "x"}, "messages must be a list"),
        ({"id": [1], "prompt": "a"}, "id must be text or a number"),
        ({"nothing": 1}, "no prompt"),
    ],
)
def test_what_cannot_be_asked_is_refused_by_name(
    line: dict[str, object], said: str, tmp_path: Path
) -> None:
    path = of(tmp_path, {"prompt": "fine"}, line)
    with pytest.raises(SuiteError, match=r"batch b\.jsonl, line 2: ") as refused:
        batch.load(path)
    assert said in str(refused.value)


def test_hashes_of_suites_without_a_history_stay_what_they_were() -> None:
    assert load_builtin("prompts").sha256.startswith(PROMPTS_SHA256)


PROMPTS_SHA256 = "1b1ef60d224174c0"

KEYS = st.sampled_from(
    ["prompt", "messages", "role", "content", "body", "text", "user", "id", "max_tokens", "n"]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(KEYS, JSON, min_size=1, max_size=4))
def test_any_line_is_a_prompt_or_a_sentence(
    tmp_path_factory: pytest.TempPathFactory, line: dict[str, object]
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.jsonl"
    path.write_text(json.dumps(line), "utf-8")
    try:
        count = len(batch.load(path).prompts)
    except SuiteError as error:
        count = 1 - str(error).count("\n")
    assert count == 1
