"""Faults that the simulated server can be told to have, and the reading of ``--fault``."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Literal

ValueKind = Literal["tokens", "seconds", "thinking", "stretch", None]

Trouble = Literal["throttle", "clock", "background"]
"""What slows the simulated board down for a while."""
SLOWER: dict[Trouble, float] = {"throttle": 1.6, "clock": 1.5, "background": 1.25}
"""How much longer a decoding step takes."""

Condition = Literal["hot", "swap", "background-load", "no-permission"]
"""What is wrong with the simulated board all the time, whatever it is asked."""
SWAPPING = 1.3
"""How much longer a decoding step takes while RAM is short. An estimate: the model is pinned and
cannot be swapped out, but the runtime and the server can."""

THINKING_FAULTS = ("split", "unclosed", "close-only", "empty", "upper", "twice")
"""How the marks of a thinking part are wrong: cut in two, without the closing one, without the
opening one, with nothing between them, in capitals, the opening one doubled."""

FAULTS: dict[str, tuple[ValueKind, str]] = {
    "cut": ("tokens", "close the socket after N tokens, without the end of the body"),
    "eof": ("tokens", "end the body in good order after N tokens, without a finish"),
    "stall": ("tokens", "send nothing more after N tokens; the socket stays open"),
    "error": ("tokens", "after N tokens an error inside the stream, then its end without [DONE]"),
    "npu-error": ("tokens", "the runtime fails after N tokens; most servers then say stop"),
    "busy": (None, "answer 503 instead of generating"),
    "html-error": (None, "answer 500 with an HTML page instead of generating"),
    "html-page": (None, "answer 200 with an HTML page instead of generating"),
    "json-error": (None, "answer an error in the server's own JSON instead of generating"),
    "whole": (None, "answer with one JSON object although a stream was asked for"),
    "empty": (None, "generate no token at all"),
    "timeout-text": (None, "send the words about a time-out as the text of the answer"),
    "split-utf8": (None, "cut the stream's bytes anywhere, also inside a character"),
    "crlf": (None, "end the lines of the stream with CR LF"),
    "joined": (None, "send the tokens in pairs, two events in one write"),
    "one-chunk": (None, "keep the answer back and send it in one write at its end"),
    "no-done": (None, "leave out the [DONE] at the end"),
    "slow-first": ("seconds", "wait S more (real) seconds before the first token"),
    "heartbeat": (None, "send ten comments a (real) second before the first token"),
    "empty-first": (None, "begin with events without text: a role, null, an empty string"),
    "think": ("thinking", "think first, with marks that are wrong in that way"),
    "throttle": ("stretch", "heat lowers the NPU's clock from token N to M: slower by 1.6"),
    "clock": ("stretch", "the NPU's clock falls from token N to M, without heat: slower by 1.5"),
    "background": ("stretch", "another program works from token N to M: slower by 1.25"),
    "ddr-low": (None, "the board's dmc_ondemand leaves the memory clock low (not for one answer)"),
    "hot": (None, "the board's fan stands still: too hot, slower by 1.6, until it is told to turn"),
    "swap": (None, "other programs fill the board's RAM and push pages out: slower by 1.3"),
    "background-load": (None, "another program uses the board's big cores: slower by 1.25"),
    "no-permission": (None, "only root may read the NPU's load, as on a board that is new"),
    "other-unit": (None, "times in ms where ns belong (rkllama: right, where they are wrong)"),
    "word-usage": (None, "count words and call them tokens"),
    "stale-stats": (None, "report the numbers of the answer before"),
    "zero-stats": (None, "report zeros"),
    "no-stats": (None, "report no numbers"),
}
"""Name -> what its value counts, and what it does."""

_MARK = re.compile(r"\[\[fault:([a-z0-9-]{1,20}(?:=[a-z0-9.-]{1,12})?)\]\]")


class FaultError(ValueError):
    """A ``--fault`` that makes no sense; the message is one sentence for the user."""


@dataclass(frozen=True, slots=True)
class Faults:
    """What goes wrong with every answer. None and False: it does not."""

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
    """Of the board from its start on, until another governor is written into its tree."""
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
        """What is wrong with the board all the time."""
        told: tuple[tuple[Condition, bool], ...] = (
            ("hot", self.hot),
            ("swap", self.swap),
            ("background-load", self.background_load),
            ("no-permission", self.no_permission),
        )
        return frozenset(name for name, is_so in told if is_so)

    def troubles_at(self, sent: int) -> frozenset[Trouble]:
        """What slows the board down while the token after so many is made."""
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
        """The fault that ends a stream after that many tokens."""
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
    """The faults, and those that marks in a prompt ask for: ``[[fault:cut=5]]``. Unknown marks mean
    nothing."""
    for match in _MARK.finditer(prompt):
        faults = _with_mark(faults, match[1])
    return faults


def _with_mark(faults: Faults, word: str) -> Faults:
    try:
        return parse_faults([word], faults)
    except FaultError:
        return faults


def parse_faults(words: Iterable[str], faults: Faults | None = None) -> Faults:
    """``["cut=5", "busy"]`` -> :class:`Faults`, added to ``faults``. Raises FaultError."""
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
    """``40-60``: from after token 40 up to token 60."""
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
