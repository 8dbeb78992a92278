"""The characters that npulse draws, and which terminal gets which."""

from __future__ import annotations

from dataclasses import fields

import pytest
from rich.cells import cell_len

from tui.core.text.glyphs import ASCII, UNICODE, Glyphs, choose

SETS = pytest.mark.parametrize("glyphs", [UNICODE, ASCII], ids=["unicode", "ascii"])
WIDER = {"levels", "average", "at_most", "ellipsis"}


def _strings(glyphs: Glyphs) -> dict[str, str]:
    values = {f.name: getattr(glyphs, f.name) for f in fields(glyphs)}
    return {name: value for name, value in values.items() if isinstance(value, str)}


def test_the_ascii_set_is_ascii_throughout() -> None:
    for name, value in _strings(ASCII).items():
        assert value.isascii(), name
        assert value.isprintable(), name
    for shape in ASCII.digits.values():
        assert "".join(shape).isascii()


@SETS
def test_each_takes_the_one_cell_that_a_row_reckons_with(glyphs: Glyphs) -> None:
    for name, value in _strings(glyphs).items():
        if name not in WIDER:
            assert cell_len(value) == 1, name
    assert all(cell_len(level) == 1 for level in glyphs.levels)
    assert len(set(glyphs.levels)) == len(glyphs.levels) == 4
    assert " " not in glyphs.levels


@SETS
def test_a_large_figure_has_rows_of_one_width_and_its_own_shape(glyphs: Glyphs) -> None:
    assert set(glyphs.digits) == set("0123456789.~– ")
    for char, shape in glyphs.digits.items():
        assert len({cell_len(row) for row in shape}) == 1, char
    assert {cell_len(glyphs.digits[char][0]) for char in "0123456789–"} == {3}
    assert len(set(glyphs.digits.values())) == len(glyphs.digits)


@SETS
def test_a_bar_reads_without_colour(glyphs: Glyphs) -> None:
    assert glyphs.bar_full != glyphs.bar_track


def test_our_own_words_become_ascii() -> None:
    text = "71 °C · ≤ 4 min … – ~3.14 ▸ ↓ × ø"
    assert ASCII.text(text) == "71 C - <= 4 min ... - ~3.14 > v x avg"
    assert UNICODE.text(text) == text


def _pick(env: dict[str, str], encoding: str = "utf-8", *, utf8_mode: bool = False) -> Glyphs:
    return choose({"TERM": "xterm-256color"} | env, encoding, is_utf8_mode=utf8_mode)


@pytest.mark.parametrize(
    "env",
    [
        {"LANG": "C.UTF-8"},
        {"LANG": "de_DE.utf8"},
        {"LANG": "ca_ES.UTF-8@valencia"},
        {"LANG": "C", "LC_CTYPE": "en_GB.UTF-8"},
        {"LANG": "C", "LC_ALL": "en_GB.UTF-8"},
        {"LANG": "en_GB.UTF-8", "LC_ALL": ""},
    ],
)
def test_a_utf8_locale_gets_unicode(env: dict[str, str]) -> None:
    assert _pick(env) is UNICODE


@pytest.mark.parametrize(
    "env",
    [
        {},
        {"LANG": ""},
        {"LANG": "C"},
        {"LANG": "POSIX"},
        {"LANG": "de_DE"},
        {"LANG": "de_DE.ISO-8859-1"},
        {"LANG": "en_GB.UTF-8", "LC_ALL": "C"},
        {"LANG": "en_GB.UTF-8", "LC_CTYPE": "en_GB.ISO-8859-15"},
        {"LANG": "en_GB.UTF-8", "TERM": "dumb"},
        {"LANG": "en_GB.UTF-8", "TERM": "linux"},
        {"LANG": "en_GB.UTF-8", "TERM": ""},
    ],
)
def test_anything_else_gets_ascii(env: dict[str, str]) -> None:
    assert _pick(env) is ASCII


def test_the_locale_that_python_puts_in_place_of_c_does_not_count() -> None:
    assert _pick({"LANG": "C", "LC_CTYPE": "C.UTF-8"}, utf8_mode=True) is ASCII
    assert _pick({"LC_CTYPE": "C.UTF-8"}, utf8_mode=True) is ASCII
    assert _pick({"LC_CTYPE": "C.UTF-8"}) is UNICODE
    wanted = {"LC_CTYPE": "C.UTF-8", "PYTHONUTF8": "1"}
    assert _pick(wanted, utf8_mode=True) is UNICODE


def test_a_locale_that_is_not_installed_here_still_names_the_terminal() -> None:
    assert _pick({"LANG": "de_DE.UTF-8", "LC_CTYPE": "C.UTF-8"}, utf8_mode=True) is UNICODE


def test_stdout_in_another_encoding_gets_ascii() -> None:
    assert _pick({"LANG": "C.UTF-8"}, "latin-1") is ASCII
    assert _pick({"LANG": "C.UTF-8"}, "UTF8") is UNICODE


def test_the_setting_decides_by_itself() -> None:
    assert choose({"LANG": "C.UTF-8"}, "utf-8", "on", is_utf8_mode=False) is ASCII
    assert choose({"TERM": "linux"}, "ascii", "off", is_utf8_mode=True) is UNICODE
