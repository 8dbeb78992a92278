"""The answer that checks are applied to."""

from __future__ import annotations

from dataclasses import dataclass

Outcome = tuple[bool | None, str]
"""(passed, detail); passed is None if the check is not applicable."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A finished answer and its prompt. ``is_capped``: ended by the token limit."""

    text: str
    prompt: str = ""
    is_capped: bool = False
    is_think_unclosed: bool = False
    latency_ms: float | None = None
    """From the request to the end of the answer."""
