"""Key names and the bytes that a terminal sends for them: xterm's, and CSI u where it has none."""

from __future__ import annotations

_NAMED = {
    "enter": "\r",
    "escape": "\x1b",
    "tab": "\t",
    "space": " ",
    "backspace": "\x7f",
    "up": "\x1b[A",
    "down": "\x1b[B",
    "right": "\x1b[C",
    "left": "\x1b[D",
    "home": "\x1b[H",
    "end": "\x1b[F",
    "insert": "\x1b[2~",
    "delete": "\x1b[3~",
    "pageup": "\x1b[5~",
    "pagedown": "\x1b[6~",
    "shift+tab": "\x1b[Z",
    "shift+enter": "\x1b[13;2u",
}
_FUNCTION = ("OP", "OQ", "OR", "OS", *(f"[{n}~" for n in (15, 17, 18, 19, 20, 21, 23, 24)))
_MODIFIED = {"shift": 2, "alt": 3, "ctrl": 5}
_LETTERS = {"up": "A", "down": "B", "right": "C", "left": "D", "home": "H", "end": "F"}


def key_bytes(name: str) -> bytes:
    """The bytes of one key: ``enter``, ``f1``, ``ctrl+q``, ``alt+enter``, ``shift+up``, ``x``.

    Raises KeyError for a name that no terminal sends.
    """
    if name in _NAMED:
        return _NAMED[name].encode()
    if len(name) == 1:
        return name.encode()
    if name[0] == "f" and name[1:].isdigit() and 1 <= int(name[1:]) <= len(_FUNCTION):
        return b"\x1b" + _FUNCTION[int(name[1:]) - 1].encode()
    modifier, plus, key = name.partition("+")
    if plus and modifier in _MODIFIED and key in _LETTERS:
        return f"\x1b[1;{_MODIFIED[modifier]}{_LETTERS[key]}".encode()
    if modifier == "alt" and key:
        return b"\x1b" + key_bytes(key)
    if modifier == "ctrl" and len(key) == 1 and ("a" <= key <= "z" or key in "@[\\]^_"):
        return bytes([ord(key.upper()) & 0x1F])
    raise KeyError(f"no key {name!r}")
