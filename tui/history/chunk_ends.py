"""Packs the text position after each chunk of an answer: about a byte per token.

Stored are, for each chunk, how many characters of text and of thinking it brought, as varints
(:mod:`tui.history.varint`): ``2 * text`` where it brought no thinking, else ``2 * thinking + 1``
and then ``text``. The first chunk of a piece counts from the beginning of the answer.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable

from tui.core.turn.chunk_words import ChunkEnds
from tui.history.varint import append_unsigned, read_all

MAX_CHARS = 1 << 31


def pack_ends(ends: ChunkEnds) -> bytes:
    """Packs the ends of chunks."""
    out = bytearray()
    last_text = last_thinking = 0
    for text, thinking in zip(ends.text, ends.thinking, strict=True):
        if thinking == last_thinking:
            append_unsigned(out, 2 * (text - last_text))
        else:
            append_unsigned(out, 2 * (thinking - last_thinking) + 1)
            append_unsigned(out, text - last_text)
        last_text, last_thinking = text, thinking
    return bytes(out)


def unpack_ends(data: bytes) -> ChunkEnds:
    """Unpacks the ends. Raises ValueError where the bytes are damaged."""
    found = ChunkEnds(array("I"), array("I"))
    text = thinking = 0
    numbers = iter(read_all(data))
    for number in numbers:
        if number & 1:
            thinking += number >> 1
            more = next(numbers, None)
            if more is None:
                raise ValueError("the words of the chunks are damaged")
            text += more
        else:
            text += number >> 1
        if text > MAX_CHARS or thinking > MAX_CHARS:
            raise ValueError("the words of the chunks are damaged")
        found.text.append(text)
        found.thinking.append(thinking)
    return found


def joined_ends(pieces: Iterable[ChunkEnds]) -> ChunkEnds:
    """Concatenates the ends of consecutive pieces."""
    found = ChunkEnds(array("I"), array("I"))
    for piece in pieces:
        found.text.extend(piece.text)
        found.thinking.extend(piece.thinking)
    return found
