"""A prompt that waits because the server is busy."""

from __future__ import annotations

from dataclasses import dataclass

from tui.core.text.sanitize import clean_line

MAX_REASON_CHARS = 160


@dataclass(frozen=True, slots=True)
class ServerWait:
    """Since when a prompt waits, and why. ``reason`` is a short clause, sanitised. ``is_sent``: the
    server has it already and does not answer yet."""

    reason: str
    since_ns: int
    is_sent: bool = False


def continued(
    before: ServerWait | None, t_ns: int, reason: str, *, is_sent: bool = False
) -> ServerWait:
    """The wait that goes on from ``before``, or begins at ``t_ns``."""
    since_ns = t_ns if before is None else before.since_ns
    return ServerWait(clean_line(reason, MAX_REASON_CHARS), since_ns, is_sent)
