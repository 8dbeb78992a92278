from __future__ import annotations

import sys
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.core.hostile import HOSTILE, raw_controls
from tests.core.turn.pieces import cut
from tui.core.text.sanitize import (
    MAX_ZERO_WIDTH,
    Sanitizer,
    clean,
    clean_line,
    is_forbidden,
    is_zero_width,
    safe_file_name,
)

NASTY = "\x00\x07\b\t\n\r\x1b\x7f\x85\x9b\u200b\u200d\u202e\u2028\u2066\u0301\ufffe\U000e0041"
SURROGATES = "\ud83d\ude00\udb40\udc41"
any_text = st.text(
    st.one_of(
        st.characters(exclude_categories=()),
        st.sampled_from(NASTY + SURROGATES + "ab \n中"),
    )
)


@pytest.mark.parametrize("name", HOSTILE)
def test_nothing_that_acts_survives(name: str) -> None:
    assert raw_controls(clean(HOSTILE[name])) == []
    assert raw_controls(clean(HOSTILE[name], newlines=False), newlines=False) == []
    assert "\n" not in clean_line(HOSTILE[name])


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("plain text\n\tindented", "plain text\n\tindented"),
        ("\x1b]52;c;eA==\x07", "␛]52;c;eA==␇"),
        ("a\x00b\x7fc", "a␀b␡c"),
        ("\x9b31m", "\ufffd31m"),
        ("a\x85b", "a\ufffdb"),
        ("a\r\nb\rc\r\r\nd", "a\nb\nc\n\nd"),
        ("a\u2028b\u2029c", "a\nb\nc"),
        ("x\u202ey\u2066z", "x\ufffdy\ufffdz"),
        ("\ud83d\ude00", "😀"),
        ("\ud83dx\ude00", "\ufffdx\ufffd"),
        ("\ud83d\ud83d\ude00\ude00", "\ufffd😀\ufffd"),
        ("a\U000e0041\U000e007fb", "ab"),
        ("\udb40\udc41b", "b"),
        ("\u200fالعربية\u200e\u061c", "\u200fالعربية\u200e\u061c"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("👨\u200d👩\u200d👧 ❤\ufe0f", "👨\u200d👩\u200d👧 ❤\ufe0f"),
        ("[@click=app.quit]x[/]", "[@click=app.quit]x[/]"),
        ("\u00a0\u00ad\ue0b0", "\u00a0\u00ad\ue0b0"),
    ],
)
def test_what_becomes_of_it(raw: str, expected: str) -> None:
    assert clean(raw) == expected


def test_one_line() -> None:
    assert clean("a\r\nb\tc\u2028d", newlines=False) == "a b c d"
    assert clean_line("  a\r\n\t b  ") == "a b"
    assert clean_line("x" * 100, 10) == "x" * 9 + "…"
    assert clean_line("x" * 10, 10) == "x" * 10
    assert clean_line("abcde fgh", 7) == "abcde…"
    assert clean_line("abc", 0) == "…"


@pytest.mark.slow
def test_every_single_character_is_judged_as_the_corpus_judges() -> None:
    for code in range(sys.maxunicode + 1):
        char = chr(code)
        if raw_controls(char):
            assert is_forbidden(char), hex(code)
        elif is_forbidden(char):
            # Only noncharacters are forbidden beyond what a terminal could obey.
            assert unicodedata.category(char) == "Cn", hex(code)


def test_stacked_accents_are_cut_at_the_cap_and_begin_anew_at_the_next_base() -> None:
    text = "Z" + "\u0301" * 50 + "a" + "\u0301" * 3
    assert clean(text) == "Z" + "\u0301" * MAX_ZERO_WIDTH + "a" + "\u0301" * 3


def test_stacked_accents_are_counted_over_pieces() -> None:
    sanitizer = Sanitizer()
    out = "".join(sanitizer.feed("\u0301") for _ in range(50))
    assert out == "\u0301" * MAX_ZERO_WIDTH
    assert sanitizer.feed("plain") == "plain"
    assert sanitizer.feed("\u0301") == "\u0301"


def test_plain_pieces_between_accents_begin_anew() -> None:
    sanitizer = Sanitizer()
    piece = "e" + "\u0301" * 10
    assert "".join(sanitizer.feed(part) for part in (piece, "x", piece)) == piece + "x" + piece


def test_half_a_pair_waits_for_the_other_half() -> None:
    sanitizer = Sanitizer()
    assert sanitizer.feed("a\ud83d") == "a"
    assert sanitizer.feed("\ude00b") == "😀b"
    assert sanitizer.feed("\ud83d") == ""
    assert sanitizer.feed("x") == "\ufffdx"
    assert sanitizer.feed("\ud83d") == ""
    assert sanitizer.flush() == "\ufffd"
    assert sanitizer.flush() == ""


def test_line_ends_over_pieces() -> None:
    sanitizer = Sanitizer()
    assert [sanitizer.feed(part) for part in ("a\r", "\nb", "\r", "c")] == ["a\n", "b", "\n", "c"]
    sanitizer = Sanitizer(newlines=False)
    assert [sanitizer.feed(part) for part in ("a\r", "\nb")] == ["a ", "b"]


@given(any_text, st.booleans())
def test_no_forbidden_character_and_no_second_effect(text: str, newlines: bool) -> None:
    once = clean(text, newlines=newlines)
    assert not any(map(is_forbidden, once))
    assert raw_controls(once, newlines=newlines) == []
    assert clean(once, newlines=newlines) == once
    once.encode("utf-8")


@given(cut(any_text), st.booleans())
@example(("\r\n", ["\r", "", "\n"]), True)
@example(("\ud83d\ude00", ["\ud83d", "", "\ude00"]), True)
def test_pieces_equal_the_whole(case: tuple[str, list[str]], newlines: bool) -> None:
    text, pieces = case
    sanitizer = Sanitizer(newlines=newlines)
    out = "".join(map(sanitizer.feed, pieces)) + sanitizer.flush()
    assert out == clean(text, newlines=newlines)


@given(any_text)
def test_no_run_of_zero_width_is_longer_than_the_cap(text: str) -> None:
    run = 0
    for char in clean(text):
        run = run + 1 if is_zero_width(char) else 0
        assert run <= MAX_ZERO_WIDTH


@given(st.text(st.characters(codec="ascii", exclude_categories=["Cc"])))
def test_ordinary_text_is_untouched(text: str) -> None:
    assert clean(text) == text


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_file_names(name: str) -> None:
    check_file_name(safe_file_name(HOSTILE[name]))


@given(any_text)
def test_any_file_name(text: str) -> None:
    check_file_name(safe_file_name(text))


def check_file_name(name: str) -> None:
    assert 0 < len(name.encode("utf-8")) <= 120
    assert name[0] not in ".-"
    assert ".." not in name
    assert raw_controls(name, newlines=False) == []
    assert not set(name) & set("/\\:*?\"<>| '`$&;(){}[]!#~\u202e")


def test_file_names_stay_readable() -> None:
    assert safe_file_name("Qwen3 4B (w8a8).rkllm") == "Qwen3-4B-w8a8-.rkllm"
    assert safe_file_name("模型 运行") == "模型-运行"
    assert safe_file_name("नमस्ते") == "नमस्ते"
    assert safe_file_name("e\u0301") == "é"
    assert safe_file_name("../..") == "unnamed"
    assert safe_file_name("", fallback="conversation") == "conversation"
    assert len(safe_file_name("中" * 500).encode()) <= 120
