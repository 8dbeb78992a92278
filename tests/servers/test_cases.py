"""Answers as real servers and proxies have sent them: whole, cut, doubled, in bursts, in errors.

Each is played without a network at exactly its times, cut at every place, and over real HTTP.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from time import perf_counter_ns

import pytest

from tests.servers.cases import REQUEST, T0, Case, case, decoded_turn, names, script
from tests.servers.raw_server import raw_server
from tui.core.turn.result import result_of
from tui.core.turn.turn import Turn
from tui.core.types import NumberSource, TurnStatus
from tui.servers.client import Client, PhaseTimeouts
from tui.servers.exchange import answer

WORDS = " The board answers one word after the other and then it stops here ."
DECODING = " Decoding is memory-bound: each token reads"
HELLO = "Hello! How can I help?"
OKAY = "Okay, the user says hi."
SCALE = 0.2
AFTER = T0 + 10**12


@dataclass(frozen=True, slots=True)
class Right:
    """What is right for a case; None is not looked at."""

    status: TurnStatus = "complete"
    text: str | None = None
    thinking: str = ""
    said: str | None = None
    tokens: int | None = None
    rate_tps: float | None = None
    source: NumberSource | None = None


CUT = Right("interrupted", WORDS[:43], said="8 tokens")
WHOLE = Right(text=WORDS, tokens=14, rate_tps=10.0)
EXHAUSTED = Right("interrupted", WORDS[:33], said="The server reported an error: NPU memory is exh")
FIBONACCI = "Okay, I need fibonacci. Draft:\n\n```python\ndef fib(n):\n    return"
BURST = Right(tokens=100, rate_tps=20.0, source="measured")
RIGHT = {
    "finish-empty/case": CUT,
    "finish-empty/null-word": CUT,
    "finish-empty/ok": WHOLE,
    "finish-empty/then-error": Right("interrupted", WORDS[:43], said="NPU task timeout"),
    "error-outside-data/mid": EXHAUSTED,
    "error-outside-data/bare-json-mid": EXHAUSTED,
    "error-outside-data/text": EXHAUSTED,
    "error-outside-data/text-only": Right("error", "", said="error: model is not loaded"),
    "error-outside-data/bare-json": Right("error", "", said="request (19185 tokens) exceeds"),
    "missing-blank-line/case": WHOLE,
    "think-tag-and-channel/case": Right(text=HELLO, thinking=OKAY),
    "think-tag-and-channel/closed": Right(text=HELLO, thinking=OKAY),
    "think-tag-and-channel/close-only": Right(text=HELLO, thinking=OKAY),
    "think-tag-and-channel/empty-block": Right(text=HELLO, thinking=OKAY),
    "close-tag/case": Right(text="Use an iterative loop.", thinking=FIBONACCI),
    "close-tag/one-line-fence": Right(
        text="Yes, that works.",
        thinking="The user writes\n```pip install npulse``` in one line. That is fine.",
    ),
    "close-tag/tilde-inside": Right(
        text="Final.", thinking="Draft:\n```sh\n~~~ not a fence\n```\nok."
    ),
    "close-tag/stray-after-answer": Right(
        text="Run this:\n\n```sh\necho ok\n```\n\nThen reboot.\n"
    ),
    "close-tag/control-with-open-tag": Right(
        text="Use an iterative loop.", thinking="Okay. Draft:\n\n```python\ndef fib(n):\n    return"
    ),
    "close-tag/control-indented-closed": Right(
        text="Final.", thinking="1. list\n   ```sh\n   echo\n   ```\nok"
    ),
    "no-done-kept-open/case": WHOLE,
    "no-done-kept-open/usage": Right(tokens=10, rate_tps=10.0, source="measured"),
    "content-encoding/case": WHOLE,
    "content-encoding/utf8": WHOLE,
    "content-encoding/empty": WHOLE,
    "content-encoding/gzip": Right("error", "", said="a compressed answer (gzip)"),
    "proxy-bursts/case": BURST,
    "proxy-bursts/no-usage": Right(tokens=100, rate_tps=20.0, source="estimated"),
    "proxy-bursts/two": Right(tokens=50, rate_tps=20.0, source="measured"),
    "many-tokens-per-chunk/case": Right(tokens=120, rate_tps=20.0, source="estimated"),
    "many-tokens-per-chunk/five": Right(tokens=120, rate_tps=20.0, source="estimated"),
    "many-tokens-per-chunk/last-chunk": Right(tokens=100, rate_tps=20.0, source="estimated"),
    "many-tokens-per-chunk/no-usage": Right(source="estimated"),
    "stream-ignored/case": Right(tokens=60, source="unknown"),
    "stream-ignored/one-event": Right(tokens=60, source="unknown"),
    "stream-ignored/sixty-at-once": Right(tokens=60, source="unknown"),
    "hidden-reasoning/case": Right(tokens=100, rate_tps=20.0, source="measured"),
    "final-message/final-message": Right(text=DECODING, tokens=12, rate_tps=10.0),
    "final-message/case": Right(text=DECODING, tokens=12, rate_tps=10.0),
    "no-answer/only-thinking": Right("empty", "", "Okay, let me think about this for a long time"),
    "no-answer/case": Right("empty", ""),
    "no-answer/refusal": Right("interrupted", "I cannot help with that.", said="content_filter"),
    "content-parts/case": Right(text="Hello.", thinking="Okay, think.", tokens=2),
    "json-lines/case": Right(tokens=20, rate_tps=10.0),
    "one-char-tokens/bang": Right(text="!" * 180, tokens=180, rate_tps=33.3),
    "one-char-tokens/han": Right(tokens=60, rate_tps=33.3),
    "one-char-tokens/case": Right(tokens=202, rate_tps=33.3),
    "one-char-tokens/usage": Right(tokens=202, rate_tps=33.3, source="measured"),
    "one-char-tokens/rockchipllama": Right(tokens=202, rate_tps=33.3),
    "ascii-json/case": Right(text="café √2 ≈ 1.41 漢字 😀 – end"),
    "markup-text/case": Right(tokens=27),
    "close-framing/case": Right(tokens=10, rate_tps=10.0),
    "close-framing/cut": Right("interrupted", said="10 tokens"),
    "sse-oddities/case": Right(
        tokens=13, text=" The NPU of this board has three cores – café 漢字 done."
    ),
    "sse-oddities/split": Right(tokens=13),
    "sse-oddities/huge-line": Right(),
    "typed-ahead/case": Right(text="Answer one.", tokens=2),
    "typed-ahead/slow": Right(tokens=21, rate_tps=5.0),
}


def check(turn: Turn, right: Right) -> None:
    said = "" if turn.error is None else turn.error.sentence
    assert turn.status == right.status, said
    assert right.said is None or right.said in said
    assert (turn.error is None) == (right.said is None)
    assert right.text is None or turn.text == right.text
    assert turn.thinking == right.thinking
    assert turn.unread.count == 0


def test_every_case_has_a_right_end() -> None:
    assert set(RIGHT) == set(names())


@pytest.mark.parametrize("name", [name for name in RIGHT if name != "content-encoding/gzip"])
def test_at_its_times(name: str) -> None:
    played, right = case(name), RIGHT[name]
    turn = decoded_turn(played)
    if played.end == "abort":
        assert turn.error is not None
        assert (turn.status, turn.text) == (right.status, right.text)
        return
    check(turn, right)
    result = result_of(turn, AFTER)
    assert right.tokens is None or result.tokens_out == right.tokens
    assert right.source is None or result.decode_source == right.source
    if right.rate_tps is not None:
        assert result.decode_tps == pytest.approx(right.rate_tps, rel=0.01)
        assert not turn.stats(AFTER).is_rate_disputed


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in RIGHT if name != "content-encoding/gzip"])
def test_cut_at_every_place(name: str) -> None:
    played = case(name)
    body = played.body
    whole = _told(decoded_turn(played))
    # Of a long stream some places, and bytes one by one, which is every place at once.
    step = max(len(body) // (120 if len(body) < 40_000 else 12), 1)
    for at in range(0, len(body), step):
        assert _told(decoded_turn(played, ((0.1, body[:at]), (0.1, body[at:])))) == whole
    if len(body) < 40_000:
        single = tuple((0.001, body[at : at + 1]) for at in range(len(body)))
        assert _told(decoded_turn(played, single)) == whole


def _told(turn: Turn) -> tuple[object, ...]:
    error = None if turn.error is None else turn.error.sentence
    return turn.status, turn.text, turn.thinking, turn.finish_reason, error, turn.note


async def _played(played: Case) -> tuple[Turn, float]:
    """The turn over HTTP, and how long it all took in s."""
    turn = Turn(REQUEST, perf_counter_ns(), played.dialect.chunk_meaning)
    timeouts = PhaseTimeouts(connect_s=5.0, first_byte_s=20.0, idle_s=20.0)
    begin_ns = perf_counter_ns()
    async with (
        raw_server(script(played, SCALE)) as server,
        Client(server.url, played.dialect, timeouts) as client,
    ):
        await answer(client, REQUEST, turn)
    return turn, (perf_counter_ns() - begin_ns) / 1e9


async def test_over_real_http() -> None:
    played = [case(name) for name in RIGHT]
    ended = await asyncio.gather(*map(_played, played))
    for one, (turn, took_s) in zip(played, ended, strict=True):
        check(turn, RIGHT[one.name])
        if one.end == "open":
            latency_ms = turn.stats(perf_counter_ns()).latency_ms
            assert latency_ms is not None
            # The wait after the finish is bounded, and no part of the answer.
            assert took_s < 15
            assert latency_ms < took_s * 1e3 - 800


@pytest.mark.parametrize("name", ["proxy-bursts/case", "proxy-bursts/two", "stream-ignored/case"])
def test_a_burst_has_no_first_token_and_no_gaps(name: str) -> None:
    result = result_of(decoded_turn(case(name)), AFTER)
    assert result.ttft_source == "estimated"
    assert (result.prefill_tps, result.itl_ms.p50) == (None, None)


@pytest.mark.parametrize("name", ["case", "five", "last-chunk"])
def test_gaps_between_chunks_of_several_tokens_are_none_between_tokens(name: str) -> None:
    stats = decoded_turn(case(f"many-tokens-per-chunk/{name}")).stats(AFTER)
    assert (stats.itl_p50_ms, stats.itl_p99_ms) == (None, None)


def test_what_was_counted_and_not_sent_is_told() -> None:
    result = result_of(decoded_turn(case("hidden-reasoning/case")), AFTER)
    assert (result.tokens_out, result.tokens_hidden) == (100, 300)
    assert result.prefill_tps is None


@pytest.mark.parametrize(
    ("name", "when"), [("only-thinking", "while thinking"), ("case", "before")]
)
def test_an_answer_without_text_says_why(name: str, when: str) -> None:
    note = decoded_turn(case(f"no-answer/{name}")).note
    assert note is not None
    assert f"stopped at the token limit {when}" in note


def test_a_long_event_is_read_whole() -> None:
    assert len(decoded_turn(case("sse-oddities/huge-line")).text) == 300_004


def test_content_parts_end_the_ttft() -> None:
    result = result_of(decoded_turn(case("content-parts/case")), AFTER)
    assert result.ttft_ms == pytest.approx(100)
