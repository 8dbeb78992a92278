"""Which words each chunk of a request brought, as a journal keeps it: 1.4 bytes for a token."""

from __future__ import annotations

import base64
import binascii

from tui.core.turn.chunk_words import ChunkEnds
from tui.history.chunk_ends import pack_ends, unpack_ends


def packed(ends: ChunkEnds) -> str:
    """The ends of the chunks as text; nothing where there are no chunks."""
    return base64.b64encode(pack_ends(ends)).decode("ascii")


def unpacked(text: str) -> ChunkEnds | None:
    """The ends again; None where none were kept, or the text is damaged."""
    if not text:
        return None
    try:
        return unpack_ends(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError):
        return None
