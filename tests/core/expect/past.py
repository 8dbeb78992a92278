"""Earlier answers with known parameters."""

from __future__ import annotations

import random
from dataclasses import replace

from tui.core.expect.past_answer import Conditions, PastAnswer

CLOCKS = Conditions(1e9, 2.112e9, 2.3e9, 62.0, "0.9.8", "1.2.3")


def answer(
    number: int = 0,
    *,
    prompt: float = 100.0,
    constant_s: float = 0.2,
    each_s: float = 0.03,
    base_ms: float = 310.0,
    slope_ms: float = 0.057,
    tokens: int = 200,
    noise: random.Random | None = None,
    conditions: Conditions = CLOCKS,
) -> PastAnswer:
    """A first prompt with its answer; ``noise`` makes its times uncertain by some per cent."""

    def around() -> float:
        return 1.0 if noise is None else noise.uniform(0.97, 1.03)

    depth = prompt + tokens / 2
    return PastAnswer(
        created_ms=1_700_000_000_000 + number * 3_600_000,
        prompt_tokens=prompt,
        new_tokens=prompt,
        ttft_s=(constant_s + each_s * prompt) * around(),
        tokens=tokens,
        ms_per_token=(base_ms + slope_ms * depth) * around(),
        depth=depth,
        is_whole=True,
        conditions=conditions,
    )


def answers(count: int = 30, seed: int = 1) -> list[PastAnswer]:
    """Prompts of 20 to 3,000 tokens, answers of 50 to 900, times uncertain by 3 %."""
    noise = random.Random(seed)
    return [
        answer(
            number,
            prompt=float(noise.randint(20, 3000)),
            tokens=noise.randint(50, 900),
            noise=noise,
        )
        for number in range(count)
    ]


def follow_up(before: PastAnswer, *, new: float, whole: float, seconds: float) -> PastAnswer:
    """Goes on with a conversation."""
    return replace(before, prompt_tokens=whole, new_tokens=new, is_follow_up=True, ttft_s=seconds)
