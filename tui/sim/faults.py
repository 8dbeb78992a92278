"""Faults that can be injected into the simulated server, and the parser of ``--fault``."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Literal

ValueKind = Literal["tokens", "seconds", "thinking", "stretch", None]

Trouble = Literal["throttle", "clock", "background"]
"""Slow-downs of the simulated board for a range of an answer's tokens."""
SLOWER: dict[Trouble, float] = {"throttle": 1.6, "clock": 1.5, "background": 1.25}
"""Factor on the time of a decode step."""

Condition = Literal["hot", "swap", "background-load", "no-permission"]
"""Permanent conditions of the simulated board."""
SWAPPING = 1.3
"""Factor on the time of a decode step while RAM is short. An estimate: the model is pinned and
cannot be swapped out, but the memory of runtime and server can."""

THINKING_FAULTS = ("split", "unclosed", "close-only", "empty", "upper", "twice")
"""Malformed tags of a thinking part: split in two, no closing tag, no opening tag, no text between
the tags, in capitals, the opening tag doubled."""

FAULTS: dict[str, tuple[ValueKind, str]] = {
    "cut": ("tokens", "close the socket after N tokens, without the end of the body"),
    "eof": ("tokens", "end the body correctly after N tokens, without a finish chunk"),
    "stall": ("tokens", "send nothing more after N tokens; the socket stays open"),
    "error": ("tokens", "send an error in the stream after N tokens, then end it without [DONE]"),
    "npu-error": ("tokens", "the runtime fails after N tokens; most servers then say stop"),
    "busy": (None, "answer 503 instead of generating"),
    "html-error": (None, "answer 500 with an HTML page instead of generating"),
    "html-page": (None, "answer 200 with an HTML page instead of generating"),
    "json-error": (None, "answer an error in the server's own JSON instead of generating"),
    "whole": (None, "answer with one JSON object although a stream was asked for"),
    "empty": (None, "generate no token at all"),
    "timeout-text": (None, "send the runtime's message about a time-out as the text of the answer"),
    "split-utf8": (None, "split the stream's bytes anywhere, also inside a character"),
    "crlf": (None, "end the lines of the stream with CR LF"),
    "joined": (None, "send the tokens in pairs, two events in one write"),
    "one-chunk": (None, "hold the answer back and send it in one write at its end"),
    "no-done": (None, "leave out the [DONE] at the end"),
    "slow-first": ("seconds", "wait S more (real) seconds before the first token"),
    "heartbeat": (None, "send ten comments a (real) second before the first token"),
    "empty-first": (None, "begin with events without text: a role, null, an empty string"),
    "think": ("thinking", "think first, with tags that are malformed in that way"),
    "throttle": ("stretch", "heat lowers the NPU's clock from token N to M: slower by 1.6"),
    "clock": ("stretch", "the NPU's clock falls from token N to M, without heat: slower by 1.5"),
    "background": ("stretch", "another program uses the CPU from token N to M: slower by 1.25"),
    "ddr-low": (None, "governor dmc_ondemand leaves the memory clock low (whole board)"),
    "hot": (None, "the board's fan is off: too hot, slower by 1.6, until the fan is set"),
    "swap": (None, "other programs fill the RAM, and pages are swapped out: slower by 1.3"),
    "background-load": (None, "another program uses the board's big cores: slower by 1.25"),
    "no-permission": (None, "only root may read the NPU's load, as on a newly installed board"),
    "other-unit": (None, "report ms in fields for ns (rkllama, which does that anyway: ns)"),
    "word-usage": (None, "report the number of words as the number of tokens"),
    "stale-stats": (None, "report the numbers of the previous answer"),
    "zero-stats": (None, "report zeros"),
    "no-stats": (None, "report no numbers"),
}
"""Name of a fault -> kind of its value, and its effect."""

_MARK = re.compile(r"\[\[fault:([a-z0-9-]{1,20}(?:=[a-z0-9.-]{1,12})?)\]\]")


class FaultError(ValueError):
    """An invalid ``--fault``. The message is one sentence for the user."""


