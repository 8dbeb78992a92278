"""Variables in texts: ``{{name}}`` is replaced by a value of the case."""

from __future__ import annotations

import re
from collections.abc import Mapping

VARIABLE = re.compile(r"\{\{\s*([A-Za-z_][A-Za-z0-9_.-]*)\s*\}\}")
_BRACES = re.compile(r"\{\{.*?(?:\}\}|$)", re.DOTALL)


def names_in(text: str) -> tuple[str, ...]:
    """The names of the variables in a text, each once, in order."""
    return tuple(dict.fromkeys(VARIABLE.findall(text)))


def odd_braces(text: str) -> str | None:
    """The first pair of braces that is not a variable; None without any."""
    for match in _BRACES.finditer(text):
        if not VARIABLE.fullmatch(match[0]):
            return match[0]
    return None


def filled(text: str, values: Mapping[str, str]) -> str:
    """The text with values filled in; a variable without a value is left unchanged."""
    return VARIABLE.sub(lambda match: values.get(match[1], match[0]), text)
