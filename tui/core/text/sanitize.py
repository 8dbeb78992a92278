"""Sanitises all text from outside: tokens, names, error bodies, file names, sensors.

A terminal obeys what it is sent, and no layer above it filters: a model's answer could set the
clipboard (OSC 52) or the title, clear the screen, or show text in another order than it is stored.
After this module none of that can happen, because no character that a terminal obeys is left.

What becomes of each character:

======================================  =====================================================
``\\n``, ``\\t``                          kept (a space each where one line is asked for)
``\\r\\n``, lone ``\\r``, U+2028, U+2029   ``\\n``
other C0 (also ESC) and DEL             its control picture, U+2400..U+241F and U+2421
C1 (U+0080-U+009F)                      U+FFFD
bidi embeddings, overrides, isolates    U+FFFD (U+202A-U+202E, U+2066-U+2069)
deprecated format and annotation marks  U+FFFD (U+206A-U+206F, U+FFF9-U+FFFB)
noncharacters (U+FDD0.., U+xFFFE/F)     U+FFFD
a surrogate pair in two halves          the character that it stands for
a lone surrogate                        U+FFFD
tag characters U+E0000-U+E007F          dropped: they have no glyph, only hidden text
zero-width characters after a base      the first 16, the rest dropped (stacked accents)
======================================  =====================================================

The directional marks U+200E, U+200F and U+061C and the joiners U+200C and U+200D stay: Arabic,
Persian and emoji need them, and they reorder nothing beyond their neighbours.

Unicode classes are those of the running Python (``unicodedata``).
"""

from __future__ import annotations

import re
import unicodedata

from tui.core.types import CleanText

REPLACEMENT = "\ufffd"
MAX_NAME_BYTES = 120
MAX_ZERO_WIDTH = 16
"""Zero-width characters kept in a row; real scripts need no more than about six."""

_ASCII_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f]")
_SPLIT_PAIR = re.compile("[\ud800-\udbff][\udc00-\udfff]")
_ZERO_WIDTH_CATEGORIES = frozenset(("Mn", "Me", "Cf"))
_FIRST_ZERO_WIDTH = "\u00ad"


class Sanitizer:
    """:func:`clean` for text that arrives in pieces, whatever the pieces are.

    The pieces of output joined equal ``clean`` of the pieces of input joined. At most one character
    (the first half of a surrogate pair) is held back; :meth:`flush` gives it out.
    """

    __slots__ = ("_half", "_is_after_cr", "_keeps_newlines", "_zero_width_run")

    def __init__(self, *, newlines: bool = True) -> None:
        self._keeps_newlines = newlines
        self._half = ""
        self._is_after_cr = False
        self._zero_width_run = 0

    def feed(self, text: str) -> CleanText:
        """The clean form of the next piece."""
        if not text:
            return CleanText("")
        if not self._half and self._is_plain(text):
            return CleanText(text)
        text = self._half + text
        self._half = ""
        if "\ud800" <= text[-1] <= "\udbff":
            self._half = text[-1]
            text = text[:-1]
        return self._filtered(_SPLIT_PAIR.sub(_joined, text))

    def flush(self) -> CleanText:
        """What was held back. Afterwards the sanitiser is as new."""
        rest = REPLACEMENT if self._half else ""
        self._half = ""
        self._is_after_cr = False
        self._zero_width_run = 0
        return CleanText(rest)

    def _is_plain(self, text: str) -> bool:
        """Whether nothing has to be done: the common case, decided without a loop."""
        if not text.isascii() or self._is_after_cr or not self._keeps_newlines:
            return False
        if _ASCII_CONTROL.search(text):
            return False
        self._zero_width_run = 0
        return True

    def _filtered(self, text: str) -> CleanText:
        out: list[str] = []
        run = self._zero_width_run
        is_after_cr = self._is_after_cr
        for char in text:
            if char == "\n" and is_after_cr:
                is_after_cr = False
                continue
            is_after_cr = char == "\r"
            if " " <= char <= "~" or "\xa0" <= char < _FIRST_ZERO_WIDTH:
                run = 0
                out.append(char)
                continue
            safe = self._replaced(char)
            if safe and safe >= _FIRST_ZERO_WIDTH and is_zero_width(safe):
                run += 1
                if run > MAX_ZERO_WIDTH:
                    continue
            elif safe:
                run = 0
            out.append(safe)
        self._zero_width_run = run
        self._is_after_cr = is_after_cr
        return CleanText("".join(out))

    def _replaced(self, char: str) -> str:
        if char in "\n\r\u2028\u2029":
            return "\n" if self._keeps_newlines else " "
        if char == "\t":
            return "\t" if self._keeps_newlines else " "
        if char < " ":
            return chr(0x2400 + ord(char))
        if char == "\x7f":
            return "\u2421"
        if is_forbidden(char):
            return "" if "\U000e0000" <= char <= "\U000e007f" else REPLACEMENT
        return char


def clean(text: str, *, newlines: bool = True) -> CleanText:
    """``text`` without anything that a terminal would obey; see the table above.

    With ``newlines=False`` line breaks and tabs become spaces. The result holds no character for
    which :func:`is_forbidden` is true, and cleaning it again changes nothing.
    """
    sanitizer = Sanitizer(newlines=newlines)
    return CleanText(sanitizer.feed(text) + sanitizer.flush())


def clean_line(text: str, max_chars: int | None = None) -> str:
    """One trimmed line for a title, a name or a message: runs of white space become one space.

    With ``max_chars`` a longer line ends in an ellipsis and is exactly that long.
    """
    line = " ".join(clean(text, newlines=False).split())
    if max_chars is None or len(line) <= max_chars:
        return line
    return line[: max(max_chars - 1, 0)].rstrip() + "…"


def safe_file_name(text: str, fallback: str = "unnamed") -> str:
    """A file name from any text: letters and digits of any script, ``-``, ``_`` and ``.``.

    Everything else becomes ``-``. The name never starts with a dot or a dash, is never empty
    (``fallback`` then), holds no path separator and takes at most :data:`MAX_NAME_BYTES` in UTF-8.
    """
    wanted = unicodedata.normalize("NFC", clean(text, newlines=False))
    name = "".join(char if _is_for_names(char) else "-" for char in wanted)
    name = re.sub(r"-{2,}", "-", re.sub(r"\.{2,}", ".", name)).strip("-. ")
    name = name.encode("utf-8")[:MAX_NAME_BYTES].decode("utf-8", "ignore").rstrip("-. ")
    return name or fallback


def is_forbidden(char: str) -> bool:
    """Whether this one character must never reach a terminal."""
    code = ord(char)
    if code < 0x20:
        return char not in "\n\t"
    if code < 0x7F:
        return False
    return (
        code <= 0x9F
        or 0x2028 <= code <= 0x202E
        or 0x2066 <= code <= 0x206F
        or 0xD800 <= code <= 0xDFFF
        or 0xFDD0 <= code <= 0xFDEF
        or 0xFFF9 <= code <= 0xFFFB
        or code & 0xFFFE == 0xFFFE
        or 0xE0000 <= code <= 0xE007F
    )


def is_zero_width(char: str) -> bool:
    """Whether this character takes no cell of its own: combining marks, joiners, format marks."""
    return unicodedata.category(char) in _ZERO_WIDTH_CATEGORIES


def _is_for_names(char: str) -> bool:
    """Letters, digits and the vowel signs of scripts that write them as marks."""
    return char.isalnum() or char in "-_." or unicodedata.category(char) in ("Mn", "Mc")


def _joined(pair: re.Match[str]) -> str:
    high, low = (ord(half) for half in pair.group())
    return chr(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00))
