"""Which ``Content-Encoding`` changes the bytes of a body."""

from __future__ import annotations

import re

COMPRESSING = frozenset(
    [
        "gzip",
        "x-gzip",
        "deflate",
        "compress",
        "x-compress",
        "br",
        "zstd",
        "dcb",
        "dcz",
        "exi",
        "pack200-gzip",
        "aes128gcm",
    ]
)
"""The content codings of the IANA registry that change the bytes of a body."""

_BETWEEN = re.compile("[\\s,;\"']+")


def compression(header: str) -> str | None:
    """The coding in a ``Content-Encoding`` field that has to be undone before the body is read.

    The field is a list of tokens in any letter case (RFC 9110, section 8.4). Words that are no
    coding, such as ``none`` or ``utf-8``, stand there by mistake and change nothing.
    """
    words = _BETWEEN.split(header.lower())
    return next((word for word in words if word in COMPRESSING), None)
