"""A prompt that waits because the server is busy."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ServerWait:
    """Since when a prompt waits, and why. ``reason`` is a short clause, sanitised."""

    reason: str
    since_ns: int
