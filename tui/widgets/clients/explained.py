"""Explains the figures of another program's request, as the tap measured them."""

from __future__ import annotations

from tui.core.screen.explanations import SOURCE_WORDS, Explanation, figure
from tui.history.request_records import ClientRequest


def request_figures(one: ClientRequest) -> list[Explanation]:
    """Value, source and formula of each."""
    waited = f"waited for another client; {SOURCE_WORDS[one.queue_source]}"
    first = f"at the tap, with the queue; {SOURCE_WORDS[one.ttft_source]}"
    return [
        figure("queue", one.queue_ms, "ms", waited),
        figure("TTFT", one.ttft_ms, "ms", first),
        figure("tok/s", one.decode_tps, "tok/s", SOURCE_WORDS[one.decode_source]),
        figure("tokens out", one.tokens_out, "", SOURCE_WORDS[one.tokens_out_source], "token"),
        figure("tokens in", one.tokens_in, "", SOURCE_WORDS[one.tokens_in_source], "token"),
    ]
