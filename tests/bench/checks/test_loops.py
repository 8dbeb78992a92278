"""Loops are seen, honest repetition is not."""

from __future__ import annotations

import json
import random

from hypothesis import given
from hypothesis import strategies as st

from tui.bench.checks.loops import LoopDetector, Repetition, closing_period, find_loop

WORDS = [
    "river",
    "stone",
    "lamp",
    "quiet",
    "engine",
    "paper",
    "cloud",
    "garden",
    "bridge",
    "winter",
]


def prose(count: int, seed: int = 1) -> str:
    rng = random.Random(seed)
    return " ".join(
        rng.choice(WORDS) + str(rng.randrange(1000)) if i % 3 == 0 else rng.choice(WORDS)
        for i in range(count)
    )


def test_one_word_for_ever() -> None:
    loop = find_loop(prose(40) + " the" * 80)
    assert loop is not None
    assert loop.period == 2  # the word and the space
    assert "the" in loop.sample


def test_a_paragraph_for_ever() -> None:
    paragraph = prose(20, seed=4) + ". "
    loop = find_loop(prose(60) + " " + paragraph * 12)
    assert loop is not None
    assert loop.period is not None
    assert 35 <= loop.period <= 64
    assert loop.position > 0


def test_prose_is_no_loop() -> None:
    assert find_loop(prose(3000)) is None
    assert find_loop("") is None


def test_a_table_is_no_loop() -> None:
    rows = "\n".join(
        f"| item {i} | {i * 7 % 23} | {'yes' if i % 3 else 'no'} | {WORDS[i % 10]} |"
        for i in range(60)
    )
    assert find_loop("| name | count | ready | note |\n| --- | --- | --- | --- |\n" + rows) is None


def test_indented_json_is_no_loop() -> None:
    items = [
        {"title": WORDS[i % 10], "value": i * 37 % 101, "tags": [WORDS[i % 5]]} for i in range(40)
    ]
    assert find_loop(json.dumps(items, indent=8)) is None


def test_white_space_alone_is_no_loop() -> None:
    assert find_loop("a" + "\n" * 4000) is None
    assert closing_period([" "] * 100) is None


def test_seen_once_while_it_happens() -> None:
    detector = LoopDetector()
    seen: list[Repetition] = []
    for index in range(400):
        loop = detector.feed([" again"])
        if loop is not None:
            seen.append(loop)
            assert index < 80
    assert len(seen) == 1
    assert detector.loop is seen[0]
    assert "token" in seen[0].sentence


@given(st.lists(st.text(max_size=12), max_size=300))
def test_a_loop_lies_within_the_tokens(tokens: list[str]) -> None:
    detector = LoopDetector()
    loop = detector.feed(tokens)
    assert detector.loop is loop
    assert loop is None or 0 <= loop.position < len(tokens)
