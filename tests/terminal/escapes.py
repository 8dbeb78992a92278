"""What a program writes to a terminal, taken apart: text, escape sequences, control characters.

The grammar is ECMA-48 as terminals in UTF-8 mode read it: CSI, the string sequences (OSC, DCS, APC,
PM, SOS), two-character escapes, and the C0 and C1 controls. Nothing here interprets a sequence.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal, cast

EscapeKind = Literal["csi", "osc", "dcs", "string", "esc", "c0", "c1", "bidi", "broken"]

_SEQUENCE = re.compile(
    rb"\x1b\[(?P<csi>[0-?]*[ -/]*[@-~])"
    rb"|\x1b\](?P<osc>[^\x07\x1b]*)(?:\x07|\x1b\\)"
    rb"|\x1bP(?P<dcs>[^\x1b]*)\x1b\\"
    rb"|\x1b(?P<string>[X^_][^\x1b]*)\x1b\\"
    rb"|\x1b(?P<esc>[ -/]*[0-OQ-WYZ\\`-~])"
    rb"|(?P<c0>[\x00-\x08\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f])"
    rb"|(?P<c1>\xc2[\x80-\x9f])"
    rb"|(?P<bidi>\xe2\x80[\xaa-\xae]|\xe2\x81[\xa6-\xa9])"
    rb"|\x1b(?P<broken>)"
)
_UNFINISHED = re.compile(
    rb"(?:\x1b(?:\[[0-?]*[ -/]*|\][^\x07\x1b]*\x1b?|[PX^_][^\x1b]*\x1b?|[ -/]*)"
    rb"|\xc2|\xe2[\x80\x81]?)\Z"
)
_LONGEST_UNFINISHED = 1 << 20
"""An unfinished sequence longer than this is given up and passed on as text."""


@dataclass(frozen=True, slots=True)
class Escape:
    """One sequence or control character, without its introducer and terminator."""

    kind: EscapeKind
    body: bytes

    def __str__(self) -> str:
        return f"{self.kind} {self.body!r}"


Piece = Escape | bytes
"""A sequence, or plain text in between."""


def _pieces(data: bytes, end: int) -> Iterator[Piece]:
    position = 0
    for match in _SEQUENCE.finditer(data, 0, end):
        if match.start() > position:
            yield data[position : match.start()]
        position = match.end()
        kind = cast("EscapeKind | None", match.lastgroup)
        assert kind is not None
        yield Escape(kind, match[kind])
    if end > position:
        yield data[position:end]


class EscapeScanner:
    """Takes output apart as it arrives; a sequence split over two chunks comes out whole."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> Iterator[Piece]:
        """The pieces that ``data`` completes, in order."""
        data = self._rest + data
        unfinished = _UNFINISHED.search(data, max(0, len(data) - _LONGEST_UNFINISHED))
        end = len(data) if unfinished is None else unfinished.start()
        self._rest = data[end:]
        return _pieces(data, end)

    def flush(self) -> bytes:
        """What is left of a sequence that never ended."""
        rest, self._rest = self._rest, b""
        return rest


_MODES = frozenset((7, 25, 1000, 1002, 1003, 1004, 1006, 1015, 1016, 1049, 2004, 2026, 2048))
"""Private modes that Textual sets and resets (``drivers/linux_driver.py``)."""


_COLOUR_QUESTION = frozenset(
    (
        Escape("dcs", b"$qm"),
        Escape("dcs", b"+q524742"),
        Escape("dcs", b"+q5463"),
        Escape("csi", b"c"),
    )
)
"""What npulse asks the terminal at its start (``tui/core/screen/colours.py``)."""


def _is_truecolour_sgr(body: bytes) -> bool:
    """Attributes and 24-bit colours only: what Textual writes where COLORTERM says truecolor."""
    numbers = [int(n or 0) for n in body[:-1].split(b";")]
    while numbers:
        code = numbers.pop(0)
        if code in (38, 48):
            if len(numbers) < 4 or numbers[0] != 2:
                return False
            del numbers[:4]
        elif not (code <= 9 or 21 <= code <= 29 or code in (39, 49, 51, 52, 53, 55)):
            return False
    return True


def made_by_textual(escape: Escape) -> bool:
    """Whether Textual's own driver and compositor write such a sequence in a truecolour terminal.

    Palette colours, cursor movement other than absolute, erasing, titles, clipboard, hyperlinks and
    every DCS but npulse's own question are not: they can only come from the text that the program
    shows.
    """
    body = escape.body
    if escape in _COLOUR_QUESTION:
        return True
    if escape.kind == "osc":
        return re.fullmatch(rb"22;[a-z-]*", body) is not None  # shape of the mouse pointer
    if escape.kind != "csi":
        return False
    if re.fullmatch(rb"\d+;\d+H|H|>\d+u|<u|\?20(26|48)\$p", body):
        return True
    if mode := re.fullmatch(rb"\?(\d+)[hl]", body):
        return int(mode[1]) in _MODES
    return re.fullmatch(rb"[\d;]*m", body) is not None and _is_truecolour_sgr(body)


def made_by_npulse(escape: Escape) -> bool:
    """As :func:`made_by_textual`, or what npulse's pen writes (``tui/widgets/kit/pen.py``):
    relative moves, a column, a backspace."""
    if escape.kind == "c0":
        return escape.body == b"\b"
    is_move = escape.kind == "csi" and re.fullmatch(rb"\d*[ABCDGH]", escape.body) is not None
    return is_move or made_by_textual(escape)


def foreign_escapes(
    raw: bytes, is_ours: Callable[[Escape], bool] = made_by_textual
) -> list[Escape]:
    """Every sequence and control character in ``raw`` that ``is_ours`` does not accept.

    ``\\n``, ``\\r`` and ``\\t`` are text. An escape sequence that never ends counts too.
    """
    scanner = EscapeScanner()
    found = [p for p in scanner.feed(raw) if isinstance(p, Escape) and not is_ours(p)]
    rest = scanner.flush()
    return [*found, Escape("esc", rest)] if rest.startswith(b"\x1b") else found
