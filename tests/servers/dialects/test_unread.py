"""Nothing of a stream is dropped in silence: what cannot be read is counted, quoted and told."""

from __future__ import annotations

import json

import pytest

from tests.servers.dialects.sent import chunk, sse
from tests.servers.requests import decoded, new_turn, request, text_of
from tui.core.turn.result import result_of
from tui.core.turn.turn import Turn
from tui.core.types import DoneDelta, FinishDelta, UnreadDelta
from tui.servers.dialects import openai


def turn_of(*pieces: bytes) -> Turn:
    turn = new_turn()
    decoder = openai.DIALECT.decoder(request())
    for piece in pieces:
        turn.feed(turn.t0_ns + 1, decoder.feed(piece))
    turn.feed(turn.t0_ns + 2, decoder.close())
    turn.end_of_stream(turn.t0_ns + 3)
    return turn


STOP = sse(chunk(None, "stop"))
A = json.dumps(chunk("a"))
B = json.dumps(chunk("b"))


@pytest.mark.parametrize(
    "stream",
    [
        f"data: {A}\ndata: {B}\n\n",
        f"data: {A}{B}\n\n",
        f"data: {A}data: {B}\n\n",
        f"data: {A}\n{B}\n\n",
        f"Data: {A}\n\n DATA: {B}\n\n",
        f"data: {A}\n\n{B}\n",
        f"data: {json.dumps(chunk('a'), indent=1)}".replace("\n", "\ndata: ")
        + f"\n\ndata: {B}\n\n",
    ],
)
def test_events_that_run_into_each_other_are_events_of_their_own(stream: str) -> None:
    turn = turn_of(stream.encode() + STOP)
    assert (turn.status, turn.text, turn.unread.count) == ("complete", "ab", 0)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        ('error: {"message": "no memory"}', "no memory"),
        ("error: no memory", "no memory"),
        ('{"error": "no memory"}', "no memory"),
        ('{\n "error": {\n  "message": "no memory"\n }\n}', "no memory"),
        ("Error: no memory", "no memory"),
        ("data: Traceback (most recent call last): no memory", "no memory"),
        ('data: "Error: no memory"', "no memory"),
        ('data: {"code": 500, "message": "no memory"}', "no memory"),
        ('data: {"errors": [{"message": "no memory"}]}', "no memory"),
        ('data: {"error_msg": "no memory"}', "no memory"),
        ('data: {"type": "error", "message": "no memory"}', "no memory"),
        ('data: {"success": false, "msg": "no memory"}', "no memory"),
        ('data: {"choices": [{"error": {"message": "no memory"}}]}', "no memory"),
        ("event: error\ndata: no memory", "no memory"),
        ('event: Error\ndata: {"message": "no memory"}', "no memory"),
        ("event: exception\ndata: no memory", "no memory"),
        ("event: error", "without saying which"),
        ('data: {"choices": [{"delta": {"error": "no memory"}}]}', "no memory"),
        ('data: [{"error": "no memory"}]', "no memory"),
    ],
)
@pytest.mark.parametrize("end", ["\n\n", "\n", "\n\ndata: [DONE]\n\n"])
@pytest.mark.parametrize("has_text", [True, False])
def test_errors_in_any_shape(error: str, said: str, end: str, has_text: bool) -> None:
    before = f"data: {A}\n\n" if has_text else ": hello\n\n"
    turn = turn_of((before + error + end).encode())
    assert turn.status == ("interrupted" if has_text else "error")
    assert turn.error is not None
    assert said in turn.error.sentence
    assert turn.text == ("a" if has_text else "")


@pytest.mark.parametrize("broken", ['{"choices": [{"delta": {"cont', '{"choices": x}'])
def test_a_broken_chunk_is_a_loss(broken: str) -> None:
    turn = turn_of(f"data: {A}\n\ndata: {broken}\n\ndata: {B}\n\n".encode() + STOP)
    assert (turn.status, turn.text, turn.unread.count) == ("interrupted", "ab", 1)
    assert turn.error is not None
    assert "1 event of the stream could not be read: “{" in turn.error.sentence


