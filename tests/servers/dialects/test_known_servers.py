"""Every known server's stream from its recorded bytes, its requests, its lists, its reports."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.servers.recordings import Recorded, recorded
from tests.servers.requests import text_of
from tui.core.types import (
    ChatRequest,
    Delta,
    DoneDelta,
    FailureDelta,
    FinishDelta,
    GenerationSettings,
    Message,
    TextDelta,
    ThinkingDelta,
    UsageDelta,
)
from tui.servers.detect import DIALECTS, KINDS
from tui.servers.dialects import (
    llama_cpp,
    ollama,
    orkllm,
    rkllama,
    rkllm_api_server,
    rkllm_chat,
    rkllm_demo,
)
from tui.servers.dialects.dialect import BusyLight, Dialect
from tui.servers.dialects.flatten import flattened
from tui.servers.dialects.report import duration_ms

PROMPT = (Message("user", "Tell me about the RK3588 NPU."),)
TALK = (
    Message("system", "Be short."),
    Message("user", "One?"),
    Message("assistant", "Two."),
    Message("user", "Three?"),
)
BEGIN = "The RK3588 has"


def request(messages: Sequence[Message] = PROMPT, **settings: object) -> ChatRequest:
    made = GenerationSettings(**settings)  # type: ignore[arg-type]
    return ChatRequest("qwen3-4b", tuple(messages), made)


def read(dialect: Dialect, pieces: Iterable[bytes]) -> list[Delta]:
    decoder = dialect.decoder(request())
    deltas = [delta for piece in pieces for delta in decoder.feed(piece)]
    return deltas + decoder.close()


def usage_of(deltas: Iterable[Delta]) -> UsageDelta | None:
    found = [delta for delta in deltas if isinstance(delta, UsageDelta)]
    return found[-1] if found else None


def chat(folder: str, case: str = "04-chat-stream") -> list[Recorded]:
    return [
        one
        for one in recorded(folder, case)
        if one.is_stream and "/v1/chat" in one.path and one.body
    ]


# -- streams ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("folder", "dialect"),
    [
        ("flask", rkllm_demo.DIALECT),
        ("gatekeeper", rkllm_api_server.DIALECT),
        ("orkllm", orkllm.DIALECT),
        ("rkllama", rkllama.DIALECT),
    ],
)
def test_recorded_answers_are_whole(folder: str, dialect: Dialect) -> None:
    one = chat(folder)[0]
    deltas = read(dialect, [one.body])
    assert text_of(deltas).startswith(BEGIN)
    assert any(isinstance(delta, FinishDelta | DoneDelta) for delta in deltas)
    assert not any(isinstance(delta, FailureDelta) for delta in deltas)
    by_byte = read(dialect, [bytes([byte]) for byte in one.body])
    assert text_of(by_byte) == text_of(deltas)
    assert usage_of(by_byte) == usage_of(deltas)


def test_counts_are_the_runtimes_only_where_the_server_hands_them_on() -> None:
    assert usage_of(read(rkllm_demo.DIALECT, [chat("flask")[0].body])) is None
    orkllm_usage = usage_of(read(orkllm.DIALECT, [chat("orkllm")[0].body]))
    assert orkllm_usage is not None
    assert orkllm_usage.tokens_out == 24
    assert orkllm_usage.decode_ms == pytest.approx(1200, rel=0.05)
    rkllama_usage = usage_of(read(rkllama.DIALECT, [chat("rkllama")[0].body]))
    assert rkllama_usage is not None
    assert rkllama_usage.tokens_out == 24
    assert rkllama_usage.decode_ms == pytest.approx(1200, rel=0.05), "its speed is a million off"


def test_the_older_demo_repeats_itself_and_is_read_once() -> None:
    (one, *_) = [
        r
        for r in recorded("flask123", "12-npu-error")
        if r.status == 200 and b'"choices"' in r.body
    ]
    deltas = read(rkllm_chat.DIALECT, [one.body])
    assert text_of(deltas) in "The RK3588 has a neural processing unit with three cores."
    assert text_of(deltas).startswith(BEGIN)
    sevens = [one.body[at : at + 7] for at in range(0, len(one.body), 7)]
    assert text_of(read(rkllm_chat.DIALECT, sevens)) == text_of(deltas)
    busy = b'{"status": "error", "message": "RKLLM_Server is busy! Maybe you can try again later."}'
    (failure,) = read(rkllm_chat.DIALECT, [busy])
    assert isinstance(failure, FailureDelta)
    assert "busy" in failure.message


def sse(*chunks: Mapping[str, object]) -> bytes:
    return b"".join(b"data: %s\n\n" % json.dumps(chunk).encode() for chunk in chunks)


def content(*texts: str) -> list[dict[str, object]]:
    return [{"choices": [{"delta": {"content": text}}]} for text in texts]


def finish(word: str = "stop") -> dict[str, object]:
    return {"choices": [{"delta": {}, "finish_reason": word}]}


def test_an_answer_that_rkllama_sends_twice_is_shown_once() -> None:
    pieces = ["<think>", *(f" w{n}" for n in range(20))]
    body = sse(*content(*pieces), *content(*pieces), finish()) + b"data: [DONE]\n\n"
    assert text_of(read(rkllama.DIALECT, [body])) == "".join(pieces)
    # A model that says something again after its thinking has closed means it.
    closed = [*pieces, "</think>", "<think>", *(f" w{n}" for n in range(20))]
    body = sse(*content(*closed), finish()) + b"data: [DONE]\n\n"
    assert text_of(read(rkllama.DIALECT, [body])) == "".join(closed)


@given(st.lists(st.sampled_from(["<think>", "a", " b", "</think>", "c"]), max_size=14))
def test_nothing_short_is_taken_for_a_copy(pieces: list[str]) -> None:
    body = sse(*content(*pieces), finish()) + b"data: [DONE]\n\n"
    assert len(text_of(read(rkllama.DIALECT, [body]))) <= len("".join(pieces))
    if pieces.count("<think>") < 2:
        assert text_of(read(rkllama.DIALECT, [body])) == "".join(pieces)


@pytest.mark.parametrize("said", ["<RKLLM_TASK_ERROR>", "Aborted inference by Timeout (300 s)."])
def test_an_error_that_rkllama_sends_as_text_is_an_error(said: str) -> None:
    deltas = read(rkllama.DIALECT, [sse(*content("Hello", said))])
    assert text_of(deltas) == "Hello"
    assert any(isinstance(delta, FailureDelta) for delta in deltas)


def test_what_stands_before_the_word_for_an_error_is_still_the_answer() -> None:
    deltas = read(rkllama.DIALECT, [sse(*content("Hello", " you<RKLLM_TASK_ERROR> code -1", "x"))])
    assert text_of(deltas) == "Hello you"
    assert [d.message for d in deltas if isinstance(d, FailureDelta)] == ["code -1"]


def test_length_of_the_api_server_is_no_limit_and_its_count_no_count() -> None:
    usage = {"choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 11}}
    broken = read(rkllm_api_server.DIALECT, [sse(*content("a", "b"), finish("length"), usage)])
    (word,) = [delta.reason for delta in broken if isinstance(delta, FinishDelta)]
    assert word is not None
    assert "broken off" in word
    assert usage_of(broken) is None
    whole = read(rkllm_api_server.DIALECT, [sse(*content("a", "b"), finish(), usage)])
    assert usage_of(whole) == UsageDelta(tokens_out=11)


def test_the_name_of_an_answer_of_the_api_server_is_that_of_its_log() -> None:
    first, *rest = content("a", "b")
    named = sse({**first, "id": "chatcmpl-9f"}, *rest, finish())
    found = [d for d in read(rkllm_api_server.DIALECT, [named]) if isinstance(d, FinishDelta)]
    assert [delta.response_id for delta in found] == ["chatcmpl-9f"]
    long = sse({**first, "id": "x" * 1000}, {**rest[0], "id": 7}, finish())
    found = [d for d in read(rkllm_api_server.DIALECT, [long]) if isinstance(d, FinishDelta)]
    assert [delta.response_id for delta in found] == [None]


def lines(*objects: dict[str, object]) -> bytes:
    return b"".join(json.dumps(one).encode() + b"\n" for one in objects)


def test_lines_of_ollama() -> None:
    body = lines(
        {"message": {"role": "assistant", "content": "", "thinking": "Hm."}, "done": False},
        {"message": {"role": "assistant", "content": "Hé"}, "done": False},
        {
            "message": {"content": ""},
            "done": True,
            "done_reason": "length",
            "total_duration": 2_000_000_000,
            "prompt_eval_count": 7,
            "prompt_eval_duration": 400_000_000,
            "eval_count": 24,
            "eval_duration": 1_200_000_000,
        },
    )
    deltas = read(ollama.DIALECT, [bytes([byte]) for byte in body])
    assert deltas[:2] == [ThinkingDelta("Hm."), TextDelta("Hé")]
    assert usage_of(deltas) == UsageDelta(7, 24, 400.0, 1200.0)
    assert deltas[-2:] == [FinishDelta("length"), DoneDelta()]
    (failure,) = read(ollama.DIALECT, [lines({"error": "model 'x' not found"})])
    assert failure == FailureDelta("model 'x' not found")


@pytest.mark.parametrize(
    ("value", "total_ns", "ms"),
    [
        (1_200_000_000, 2_000_000_000, 1200.0),
        (1200, 2_000_000_000, 1200.0),
        (10, 2_000_000_000, 10.0),
        (1200, None, 0.0012),
        (0, 2_000_000_000, None),
        ("1200", 1, None),
        (True, 1, None),
        (-5, 1, None),
    ],
)
def test_durations_in_ns_and_in_ms(value: object, total_ns: object, ms: float | None) -> None:
    assert duration_ms(value, total_ns) == ms


def test_a_reply_of_llama_cpp_has_times() -> None:
    last = {
        "choices": [{"delta": {}, "finish_reason": "stop"}],
        "timings": {"prompt_n": 1, "prompt_ms": 15.8, "predicted_n": 3, "predicted_ms": 150.0},
    }
    usage = usage_of(read(llama_cpp.DIALECT, [sse(*content("a", "b", "c"), last)]))
    assert usage is not None
    assert (usage.prefill_ms, usage.decode_ms) == (15.8, 150.0)


@pytest.mark.parametrize("dialect", DIALECTS, ids=list(KINDS))
@given(data=st.binary(max_size=400), cut=st.integers(0, 400))
def test_any_bytes_give_the_same_deltas_however_they_are_cut(
    dialect: Dialect, data: bytes, cut: int
) -> None:
    whole = read(dialect, [data])
    assert text_of(read(dialect, [data[:cut], data[cut:]])) == text_of(whole)


# -- requests --------------------------------------------------------------------------------------


@pytest.mark.parametrize("dialect", DIALECTS, ids=list(KINDS))
def test_no_field_of_a_request_is_null(dialect: Dialect) -> None:
    body = dialect.chat_body(request(TALK))
    assert "null" not in json.dumps(body)
    assert json.dumps(body).count("Three?") == 1
    assert json.dumps(body).count("One?") == 1, "the conversation reaches the model"
    assert json.dumps(body).count("Be short.") == 1


FORGETFUL = [dialect for dialect in DIALECTS if not dialect.is_history_used]


@pytest.mark.parametrize("dialect", FORGETFUL, ids=lambda dialect: dialect.name)
def test_a_server_without_a_history_gets_one_message(dialect: Dialect) -> None:
    messages = dialect.chat_body(request(TALK))["messages"]
    assert isinstance(messages, list)
    (message,) = messages
    assert message["role"] == "user"


def test_a_single_prompt_is_sent_as_it_is() -> None:
    assert flattened(PROMPT) == PROMPT[0]
    assert flattened(TALK).content == (
        "Be short.\n\nUser: One?\n\nAssistant: Two.\n\nUser: Three?\n\nAssistant:"
    )


def test_thinking_is_switched_off_by_a_word_where_there_is_no_field() -> None:
    def last(is_thinking: bool) -> str:
        body = rkllm_api_server.chat_body(request(is_thinking=is_thinking))
        messages = body["messages"]
        assert isinstance(messages, list)
        return str(messages[-1]["content"])

    assert last(False) == f"/no_think {PROMPT[0].content}"
    assert last(True) == PROMPT[0].content


# -- models ----------------------------------------------------------------------------------------


def bodies(folder: str, case: str = "02-models") -> dict[str, object]:
    return {
        one.path: json.loads(one.body)
        for one in recorded(folder, case)
        if one.status == 200 and "json" in one.headers.get("content-type", "")
    }


@pytest.mark.parametrize(
    ("folder", "dialect"),
    [
        ("flask", rkllm_demo.DIALECT),
        ("gatekeeper", rkllm_api_server.DIALECT),
        ("orkllm", orkllm.DIALECT),
        ("rkllama", rkllama.DIALECT),
    ],
)
def test_recorded_lists_of_models(folder: str, dialect: Dialect) -> None:
    models = dialect.models.parse_list(bodies(folder))
    assert models
    assert all(model.name for model in models)


def test_what_is_loaded_is_said_only_where_it_is_known() -> None:
    listed = {"/v1/models": {"data": [{"id": "a.rkllm", "owned_by": "orkllm"}]}}
    (model,) = orkllm.DIALECT.models.parse_list(listed)
    assert not model.is_loaded
    told = {
        "/v1/models": {"data": [{"id": "a", "owned_by": "rkllm", "context_length": 4096}]},
        "/health": {"current_model": "a", "models_available": 1},
    }
    (model,) = rkllm_api_server.DIALECT.models.parse_list(told)
    assert model.is_loaded
    assert model.is_context_guessed


def test_a_list_of_llama_cpp_knows_the_context() -> None:
    row = {"id": "m", "owned_by": "llamacpp", "meta": {"n_ctx": 8192, "size": 2_500_000_000}}
    (model,) = llama_cpp.parse_models({"/v1/models": {"data": [row]}})
    assert (model.context_tokens, model.size_bytes) == (8192, 2_500_000_000)
    assert not model.is_context_guessed
    light = llama_cpp.parse_busy([{"is_processing": False}, {"is_processing": True}])
    assert light == BusyLight(1, 2)
    assert light is not None
    assert not light.is_full
    assert llama_cpp.parse_busy({"error": "off"}) is None
