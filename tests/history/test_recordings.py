"""Stored answers as recordings: the words of each chunk where they are known, spread where not."""

from __future__ import annotations

from array import array

from tui.core.turn.chunk_words import ChunkEnds
from tui.core.types import TurnError
from tui.history.recordings import recording_of
from tui.history.transfer import PlainConversation, PlainTurn
from tui.recording.lines import Token
from tui.recording.player import Asked, Player
from tui.recording.reading import Recording

TIMES = tuple(500_000 + n * 100_000 for n in range(4))


def recorded(ends: ChunkEnds | None, **more: object) -> Recording:
    turns = (
        PlainTurn("1", None, "user", "why?", 1_795_000_000_000),
        PlainTurn(
            "2", "1", "assistant", "Hello you", 1_795_000_000_000, thinking="hm",
            times_us=TIMES, ends=ends,
            **{"status": "complete", "numbers": {"latency_ms": 900.0}, **more},  # type: ignore[arg-type]
        ),
    )  # fmt: skip
    return recording_of(PlainConversation("u", "why?", 0, turns))


def tokens(recording: Recording) -> list[tuple[str, str, bool]]:
    events = recording.answers[0].events
    return [(e.channel, e.text, e.is_text_estimated) for e in events if isinstance(e, Token)]


def test_known_words_are_those_of_their_chunks() -> None:
    # The third chunk was the end of a tag: it has a character of the next one.
    ends = ChunkEnds(array("q", [0, 0, 0, 9]), array("q", [1, 2, 2, 2]))
    assert tokens(recorded(ends)) == [
        ("thinking", "h", False),
        ("thinking", "m", False),
        ("answer", "H", False),
        ("answer", "ello you", False),
    ]


def test_unknown_words_are_spread_and_say_so() -> None:
    found = tokens(recorded(None))
    assert len(found) == 4
    assert all(is_estimated for _, _, is_estimated in found)
    assert "".join(text for channel, text, _ in found if channel == "answer") == "Hello you"
    assert "".join(text for channel, text, _ in found if channel == "thinking") == "hm"


def test_an_answer_that_failed_fails_again() -> None:
    error = TurnError("cut", "The connection was cut after 4 tokens.")
    recording = recorded(None, status="interrupted", error=error)
    (turn,) = (h.turn for h in Player(recording).play_until(1 << 62) if isinstance(h, Asked))
    assert (turn.status, turn.error, turn.text, turn.thinking) == (
        "interrupted", error, "Hello you", "hm",
    )  # fmt: skip
