"""Decompresses bodies piece by piece."""

from __future__ import annotations

import zlib

MAX_PIECE_BYTES = 4 << 20
"""Limit for one decompressed piece; no answer of a language model is larger."""


class ContentDecoder:
    """Decompresses one body by its ``content-encoding`` (gzip, deflate, identity). Never raises.

    ``problem``: a clause why the body cannot be read; None as long as it can.
    """

    def __init__(self, coding: str) -> None:
        name = coding.strip().lower()
        self.problem: str | None = None
        self._inflate = None
        if name in ("gzip", "x-gzip", "deflate"):
            # 32: zlib detects a gzip or zlib header.
            self._inflate = zlib.decompressobj(wbits=32 + zlib.MAX_WBITS)
        elif name not in ("", "identity"):
            self.problem = f"its body is compressed ({name[:20]})"

    def plain(self, data: bytes) -> bytes:
        """The decompressed bytes; empty if they cannot be decompressed."""
        if self.problem is not None:
            return b""
        if self._inflate is None:
            return data
        try:
            plain = self._inflate.decompress(data, MAX_PIECE_BYTES)
        except zlib.error:
            self.problem = "its compressed body is damaged"
            return b""
        if self._inflate.unconsumed_tail:
            self.problem = "its body is too large when decompressed"
        return plain
