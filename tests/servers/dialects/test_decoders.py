"""Streams of real servers and of broken ones, through the dialects' decoders."""

from __future__ import annotations

import json

import pytest

from tests.servers.dialects.sent import ANSWER, chunk, sse
from tests.servers.exchanges import OPENAI, ROCKCHIP
from tests.servers.recordings import Recorded, recorded, streams
from tests.servers.requests import (
    cuts,
    decoded,
    finish_of,
    new_turn,
    request,
    text_of,
    thinking_of,
)
from tui.core.types import (
    Delta,
    DoneDelta,
    FailureDelta,
    FinishDelta,
    TextDelta,
    ThinkingDelta,
    UnreadDelta,
    UsageDelta,
)
from tui.servers.dialects.dialect import Dialect

ENDS = 1500  # bytes of each end of a long stream that are split at every place


# -- recorded ------------------------------------------------------------------------------------


def test_rockchipllama_stream() -> None:
    (one,) = recorded("rockchipllama", "04-chat-stream")
    deltas, decoder = decoded(ROCKCHIP, [one.body])
    assert text_of(deltas) == ANSWER
    assert sum(isinstance(d, TextDelta) for d in deltas) == 24
    assert deltas[-2:] == [FinishDelta("stop"), DoneDelta()]
    assert not any(isinstance(d, UsageDelta) for d in deltas), "its usage counts words"
    assert decoder.nonsense is None


def test_rockchipllama_thinking_stays_in_the_text() -> None:
    (one,) = recorded("rockchipllama", "06-think-stream")
    deltas, _ = decoded(ROCKCHIP, [one.body])
    assert text_of(deltas).startswith("<think>\nThe RK358")
    assert "</think>" in text_of(deltas)
    turn = new_turn()
    turn.feed(turn.t0_ns + 1, deltas)
    assert turn.status == "complete"
    assert turn.thinking.strip() == "The RK3588 has a neural processin"
    assert "think>" not in turn.text


def test_gatekeeper_thinking_is_a_channel_of_its_own() -> None:
    (one,) = recorded("gatekeeper", "06-think-stream")
    deltas, _ = decoded(OPENAI, [one.body])
    assert thinking_of(deltas).startswith("The RK3588")
    assert deltas[-2:] == [FinishDelta("stop"), DoneDelta()]
    assert all(not isinstance(d, TextDelta) or d.text for d in deltas)


def test_rkllama_usage_chunk_without_choices_is_believed_where_it_agrees() -> None:
    (one,) = recorded("rkllama", "04-chat-stream")
    deltas, _ = decoded(OPENAI, [one.body])
    (usage,) = [d for d in deltas if isinstance(d, UsageDelta)]
    assert usage.tokens_out == sum(isinstance(d, TextDelta) for d in deltas) == 24
    assert usage.source == "runtime"


def test_rockchipllama_usage_is_not_believed_by_the_plain_dialect_either() -> None:
    (one,) = recorded("rockchipllama", "04-chat-stream")
    deltas, _ = decoded(OPENAI, [one.body])
    assert not any(isinstance(d, UsageDelta) for d in deltas)


def test_npu_error_before_the_first_token_is_an_empty_answer() -> None:
    empty = [
        one
        for one in recorded("rockchipllama", "12-npu-error")
        if one.is_stream and b'"content"' not in one.body
    ]
    (one,) = empty
    deltas, _ = decoded(ROCKCHIP, [one.body])
    turn = new_turn()
    turn.feed(turn.t0_ns + 1, deltas)
    assert turn.status == "empty"


def test_orkllm_error_inside_the_stream() -> None:
    failed = [
        one
        for server, case in (("orkllm", "11-bad-request"), ("orkllm", "12-npu-error"))
        for one in recorded(server, case)
        if one.is_stream and b'"error"' in one.body
    ]
    assert failed
    for one in failed:
        deltas, _ = decoded(OPENAI, [one.body])
        assert isinstance(deltas[-1], FailureDelta)
        assert deltas[-1].message
        assert DoneDelta() not in deltas


def without_middle(body: bytes) -> bytes:
    """The first and the last lines of a stream; its middle is like them."""
    if len(body) <= 2 * ENDS:
        return body
    return body[:ENDS].rpartition(b"\n")[0] + b"\n" + body[-ENDS:].partition(b"\n")[2]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "one"), streams(), ids=[name for name, _ in streams()])
