"""A block is shown with an answer only where nothing speaks against it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tui.board.runtime_log.blocks import RuntimeBlock
from tui.board.runtime_log.match import AnswerWindow, match
from tui.board.runtime_log.reader import window_of
from tui.core.turn.turn import Turn
from tui.core.types import (
    ChatRequest,
    DoneDelta,
    FinishDelta,
    GenerationSettings,
    Message,
    TextDelta,
)

BLOCK = RuntimeBlock(402.36, 19, 11874.1, 63, "table", time_s=1013.5)
WINDOW = AnswerWindow(
    sent_s=1000.0, last_s=1013.0, ttft_ms=410.0, span_ms=11870.0, chunks=64, is_chunk_token=True
)


def test_the_only_block_that_agrees_is_it() -> None:
    assert match(WINDOW, [BLOCK]) == BLOCK


@pytest.mark.parametrize(
    ("window", "block"),
    [
        (WINDOW, replace(BLOCK, time_s=999.0)),
        (WINDOW, replace(BLOCK, time_s=1016.0)),
        (WINDOW, replace(BLOCK, prefill_ms=900.0)),
        (replace(WINDOW, chunks=30, span_ms=5000.0), BLOCK),
        # More events than the runtime has tokens: not this answer, whatever the time says.
        (replace(WINDOW, chunks=90), BLOCK),
        (replace(WINDOW, is_chunk_token=False, span_ms=9000.0), BLOCK),
        (WINDOW, RuntimeBlock(402.36, 19, 0.0, 1, "table", time_s=1013.0)),
    ],
)
def test_what_disagrees_is_refused(window: AnswerWindow, block: RuntimeBlock) -> None:
    assert match(window, [block]) is None


def test_two_answers_in_the_same_time_are_ambiguous() -> None:
    assert match(WINDOW, [BLOCK, replace(BLOCK, decode_tokens=64, time_s=1005.0)]) is None


def test_the_same_run_told_by_server_and_runtime_is_one() -> None:
    told = RuntimeBlock(402.0, 19, 11874.0, 63, "rockchipllama", time_s=1013.6)
    assert match(WINDOW, [told, BLOCK]) is not None


def test_characters_of_several_tokens_make_fewer_events() -> None:
    assert match(replace(WINDOW, chunks=40), [BLOCK]) == BLOCK


def test_characters_as_events_go_by_time() -> None:
    assert match(replace(WINDOW, chunks=250, is_chunk_token=False), [BLOCK]) == BLOCK


def test_the_name_of_the_answer_decides() -> None:
    named = replace(BLOCK, response_id="chatcmpl-9f", source="rkllm-api-server")
    window = replace(WINDOW, response_id="chatcmpl-9f")
    other = replace(named, response_id="chatcmpl-a0")
    assert match(window, [named, other]) == named
    assert match(window, [other]) is None


def test_an_answer_brings_its_name_along() -> None:
    turn = Turn(ChatRequest("m", (Message("user", "hi"),), GenerationSettings()), 0)
    for number in range(3):
        turn.feed((500 + number * 50) * 1_000_000, [TextDelta("word ")])
    turn.feed(700_000_000, [FinishDelta("stop", "chatcmpl-9f"), DoneDelta()])
    window = window_of(turn, 800_000_000, 1000.8)
    assert window is not None
    assert window.response_id == "chatcmpl-9f"
    mine = RuntimeBlock(450.0, 5, 100.0, 2, "rkllm-api-server", response_id="chatcmpl-9f")
    other = replace(mine, response_id="chatcmpl-a0")
    assert match(window, [other, mine]) == mine
    assert match(replace(window, response_id=None), [other, mine]) is None