def test_text_that_is_no_chunk_is_counted_and_quoted() -> None:
    stream = f"data: {A}\n\nmodel is warming up\n\ndata: {B}\n\nagain\n\n".encode()
    turn = turn_of(stream + STOP)
    assert (turn.status, turn.text, turn.unread.count) == ("complete", "ab", 2)
    assert turn.unread.first == "model is warming up"
    assert turn.stats(turn.t0_ns + 9).unread_events == 2
    values = result_of(turn, turn.t0_ns + 9).to_json_dict()
    assert (values["unread_events"], values["unread_text"]) == (2, "model is warming up")
    assert "2 events of the stream could not be read" in str(values["note"])
    cut = turn_of(stream)
    assert cut.error is not None
    assert "“model is warming up”" in cut.error.sentence


def test_a_foreign_chunk_is_a_loss_and_a_ping_is_none() -> None:
    foreign = '{"type": "response.output_text.delta", "delta": "Hel"}'
    turn = turn_of(f"data: {A}\n\ndata: {foreign}\n\n".encode() + STOP)
    assert (turn.status, turn.unread.count) == ("interrupted", 1)
    ping = 'event: ping\ndata: {"type": "ping"}\n\ndata: {}\n\n: hi\n\nid: 7\n\n'
    turn = turn_of(f"data: {A}\n\n{ping}".encode() + STOP)
    assert (turn.status, turn.unread.count) == ("complete", 0)


@pytest.mark.parametrize(
    "messages",
    [
        ["Hello", "Hello world", "Hello world!"],
        ["Hello", " world", "!"],
        ["Hello world!", "Hello world!"],
    ],
)
def test_messages_complete_and_never_repeat(messages: list[str]) -> None:
    rows = [{"choices": [{"message": {"content": text}}]} for text in messages]
    turn = turn_of(sse(*rows, chunk(None, "stop")))
    assert (turn.status, turn.text) == ("complete", "Hello world!")


@pytest.mark.parametrize("last", ["Hello world", " Hello world", "Hello world, you"])
def test_a_message_after_deltas_is_the_same_answer(last: str) -> None:
    final = {"choices": [{"message": {"content": last}, "finish_reason": "stop"}]}
    turn = turn_of(sse(chunk(" Hello"), chunk(" world"), final))
    assert turn.text.strip() == last.strip()
    assert turn.text.count("Hello") == 1


@pytest.mark.parametrize(
    ("content", "text", "thinking"),
    [
        ([{"type": "text", "text": "a"}, {"type": "text", "text": "b"}], "ab", ""),
        ([{"type": "reasoning", "text": "t"}, {"type": "output_text", "text": "a"}], "a", "t"),
        ([{"type": "thinking", "thinking": "t"}, "a"], "a", "t"),
        ({"type": "text", "text": "a"}, "a", ""),
        ([{"type": "refusal", "refusal": "no"}], "no", ""),
        ([{"type": "image_url", "image_url": {}}], "", ""),
    ],
)
def test_typed_parts_go_where_their_type_says(content: object, text: str, thinking: str) -> None:
    turn = turn_of(sse(chunk(content), chunk(None, "stop")))
    assert (turn.text, turn.thinking) == (text, thinking)


CALL = {"tool_calls": [{"index": 0, "function": {"name": "weather", "arguments": "{}"}}]}
MORE = {"tool_calls": [{"index": 0, "function": {"arguments": "{}"}}]}


@pytest.mark.parametrize(
    ("delta", "quoted", "is_loss"),
    [
        (CALL, "weather", False),
        ({"function_call": {"name": "weather", "arguments": ""}}, "weather", False),
        ({"audio": {"transcript": "spoken"}}, "spoken", False),
        ({"output_text": "elsewhere"}, "elsewhere", False),
        ({"content": 42}, "42", True),
        ({"content": [{"type": "text", "txt": "misnamed"}]}, "misnamed", True),
        ({"content": {"type": "image_url", "image_url": {"url": "cat.png"}}}, "cat.png", False),
    ],
)
def test_a_delta_that_cannot_be_read_is_told(
    delta: dict[str, object], quoted: str, is_loss: bool
) -> None:
    row = {"choices": [{"delta": delta, "finish_reason": None}]}
    turn = turn_of(sse(chunk("a"), row, chunk("b"), chunk(None, "stop")))
    assert (turn.text, turn.unread.count) == ("ab", 1)
    assert quoted in (turn.unread.first or "")
    assert turn.status == ("interrupted" if is_loss else "complete")


