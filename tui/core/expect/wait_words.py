"""Describes the wait for an answer in words, for screens and commands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.core.text import format as fmt

if TYPE_CHECKING:
    from tui.core.expect.outlook import Outlook, WaitFor
    from tui.core.expect.spread import Spread

WORDS: dict[WaitFor, str] = {
    "server": "waiting",
    "loading": "loading the model",
    "queue": "queued",
    "prefill": "prefill",
    "tokens": "answering",
}


def short_wait(view: Outlook) -> str:
    """``prefill 12 s of ~41 s``: before the first token, in little room."""
    elapsed = fmt.long_seconds(view.elapsed_s)
    expected = view.prefill if view.awaited == "prefill" else None
    words = f"{WORDS[view.awaited]} {elapsed}"
    if expected is None:
        return words
    if view.is_overdue:
        return f"{words}, expected {expected_range(expected)}"
    limit = "at most " if expected.is_at_most else "~"
    return f"{words} of {limit}{fmt.long_seconds(expected.likely)}"


def long_wait(view: Outlook) -> str:
    """``prefill 12 s of about 41 s (38 to 44 s, from 23 earlier prompts)``."""
    if view.awaited == "queue":
        elapsed = fmt.long_seconds(view.elapsed_s)
        return f"queued {elapsed}: the server has not begun with this prompt, the NPU is idle"
    expected = view.prefill if view.awaited == "prefill" else None
    if expected is None:
        return short_wait(view)
    so_far = f"{WORDS[view.awaited]} {fmt.long_seconds(view.elapsed_s)}"
    many = f"{expected.n} earlier prompt{'' if expected.n == 1 else 's'}"
    if view.is_overdue:
        return f"{so_far}, longer than expected ({expected_range(expected)}, from {many})"
    if expected.is_at_most:
        most = fmt.long_seconds(expected.likely)
        return f"{so_far} of at most {most} (less where the server keeps the conversation)"
    likely = fmt.long_seconds(expected.likely)
    spread = "" if expected.low is None else f"{expected_range(expected)}, "
    return f"{so_far} of about {likely} ({spread}from {many})"


def expected_range(expected: Spread) -> str:
    """``38 to 44 s``, ``1 min 10 s to 2 min 05 s``; ``~41 s`` where the spread is not known."""
    if expected.low is None or expected.high is None:
        return f"~{fmt.long_seconds(expected.likely)}"
    low, high = fmt.long_seconds(expected.low), fmt.long_seconds(expected.high)
    if expected.high < 9.5:
        low, high = f"{expected.low:.1f} s", f"{expected.high:.1f} s"
    if low == high:
        return low
    is_seconds = " min" not in high and " h" not in high
    return f"{low.removesuffix(' s') if is_seconds else low} to {high}"


def eta_text(left: Spread, *, is_short: bool = False) -> str:
    """``~2:10 (1:00-4:00)``; ``~2:10`` in little room."""
    if is_short:
        return f"~{fmt.clock(left.likely)}"
    likely = f"~{fmt.long_seconds(left.likely)}"
    if left.low is None or left.high is None or left.high - left.low < 1:
        return likely
    return f"~{fmt.clock(left.likely)} ({fmt.clock(left.low)}-{fmt.clock(left.high)})"
