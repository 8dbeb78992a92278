"""Which words each chunk brought is stored in few bytes and read again as it was."""

from __future__ import annotations

from array import array
from itertools import accumulate

from hypothesis import given
from hypothesis import strategies as st

from tui.core.turn.chunk_words import ChunkEnds
from tui.history.chunk_ends import joined_ends, pack_ends, unpack_ends

NEW = st.lists(st.tuples(st.integers(0, 400), st.sampled_from([0, 0, 1, 7, 90_000])), max_size=40)


def ends_of(new: list[tuple[int, int]]) -> ChunkEnds:
    return ChunkEnds(
        array("I", accumulate(text for text, _ in new)),
        array("I", accumulate(thinking for _, thinking in new)),
    )


@given(NEW, st.integers(0, 40))
def test_what_is_stored_comes_back(new: list[tuple[int, int]], cut: int) -> None:
    ends = ends_of(new)
    assert unpack_ends(pack_ends(ends)) == ends
    pieces = [
        ChunkEnds(ends.text[:cut], ends.thinking[:cut]),
        ChunkEnds(ends.text[cut:], ends.thinking[cut:]),
    ]
    assert joined_ends(unpack_ends(pack_ends(piece)) for piece in pieces) == ends


@given(st.binary(max_size=60))
def test_damaged_bytes_are_refused_or_read(data: bytes) -> None:
    try:
        found = unpack_ends(data)
    except ValueError:
        return
    assert len(found.text) == len(found.thinking)
    assert list(found.text) == sorted(found.text)


def test_a_token_of_text_takes_a_byte() -> None:
    assert len(pack_ends(ends_of([(5, 0)] * 1000))) == 1000
