"""JSON output in ASCII: the same on any terminal and in any locale."""

from __future__ import annotations

import re

from tui.core.text.sanitize import is_forbidden

_NOT_ASCII = re.compile("[^\x00-\x7e]")


def escaped_json(data: bytes, *, is_ascii: bool = False) -> bytes:
    """The same JSON with every character that a terminal must not see as ``\\uXXXX``.

    ``data`` is valid JSON in UTF-8, so what is not ASCII stands in a string, where an escape means
    the same (RFC 8259, section 7). With ``is_ascii`` every letter beyond ASCII is escaped, for a
    stream in the encoding of the locale.
    """
    if data.isascii() and b"\x7f" not in data:
        return data

    def escape(match: re.Match[str]) -> str:
        char = match.group()
        if not (is_ascii or char == "\x7f" or is_forbidden(char)):
            return char
        pair = char.encode("utf-16-be").hex()
        return "".join(f"\\u{pair[i : i + 4]}" for i in range(0, len(pair), 4))

    return _NOT_ASCII.sub(escape, data.decode("utf-8")).encode("utf-8")
