"""The glossary: the page says what the help says, and every column of a comparison is in it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest

from tui.bench.model.records import Taint
from tui.core.screen.glossary import GLOSSARY

PAGE = Path(__file__).resolve().parents[3] / "docs" / "glossary.md"


def test_page_and_help_are_equal() -> None:
    rows = re.findall(r"^\| (.+?) \| (.+) \|$", PAGE.read_text(), re.MULTILINE)
    assert rows == [("Term", "Meaning"), *GLOSSARY]


def test_no_term_stands_twice() -> None:
    terms = [term for term, _ in GLOSSARY]
    assert len(terms) == len(set(terms))


@pytest.mark.parametrize(
    "term",
    [
        *("MAD", "CI95", "MDC", "p Holm", "cap", "gate", "taint", "ø", "of what DDR allows"),
        *("clock delayed", "TTFT", "ITL", "prefill", "decode", "headroom", "roofline"),
        *("SIMULATED", "median", "stall", "burst", "ETA", "context", "prefix cache", "baseline"),
        *("w8a8", "NPU", "SoC", "DDR", "governor", "throttled", "memory pressure", "warm-up"),
        *("detached", "variant", "judge", "determinism", "KV cache", "p50", "p99", "CV", "n", "p"),
        *("temperature", "RKLLM", "debugfs", "tap", "phase", "mark", "matrix", "blind", "kappa"),
        *("token", "chunk", "client", "runtime", "kernel clock", "socket clock", "goodput"),
        *("≤", "<=", "avg", "swap", "DDR at most", "RAM free", "RAM of model"),
    ],
)
def test_every_special_word_is_told_in_one_sentence(term: str) -> None:
    [meaning] = [
        meaning for terms, meaning in GLOSSARY if term == terms or term in re.split(r", |/", terms)
    ]
    assert meaning
    assert ". " not in meaning


def test_every_taint_is_told_as_the_screens_write_it() -> None:
    told = {term for term, _ in GLOSSARY}
    assert {taint.replace("_", " ") for taint in get_args(Taint)} <= told
