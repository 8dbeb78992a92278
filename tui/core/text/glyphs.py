"""Every special character that npulse draws, once in Unicode and once in plain ASCII.

Which of the two a terminal gets is decided once, at the start, by :func:`choose`. The Linux console
(TERM=linux) gets ASCII although it decodes UTF-8: its font has 256 or 512 shapes and lacks the
heavy line, the partial blocks and the rounded corners.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

AsciiSetting = Literal["auto", "on", "off"]

LargeDigit = tuple[str, str, str]
"""The three rows of one large figure, all of the same width."""


@dataclass(frozen=True, slots=True)
class Glyphs:
    """One set of characters. Each is one cell wide unless its own line says otherwise."""

    is_ascii: bool
    bar_full: str
    """One filled cell of a bar."""
    bar_half: str
    bar_dashed: str
    """One filled cell of the next part of the same bar."""
    bar_track: str
    """An empty cell of a bar. Lighter than the filled one, so that a bar reads without colour."""
    levels: str
    """The steps of a history in one row, lowest first; none is blank: a blank means no value. Of
    dots (braille) there are two values to a cell, and this has those of the left one."""
    digits: Mapping[str, LargeDigit] = field(hash=False)
    """Large figures by character: 0-9, point, ~, – and blank."""
    prompt: str
    """In front of the line that takes text."""
    closed: str
    """A part that is folded; also the chosen line of a list."""
    opened: str
    dot: str
    """In front of what is loaded or running."""
    square: str
    """In front of a legend's word, in the colour that the word explains."""
    bullet: str
    live_bar: str
    """At the left of the answer that is being written."""
    caret: str
    """After the last character of the answer that is being written."""
    down: str
    average: str
    """One cell, in ASCII three."""
    at_most: str
    """One cell, in ASCII two."""
    times: str
    separator: str
    """Between two things of one line."""
    unknown: str
    """There is no number."""
    ellipsis: str
    """One cell, in ASCII three."""
    rule: str
    """A horizontal line between two things."""
    column: str
    """A vertical line between two things."""

    def text(self, text: str) -> str:
        """``text``, written by us, in these characters.

        Not for a model's words: those keep the characters that they have.
        """
        return text.translate(_PLAIN) if self.is_ascii else text


_PLAIN = str.maketrans(
    {
        "–": "-",
        "—": "-",
        "−": "-",
        "…": "...",
        "°": "",
        "·": "-",
        "•": "*",
        "●": "*",
        "■": "#",
        "×": "x",
        "≤": "<=",
        "≥": ">=",
        "≈": "~",
        "±": "+/-",
        "ø": "avg",
        "µ": "u",
        "▸": ">",
        "▾": "v",
        "→": "->",
        "←": "<-",
        "↑": "^",
        "↓": "v",
        "─": "-",
        "━": "-",
        "│": "|",
        "‘": "'",
        "’": "'",
        "“": '"',
        "”": '"',
        "\u00a0": " ",
    }
)


def _font(rows: tuple[str, str, str]) -> dict[str, LargeDigit]:
    """Cut a strip of figures: 0 to 9 in three cells each, one blank cell apart."""
    cut = [[row[at : at + 3] for at in range(0, 40, 4)] for row in rows]
    return {str(n): (cut[0][n], cut[1][n], cut[2][n]) for n in range(10)} | {
        " ": ("   ", "   ", "   "),
        ".": (" ", " ", "."),
        "~": (" ", "~", " "),
    }


_UNICODE_FIGURES = (
    "█▀█ ▀█  ▀▀█ ▀▀█ █ █ █▀▀ █▀▀ ▀▀█ █▀█ █▀█ ",
    "█ █  █  █▀▀  ▀█ ▀▀█ ▀▀█ █▀█   █ █▀█ ▀▀█ ",
    "▀▀▀ ▀▀▀ ▀▀▀ ▀▀▀   ▀ ▀▀▀ ▀▀▀   ▀ ▀▀▀ ▀▀▀ ",
)
"""Three by five dots, two above each other in a cell."""
_ASCII_FIGURES = (
    " _       _   _       _   _   _   _   _  ",
    "| |  |   _|  _| |_| |_  |_    | |_| |_| ",
    "|_|  |  |_   _|   |  _| |_|   | |_|  _| ",
)

UNICODE = Glyphs(
    is_ascii=False,
    bar_full="━",
    bar_half="╸",
    bar_dashed="╍",
    bar_track="─",
    levels="⡀⠄⠂⠁",
    digits=_font(_UNICODE_FIGURES) | {".": (" ", " ", "▀"), "–": ("   ", "▀▀▀", "   ")},
    prompt=">",
    closed="▸",
    opened="▾",
    dot="●",
    square="■",
    bullet="•",
    live_bar="▎",
    caret="▌",
    down="↓",
    average="ø",
    at_most="≤",
    times="×",
    separator="·",
    unknown="–",
    ellipsis="…",
    rule="─",
    column="│",
)

ASCII = Glyphs(
    is_ascii=True,
    bar_full="#",
    bar_half="-",
    bar_dashed="=",
    bar_track="-",
    levels="_.-'",
    digits=_font(_ASCII_FIGURES) | {"–": ("   ", " - ", "   ")},
    prompt=">",
    closed=">",
    opened="v",
    dot="*",
    square="#",
    bullet="*",
    live_bar="|",
    caret="_",
    down="v",
    average="avg",
    at_most="<=",
    times="x",
    separator="-",
    unknown="-",
    ellipsis="...",
    rule="-",
    column="|",
)

_POOR_TERMINALS = frozenset({"dumb", "linux", "vt52", "vt100", "vt102", "vt220"})
_SET_BY_PYTHON = frozenset({"C.UTF-8", "C.utf8", "UTF-8"})


def choose(
    env: Mapping[str, str], encoding: str, setting: AsciiSetting = "auto", *, is_utf8_mode: bool
) -> Glyphs:
    """The characters for a terminal: ``on`` and ``off`` decide by themselves, ``auto`` looks.

    ``encoding`` is that of stdout, ``is_utf8_mode`` is ``bool(sys.flags.utf8_mode)``. The names in
    the environment count, not what is installed on this machine: SSH brings the name of the locale
    that the terminal runs in, and a small image often has no such locale.
    """
    if setting != "auto":
        return ASCII if setting == "on" else UNICODE
    if (env.get("TERM") or "dumb").lower() in _POOR_TERMINALS:
        return ASCII
    is_utf8 = _is_utf8(encoding) and _is_utf8(_locale_name(env, is_utf8_mode=is_utf8_mode))
    return UNICODE if is_utf8 else ASCII


def _locale_name(env: Mapping[str, str], *, is_utf8_mode: bool) -> str:
    """The locale of characters that the user has, without the one that Python puts in its place.

    In a C locale Python turns its UTF-8 mode on and sets LC_CTYPE for its children (PEP 538, 540).
    """
    if name := env.get("LC_ALL"):
        return name
    name = env.get("LC_CTYPE", "")
    by_python = is_utf8_mode and env.get("PYTHONUTF8") != "1" and name in _SET_BY_PYTHON
    if name and not by_python:
        return name
    return env.get("LANG", "")


def _is_utf8(name: str) -> bool:
    return name.lower().replace("-", "").replace("_", "").partition("@")[0].endswith("utf8")
