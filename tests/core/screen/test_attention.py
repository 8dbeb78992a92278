"""What a terminal is told while somebody looks elsewhere, and that it is taken back."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.core.screen.attention import Attention, done_words
from tui.core.screen.terminal_signals import (
    NO_PROGRESS,
    SIGNALS,
    Signal,
    notification,
    passed_on,
    signals_of,
    tab_progress,
)

ALL = frozenset(SIGNALS) - {"desktop"}
XTERM = {"TERM": "xterm-256color"}
TMUX = {"TERM": "tmux-256color", "TMUX": "/tmp/tmux-0/default,1,0"}


def attention(has_focus: bool, *signals: Signal) -> tuple[Attention, list[str]]:
    written: list[str] = []
    wanted = frozenset(signals) or ALL
    return Attention(wanted, written.append, XTERM, has_focus=has_focus), written


def test_nothing_is_written_while_the_terminal_has_the_focus() -> None:
    made, written = attention(True)
    made.show(0.5, "prefill")
    made.done("qwen3-4b answered")
    made.clear()
    assert written == []


def test_progress_is_written_once_for_each_step_and_taken_back() -> None:
    made, written = attention(False, "progress")
    for share in (None, 0.1, 0.101, 0.5):
        made.show(share, "prefill")
    made.done("qwen3-4b answered")
    made.clear()
    assert written == [tab_progress(None), tab_progress(0.1), tab_progress(0.5), NO_PROGRESS]


def test_a_title_is_put_back() -> None:
    made, written = attention(False, "title")
    made.show(0.5, "prefill")
    made.done("qwen3-4b answered")
    assert made.undo.endswith("\x1b[23;2t")
    made.focus(True)
    assert written[0].startswith("\x1b[22;2t")
    assert "50 % prefill - npulse" in written[0]
    assert "qwen3-4b answered - npulse" in written[1]
    assert written[-1].endswith("\x1b[23;2t")
    assert made.undo == ""


def test_the_focus_takes_everything_back_while_it_goes_on() -> None:
    made, written = attention(False)
    made.show(0.5, "prefill")
    made.focus(True)
    count = len(written)
    made.show(0.6, "prefill")
    made.done("done")
    assert len(written) == count
    assert NO_PROGRESS in "".join(written)


def test_the_end_is_told_in_every_way_that_was_asked_for() -> None:
    made, written = attention(False, "bell", "osc9", "osc777", "osc99")
    made.done("qwen3-4b answered")
    shown = "".join(written)
    assert "\a" in shown
    assert "\x1b]9;npulse: qwen3-4b answered\x1b\\" in shown
    assert "\x1b]777;notify;npulse;qwen3-4b answered\x1b\\" in shown
    assert "o=unfocused" in shown


def test_tmux_passes_it_on() -> None:
    assert passed_on(NO_PROGRESS, TMUX) == "\x1bPtmux;\x1b\x1b]9;4;0;0\x1b\x1b\\\x1b\\"
    assert passed_on("\a", TMUX) == "\a"
    assert passed_on(NO_PROGRESS, XTERM) == NO_PROGRESS


@pytest.mark.parametrize(
    ("env", "kind"),
    [(XTERM, "osc9"), ({"TERM": "xterm-kitty"}, "osc99"), ({"TERM": "foot"}, "osc777")],
)
def test_a_notification_is_what_the_terminal_takes(env: dict[str, str], kind: Signal) -> None:
    assert signals_of("bell, desktop", env) == {"bell", kind}


def test_off_asks_for_nothing() -> None:
    assert signals_of("off", XTERM) == frozenset()


@given(st.text(), st.sampled_from(SIGNALS))
def test_a_model_cannot_name_itself_out_of_its_sequence(name: str, kind: Signal) -> None:
    said = notification(kind, "npulse", done_words(name, "complete"))
    for sequence in filter(None, said.split("\x1b\\")):
        inside = sequence.removeprefix("\x1b]")
        assert kind == "bell" or not re.search(r"[\x00-\x1f\x7f-\x9f]", inside)
