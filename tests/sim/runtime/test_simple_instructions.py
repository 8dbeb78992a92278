"""Answers in the form that a prompt asks for, and what their words depend on."""

from __future__ import annotations

import json
import random

import httpx
import pytest

from tests.sim.simulator import CHAT, running
from tui.bench.checks.languages import detect
from tui.sim.runtime.sampling import sampling_of
from tui.sim.runtime.simple_instructions import obeyed

FAST = ("--speed", "1000", "--decode-tps", "1000", "--prefill-tps", "100000")


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(
    ("prompt", "low", "high"),
    [
        ("Say it in exactly 12 words.", 12, 12),
        ("Explain it in 20 to 30 words", 20, 30),
        ("Use at most ten words.", 5, 10),
        ("Write at least 15 words about it", 15, 22),
        ("Use fewer than 8 words.", 3, 7),
    ],
)
def test_the_number_of_words_is_as_asked(prompt: str, low: int, high: int, seed: int) -> None:
    text = obeyed(random.Random(seed), prompt)
    assert text is not None
    assert low <= len(text.split()) <= high


def test_sentences_bullets_json_and_a_choice() -> None:
    rng = random.Random(1)
    assert (obeyed(rng, "Answer in two sentences.") or "").count(".") == 2
    assert (obeyed(rng, "Give exactly 4 bullet points") or "").count("- ") == 4
    value = json.loads(obeyed(rng, 'Reply as JSON with the keys "name" and "size".') or "")
    assert set(value) == {"name", "size"}
    assert obeyed(rng, "Is it fast? Answer yes or no.") in ("Yes", "No")
    assert obeyed(rng, "Tell me about the board") is None


@pytest.mark.parametrize(
    ("name", "code"),
    [("Hungarian", "hu"), ("Vietnamese", "vi"), ("Chinese", "zh"), ("Arabic", "ar")],
)
def test_the_language_is_as_asked(name: str, code: str) -> None:
    assert detect(obeyed(random.Random(3), f"Explain it in {name}.") or "") == code


def test_what_no_number_is_is_no_setting() -> None:
    assert sampling_of(["temperature"]).values == ()
    assert sampling_of({"temperature": "warm", "top_k": True}).values == ()
    assert sampling_of({"temperature": 0}).is_greedy
    assert sampling_of({"top_k": 1, "temperature": 0.8}).is_greedy


def _asked(url: str, prompt: str, **settings: float) -> str:
    body = {
        "model": "qwen3-0.6b",
        "messages": [{"role": "user", "content": prompt}],
        "max_tokens": 60,
        **settings,
    }
    answer = httpx.post(url + CHAT, json=body, timeout=30).json()
    text: str = answer["choices"][0]["message"]["content"]
    return text


def test_an_answer_depends_on_prompt_settings_and_seed() -> None:
    with running("--dialect", "openai", *FAST) as simulator:
        url = simulator.url
        cold = [_asked(url, "Why?", temperature=0) for _ in range(2)]
        warm = [_asked(url, "Why?", temperature=0.8) for _ in range(2)]
        seeded = [_asked(url, "Why?", temperature=0.8, seed=7) for _ in range(2)]
        other = _asked(url, "How?", temperature=0)
    assert cold[0] == cold[1]
    assert warm[0] != warm[1]
    assert seeded[0] == seeded[1]
    assert len({cold[0], other, *warm, seeded[0]}) == 5


@pytest.mark.slow
def test_a_given_share_of_the_answers_does_not_obey() -> None:
    prompt = "Case {}: describe the board in exactly 9 words."
    with running("--dialect", "openai", "--obey", "0.5", *FAST) as simulator:
        texts = [_asked(simulator.url, prompt.format(at), temperature=0) for at in range(24)]
    obeying = sum(len(text.split()) == 9 for text in texts)
    assert 5 <= obeying <= 19
