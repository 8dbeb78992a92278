"""How keys are written in config.toml."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.keys import _character_to_key

from tui.core.screen.key_names import canonical_keys, key_cap, shown_keys
from tui.core.screen.keys.table import ACTIONS


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("ctrl+r", "ctrl+r"),
        ("Ctrl+R", "ctrl+r"),
        ("shift+ctrl+F5, esc", "ctrl+shift+f5,escape"),
        ("ctrl+alt+x", "alt+ctrl+x"),
        ("ctrl++", "ctrl+plus"),
        ("ctrl+?", "ctrl+question_mark"),
        ("?", "question_mark"),
        (",", "comma"),
        ("+", "plus"),
        ("A,a", "A,a"),
        ("pgup,page_down", "pageup,pagedown"),
        ("f1,f1", "f1"),
    ],
)
def test_one_way_of_writing_each(given: str, expected: str) -> None:
    assert canonical_keys(given) == expected
    assert canonical_keys(expected) == expected


@pytest.mark.parametrize(
    ("given", "clause"),
    [
        ("", "it names no key"),
        ("entr", "'entr' is not a key (did you mean 'enter'?)"),
        ("crtl+r", "'crtl' is not a modifier (did you mean 'ctrl'?)"),
        ("a,,b", "there is nothing between two commas"),
        ("ctrl+\x1b", r"'\x1b' is not a key"),
        (",".join("abcdefghi"), "it names more than 8 keys"),
    ],
)
def test_a_mistake_is_named(given: str, clause: str) -> None:
    with pytest.raises(ValueError) as caught:
        canonical_keys(given)
    assert str(caught.value) == clause


@pytest.mark.parametrize("char", string.punctuation + string.ascii_letters + string.digits)
def test_a_character_has_the_name_that_the_screen_library_gives_it(char: str) -> None:
    assert canonical_keys(char) == _character_to_key(char)


def test_the_keys_that_npulse_comes_with_are_written_in_that_way() -> None:
    for key in ACTIONS:
        assert canonical_keys(key.keys) == key.keys


@given(st.text())
def test_any_text_is_keys_or_a_sentence(text: str) -> None:
    try:
        keys = canonical_keys(text)
    except ValueError as error:
        keys, clause = None, str(error)
    if keys is None:
        assert clause.isprintable()
    else:
        assert canonical_keys(keys) == keys


@pytest.mark.parametrize(
    ("keys", "shown", "cap"),
    [
        ("alt+up", "Alt+Up", "Alt+Up"),
        ("ctrl+r", "Ctrl+R", "^R"),
        ("escape,ctrl+shift+f5", "Esc, Ctrl+Shift+F5", "Esc"),
        ("f10", "F10", "F10"),
        ("pagedown", "PageDown", "PageDown"),
        ("n", "n", "n"),
        ("right_square_bracket,ctrl+slash", "], Ctrl+/", "]"),
    ],
)
def test_how_keys_are_shown(keys: str, shown: str, cap: str) -> None:
    assert (shown_keys(keys), key_cap(keys)) == (shown, cap)
