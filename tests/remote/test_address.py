"""How a board is written, and what is refused."""

from __future__ import annotations

import pytest

from tui.remote.address import BoardAddress, board_address, find_board


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("ssh://board", BoardAddress("board", "board")),
        ("ssh://me@Board.local:2222", BoardAddress("Board.local", "Board.local", "me", 2222)),
        ("ssh://me@192.168.1.20/", BoardAddress("192.168.1.20", "192.168.1.20", "me")),
        ("ssh://[fe80::1%eth0]:22", BoardAddress("fe80::1%eth0", "fe80::1%eth0", None, 22)),
    ],
)
def test_an_address(text: str, found: BoardAddress) -> None:
    assert board_address(text) == found
    assert board_address(found.shown, name=found.name) == found


@pytest.mark.parametrize(
    "text",
    [
        "", "board", "http://board", "ssh://", "ssh://-oProxyCommand=x", "ssh://-x@board",
        "ssh://board:0", "ssh://board:99999", "ssh://board/path", "ssh://a b", "ssh://b?x",
        "ssh://b\x1b[2J", "ssh://me@", "ssh://b;reboot", "ssh://$(reboot)",
    ],
)  # fmt: skip
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(ValueError, match=r"a board is written as ssh://user@board") as raised:
        board_address(text)
    assert len(str(raised.value)) < 250


def test_a_password_is_refused_and_not_told() -> None:
    with pytest.raises(ValueError, match="no password in the address") as raised:
        board_address("ssh://me:hunter2@board")
    assert "hunter2" not in str(raised.value)


def test_a_name_of_the_config() -> None:
    boards = {"kitchen": BoardAddress("kitchen", "10.0.0.5")}
    assert find_board("kitchen", boards) == boards["kitchen"]
    assert find_board("ssh://attic", boards).host == "attic"
    with pytest.raises(ValueError, match=r"\(kitchen\), not kitchn|the name of a board"):
        find_board("kitchn", boards)
