"""Requests before the measured ones: stream probe, warm-up, filler calibration."""

from __future__ import annotations

from collections.abc import Sequence

from tui.bench.analysis.trace import MIN_BUFFERED_CHUNKS, looks_buffered
from tui.bench.model.suite import Prompt
from tui.bench.run.filler import corrected, first_guess, text_of
from tui.bench.run.plan import Task
from tui.bench.run.request_runner import RequestResult

PROBE_TOKENS = 8
PROBE_TEXT = "Count slowly in words: one, two, three, and so on, up to twenty."
WARM_TOKENS = 33
WARM_MAX = 5
WARM_AGREE = 0.02
CALIBRATIONS = 5
WARM_TEXTS = (
    "Tell me in a few sentences why bread rises in the oven.",
    "Describe a quiet morning at a harbour in a few sentences.",
    "Explain in a few sentences how a bicycle stays upright.",
    "Say in a few sentences what a lighthouse keeper does all day.",
    "Write a few sentences about the smell of rain on dry ground.",
)
"""Different from everything that is measured, so that no cache is warmed for it."""


def probe_task() -> Task:
    """The short request that shows whether chunks are spread in time."""
    prompt = Prompt(id="probe", name="stream probe", text=PROBE_TEXT, max_tokens=PROBE_TOKENS)
    return Task(prompt, 0, 0, "probe")


def warm_task(number: int) -> Task:
    """One discarded request."""
    text = WARM_TEXTS[number % len(WARM_TEXTS)]
    prompt = Prompt(id=f"warm_{number + 1}", name="warm-up", text=text, max_tokens=WARM_TOKENS)
    return Task(prompt, 0, number, "warm-up")


def stream_mode(asked: RequestResult) -> str:
    """token, character, buffered, or unknown where too little came to tell."""
    turn = asked.turn
    if looks_buffered(turn.t0_ns, turn.stamps_ns):
        return "buffered"
    if len(turn.stamps_ns) == 1 and len(turn.text) > 2 * PROBE_TOKENS:
        # Everything in one chunk: nothing of the time between tokens is left.
        return "buffered"
    if len(turn.stamps_ns) < MIN_BUFFERED_CHUNKS:
        return "unknown"
    stats = turn.stats(turn.stamps_ns[-1])
    is_by_length = stats.tokens_source == "estimated" and stats.tokens != stats.chunks
    return "character" if is_by_length else "token"


def is_warm(rates: Sequence[float | None]) -> bool:
    """Whether the last two rates agree within 2 %."""
    if len(rates) < 2:
        return False
    before, after = rates[-2], rates[-1]
    if not before or not after:
        return False
    return abs(after / before - 1) < WARM_AGREE


def calibration_task(wanted: int, words: int, number: int) -> Task:
    """A request of one token that shows how many tokens so many words are."""
    prompt = Prompt(
        id=f"calibrate_{wanted}",
        name=f"calibration to {wanted} tokens",
        text=text_of(words, f"calibration:{wanted}:{number}"),
        max_tokens=1,
    )
    return Task(prompt, 0, number, "calibration")


class Calibration:
    """Finds the number of words for one wanted number of prompt tokens."""

    def __init__(self, wanted: int) -> None:
        self.wanted = wanted
        self.words = first_guess(wanted)
        self.is_done = False
        self.tries = 0

    def learn(self, found: int | None) -> None:
        """What the server counted; None where it does not count, and there is nothing to learn."""
        self.tries += 1
        if found is None or found == self.wanted or self.tries >= CALIBRATIONS:
            self.is_done = True
            return
        self.words = corrected(self.words, self.wanted, found)
