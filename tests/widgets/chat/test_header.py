"""The top line: which model answers on which server, and since when it does not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tui.app.server_words import since_words
from tui.core.screen.headline import Headline
from tui.core.text.glyphs import UNICODE
from tui.widgets.chat.header import header_row

READY = Headline(
    board="Orange Pi 5 Max",
    server_state="ready",
    server="RockchipLlama :8021",
    model="qwen3-4b",
    quantisation="~w8a8",
    context="4k",
    temperature_c=54.0,
    time_of_day="14:05:11",
)
SINCE = "since 14:02 (3:12)"


def top(line: Headline, width: int) -> str:
    return "".join(text for text, _ in header_row(line, width, UNICODE))


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize(
    ("line", "words"),
    [
        (replace(READY, server_state="busy", server_since=SINCE), f"busy {SINCE}"),
        (replace(READY, server_state="loading", server_since=SINCE), f"loading {SINCE}"),
        (replace(READY, server_state="gone", server_since=SINCE), f"unreachable {SINCE}"),
        (
            replace(READY, model=None, server_state="gone", server_since=SINCE),
            f"unreachable {SINCE}",
        ),
        (Headline(server_state="searching"), "looking for a server"),
        (replace(READY, model=None, no_model="no model chosen"), "no model chosen"),
        (replace(READY, server_since=SINCE), "qwen3-4b ~w8a8 4k"),
        (replace(READY, is_model_loaded=False), "not loaded yet"),
    ],
)
def test_the_state_is_told_with_its_time(line: Headline, words: str, width: int) -> None:
    shown = top(line, width)
    assert shown.count(words) == 1
    assert len(shown) <= width


def test_a_server_that_is_ready_says_nothing_of_time() -> None:
    assert "since" not in top(replace(READY, server_since=SINCE), 120)
    assert "not loaded" not in top(replace(READY, is_model_loaded=None), 120)


def test_since_when_in_words() -> None:
    assert since_words(None, 5) == ""
    assert since_words(0, 192_000_000_000).endswith("(3:12)")
    assert since_words(5, 0).endswith("(0:00)")
