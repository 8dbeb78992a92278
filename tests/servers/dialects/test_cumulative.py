"""Servers that send the whole text so far in every event, and texts that only look like it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.servers.requests import cuts, decoded, new_turn, text_of, thinking_of
from tui.core.turn.read_times import ReadTimes
from tui.core.types import (
    CumulativeDelta,
    Delta,
    FinishDelta,
    TextDelta,
    ThinkingDelta,
    UnreadDelta,
    UsageDelta,
)
from tui.servers.dialects import ollama, openai, rkllm_family
from tui.servers.dialects.dialect import Dialect

TEXT = "The RK3588 has three NPU cores. Each of them works on a part of the model, and they share"
PIECES = tuple(f"{word} " for word in TEXT.split())

Wire = Callable[[Sequence[dict[str, str]]], bytes]


def _sse(values: Sequence[object]) -> bytes:
    return "".join(f"data: {json.dumps(value)}\n\n" for value in values).encode()


def _choices(part: str, deltas: Sequence[object]) -> list[object]:
    return [{"choices": [{part: one, "finish_reason": None}]} for one in deltas]


def chat(deltas: Sequence[dict[str, str]]) -> bytes:
    end: list[object] = [{"choices": [{"delta": {}, "finish_reason": "stop"}]}]
    return _sse(_choices("delta", deltas) + end) + b"data: [DONE]\n\n"


def after_a_role(deltas: Sequence[dict[str, str]]) -> bytes:
    return chat([{"role": "assistant", "content": ""}, *deltas])


def with_every_finish(deltas: Sequence[dict[str, str]]) -> bytes:
    return _sse([{"choices": [{"delta": one, "finish_reason": "stop"}]} for one in deltas])


def with_the_whole_at_the_end(deltas: Sequence[dict[str, str]]) -> bytes:
    end = {"choices": [{"delta": deltas[-1], "finish_reason": "stop"}]}
    return _sse([*_choices("delta", deltas), end])


def completions(deltas: Sequence[dict[str, str]]) -> bytes:
    end: list[object] = [{"choices": [{"text": "", "finish_reason": "stop"}]}]
    return _sse(_choices("text", [one["content"] for one in deltas]) + end)


def lines(deltas: Sequence[dict[str, str]]) -> bytes:
    end: list[object] = [{"choices": [{"delta": {}, "finish_reason": "stop"}]}]
    values = _choices("delta", deltas) + end
    return "".join(f"{json.dumps(value)}\n" for value in values).encode()


def lines_of_text(deltas: Sequence[dict[str, str]]) -> bytes:
    end: list[object] = [{"choices": [{"text": "", "finish_reason": "stop"}]}]
    values = _choices("text", [one["content"] for one in deltas]) + end
    return "".join(f"{json.dumps(value)}\n" for value in values).encode()


def ollama_chat(deltas: Sequence[dict[str, str]]) -> bytes:
    values: list[object] = [{"message": one, "done": False} for one in deltas]
    return "".join(f"{json.dumps(value)}\n" for value in [*values, {"done": True}]).encode()


def ollama_generate(deltas: Sequence[dict[str, str]]) -> bytes:
    values: list[object] = [{"response": one["content"], "done": False} for one in deltas]
    return "".join(f"{json.dumps(value)}\n" for value in [*values, {"done": True}]).encode()


WIRES: tuple[tuple[Dialect, Wire], ...] = (
    (openai.DIALECT, chat),
    (openai.DIALECT, after_a_role),
    (openai.DIALECT, with_every_finish),
    (openai.DIALECT, with_the_whole_at_the_end),
    (openai.DIALECT, completions),
    (openai.DIALECT, lines),
    (openai.DIALECT, lines_of_text),
    (rkllm_family.DIALECT, chat),
    (ollama.DIALECT, ollama_chat),
    (ollama.DIALECT, ollama_generate),
)
ON_EVERY_WIRE = pytest.mark.parametrize(
    ("dialect", "wire"), WIRES, ids=[f"{one.name}-{wire.__name__}" for one, wire in WIRES]
)


def growing(pieces: Sequence[str]) -> list[str]:
    return ["".join(pieces[: count + 1]) for count in range(len(pieces))]


def contents(texts: Sequence[str]) -> list[dict[str, str]]:
    return [{"content": text} for text in texts]


def is_whole(deltas: Sequence[Delta]) -> bool:
    return CumulativeDelta() in deltas


def marks(deltas: Sequence[Delta]) -> int:
    """How many chunks with text there are."""
    return sum(1 for delta in deltas if isinstance(delta, TextDelta | ThinkingDelta))


@ON_EVERY_WIRE
def test_each_word_of_whole_texts_is_shown_and_counted_once(dialect: Dialect, wire: Wire) -> None:
    deltas, decoder = decoded(dialect, [wire(contents(growing(PIECES)))])
    assert text_of(deltas) == "".join(PIECES)
    assert is_whole(deltas)
    assert marks(deltas) == len(PIECES)
    assert decoder.nonsense is None
    turn = new_turn()
    turn.feed(turn.t0_ns + 1, deltas)
    turn.end_of_stream(turn.t0_ns + 2)
    assert turn.status == "complete"
    assert turn.stats(turn.t0_ns + 3).tokens == len(PIECES)
    assert turn.note is not None
    assert turn.note.count("whole text") == 1


@ON_EVERY_WIRE
@pytest.mark.parametrize("piece", ["ha ", " ha", "ha", "\n\n", "no, ", "=="])
def test_a_text_that_repeats_itself_in_pieces_is_shown_as_it_is(
    dialect: Dialect, wire: Wire, piece: str
) -> None:
    pieces = [piece] * 40 + ["and", " so", " on"]
    if wire is with_the_whole_at_the_end:
        pieces = [piece, f"{piece}{piece}", f"{piece}{piece}{piece}", "x"]
    deltas, _ = decoded(dialect, [wire(contents(pieces))])
    last = pieces[-1] if wire is with_the_whole_at_the_end else ""
    assert text_of(deltas) == "".join(pieces) + last
    assert not is_whole(deltas)


@pytest.mark.parametrize(
    "pieces",
    [
        ["1", "10", "100", "1000", "10000", "100000", "1000000"],
        [" S", " St", " Str", " Stra", " Straw", " Strawb", " Strawbe", " Strawber"],
        ["*", "**", "***", "****", "*****", "******", "*******"],
        ["ha ", "ha ha ", "ha ha ha "],
        ["All work and no play. "] * 6,
        ["Yes", "Yes."],
    ],
)
def test_pieces_that_grow_for_a_reason_of_their_own(pieces: list[str]) -> None:
    deltas, _ = decoded(openai.DIALECT, [chat(contents(pieces))])
    assert text_of(deltas) == "".join(pieces)
    assert not is_whole(deltas)


def test_thinking_and_answer_as_whole_texts() -> None:
    thought, words = growing(["Let ", "me ", "see: ", "three ", "cores."]), growing(PIECES)
    both: list[dict[str, str]] = [{"reasoning_content": text} for text in thought]
    both += [{"reasoning_content": thought[-1], "content": text} for text in words]
    deltas, _ = decoded(openai.DIALECT, [chat(both)])
    assert thinking_of(deltas) == thought[-1]
    assert text_of(deltas) == words[-1]
    apart = [one for one in both if len(one) == 1] + contents(words)
    deltas, _ = decoded(openai.DIALECT, [chat(apart)])
    assert (thinking_of(deltas), text_of(deltas)) == (thought[-1], words[-1])


def test_thinking_that_stands_still_while_the_answer_grows() -> None:
    both = [{"reasoning": "Easy.", "content": text} for text in growing(PIECES)]
    deltas, _ = decoded(openai.DIALECT, [chat(both)])
    assert (thinking_of(deltas), text_of(deltas)) == ("Easy.", "".join(PIECES))


def test_torn_characters_of_whole_texts_are_replaced() -> None:
    texts = ["A \ufffd", "A \U0001f600 ", "A \U0001f600 is ", "A \U0001f600 is a \ufffd\ufffd"]
    texts += ["A \U0001f600 is a ☃", "A \U0001f600 is a ☃ man", "A \U0001f600 is a ☃ man."]
    deltas, _ = decoded(openai.DIALECT, [chat(contents(texts))])
    assert text_of(deltas) == texts[-1]


def test_the_end_taken_back_and_a_piece_among_whole_texts_lose_nothing() -> None:
    texts = [*growing(PIECES), "".join(PIECES)[:-3], "".join(PIECES)]
    deltas, _ = decoded(openai.DIALECT, [chat(contents([*texts, "them."]))])
    assert text_of(deltas) == "".join(PIECES) + "them."


def test_a_changed_text_is_told() -> None:
    texts = [*growing(PIECES), "".join(PIECES).replace("share", "shape") + "it"]
    deltas, _ = decoded(openai.DIALECT, [chat(contents(texts))])
    assert text_of(deltas) == "".join(PIECES) + "it"
    assert sum(isinstance(delta, UnreadDelta) for delta in deltas) == 1


def test_a_count_of_a_whole_text_server_is_believed_where_it_agrees() -> None:
    usage = {"choices": [], "usage": {"prompt_tokens": 12, "completion_tokens": len(PIECES)}}
    body = _sse([*_choices("delta", contents(growing(PIECES))), usage]) + b"data: [DONE]\n\n"
    deltas, _ = decoded(openai.DIALECT, [body])
    (told,) = [delta for delta in deltas if isinstance(delta, UsageDelta)]
    assert told.tokens_out == len(PIECES)


def test_what_was_held_back_keeps_the_time_at_which_it_came() -> None:
    for pieces in (growing(PIECES), ["very ", "very ", "very ", "odd ", "text ", "indeed"]):
        decoder, turn, times = openai.DIALECT.decoder(new_turn().request), new_turn(), ReadTimes()
        for count, content in enumerate(contents(pieces)):
            data = _sse(_choices("delta", [content]))
            times.feed(turn, turn.t0_ns + count * 1000, decoder.feed(data))
        times.feed(turn, turn.t0_ns + 99_000, decoder.close())
        stamps = [stamp - turn.t0_ns for stamp in turn.stamps_ns]
        assert stamps == [count * 1000 for count in range(len(pieces))]


def test_a_short_answer_that_ends_in_the_doubt() -> None:
    deltas, _ = decoded(openai.DIALECT, [chat(contents(["Yes", "Yes,", "Yes, it is."]))])
    assert text_of(deltas) == "Yes, it is."
    assert [d for d in deltas if isinstance(d, FinishDelta)]


@settings(max_examples=150, deadline=None)
@given(st.text(min_size=1, max_size=200), st.lists(st.integers(0, 300), max_size=40), st.booleans())
@example("ha ha ha ha ha ha ha ha", [3, 6, 9, 12, 15, 18, 21], True)
@example("\ufffd\ufffd", [1], True)
def test_any_text_in_any_pieces_and_in_whole_texts(
    text: str, points: list[int], is_finished: bool
) -> None:
    text = text.encode("utf-8", "replace").decode().replace("\r", "")
    pieces = [cut.decode("utf-8", "replace") for cut in cuts(text.encode(), points)]
    pieces = ["A true story begins: ", "it is, ", "of ", "course, ", "this: ", *pieces]
    body = chat if is_finished else lines
    deltas, _ = decoded(openai.DIALECT, [body(contents(pieces))])
    assert text_of(deltas) == "".join(pieces)
    whole = ["".join(pieces[:5])[:at] for at in (13, 21, 28, 31, 39)]
    whole += ["".join(pieces[:5]) + text[:at] for at in sorted(p % (len(text) + 1) for p in points)]
    whole += ["".join(pieces[:5]) + text]
    deltas, _ = decoded(openai.DIALECT, [body(contents(whole))])
    assert text_of(deltas) == whole[-1]


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(["ha ", "ha", "a b a ", "* ", "la-la, "]), st.lists(st.integers(0, 120)))
def test_repetitive_text_in_any_pieces(unit: str, points: list[int]) -> None:
    pieces = [cut.decode() for cut in cuts((unit * 20).encode(), points)]
    deltas, _ = decoded(openai.DIALECT, [chat(contents(pieces))])
    assert text_of(deltas) == unit * 20