@dataclass(frozen=True, slots=True)
class Faults:
    """The faults of every answer; None and False: not active. :data:`FAULTS` has their meaning."""

    cut: int | None = None
    eof: int | None = None
    stall: int | None = None
    error: int | None = None
    npu_error: int | None = None
    busy: bool = False
    html_error: bool = False
    html_page: bool = False
    json_error: bool = False
    whole: bool = False
    empty: bool = False
    timeout_text: bool = False
    split_utf8: bool = False
    crlf: bool = False
    joined: bool = False
    one_chunk: bool = False
    no_done: bool = False
    slow_first: float = 0.0
    heartbeat: bool = False
    empty_first: bool = False
    think: str | None = None
    throttle: tuple[int, int] | None = None
    clock: tuple[int, int] | None = None
    background: tuple[int, int] | None = None
    ddr_low: bool = False
    """Active from the board's start until another governor is written to its files."""
    hot: bool = False
    swap: bool = False
    background_load: bool = False
    no_permission: bool = False
    other_unit: bool = False
    word_usage: bool = False
    stale_stats: bool = False
    zero_stats: bool = False
    no_stats: bool = False

    @property
    def conditions(self) -> frozenset[Condition]:
        """The permanent conditions of the board."""
        told: tuple[tuple[Condition, bool], ...] = (
            ("hot", self.hot),
            ("swap", self.swap),
            ("background-load", self.background_load),
            ("no-permission", self.no_permission),
        )
        return frozenset(name for name, is_so in told if is_so)

    def troubles_at(self, sent: int) -> frozenset[Trouble]:
        """The slow-downs that apply after ``sent`` tokens."""
        stretches: tuple[tuple[Trouble, tuple[int, int] | None], ...] = (
            ("throttle", self.throttle),
            ("clock", self.clock),
            ("background", self.background),
        )
        return frozenset(
            name
            for name, stretch in stretches
            if stretch is not None and stretch[0] <= sent < stretch[1]
        )

    def ending_after(self, sent: int) -> str | None:
        """The fault that ends a stream after ``sent`` tokens, if any."""
        limits = (
            ("cut", self.cut),
            ("eof", self.eof),
            ("stall", self.stall),
            ("error", self.error),
            ("npu_error", self.npu_error),
        )
        for name, limit in limits:
            if limit is not None and sent >= limit:
                return name
        return None


def with_marks(faults: Faults, prompt: str) -> Faults:
    """``faults`` with those that marks in a prompt add, such as ``[[fault:cut=5]]``. Invalid marks
    are ignored."""
    for match in _MARK.finditer(prompt):
        faults = _with_mark(faults, match[1])
    return faults


def _with_mark(faults: Faults, word: str) -> Faults:
    try:
        return parse_faults([word], faults)
    except FaultError:
        return faults


def parse_faults(words: Iterable[str], faults: Faults | None = None) -> Faults:
    """Parse words such as ``["cut=5", "busy"]`` and add them to ``faults``. Raises FaultError."""
    faults = faults or Faults()
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
        elif kind == "thinking":
            if value not in THINKING_FAULTS:
                raise FaultError(f"fault {name} takes one of {', '.join(THINKING_FAULTS)}")
            number = value
        elif kind == "stretch":
            number = _stretch(name, value)
        elif not has_value:
            raise FaultError(f"fault {name} needs a number of {kind}, for example {name}=5")
        else:
            number = _number(name, kind, value)
        faults = replace(faults, **{name.replace("-", "_"): number})
    return faults


def _stretch(name: str, value: str) -> tuple[int, int]:
    """Parse ``40-60``: tokens 41 to 60."""
    first, has_end, after = value.partition("-")
    if not (first.isdecimal() and has_end and after.isdecimal() and int(first) < int(after)):
        raise FaultError(f"fault {name} needs two numbers of tokens, for example {name}=40-60")
    return int(first), int(after)


def _number(name: str, kind: ValueKind, value: str) -> float:
    try:
        number = int(value) if kind == "tokens" else float(value)
    except ValueError:
        number = -1
    if not math.isfinite(number) or number < 0:
        raise FaultError(f"fault {name} takes a number of {kind} from 0 up, not {value!r}")
    return number
