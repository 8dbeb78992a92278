"""JSON that no terminal takes for commands, and that says the same."""

from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.core.text.json_text import escaped_json
from tui.core.text.sanitize import is_forbidden

TEXT = st.text(max_size=30)


@given(st.dictionaries(TEXT, TEXT), st.booleans())
def test_it_says_the_same_without_anything_forbidden(value: dict[str, str], is_ascii: bool) -> None:
    made = escaped_json(msgspec.json.encode(value), is_ascii=is_ascii)
    assert json.loads(made) == value
    assert not any(is_forbidden(char) or char == "\x7f" for char in made.decode())
    assert made.isascii() or not is_ascii


@pytest.mark.parametrize("char", "\x7f\x9b\u202e\u2028\u2066\U000e0041")
def test_what_commands_a_terminal_is_escaped(char: str) -> None:
    assert escaped_json(msgspec.json.encode(f"é{char}")) in (
        f'"é{json.dumps(char)[1:-1]}"'.encode(),
        b'"\xc3\xa9\\u007f"',
    )
