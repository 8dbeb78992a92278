"""Text of simulated answers: Markdown about the board that says that it is simulated.

The same seed, request number and prompt give the same answer. Marks in the last user message
choose its shape (:data:`SHAPES`) and length; see :func:`wishes_of`.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice

from tui.sim.board.tree_still import DDR_TABLE_HZ
from tui.sim.runtime import answer_texts
from tui.sim.runtime.tokens import pieces

DECODE_SHARE = 0.37
"""Decode rate as a share of the roofline: 3.13 of 8.4 tok/s with 4.3 GiB of weights."""
PREFILL_GIB_PER_S = 125.0
"""Size of the weights times prefill rate: 4.3 GiB at 29.4 tok/s."""
DEFAULT_TOKENS = (150, 360)
"""Range of an answer's length if none is given."""
THINKING_TOKENS = (30, 70)

_MARK = re.compile(r"\[\[([a-z]+)(?:=([0-9]{1,6}))?\]\]")

Blocks = Iterator[str]


@dataclass(frozen=True, slots=True)
class Wishes:
    """Shape and length of an answer, as the prompt or the command line ask for it."""

    shape: str = "mixed"
    tokens: int | None = None
    """The exact length in tokens; None for an end at a suitable place."""
    is_thinking: bool = False
    thinking_tokens: int | None = None


def wishes_of(prompt: str, *, tokens: int | None, is_thinking: bool) -> Wishes:
    """Parse the marks of a prompt: a shape such as ``[[list]]``, ``[[tokens=N]]``, ``[[think]]`` or
    ``[[think=N]]``. Unknown marks are ignored. ``tokens`` is the length without a mark."""
    shape, thinking_tokens = "mixed", None
    for match in _MARK.finditer(prompt):
        word, number = match[1], int(match[2]) if match[2] else None
        if word in SHAPES:
            shape = word
        elif word == "tokens" and number is not None:
            tokens = number
        elif word == "think":
            is_thinking, thinking_tokens = True, number
    return Wishes(shape, tokens, is_thinking, thinking_tokens)


def compose(rng: random.Random, wishes: Wishes) -> Iterator[str]:
    """The tokens of one answer, one by one."""
    tokens = _thought(rng, wishes) if wishes.is_thinking else iter(())
    if wishes.tokens is None:
        yield from tokens
        yield from _natural(rng, wishes.shape)
        return
    whole = _chain(tokens, SHAPES[wishes.shape](rng))
    yield from islice(whole, wishes.tokens)


def in_form(rng: random.Random, wishes: Wishes, text: str) -> Iterator[str]:
    """The tokens of a given text, after a thinking part if one is asked for."""
    thought = _thought(rng, wishes) if wishes.is_thinking else iter(())
    yield from islice(_chain(thought, iter((text,))), wishes.tokens)


def loop_forever(rng: random.Random, wishes: Wishes) -> Iterator[str]:
    """The tokens of a model that repeats itself; endless unless a length is given."""

    def text() -> Blocks:
        yield _fill(rng, rng.choice(answer_texts.OPENINGS)) + " "
        yield from (_fill(rng, rng.choice(answer_texts.PROSE)) + " " for _ in range(2))
        sentence = rng.choice(answer_texts.LOOPS)
        while True:
            yield sentence + " "

    if wishes.shape != "mixed":
        yield from compose(rng, wishes)
        return
    whole = _chain(_thought(rng, wishes) if wishes.is_thinking else iter(()), text())
    yield from islice(whole, wishes.tokens)


def _chain(tokens: Iterator[str], blocks: Blocks) -> Iterator[str]:
    yield from tokens
    for block in blocks:
        yield from pieces(block)


def _natural(rng: random.Random, shape: str) -> Iterator[str]:
    """Complete blocks up to a random length, then an ending that suits the shape."""
    target = rng.randint(*DEFAULT_TOKENS)
    text, length = "", 0
    for block in SHAPES[shape](rng):
        text += block
        length += len(pieces(block))
        if length >= target:
            break
    endings = {"code": "\n```\n", "mixed": "\n\n" + rng.choice(answer_texts.CLOSINGS)}
    yield from pieces(text.rstrip() + endings.get(shape, ""))


