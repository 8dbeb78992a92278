"""Which terminal modes a program has switched on and not off again."""

from __future__ import annotations

import re

from .escapes import Escape, EscapeScanner

_NAMES = {
    6: "origin mode",
    9: "mouse (X10)",
    1000: "mouse",
    1001: "mouse",
    1002: "mouse",
    1003: "mouse",
    1004: "focus reports",
    1005: "mouse (UTF-8)",
    1006: "mouse (SGR)",
    1015: "mouse (urxvt)",
    1016: "mouse (pixels)",
    47: "alternate screen",
    1047: "alternate screen",
    1049: "alternate screen",
    2004: "bracketed paste",
    2026: "synchronised output",
    2048: "resize reports",
}
_ON_BY_DEFAULT = {7: "line wrap", 25: "cursor"}


class Modes:
    """Follows the private modes, the pushed keyboard flags and the text attributes of an output."""

    def __init__(self) -> None:
        self._scanner = EscapeScanner()
        self._is_on: dict[int, bool] = {}
        self._pushed_keyboards = 0
        self._has_attributes = False

    def feed(self, data: bytes) -> None:
        for piece in self._scanner.feed(data):
            if isinstance(piece, Escape) and piece.kind == "csi":
                self._take(piece.body)

    def _take(self, body: bytes) -> None:
        if body[-1:] == b"m":
            self._has_attributes = body.rpartition(b";")[2] not in (b"m", b"0m")
        elif mode := re.fullmatch(rb"\?([\d;]+)([hl])", body):
            for number in mode[1].split(b";"):
                if number:
                    self._is_on[int(number)] = mode[2] == b"h"
        elif re.fullmatch(rb">\d*u", body):
            self._pushed_keyboards += 1
        elif pop := re.fullmatch(rb"<(\d*)u", body):
            self._pushed_keyboards = max(0, self._pushed_keyboards - int(pop[1] or 1))

    def is_on(self, number: int) -> bool:
        """Whether that private mode is on now."""
        return self._is_on.get(number, number in _ON_BY_DEFAULT)

    def left_on(self) -> list[str]:
        """What a shell that gets this terminal next would suffer from; empty when it is clean."""
        left = {name for mode, name in _NAMES.items() if self.is_on(mode)}
        left |= {f"{name} off" for mode, name in _ON_BY_DEFAULT.items() if not self.is_on(mode)}
        if self._pushed_keyboards:
            left.add("keyboard protocol")
        if self._has_attributes:
            left.add("text attributes")
        return sorted(left)
