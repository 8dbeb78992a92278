"""What stands on the screens of another machine's board."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import pytest

from tui.remote.board import RemoteBoard
from tui.settings.board_login import LoggedIn


@pytest.mark.parametrize(
    ("sentence", "words"),
    [
        ("http://127.0.0.1:46179 is busy.", "http://kitchen:8021 is busy."),
        ("RockchipLlama :46179 does not answer.", "RockchipLlama kitchen:8021 does not answer."),
        ("127.0.0.1:46179, 127.0.0.1:40000", "kitchen:8021, kitchen:46179"),
        ("http://127.0.0.1:4617 and http://10.0.0.1:46179, at 12:46179", None),
    ],
)
def test_a_sentence_names_a_server_by_its_place_on_the_board(
    sentence: str, words: str | None
) -> None:
    board = cast("RemoteBoard", SimpleNamespace(address=SimpleNamespace(name="kitchen")))
    there = {46179: "http://127.0.0.1:8021", 40000: "http://127.0.0.1:46179"}
    assert LoggedIn("kitchen", board, (), there).words_there(sentence) == (words or sentence)