@pytest.mark.parametrize(
    "delta",
    [
        {"role": "assistant", "content": "", "refusal": None, "tool_calls": None},
        {"content": "", "tool_calls": [], "function_call": {}, "audio": None, "name": "board"},
        {"reasoning_signature": "abc", "tool_call_id": "abc", "token_ids": [1, 2]},
        {"content": [{"type": "text", "text": ""}]},
        {},
        MORE,
    ],
)
def test_an_empty_delta_is_no_loss(delta: dict[str, object]) -> None:
    row = {"choices": [{"delta": delta, "finish_reason": None}]}
    turn = turn_of(sse(row, chunk("a"), row, chunk(None, "stop")))
    assert (turn.status, turn.text, turn.unread.count, turn.note) == ("complete", "a", 0, None)


@pytest.mark.parametrize(
    "choices", [[{"delta": "a"}], [{"delta": [{"content": "a"}]}], {"delta": {"content": "a"}}]
)
def test_chunks_of_odd_shape_are_read(choices: object) -> None:
    turn = turn_of(sse({"choices": choices}, chunk("b"), chunk(None, "stop")))
    assert (turn.status, turn.text, turn.unread.count) == ("complete", "ab", 0)


def test_chunks_in_a_list_are_read() -> None:
    turn = turn_of(f"data: [{A}, {B}]\n\n".encode() + STOP)
    assert (turn.status, turn.text, turn.unread.count) == ("complete", "ab", 0)


@pytest.mark.parametrize(
    "name", ["reasoning", "thinking", "reasoning_text", "thought", "reasoning_details"]
)
def test_thinking_under_any_name(name: str) -> None:
    value = [{"type": "reasoning.text", "text": "t"}] if name.endswith("details") else "t"
    row = {"choices": [{"delta": {name: value}}]}
    turn = turn_of(sse(row, chunk("a"), chunk(None, "stop")))
    assert (turn.text, turn.thinking, turn.status) == ("a", "t", "complete")


def test_a_call_of_a_tool_is_no_empty_answer_without_a_reason() -> None:
    rows = [{"choices": [{"delta": CALL}]}, {"choices": [{"delta": MORE}]}]
    turn = turn_of(sse(*rows, chunk(None, "tool_calls")))
    assert (turn.status, turn.unread.count) == ("empty", 1)
    assert "called a tool" in (turn.note or "")
    turn = turn_of(sse(chunk("a"), *rows, chunk(None, "tool_calls")))
    assert turn.status == "complete"
    assert "called a tool" in (turn.note or "")


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("STOP", "complete"),
        ("<|im_end|>", "complete"),
        ("</s>", "complete"),
        ("stop.", "complete"),
        ("FINISH_REASON_STOP", "complete"),
        ({"type": "stop"}, "complete"),
        (["stop"], "complete"),
        ({"type": "abort"}, "interrupted"),
        ("FINISH_REASON_SAFETY", "interrupted"),
        ("content_filter", "interrupted"),
        ("CANCELLED", "interrupted"),
        ("FINISH_REASON_UNSPECIFIED", "interrupted"),
        ("in_progress", "interrupted"),
        ({}, "interrupted"),
        (0, "interrupted"),
    ],
)
def test_the_word_of_the_finish_in_any_spelling(word: object, status: str) -> None:
    row = {"choices": [{"delta": {}, "finish_reason": word}]}
    turn = turn_of(sse(chunk("a"), row, end=b""))
    assert turn.status == status


@pytest.mark.parametrize("mark", ["[DONE]", "[done]", "DONE", '"[DONE]"', " [Done] "])
def test_the_end_mark_in_any_spelling(mark: str) -> None:
    turn = turn_of(f"data: {A}\n\ndata: {mark}\n\n".encode())
    assert (turn.status, turn.text, turn.unread.count) == ("complete", "a", 0)


