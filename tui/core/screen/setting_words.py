"""What each setting of the next answers means, in one sentence."""

from __future__ import annotations

from collections.abc import Mapping

MEANINGS: Mapping[str, str] = {
    "temperature": "how freely tokens are drawn: 0 always takes the likeliest one",
    "top_p": "only the likeliest tokens that together reach this probability are drawn from",
    "top_k": "only so many of the likeliest tokens are drawn from; 0: the server chooses",
    "repeat_penalty": "above 1, tokens that have occurred become less likely",
    "max_tokens": "the longest answer, in tokens",
    "is_thinking": "whether the model thinks before it answers, where it can",
    "stops_loops": "npulse itself ends an answer that repeats itself, with any server",
    "system_prompt": "what the model is told before the first prompt",
    "is_low_bandwidth": "for a slow line to the terminal: draws every 5 seconds, and after a key",
}
"""Field of the settings form -> its meaning."""