def _thought(rng: random.Random, wishes: Wishes) -> Iterator[str]:
    """A thinking part; its tags and their newlines are separate tokens."""
    yield from ("<think>", "\n")
    thoughts = _thoughts(rng)
    if wishes.thinking_tokens is not None:
        yield from islice(_chain(iter(()), thoughts), wishes.thinking_tokens)
    else:
        left = rng.randint(*THINKING_TOKENS)
        if wishes.tokens is not None:
            left = min(left, wishes.tokens // 3)
        while left > 0:
            cut = pieces(next(thoughts))
            yield from cut
            left -= len(cut)
    yield from ("\n", "</think>", "\n\n")


def _thoughts(rng: random.Random) -> Blocks:
    first = True
    while True:
        for thought in rng.sample(answer_texts.THOUGHTS, len(answer_texts.THOUGHTS)):
            yield ("" if first else " ") + _fill(rng, thought)
            first = False


def _fill(rng: random.Random, text: str) -> str:
    """Fill random numbers into a sentence. They are consistent: rates follow from the size of the
    weights and the bandwidth, the time of a step from its rate, with the shares of this board."""
    weights_gib, bandwidth_gbps = rng.uniform(0.5, 6.0), rng.uniform(25.6, 38.4)
    rate_tps = bandwidth_gbps * 1e9 / (weights_gib * 2**30)
    return text.format(
        cores=3,
        core=rng.randint(0, 2),
        n=rng.randint(3, 9),
        pct=rng.randint(55, 96),
        ctx=rng.choice((512, 900, 1024, 2048)),
        short=rng.choice((64, 96, 128)),
        mhz=DDR_TABLE_HZ[-1] // 1_000_000,
        low_mhz=DDR_TABLE_HZ[0] // 1_000_000,
        temp=rng.randint(49, 57),
        gib=f"{weights_gib:.1f}",
        bw=f"{bandwidth_gbps:.1f}",
        rate=f"{rate_tps:.1f}",
        decode=f"{DECODE_SHARE * rate_tps:.1f}",
        prefill=f"{PREFILL_GIB_PER_S / weights_gib:.0f}",
        step=f"{1000 / (DECODE_SHARE * rate_tps):.0f}",
        ms=rng.randint(24, 340),
    )


def _endless(rng: random.Random, bank: tuple[str, ...]) -> Blocks:
    """All texts of ``bank``, repeated in random order with new numbers."""
    while True:
        for text in rng.sample(bank, len(bank)):
            yield _fill(rng, text)


def _sentences(rng: random.Random) -> Blocks:
    """Sentences of prose: first in their logical order, then in random order."""
    first = rng.choice(answer_texts.PROSE_STARTS)
    for text in (*answer_texts.PROSE[first:], *answer_texts.PROSE[:first]):
        yield _fill(rng, text)
    yield from _endless(rng, answer_texts.PROSE)


def _prose(rng: random.Random) -> Blocks:
    yield _fill(rng, rng.choice(answer_texts.OPENINGS))
    sentences = _sentences(rng)
    while True:
        for _ in range(rng.randint(2, 4)):
            yield " " + next(sentences)
        yield "\n\n"
        yield next(sentences)


def _list(rng: random.Random) -> Blocks:
    return (f"- {item}\n" for item in _endless(rng, answer_texts.LIST_ITEMS))


def _code(rng: random.Random) -> Blocks:
    yield "```python\n# a simulated answer\nimport asyncio\n\n"
    for text in _endless(rng, answer_texts.CODE):
        yield text + "\n"


def _table(rng: random.Random) -> Blocks:
    yield "| what (simulated) | value | remark |\n|---|---:|---|\n"
    while True:
        for row in rng.sample(answer_texts.TABLE_ROWS, len(answer_texts.TABLE_ROWS)):
            yield "| " + " | ".join(_fill(rng, cell) for cell in row) + " |\n"


def _cjk(rng: random.Random) -> Blocks:
    sentences = _endless(rng, answer_texts.WIDE)
    while True:
        yield "".join(next(sentences) for _ in range(rng.randint(2, 4)))
        yield "\n\n"


def _emoji(rng: random.Random) -> Blocks:
    """Emoji of several code points between words in several scripts."""
    while True:
        pairs = (
            (rng.choice(answer_texts.JOINED), rng.choice(answer_texts.EMOJI)) for _ in range(8)
        )
        yield " ".join(f"{word} {sign}" for word, sign in pairs) + "\n"


def _one_line(rng: random.Random) -> Blocks:
    yield "simulated"
    while True:
        yield f"{rng.choice('-_./+')}{rng.choice(answer_texts.WORDS)}{rng.randint(0, 99)}"


def _hostile(rng: random.Random) -> Blocks:
    yield "This simulated answer is hostile. "
    while True:
        yield from rng.sample(answer_texts.HOSTILE, len(answer_texts.HOSTILE))
        yield "\n"


def _mixed(rng: random.Random) -> Blocks:
    """An opening, then sections of random kinds, never the same kind twice in a row."""
    prose = _sentences(rng)
    yield _fill(rng, rng.choice(answer_texts.OPENINGS)) + " " + next(prose) + "\n\n"
    kinds: tuple[Callable[[random.Random], str], ...] = (
        _list_section, _step_section, _code_section, _table_section, _wide_section,
    )  # fmt: skip
    headings = _endless(rng, answer_texts.HEADINGS)
    last: Callable[[random.Random], str] | None = None
    while True:
        for kind in rng.sample(kinds, len(kinds)):
            if kind is last:
                continue
            last = kind
            text = " ".join(next(prose) for _ in range(rng.randint(1, 2)))
            yield f"## {next(headings)}\n\n{text}\n\n{kind(rng)}\n"


def _list_section(rng: random.Random) -> str:
    return "".join(islice(_list(rng), rng.randint(3, 5)))


def _step_section(rng: random.Random) -> str:
    steps = rng.sample(answer_texts.STEPS, rng.randint(3, 4))
    return "".join(f"{n}. {_fill(rng, step)}\n" for n, step in enumerate(steps, 1))


def _code_section(rng: random.Random) -> str:
    return f"```python\n{_fill(rng, rng.choice(answer_texts.CODE))}```\n"


def _table_section(rng: random.Random) -> str:
    return "".join(islice(_table(rng), rng.randint(4, 5)))


def _wide_section(rng: random.Random) -> str:
    wide = "".join(_fill(rng, text) for text in rng.sample(answer_texts.WIDE, 2))
    return f"{wide} {rng.choice(answer_texts.EMOJI)}\n\n{rng.choice(answer_texts.QUOTES)}\n"


SHAPES: dict[str, Callable[[random.Random], Blocks]] = {
    "mixed": _mixed,
    "prose": _prose,
    "list": _list,
    "code": _code,
    "table": _table,
    "cjk": _cjk,
    "emoji": _emoji,
    "oneline": _one_line,
    "hostile": _hostile,
}
"""Shapes of an answer; a prompt selects one by ``[[name]]``."""