@pytest.mark.parametrize("text", ["\u200b\ufeff", "\u2060 \u00ad\n", " \n"])
def test_text_of_which_nothing_can_be_seen_is_no_answer(text: str) -> None:
    assert turn_of(sse(chunk(text), chunk(None, "stop"))).status == "empty"


def test_the_last_chunk_may_hold_the_whole_answer_again() -> None:
    words = [" The board", " answers one", " word", " after the other."]
    rows = [chunk(word) for word in words]
    turn = turn_of(sse(*rows, chunk("".join(words), "stop")))
    assert turn.text == "".join(words)
    turn = turn_of(sse(*rows, chunk(" And on.", "stop")))
    assert turn.text == "".join(words) + " And on."


WORDS = [f" word{n}" for n in range(12)]
WHOLE = "".join(WORDS)


def words(*last: str) -> list[bytes]:
    """Events with these words, and then those."""
    events = [event({"choices": [{"delta": {"content": word}}]}) for word in WORDS]
    return [*events, *(one.encode() for one in last)]


def event(value: object) -> bytes:
    return f"data: {json.dumps(value)}\n\n".encode()


FINISH = 'data: {"choices": [{"delta": {}, "finish_reason": "stop"}]}\n\n'


@pytest.mark.parametrize("end", [FINISH, "data: [DONE]\n\n", ""])
def test_the_whole_answer_once_more_before_the_end_is_no_part_of_it(end: str) -> None:
    again = event({"choices": [{"delta": {"content": WHOLE}}]}).decode()
    deltas, _ = decoded(openai.DIALECT, words(again, end))
    assert text_of(deltas) == WHOLE


def test_an_answer_that_says_all_of_itself_again_goes_on() -> None:
    again = event({"choices": [{"delta": {"content": WHOLE}}]}).decode()
    more = event({"choices": [{"delta": {"content": " more"}}]}).decode()
    deltas, _ = decoded(openai.DIALECT, words(again, more, FINISH))
    assert text_of(deltas) == f"{WHOLE}{WHOLE} more"


@pytest.mark.parametrize(
    "lost",
    [
        {"choices": [{"message": {"content": " another answer"}}]},
        {"candidates": [{"content": {"parts": [{"text": " another answer"}]}}]},
    ],
)
def test_text_in_a_place_that_is_not_its_own_is_told(lost: object) -> None:
    deltas, _ = decoded(openai.DIALECT, words(event(lost).decode(), FINISH))
    assert text_of(deltas) == WHOLE
    (unread,) = [delta for delta in deltas if isinstance(delta, UnreadDelta)]
    assert "another answer" in unread.text


def test_an_event_may_be_the_end_by_its_name() -> None:
    deltas, _ = decoded(openai.DIALECT, words("event: done\ndata: {}\n\n"))
    assert isinstance(deltas[-1], DoneDelta)


def test_chunks_with_nothing_between_them_are_read() -> None:
    chunks = [json.dumps({"choices": [{"delta": {"content": word}}]}) for word in WORDS]
    deltas, decoder = decoded(openai.DIALECT, [chunk.encode() for chunk in chunks])
    assert text_of(deltas) == WHOLE
    assert decoder.nonsense is None
    finish = FINISH.removeprefix("data: ").strip()
    deltas, _ = decoded(openai.DIALECT, ["".join([*chunks, finish]).encode()])
    assert text_of(deltas) == WHOLE
    assert any(isinstance(delta, FinishDelta) for delta in deltas)


def test_an_answer_in_one_piece_is_no_single_token() -> None:
    turn = turn_of(sse(chunk("A whole answer of several words that came in one event")), STOP)
    stats = turn.stats(turn.t0_ns + 9)
    assert stats.tokens_source == "estimated"
    assert 10 <= stats.tokens <= 14


def test_thinking_by_tag_after_thinking_on_its_channel_begins_anew() -> None:
    channel = {"choices": [{"delta": {"reasoning_content": "first"}}]}
    turn = turn_of(sse(channel, chunk("<think>then</think>answer"), chunk(None, "stop")))
    assert (turn.thinking, turn.text) == ("first\n\nthen", "answer")
