"""What arrives, in which pieces, and how it ends: edge cases 1 to 12."""

from __future__ import annotations

from time import perf_counter_ns

import pytest

from tests.servers.edge_cases.asking import Board, edge_case, marked
from tui.core.turn.turn import Turn


def whole(board: Board, turn: Turn) -> None:
    """The answer is complete, and what the runtime said."""
    assert (turn.status, turn.error) == ("complete", None)
    assert turn.text == board.true_text()
    assert "\N{REPLACEMENT CHARACTER}" not in turn.text


@edge_case(1)
@pytest.mark.parametrize("fault", ["split-utf8", "crlf", "joined"])
async def test_bytes_cut_anywhere(board: Board, fault: str) -> None:
    whole(board, await board.ask(marked(fault, tokens=16, text="[[emoji]]")))


@edge_case(2)
async def test_comments_before_the_first_token(board: Board) -> None:
    turn = await board.ask(marked("heartbeat", "slow-first=0.25", tokens=4))
    whole(board, turn)
    ttft_ms = turn.stats(perf_counter_ns()).ttft_ms
    assert ttft_ms is not None
    assert ttft_ms >= 250


@edge_case(3)
async def test_events_without_text_are_no_first_token(board: Board) -> None:
    turn = await board.ask(marked("empty-first", "slow-first=0.25", tokens=4))
    whole(board, turn)
    ttft_ms = turn.stats(perf_counter_ns()).ttft_ms
    assert ttft_ms is not None
    assert ttft_ms >= 250


@edge_case(4)
async def test_usage_null_in_every_chunk(board: Board) -> None:
    turn = await board.ask(marked(tokens=12))
    whole(board, turn)
    assert turn.stats(perf_counter_ns()).chunks == 12


@edge_case(5)
async def test_numbers_wherever_they_stand(board: Board) -> None:
    turn = await board.ask(marked(tokens=60))
    whole(board, turn)
    stats = turn.stats(perf_counter_ns())
    is_believed = board.name not in ("rockchipllama", "rkllm")
    assert stats.tokens == 60
    assert stats.tokens_source == ("runtime" if is_believed else "estimated")
    assert stats.unread_events == 0


@edge_case(6)
async def test_an_error_inside_the_stream(board: Board) -> None:
    turn = await board.ask(marked("error=5", tokens=20))
    assert turn.error is not None
    assert (turn.status, turn.error.kind) == ("interrupted", "server")
    assert "the simulated runtime reported an error" in turn.error.sentence
    assert turn.text == board.true_text()


@edge_case(7)
@pytest.mark.parametrize("fault", ["cut", "eof"])
async def test_the_stream_ends_without_an_end(board: Board, fault: str) -> None:
    if fault == "eof" and board.dialect.is_finished_by_end:
        pytest.skip("an end in good order is how this server finishes")
    turn = await board.ask(marked(f"{fault}=5", tokens=20))
    assert turn.error is not None
    assert (turn.status, turn.error.kind) == ("interrupted", "cut")
    assert turn.text == board.true_text()


@edge_case(8)
async def test_the_servers_own_words_about_an_error(board: Board) -> None:
    turn = await board.ask(marked("json-error"))
    assert turn.error is not None
    assert turn.status in ("refused", "error")
    words = {
        "rkllm-demo": "Missing 'messages' in request body.",
        "rkllm-chat": "Invalid JSON data!",
        "rkllm-api-server": "must contain at least one valid message object",
        "orkllm": "Body is not valid JSON",
    }.get(board.name, "(a simulated fault)")
    assert words in turn.error.sentence
    assert not set("{}\n") & set(turn.error.sentence)


@edge_case(9)
@pytest.mark.parametrize("fault", ["html-error", "html-page"])
async def test_a_web_page(board: Board, fault: str) -> None:
    turn = await board.ask(marked(fault))
    assert turn.error is not None
    assert turn.status == "error"
    assert turn.error.kind == ("http" if fault == "html-error" else "protocol")
    assert "<" not in turn.error.sentence
    assert turn.text == ""


@edge_case(10)
async def test_one_object_instead_of_a_stream(board: Board) -> None:
    turn = await board.ask(marked("whole", tokens=30))
    whole(board, turn)
    stats = turn.stats(perf_counter_ns())
    assert stats.itl_p50_ms is None
    assert stats.decode_source != "measured"


@pytest.mark.slow
@edge_case(11)
async def test_every_event_repeats_all_before_it(board: Board) -> None:
    turn = await board.ask(marked(tokens=250))
    whole(board, turn)
    assert turn.stats(perf_counter_ns()).chunks == len(turn.text) > 600


@edge_case(12)
async def test_a_character_in_each_chunk(board: Board) -> None:
    turn = await board.ask(marked(tokens=60, text="[[emoji]]"))
    whole(board, turn)
    stats = turn.stats(perf_counter_ns())
    assert stats.chunks == len(turn.text)
    assert stats.tokens_source == "estimated"
    assert stats.decode_source != "measured"
    assert stats.itl_p50_ms is None