def test_recorded_streams_do_not_depend_on_how_they_are_split(name: str, one: Recorded) -> None:
    dialect = ROCKCHIP if name.startswith("rockchipllama") else OPENAI
    whole, _ = decoded(dialect, [one.body])
    assert whole
    # Every split point of a whole stream is a million bytes to parse: every point of its first
    # events and of its end, and single bytes throughout.
    body = without_middle(one.body)
    size = len(body)
    ends, _ = decoded(dialect, [body])
    assert ends
    for at in (*range(min(size, 700)), *range(max(size - 500, 0), size)):
        assert decoded(dialect, [body[:at], body[at:]])[0] == ends
    assert decoded(dialect, [bytes([b]) for b in one.body])[0] == whole
    crlf = one.body.replace(b"\n", b"\r\n")
    assert decoded(dialect, cuts(crlf, range(0, len(crlf), 7)))[0] == whole


# -- made up -------------------------------------------------------------------------------------


def test_role_chunk_null_and_empty_content_are_no_text() -> None:
    stream = sse(
        chunk(role="assistant"),
        {"choices": [{"delta": {"role": "assistant", "content": None}}]},
        chunk(""),
        chunk("x"),
        {"choices": []},
        {"choices": None},
        chunk(None, "stop"),
    )
    deltas, _ = decoded(OPENAI, [stream])
    assert deltas == [TextDelta("x"), FinishDelta("stop"), DoneDelta()]


def test_both_kinds_of_thinking_in_one_stream() -> None:
    stream = sse(chunk(reasoning_content="hm"), chunk("<think>more"), chunk("</think>yes"))
    deltas, _ = decoded(OPENAI, [stream])
    turn = new_turn()
    turn.feed(turn.t0_ns + 1, deltas)
    assert turn.text.strip() == "yes"
    assert turn.thinking.replace("\n", "") == "hmmore"


@pytest.mark.parametrize(
    ("error", "said"),
    [
        ({"error": {"message": "rkllm_run failed", "type": "internal_error"}}, "rkllm_run failed"),
        ({"error": "list index out of range"}, "list index out of range"),
        ({"detail": "Not Found"}, "Not Found"),
        ({"status": "error", "message": "RKLLM_Server is busy!"}, "RKLLM_Server is busy!"),
        ({"object": "error", "message": "no"}, "no"),
        ({"error": {"type": "internal_error"}}, "internal_error"),
        ({"error": {"code": 1}}, ""),
    ],
)
def test_errors_inside_a_stream(error: object, said: str) -> None:
    deltas, _ = decoded(OPENAI, [sse(chunk("a"), error, chunk("never"), end=b"")])
    assert deltas == [TextDelta("a"), FailureDelta(said)]


def test_error_null_beside_choices_is_none() -> None:
    deltas, _ = decoded(OPENAI, [sse({**chunk("a"), "error": None})])
    assert deltas == [TextDelta("a"), DoneDelta()]


def test_event_of_type_error() -> None:
    deltas, _ = decoded(OPENAI, [b"event: error\ndata: out of memory\n\n"])
    assert deltas == [FailureDelta("out of memory")]


def test_nothing_after_done_is_read() -> None:
    stream = sse(chunk("a"), "[DONE]", chunk("b"))
    assert decoded(OPENAI, [stream])[0] == [TextDelta("a"), DoneDelta()]


def test_end_without_done_gives_no_done() -> None:
    deltas, decoder = decoded(OPENAI, [sse(chunk("a"), end=b"")])
    assert deltas == [TextDelta("a")]
    assert decoder.nonsense is None


@pytest.mark.parametrize("dialect", [ROCKCHIP, OPENAI])
def test_one_json_object_instead_of_a_stream(dialect: Dialect) -> None:
    body = json.dumps(
        {
            "choices": [
                {
                    "message": {"role": "assistant", "content": "hi 漢", "reasoning_content": "hm"},
                    "finish_reason": "stop",
                }
            ]
        }
    ).encode()
    expected: list[Delta] = [
        ThinkingDelta("hm"),
        TextDelta("hi 漢"),
        FinishDelta("stop"),
        DoneDelta(),
    ]
    for at in range(len(body)):
        assert decoded(dialect, [b" \n" + body[:at], body[at:]])[0] == expected


