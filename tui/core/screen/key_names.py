"""Key names of config.toml: ``ctrl+r``, ``f5``, ``alt+up``; several separated by commas."""

from __future__ import annotations

import string
import unicodedata

MODIFIERS = ("alt", "ctrl", "hyper", "meta", "shift", "super")
"""In the order in which the names of a chord stand."""

NAMED_KEYS = frozenset(
    (
        *("escape", "enter", "tab", "space", "backspace", "delete", "insert"),
        *("home", "end", "pageup", "pagedown", "up", "down", "left", "right"),
        *("minus", "plus", "slash", "backslash", "underscore", "at"),
        *(f"f{n}" for n in range(1, 25)),
    )
)

_SHORT_NAMES = {
    "solidus": "slash",
    "reverse_solidus": "backslash",
    "commercial_at": "at",
    "hyphen_minus": "minus",
    "plus_sign": "plus",
    "low_line": "underscore",
}
"""Names of characters for which the terminal's events have a shorter one."""

_ALIASES = {
    "esc": "escape",
    "return": "enter",
    "del": "delete",
    "ins": "insert",
    "pgup": "pageup",
    "page_up": "pageup",
    "pgdn": "pagedown",
    "page_down": "pagedown",
    "control": "ctrl",
    "option": "alt",
}

MAX_KEYS = 8


def _symbol_name(char: str) -> str:
    name = unicodedata.name(char, char).lower().replace("-", "_").replace(" ", "_")
    return _SHORT_NAMES.get(name, name)


_SHOWN_NAMES = {
    "escape": "Esc",
    "pageup": "PageUp",
    "pagedown": "PageDown",
    **{_symbol_name(char): char for char in string.punctuation},
}


def shown_key(key: str) -> str:
    """A key as a person writes it: ``ctrl+shift+up`` is Ctrl+Shift+Up, ``f5`` F5."""
    *modifiers, name = key.split("+")
    shown = _SHOWN_NAMES.get(name, name if len(name) == 1 and not modifiers else name.capitalize())
    return "+".join([*(modifier.capitalize() for modifier in modifiers), shown])


def shown_keys(keys: str) -> str:
    """Several keys, with commas: ``f5,alt+r`` is F5, Alt+R."""
    return ", ".join(shown_key(key.strip()) for key in keys.split(","))


def key_cap(keys: str) -> str:
    """The first of several keys in as few cells as can be: ``ctrl+r`` is ^R."""
    first = keys.split(",")[0].strip()
    modifier, _, name = first.partition("+")
    return f"^{name.upper()}" if modifier == "ctrl" and len(name) == 1 else shown_key(first)


def canonical_keys(text: str) -> str:
    """``text`` with each key in the one way of writing it, for instance ``ctrl+shift+f5,escape``.

    Raises ValueError with a clause that says what is wrong with it.
    """
    names = [part.strip() for part in text.split(",")]
    if text.strip() == ",":
        names = [","]
    if not any(names):
        raise ValueError("it names no key")
    if len(names) > MAX_KEYS:
        raise ValueError(f"it names more than {MAX_KEYS} keys")
    return ",".join(dict.fromkeys(_canonical_key(name) for name in names))


def _canonical_key(text: str) -> str:
    if not text:
        raise ValueError("there is nothing between two commas")
    # The key itself may be a plus sign: ctrl++.
    front, key = ("", text) if len(text) == 1 else (text[:-1].rpartition("+")[0], text)
    if front:
        key = text[len(front) + 1 :]
    modifiers = [_modifier(part.strip().lower()) for part in front.split("+")] if front else []
    name = _key(key.strip())
    # A terminal does not tell ctrl+r from ctrl+R.
    name = name.lower() if "ctrl" in modifiers else name
    return "+".join([*sorted(set(modifiers)), name])


def _modifier(name: str) -> str:
    name = _ALIASES.get(name, name)
    if name not in MODIFIERS:
        raise ValueError(f"{name!r} is not a modifier{_nearest(name, MODIFIERS)}")
    return name


def _key(name: str) -> str:
    if len(name) == 1:
        if not name.isprintable() or name.isspace():
            raise ValueError(f"{name!r} is not a key")
        if name.isalnum():
            return name
        name = _symbol_name(name)
    name = name.lower()
    name = _ALIASES.get(name, _SHORT_NAMES.get(name, name))
    if name in NAMED_KEYS or _is_character_name(name):
        return name
    raise ValueError(f"{name[:40]!r} is not a key{_nearest(name, NAMED_KEYS)}")


def _is_character_name(name: str) -> bool:
    """Whether it is the name of a character, as in ``question_mark``."""
    if name in map(_symbol_name, string.punctuation):
        return True
    try:
        unicodedata.lookup(name.replace("_", " "))
    except KeyError:
        return False
    return True


def _nearest(name: str, known: frozenset[str] | tuple[str, ...]) -> str:
    import difflib  # here: only a mistake needs it

    near = difflib.get_close_matches(name, sorted(known), n=1)
    return f" (did you mean {near[0]!r}?)" if near else ""
