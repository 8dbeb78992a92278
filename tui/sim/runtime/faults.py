"""Faults that the simulated server can be told to have, and the reading of ``--fault``."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Literal

ValueKind = Literal["tokens", "seconds", None]

FAULTS: dict[str, tuple[ValueKind, str]] = {
    "cut": ("tokens", "close the socket after N tokens, without the end of the body"),
    "stall": ("tokens", "send nothing more after N tokens; the socket stays open"),
    "busy": (None, "answer 503 instead of generating"),
    "html-error": (None, "answer 500 with an HTML page instead of generating"),
    "error": ("tokens", "after N tokens an error inside the stream, then its end without [DONE]"),
    "split-utf8": (None, "cut the stream's bytes anywhere, also inside a character"),
    "one-chunk": (None, "keep the answer back and send it in one write at its end"),
    "no-done": (None, "leave out the [DONE] at the end"),
    "slow-first": ("seconds", "wait S more (real) seconds before the first token"),
}
"""Name -> what its value counts, and what it does."""


class FaultError(ValueError):
    """A ``--fault`` that makes no sense; the message is one sentence for the user."""


@dataclass(frozen=True, slots=True)
class Faults:
    """What goes wrong with every answer. None and False: it does not."""

    cut: int | None = None
    stall: int | None = None
    error: int | None = None
    busy: bool = False
    html_error: bool = False
    split_utf8: bool = False
    one_chunk: bool = False
    no_done: bool = False
    slow_first: float = 0.0

    def ending_after(self, sent: int) -> str | None:
        """The fault that ends a stream after that many tokens."""
        for name, limit in (("cut", self.cut), ("stall", self.stall), ("error", self.error)):
            if limit is not None and sent >= limit:
                return name
        return None


def parse_faults(words: Iterable[str]) -> Faults:
    """``["cut=5", "busy"]`` -> :class:`Faults`. Raises FaultError."""
    faults = Faults()
    for word in words:
        name, has_value, value = word.partition("=")
        if name not in FAULTS:
            near = difflib.get_close_matches(name, FAULTS, n=1, cutoff=0.4)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(FAULTS)}"
            raise FaultError(f"no fault {name!r}; {hint}")
        kind = FAULTS[name][0]
        if kind is None:
            if has_value:
                raise FaultError(f"fault {name} takes no value, not {value!r}")
            number: Any = True
        elif not has_value:
            raise FaultError(f"fault {name} needs a number of {kind}, for example {name}=5")
        else:
            number = _number(name, kind, value)
        faults = replace(faults, **{name.replace("-", "_"): number})
    return faults


def _number(name: str, kind: ValueKind, value: str) -> float:
    try:
        number = int(value) if kind == "tokens" else float(value)
    except ValueError:
        number = -1
    if not math.isfinite(number) or number < 0:
        raise FaultError(f"fault {name} takes a number of {kind} from 0 up, not {value!r}")
    return number
