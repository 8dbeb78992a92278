"""What an answer says of itself, and what is believed of it: edge cases 13 to 20."""

from __future__ import annotations

from dataclasses import replace
from time import perf_counter_ns

import pytest

from tests.servers.edge_cases.asking import RATE_TPS, USUAL, Board, edge_case, marked
from tests.servers.edge_cases.test_streams import whole
from tui.core.turn.turn import Turn
from tui.core.turn.turn_stats import TurnStats


def stats_of(turn: Turn) -> TurnStats:
    return turn.stats(perf_counter_ns())


def assert_honest(board: Board, stats: TurnStats, n_tokens: int) -> None:
    """A count that is called a fact is one, and so is a rate."""
    if stats.tokens_source in ("runtime", "measured"):
        assert stats.tokens == n_tokens
    if stats.decode_source in ("runtime", "measured"):
        assert stats.decode_tps == pytest.approx(RATE_TPS, rel=0.25)
    if stats.runtime_decode_tps is not None:
        assert stats.runtime_decode_tps == pytest.approx(RATE_TPS, rel=0.25)


@edge_case(13)
@pytest.mark.parametrize("faults", [(), ("other-unit",)], ids=["usual", "other-unit"])
async def test_units(board: Board, faults: tuple[str, ...]) -> None:
    turn = await board.ask(marked(*faults, tokens=100))
    whole(board, turn)
    stats = stats_of(turn)
    assert (stats.tokens, stats.tokens_source) == (100, "runtime")
    assert stats.runtime_decode_tps == pytest.approx(RATE_TPS, rel=0.1)
    assert_honest(board, stats, 100)


@edge_case(14)
async def test_words_are_no_tokens(board: Board) -> None:
    faults = {"rkllm-demo": ["whole"], "openai": ["word-usage"]}.get(board.name, [])
    turn = await board.ask(marked(*faults, tokens=60, text="[[prose]]"))
    whole(board, turn)
    stats = stats_of(turn)
    assert stats.tokens_source in ("estimated", "measured")
    assert stats.tokens != len(turn.text.split())


@edge_case(15)
@pytest.mark.parametrize("fault", ["stale-stats", "zero-stats", "no-stats"])
async def test_numbers_of_another_answer(board: Board, fault: str) -> None:
    if (board.name, fault) == ("rkllm-api-server", "no-stats"):
        pytest.skip("it then counts characters, and says that it did not finish: case 20")
    await board.ask(marked(tokens=90))
    turn = await board.ask(marked(fault, tokens=50))
    whole(board, turn)
    assert_honest(board, stats_of(turn), 50)
    assert stats_of(turn).tokens in range(48, 53)


@edge_case(16)
@pytest.mark.parametrize("kind", ["split", "unclosed", "close-only", "empty", "upper", "twice"])
async def test_marks_of_thinking(board: Board, kind: str) -> None:
    turn = await board.ask(marked(f"think={kind}", tokens=24, text="[[think=6]]"))
    assert turn.error is None
    shown = (turn.thinking + turn.text).lower()
    if board.name in PARSED_BY_SERVER and kind in ("close-only", "upper", "twice"):
        # Its own parser knows one opening mark, in small letters, and leaves the rest in.
        assert turn.status == "complete"
    else:
        assert "think>" not in shown
        assert "<th" not in shown
    assert turn.status == ("empty" if kind == "unclosed" else "complete")
    if kind in ("split", "unclosed"):
        assert turn.thinking.strip()
    if kind != "unclosed":
        assert turn.text.strip()


@edge_case(16)
async def test_numbers_of_an_answer_that_thinks(board: Board) -> None:
    """Some servers swallow the marks and white space: a token without a chunk."""
    thinking = replace(USUAL, is_thinking=True)
    turn = await board.ask(marked(tokens=110, text="[[think=40]]"), thinking)
    assert turn.status == "complete"
    assert turn.thinking.strip()
    assert turn.text.strip()
    assert_honest(board, stats_of(turn), 110)


PARSED_BY_SERVER = ("rkllm-api-server", "llama.cpp", "ollama")


@edge_case(17)
async def test_an_answer_that_is_sent_twice(board: Board) -> None:
    turn = await board.ask(marked("think=unclosed", tokens=30))
    said = board.true_text().removeprefix("<think>").strip()
    assert turn.thinking.strip() == said


@edge_case(18)
@pytest.mark.parametrize("fault", ["error=6", "timeout-text"])
async def test_an_error_that_comes_as_text(board: Board, fault: str) -> None:
    turn = await board.ask(marked(fault, tokens=20))
    assert turn.error is not None
    assert turn.status in ("interrupted", "error")
    assert turn.error.kind == "server"
    assert "TASK_ERROR" not in turn.text
    assert "Aborted" not in turn.text


@edge_case(19)
async def test_no_text_at_all(board: Board) -> None:
    turn = await board.ask(marked("empty"))
    stats = stats_of(turn)
    assert turn.status == "empty"
    assert (stats.chunks, stats.decode_tps, stats.ttft_ms) == (0, None, None)
    assert turn.note is not None


@edge_case(20)
async def test_the_limit_of_tokens(board: Board) -> None:
    turn = await board.ask(marked(tokens=40), replace(USUAL, max_tokens=20))
    said = board.true_text()
    assert turn.status == "complete"
    assert said.startswith(turn.text)
    stats = stats_of(turn)
    if board.name in ("rkllm-api-server", "orkllm", "rkllm-chat"):
        assert turn.text == said, "it has a limit of its own"
    elif board.name in ("llama.cpp", "ollama", "openai", "rkllm"):
        assert stats.is_at_limit
    assert_honest(board, stats, len(board.events("token")) and _n_said(board))


@edge_case(20)
async def test_an_error_of_the_runtime(board: Board) -> None:
    """Most servers say stop; nobody can know then, but no number may be made up."""
    if board.name == "rkllama":
        await board.ask(marked(tokens=4))  # takes with it what the answer before left over
    turn = await board.ask(marked("npu-error=30", tokens=50))
    said = board.true_text()
    assert said.startswith(turn.text)
    if board.name == "rkllm-api-server":
        assert turn.error is not None
        assert turn.status == "interrupted"
        assert "broken off" in turn.error.sentence
    stats = stats_of(turn)
    assert_honest(board, stats, _n_said(board))
    if board.name == "rkllama":
        after = await board.ask(marked(tokens=30))
        assert after.status == "complete"
        assert after.text == said.removeprefix(turn.text) + board.true_text()


def _n_said(board: Board) -> int:
    """Tokens that the runtime gave for the last request."""
    number = max(event["request"] for event in board.events("request"))
    return sum(event["request"] == number for event in board.events("token"))
