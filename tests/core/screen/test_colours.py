"""How many colours are drawn, by what the terminal, its variables and the user say."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.core.screen.colours import (
    ColourAnswer,
    ColourDepth,
    ColourSetting,
    choose_depth,
    is_to_be_asked,
    more_colours,
    with_reply,
)
from tui.core.screen.xterm_colours import nearest_256, xterm_rgb
from tui.settings.terminfo import terminfo_colours

YES, NO = ColourAnswer(True), ColourAnswer(False)
OVER_SSH = {"TERM": "xterm-256color", "SSH_TTY": "/dev/pts/1"}


@pytest.mark.parametrize(
    ("reply", "says"),
    [
        ("\x1bP1$r0;48:2:1:2:3m\x1b\\", True),  # xterm, foot, kitty
        ("\x1bP1$r0;48:2::1:2:3m\x1b\\", True),  # with an empty colour space
        ("\x1bP1$r48;2;1;2;3m\x1b\\", True),  # VTE
        ("\x1bP1$r0;48;5;16m\x1b\\", False),  # the nearest of 256
        ("\x1bP1$r0;40m\x1b\\", False),
        ("\x1bP1$r0m\x1b\\", None),  # the colour was dropped, or is not told
        ("\x1bP0$r\x1b\\", None),
        ("\x1bP1+r524742=382F382F38\x1b\\", True),
        ("\x1bP1+r5463\x1b\\", True),
        ("\x1bP0+r524742\x1b\\", None),
        ("\x1b[?62;22c", None),
    ],
)
def test_what_terminals_reply(reply: str, says: bool | None) -> None:
    assert with_reply(ColourAnswer(), reply).is_truecolour is says
    assert with_reply(ColourAnswer(), reply).is_complete is reply.endswith("c")


@given(st.text() | st.text("\x1bP01$+rqm48:;235[?c\\\x07=").map("\x1bP1$r".__add__))
def test_any_reply_is_taken(reply: str) -> None:
    assert with_reply(ColourAnswer(), reply).is_truecolour in (None, True, False)


@pytest.mark.parametrize(
    ("wanted", "env", "answer", "depth"),
    [
        ("256", {"COLORTERM": "truecolor", "NO_COLOR": "1"}, YES, "256"),
        ("auto", {"COLORTERM": "truecolor", "NO_COLOR": "1"}, YES, "none"),
        ("auto", {"COLORTERM": "truecolor", "NO_COLOR": ""}, None, "truecolor"),
        ("auto", OVER_SSH, YES, "truecolor"),
        ("auto", OVER_SSH, None, "256"),
        ("auto", OVER_SSH, ColourAnswer(None, True), "256"),
        ("auto", {"TERM": "xterm-256color", "COLORTERM": "truecolor"}, NO, "256"),
        ("auto", {"TERM": "xterm-kitty"}, None, "truecolor"),
        ("auto", {"TERM": "screen-256color", "COLORTERM": "truecolor"}, None, "256"),
        ("auto", {"TERM": "linux"}, None, "16"),
        ("auto", {"TERM": "xterm"}, None, "16"),
        ("auto", {"TERM": "dumb"}, None, "none"),
        ("auto", {"TERM": "tmux-256color", "TMUX": "x,1,0", "COLORTERM": "24bit"}, YES, "256"),
        ("auto", {}, None, "16"),
    ],
)
def test_what_decides(
    wanted: ColourSetting, env: dict[str, str], answer: ColourAnswer | None, depth: ColourDepth
) -> None:
    assert choose_depth(wanted, env, answer).depth == depth


@pytest.mark.parametrize(
    ("features", "depth"), [("256,RGB,title", "truecolor"), ("256", "256"), ("title", "16")]
)
def test_inside_tmux_counts_what_it_knows(features: str, depth: ColourDepth) -> None:
    env = {"TMUX": "x", "TERM": "tmux-256color", "COLORTERM": "truecolor"}
    found = choose_depth("auto", env, tmux_features=features)
    assert found.depth == depth
    assert (more_colours(found, env) is None) is (depth == "truecolor")


@pytest.mark.parametrize(
    ("count", "depth"), [(1 << 24, "truecolor"), (256, "256"), (88, "16"), (8, "16"), (0, "none")]
)
def test_terminfo_is_the_last_to_be_asked(count: int, depth: ColourDepth) -> None:
    found = choose_depth("auto", {"TERM": "odd"}, terminfo_colours=lambda term: count)
    assert found.depth == depth


def test_terminfo_of_this_machine() -> None:
    assert terminfo_colours("no-such-terminal") is None
    assert terminfo_colours("vt100") in (None, 0)


@pytest.mark.parametrize(
    "env", [{"TERM": "linux"}, {"TERM": "screen.xterm"}, {"TERM": "xterm", "STY": "1"}, {}], ids=str
)
def test_who_would_print_the_question_is_not_asked(env: dict[str, str]) -> None:
    assert not is_to_be_asked("auto", env)
    assert is_to_be_asked("auto", OVER_SSH)
    assert not is_to_be_asked("16", OVER_SSH)


@given(st.integers(16, 255))
def test_a_colour_of_the_256_is_itself(index: int) -> None:
    assert xterm_rgb(nearest_256(xterm_rgb(index))) == xterm_rgb(index)


def test_a_dark_grey_with_a_tint_stays_grey() -> None:
    red, green, blue = xterm_rgb(nearest_256((0x26, 0x30, 0x3A)))
    assert red == green == blue > 0


@pytest.mark.parametrize(
    ("env", "line"),
    [
        ({"TERM": "xterm-256color", "SSH_CONNECTION": "x"}, "SendEnv COLORTERM"),
        ({"TERM": "xterm-256color"}, "npulse --colors truecolor"),
        ({"TERM": "tmux-256color"}, 'set -as terminal-features ",*:RGB"'),
        ({"TERM": "screen-256color"}, "truecolor on"),
        ({"TERM": "linux"}, None),
        ({"TERM": "xterm-256color", "NO_COLOR": "1"}, None),
    ],
)
def test_which_line_gives_more(env: dict[str, str], line: str | None) -> None:
    found = more_colours(choose_depth("auto", env), env)
    assert (None if found is None else found.line) == line
