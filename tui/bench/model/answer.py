"""The answer that checks are run on."""

from __future__ import annotations

from dataclasses import dataclass

Outcome = tuple[bool | None, str]
"""(passed, detail); None where the check does not apply."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A finished answer and what it was asked for."""

    text: str
    prompt: str = ""
    is_capped: bool = False
    is_think_unclosed: bool = False
    latency_ms: float | None = None
    """From the request to the end of the answer."""
