"""The ends of a request's chunks in its text, encoded for the journal: 1.4 bytes per token."""

from __future__ import annotations

import base64
import binascii

from tui.core.turn.chunk_words import ChunkEnds
from tui.history.chunk_ends import pack_ends, unpack_ends


def packed(ends: ChunkEnds) -> str:
    """Base64 of the packed chunk ends; empty without chunks."""
    return base64.b64encode(pack_ends(ends)).decode("ascii")


def unpacked(text: str) -> ChunkEnds | None:
    """The reverse of :func:`packed`; None for an empty or damaged text."""
    if not text:
        return None
    try:
        return unpack_ends(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError):
        return None
