"""Counts that servers report and that are not the tokens of this stream. Events 50 ms apart."""

from __future__ import annotations

import json

import pytest

from tests.servers.cases import T0, Case, decoded_turn
from tui.core.turn.result import TurnResult, result_of
from tui.core.turn.turn import Turn
from tui.core.types import ChatRequest, GenerationSettings, Message
from tui.servers.dialects import openai

AFTER = T0 + 10**12


def answered_with(
    words: list[str],
    usage: dict[str, object],
    reason: str = "stop",
    first_s: float = 0.5,
    **more: object,
) -> TurnResult:
    """The answer of these words, and of thinking where a word begins with ``?``."""
    pieces = []
    for number, word in enumerate(words):
        part = {"reasoning_content": word[1:]} if word[:1] == "?" else {"content": word}
        pieces.append((0.05 if number else first_s, event(choices=[{"delta": part}])))
    pieces.append((0.0, event(choices=[{"delta": {}, "finish_reason": reason}])))
    pieces.append((0.0, event(choices=[], usage=usage, **more) + b"data: [DONE]\n\n"))
    case = Case("made", tuple(pieces), "end", True, {}, openai.DIALECT)
    return result_of(decoded_turn(case), AFTER)


def event(**fields: object) -> bytes:
    return f"data: {json.dumps(fields)}\n\n".encode()


def test_characters_divided_by_four_are_no_count() -> None:
    found = answered_with(["word"] * 12, {"completion_tokens": 11}, "length")
    assert (found.tokens_out, found.tokens_source) == (12, "estimated")
    assert found.decode_tps == pytest.approx(20)
    assert found.decode_source == "estimated"


def test_the_server_lost_the_last_token() -> None:
    found = answered_with(["word "] * 11, {"completion_tokens": 12})
    assert (found.tokens_out, found.tokens_source) == (12, "runtime")
    assert found.decode_tps == pytest.approx(20)


def test_the_count_of_the_answer_before_is_not_believed() -> None:
    found = answered_with(["word "] * 24, {"completion_tokens": 60})
    assert (found.tokens_out, found.tokens_source) == (24, "estimated")
    assert found.decode_tps == pytest.approx(20)


@pytest.mark.parametrize(("count", "is_believed"), [(39, False), (41, True)])
def test_a_prompt_count_of_characters_by_four_is_not_believed(
    count: int, is_believed: bool
) -> None:
    prompt = "What does this board need a heat sink for? " * 3 + "Say it in a few words, please."
    assert len(prompt) // 4 == 39
    request = ChatRequest("m", (Message("user", prompt),), GenerationSettings())
    turn, decoder = Turn(request, T0), openai.DIALECT.decoder(request)
    for number in range(24):
        word = event(choices=[{"delta": {"content": "word "}}])
        turn.feed(T0 + number * 50_000_000, decoder.feed(word))
    usage = {"completion_tokens": 24, "prompt_tokens": count}
    end = event(choices=[{"delta": {}, "finish_reason": "stop"}])
    end += event(choices=[], usage=usage) + b"data: [DONE]\n\n"
    turn.feed(T0 + 2 * 10**9, decoder.feed(end))
    stats = turn.stats(AFTER)
    assert (stats.prompt_tokens == count) is is_believed
    assert stats.context_source == ("runtime" if is_believed else "estimated")
    assert (stats.tokens, stats.decode_source) == (24, "measured")


def test_a_cached_prompt_has_the_rate_of_what_was_processed() -> None:
    usage = {
        "completion_tokens": 24,
        "prompt_tokens": 35,
        "prompt_tokens_details": {"cached_tokens": 34},
    }
    found = answered_with(["word "] * 24, usage, first_s=0.04)
    assert found.prefill_tps is None
    timed = answered_with(
        ["word "] * 24, usage, first_s=0.04, timings={"prompt_n": 1, "prompt_ms": 15.8}
    )
    assert timed.prefill_tps == pytest.approx(1 / 0.0158)


def test_a_summary_of_the_reasoning_is_not_the_reasoning() -> None:
    usage = {
        "completion_tokens": 424,
        "completion_tokens_details": {"reasoning_tokens": 400},
    }
    found = answered_with(["?hm "] * 4 + ["word "] * 24, usage)
    assert found.tokens_hidden is not None
    assert 390 <= found.tokens_hidden <= 400
    assert found.decode_tps == pytest.approx(20, rel=0.05)