def test_recorded_single_completion() -> None:
    whole = [
        one
        for one in recorded("gatekeeper", "12-npu-error")
        if not one.is_stream and b'"choices"' in one.body
    ]
    deltas, _ = decoded(OPENAI, [whole[0].body])
    assert text_of(deltas) == "The RK3588 has a neural processin"
    assert finish_of(deltas) == ["length"]


@pytest.mark.parametrize(
    ("body", "nonsense"),
    [
        (b"<!DOCTYPE html><html><title>oRKLLM</title>...", "a web page (oRKLLM)"),
        (b'{"choices": [', "a body that is no JSON and no event stream"),
        (b'{"hello": 1}', "an answer without choices"),
        (b'{"message": "Welcome"}', "an answer without choices: Welcome"),
        (b"data: hello\n\ndata: you\n\n", "events that are no JSON: “hello”"),
        (
            b'{"response": "Hi", "done": false}\n{"response": "", "done": true}\n',
            'events that are lines of JSON in another format: “{"response": "Hi", "done": false}”',
        ),
        (b"data: " + b"x" * (1 << 21), "a line of more than 1048576 characters"),
        (b"[" * 300, "events that are no JSON: “" + "[" * 239 + "…”"),
        (b"{" + b'"a":[' * 100_000, "a body that is no JSON and no event stream"),
    ],
)
def test_bodies_that_are_no_answer(body: bytes, nonsense: str | None) -> None:
    deltas, decoder = decoded(OPENAI, [body])
    assert [delta for delta in deltas if not isinstance(delta, UnreadDelta)] == []
    assert decoder.nonsense == nonsense


def test_an_endless_json_body_is_not_kept() -> None:
    decoder = OPENAI.decoder(request())
    decoder.feed(b'{"a": "')
    for _ in range(200):
        decoder.feed(b"x" * 65536)
    assert decoder.nonsense == "an endless body that is not an event stream"
    assert decoder.close() == []


@pytest.mark.parametrize(
    ("tokens", "pieces", "is_believed"),
    [
        (24, ["four"] * 24, True),
        (25, ["four"] * 24, True),
        (17, ["four "] * 24, False),
        (40, ["four"] * 24, True),
        (4000, ["four"] * 24, False),
        (0, ["four"] * 24, False),
        (-3, ["four"] * 24, False),
        (True, ["x"], False),
        ("24", ["four"] * 24, False),
        (13, list("fifty-two characters as one chunk for each of them."), True),
        (10, list("fifty two letters as one chunk for each of them"), False),
        (200, ["word " * 150], True),
        (150, ["word " * 150], False),
        (12, ["汉字"] * 6, True),
        (30, ["👍"] * 10, True),
        (49, ["abcde"] * 39, False),
        (56, ["abcde"] * 39, False),
        (65, ["abcde"] * 39, False),
        (52, ["word "] * 40, False),
        (53, ["abcde"] * 39, True),
        (10, [], False),
    ],
)
def test_which_counts_are_believed(tokens: object, pieces: list[str], is_believed: bool) -> None:
    usage = {"completion_tokens": tokens, "prompt_tokens": 3}
    stream = sse(*(chunk(piece) for piece in pieces), {"choices": [], "usage": usage})
    deltas, _ = decoded(OPENAI, [stream])
    found = [d for d in deltas if isinstance(d, UsageDelta)]
    assert [d.tokens_out for d in found] == ([tokens] if is_believed else [])


@pytest.mark.parametrize(
    "told",
    [
        {"prompt_tokens_details": {"cached_tokens": 34}},
        {"input_tokens_details": {"cached_tokens": 34}},
        {"cached_tokens": 34},
        {"prompt_cache_hit_tokens": 34, "prompt_cache_miss_tokens": 1},
        {"cache_read_input_tokens": 34},
    ],
)
def test_a_cached_prompt_under_any_name(told: dict[str, object]) -> None:
    usage = {"completion_tokens": 9, "prompt_tokens": 35, **told}
    stream = sse(*(chunk(" word") for _ in range(9)), {"choices": [], "usage": usage})
    deltas, _ = decoded(OPENAI, [stream])
    [found] = [d for d in deltas if isinstance(d, UsageDelta)]
    assert (found.tokens_in, found.tokens_cached) == (35, 34)
