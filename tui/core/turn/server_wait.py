"""A prompt that waits because the server is busy."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ServerWait:
    """Since when a prompt waits, and why. ``reason`` is a short clause, sanitised. ``is_sent``: the
    server has it already and does not answer yet."""

    reason: str
    since_ns: int
    is_sent: bool = False
