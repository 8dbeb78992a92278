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
"""Different from all measured prompts, so that these are not in a cache."""


def probe_task() -> Task:
    """A short request that shows whether the server streams or buffers."""
    prompt = Prompt(id="probe", name="stream probe", text=PROBE_TEXT, max_tokens=PROBE_TOKENS)
    return Task(prompt, 0, 0, "probe")


def warm_task(number: int) -> Task:
    """A warm-up request, which is not counted."""
    text = WARM_TEXTS[number % len(WARM_TEXTS)]
    prompt = Prompt(id=f"warm_{number + 1}", name="warm-up", text=text, max_tokens=WARM_TOKENS)
    return Task(prompt, 0, number, "warm-up")


def stream_mode(asked: RequestResult) -> str:
    """The stream mode: token, character, buffered, or unknown if the answer was too short."""
    turn = asked.turn
    if looks_buffered(turn.t0_ns, turn.stamps_ns):
        return "buffered"
    if len(turn.stamps_ns) == 1 and len(turn.text) > 2 * PROBE_TOKENS:
        # The whole answer is in one chunk.
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
    """A request for one token, from which the server's count of ``words`` filler words is read."""
    prompt = Prompt(
        id=f"calibrate_{wanted}",
        name=f"calibration to {wanted} tokens",
        text=text_of(words, f"calibration:{wanted}:{number}"),
        max_tokens=1,
    )
    return Task(prompt, 0, number, "calibration")


class Calibration:
    """Searches the number of filler words for a number of prompt tokens."""

    def __init__(self, wanted: int) -> None:
        self.wanted = wanted
        self.words = first_guess(wanted)
        self.is_done = False
        self.tries = 0

    def learn(self, found: int | None) -> None:
        """Use the server's count of the last request; None, if it does not count, ends the
        search."""
        self.tries += 1
        if found is None or found == self.wanted or self.tries >= CALIBRATIONS:
            self.is_done = True
            return
        self.words = corrected(self.words, self.wanted, found)
