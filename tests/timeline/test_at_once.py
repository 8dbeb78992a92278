"""Chunks that are given at once make the same timeline as one after the other."""

from __future__ import annotations

import random

import pytest

from tui.timeline.builder import MANY_CHUNKS, TimelineBuilder
from tui.timeline.record import Timeline

N_CHUNKS = MANY_CHUNKS + 60
PIECES = ("word ", "a\n", "", "line\n\n")
CODE = (*PIECES, "```\n", "~~~", "`x` ", "  ```py\n")


def _times_ns(rng: random.Random, usual_ns: int) -> list[int]:
    """Even, with some that came together, some that fall, and some far too late."""
    times_ns, t_ns = [], 900_000_000
    for _ in range(N_CHUNKS):
        t_ns += rng.choice([usual_ns] * 20 + [0, -1000, usual_ns // 3, 9 * usual_ns])
        times_ns.append(t_ns)
    return times_ns


def _made(times_ns: list[int], words: list[tuple[str, str]], step: int) -> Timeline:
    builder = TimelineBuilder("why?", "a-model")
    texts, thoughts = [], []
    text_end = thinking_end = 0
    for text, thinking in words:
        text_end += len(text)
        thinking_end += len(thinking)
        texts.append(text_end)
        thoughts.append(thinking_end)
    builder.add_words("".join(text for text, _ in words), "".join(other for _, other in words))
    for at in range(0, len(times_ns), step):
        part = slice(at, at + step)
        builder.add_chunks(times_ns[part], texts[part], thoughts[part])
    builder.end("complete")
    return builder.timeline()


@pytest.mark.parametrize("usual_ns", [8_000_000, 60_000_000, 320_000_000])
@pytest.mark.parametrize("pieces", [PIECES, CODE], ids=["prose", "code"])
@pytest.mark.parametrize("seed", range(3))
def test_at_once_or_one_by_one(pieces: tuple[str, ...], usual_ns: int, seed: int) -> None:
    rng = random.Random(seed)
    n_thinking = rng.choice([0, 1, 40, N_CHUNKS])
    words = [
        ("", rng.choice(PIECES)) if number < n_thinking else (rng.choice(pieces), "")
        for number in range(N_CHUNKS)
    ]
    # Some bring both, or think again.
    for number in rng.sample(range(N_CHUNKS), 4):
        words[number] = rng.choice([("both ", "of it"), ("", "again "), ("", "")])
    times_ns = _times_ns(rng, usual_ns)
    at_once, one_by_one = _made(times_ns, words, N_CHUNKS), _made(times_ns, words, 1)
    assert at_once.phases == one_by_one.phases
    assert at_once.marks == one_by_one.marks
    assert at_once.chunks == one_by_one.chunks
    assert repr(at_once.series) == repr(one_by_one.series)
    assert any(mark.kind == "slow" for mark in at_once.marks)
