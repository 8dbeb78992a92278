"""What tells whose machine it was is masked, in words of any tokens, and nothing else."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.recording.lines import Request, Token
from tui.recording.masking import TokenMask
from tui.recording.scrub import Scrubber

SCRUBBER = Scrubber(hosts=("attic-board",), users=("benno",), places=("/data/benno",))


@pytest.mark.parametrize(
    "text",
    [
        "see /home/benno/models/qwen.rkllm",
        "see ~/models/qwen.rkllm now",
        "ssh benno@attic-board",
        "on ATTIC-BOARD:8021",
        "http://10.0.0.31:8021/v1",
        "http://me:secret@nas.example:80/x",
        "from 192.168.1.20.",
        "mac 3c:52:82:aa:bb:cc",
        "fe80::1c2d:3e4f",
        "mail ben.no@example.org",
        "C:\\Users\\benno\\x.txt",
        "file:///srv/benno/a",
        '{"path":"/srv/models/a.rkllm"}',
        "mount /mnt/disk1/models",
    ],
)
def test_private_things_are_masked(text: str) -> None:
    masked = SCRUBBER.text(text)
    assert len(masked) == len(text)
    for private in (
        "benno", "attic", "ATTIC", "models", "10.0", "nas", "secret", "192", "3c:52", "1c2d",
        "ben.no", "Users", "srv", "disk1",
    ):  # fmt: skip
        assert private not in masked


@pytest.mark.parametrize(
    "text",
    [
        "http://127.0.0.1:8021/v1/chat and http://localhost:8021",
        "/sys/class/devfreq/fdab0000.npu/load",
        "/proc/device-tree/model, /usr/lib/librkllmrt.so",
        "and/or, 1/2, 3.14 tok/s, 14:02:11, std::vector<int>, a::b",
        "use /no_think or /think",
        "version 1.2.3",
        "bennoit stays, and an attic-boards too",
        "0.0.0.0 and ::1 and ::",
        "",
    ],
)
def test_what_every_machine_has_stays(text: str) -> None:
    assert SCRUBBER.text(text) == text


def test_common_names_of_users_are_no_secret() -> None:
    here = Scrubber.of_this_machine()
    assert "root" not in here.users
    assert here.text("the root of 4 on localhost") == "the root of 4 on localhost"


@given(st.text(max_size=200))
def test_any_text_keeps_its_length(text: str) -> None:
    assert len(SCRUBBER.text(text)) == len(text)


@given(st.text(max_size=60), st.text(max_size=60), st.data())
def test_a_private_word_is_masked_however_it_comes_in_tokens(
    before: str, after: str, data: st.DataObject
) -> None:
    private = "http://10.0.0.31:80/x /home/benno/y.z"
    text = f"{before} {private} {after}"
    cuts = data.draw(st.lists(st.integers(0, len(text)), max_size=12).map(sorted))
    places = [0, *cuts, len(text)]
    tokens = [text[a:b] for a, b in pairwise(places)]
    mask = TokenMask(SCRUBBER, has_text=True)
    out = [line for token in tokens if token for line in mask.feed(Token(text=token))]
    out += mask.flush()
    pieces = [line.text for line in out if isinstance(line, Token)]
    assert [len(piece) for piece in pieces] == [len(token) for token in tokens if token]
    assert "benno" not in "".join(pieces).removeprefix(before)[: len(private) + 2]
    assert "10.0.0.31" not in "".join(pieces)[len(before) : len(before) + len(private) + 2]


def test_a_request_is_masked_whole_and_without_text_only_its_length_stays() -> None:
    from tui.recording.lines import RecordedMessage

    request = Request(messages=(RecordedMessage("user", "why does /home/benno/a fail?"),))
    (masked,) = TokenMask(SCRUBBER, has_text=True).feed(request)
    assert isinstance(masked, Request)
    assert masked.messages[0].content == "why does /xxxx/xxxxx/x fail?"
    (bare,) = TokenMask(SCRUBBER, has_text=False).feed(request)
    assert isinstance(bare, Request)
    assert bare.messages[0].content == ""
    assert bare.messages[0].chars == 28
