"""A second reader of an answer gets every piece once, whatever the first one does."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.core.turn.turns import MS, REQUEST, T0
from tui.core.turn.growing_text import BLOCK_CHARS, GrowingText
from tui.core.turn.turn import Turn
from tui.core.turn.turn_piece import TurnMark
from tui.core.types import CleanText, TextDelta, ThinkingDelta

WORDS = st.sampled_from(["a", "word ", "", "<think>", "</think>", "\n", "é", "<", "/think>"])
ACTIONS = st.lists(st.tuples(st.sampled_from(["text", "thinking", "look", "join"]), WORDS))


@given(ACTIONS)
def test_the_pieces_are_the_answer(actions: list[tuple[str, str]]) -> None:
    turn, mark = Turn(REQUEST, T0), TurnMark()
    text = thinking = ""
    stamps: list[int] = []
    ends: list[tuple[int, int]] = []

    def look() -> None:
        nonlocal mark, text, thinking, stamps, ends
        piece = turn.piece_since(mark)
        if piece.is_whole:
            text, thinking, stamps, ends = "", "", [], []
        text += piece.text
        thinking += piece.thinking
        stamps += piece.stamps_ns
        ends += zip(piece.ends.text, piece.ends.thinking, strict=True)
        mark = piece.mark
        assert turn.piece_since(mark).is_empty

    for number, (action, word) in enumerate(actions):
        if action == "look":
            look()
        elif action == "join":
            assert turn.text.startswith(text) or turn.is_reclassified
        else:
            delta = TextDelta(word) if action == "text" else ThinkingDelta(word)
            turn.feed(T0 + number * MS, [delta])
    turn.stop(T0 + len(actions) * MS)
    look()
    assert (text, thinking.rstrip(), tuple(stamps)) == (
        turn.text,
        turn.thinking,
        tuple(turn.stamps_ns),
    )
    assert ends == sorted(ends, key=lambda end: sum(end))
    assert len(ends) == len(stamps)
    assert all(end <= (len(text), len(thinking)) for end in ends)
    assert turn.chunk_ends == turn.piece_since(TurnMark()).ends


@given(st.lists(st.text(max_size=3), max_size=40), st.integers(0, 60), st.booleans())
def test_the_tail_is_the_end_of_the_text(pieces: list[str], first: int, is_long: bool) -> None:
    text = GrowingText()
    for piece in pieces * (BLOCK_CHARS // 8 if is_long else 1):
        text.append(CleanText(piece))
    assert text.n_chars == len("".join(pieces)) * (BLOCK_CHARS // 8 if is_long else 1)
    first = max(text.n_chars - first, 0)
    tail = text.tail(first)
    assert tail == text.joined()[first:]
    assert text.tail(first) == tail
    assert text.n_chars == len(text.joined())
