"""The first answers of the demo: short, whole, and about what there is to see.

At the pace of a slow board one of them takes less than a minute, so that the cause, its command and
the difference are seen within the first minutes.
"""

from __future__ import annotations

from tui.sim.runtime.tokens import pieces

SLOW = (
    "This is a simulated answer: no model ran for it. Each token reads every weight of the model "
    "once, so the memory sets the pace, and something on this board holds it back. The board's "
    "screen names the cause, with the command that helps.",
    "Another simulated answer, at the same slow pace. The board's screen offers the fix: it asks "
    "first, then compares eight short answers before and after, and can undo it.",
)
"""While something slows the board down."""
USUAL = (
    "This is a simulated answer: no model ran for it, but its pace is that of a real board. Each "
    "token reads every weight of the model once, so the memory sets the pace: its bandwidth "
    "divided by the size of the weights is the most that can be had.",
    "Another simulated answer. The prompt before it was read much faster than this is written, for "
    "many tokens of a prompt share one pass over the weights.",
    "A third one. The last answers stand beside each other on the dashboard, each with its rate; a "
    "benchmark compares them with intervals.",
)
"""Else."""


class Tour:
    """Which text comes next."""

    def __init__(self) -> None:
        self._told = {SLOW: 0, USUAL: 0}

    def next_text(self, *, is_slow: bool, max_tokens: int) -> str | None:
        """The next one; None after the last, and where it would be cut."""
        texts = SLOW if is_slow else USUAL
        told = self._told[texts]
        if told == len(texts) or len(list(pieces(texts[told]))) > max_tokens:
            return None
        self._told[texts] = told + 1
        return texts[told]
