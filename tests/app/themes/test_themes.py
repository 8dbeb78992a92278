"""Theme files become themes of the screen, or one sentence each."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from textual.app import ComposeResult
from textual.widgets import Static

from tests.screens.opened import ThemedApp
from tui.app.palettes import DEFAULT_PALETTES, Palette, roles
from tui.app.themes import (
    DEFAULT_THEME,
    LIBRARY_CSS,
    LoadedThemes,
    load_themes,
    read_theme,
)
from tui.core.text.sanitize import is_forbidden
from tui.settings.config_file import ConfigError
from tui.settings.data_files import themes_folder

SHIPPED = ("npulse-dark", "npulse-light", "npulse-high-contrast", "npulse-16")
BASES = {DEFAULT_THEME: DEFAULT_PALETTES}


def _with_user_theme(tmp_path: Path, name: str, text: str | bytes) -> LoadedThemes:
    path = tmp_path / f"{name}.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return load_themes(users=tmp_path)


def test_every_shipped_theme_is_there_and_without_a_problem(tmp_path: Path) -> None:
    loaded = load_themes(users=tmp_path / "none")
    assert loaded.problems == ()
    assert set(loaded.by_name) == set(SHIPPED)
    assert {path.stem for path in themes_folder().iterdir()} == set(SHIPPED)
    assert all(theme.is_shipped for theme in loaded.by_name.values())


def test_the_theme_in_the_code_is_the_one_in_the_file() -> None:
    loaded = read_theme(themes_folder() / f"{DEFAULT_THEME}.toml", BASES)
    assert loaded.palettes == DEFAULT_PALETTES


def test_a_shipped_theme_names_every_colour() -> None:
    import tomli

    for path in themes_folder().iterdir():
        colours = tomli.loads(path.read_text(encoding="utf-8"))["colours"]
        assert tuple(colours) == Palette.__struct_fields__, path.name


def test_without_its_files_npulse_still_has_its_default_theme(tmp_path: Path) -> None:
    loaded = load_themes(shipped=tmp_path / "none", users=tmp_path / "none")
    assert set(loaded.by_name) == {DEFAULT_THEME}


def test_a_user_theme_may_name_only_what_differs(tmp_path: Path) -> None:
    loaded = _with_user_theme(
        tmp_path, "mine", "like = 'npulse-light'\ndark = false\n[colours]\nlive = '#a0f'\n"
    )
    assert loaded.problems == ()
    mine = loaded.by_name["mine"]
    assert mine.palettes.truecolor.live == "#a0f"
    assert mine.palettes.truecolor.text == loaded.by_name["npulse-light"].palettes.truecolor.text
    assert mine.at("truecolor").dark is False
    assert mine.at("truecolor").variables["live"] == "#a0f"
    assert not mine.is_shipped


def test_a_user_theme_replaces_one_of_the_same_name(tmp_path: Path) -> None:
    loaded = _with_user_theme(tmp_path, "x", "name = 'npulse-light'\n[colours]\nlive = '#123456'\n")
    assert loaded.by_name["npulse-light"].palettes.truecolor.live == "#123456"
    assert len(loaded.at("truecolor")) == len(SHIPPED)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            "[colours]\nlive = 'blurple'",
            'DIR/x.toml line 2: colours.live is "blurple"; it takes a colour such as #56c8d8.',
        ),
        (
            "[colours]\nlive = '#12345'",
            'DIR/x.toml line 2: colours.live is "#12345"; it takes a colour such as #56c8d8.',
        ),
        (
            "[colours]\nlive = 'ansi_red'",
            'DIR/x.toml line 2: colours.live is "ansi_red"; it takes a colour such as #56c8d8.',
        ),
        (
            "[colours]\nlvie = '#123'",
            "DIR/x.toml line 2: colours.lvie is not known; did you mean live?",
        ),
        (
            "ansi = true\nlike = 'npulse-16'\n[colours]\nok = '#123'",
            'DIR/x.toml line 4: colours.ok is "#123"; '
            "it takes one of the 16 colours, such as ansi_cyan.",
        ),
        (
            "ansi = true\n[colours]\nok = 'ansi_green'",
            "DIR/x.toml: a theme with ansi = true cannot take background, raised, rule, track, "
            "text, soft, dim, live, warn, bad from npulse-dark; name them.",
        ),
        (
            "name = '../x'",
            'DIR/x.toml line 1: the name is "../x"; it takes letters, digits, - and _.',
        ),
        (
            "\nlike = 'nord'",
            'DIR/x.toml line 2: like is "nord"; it takes one of npulse-16, npulse-dark, '
            "npulse-high-contrast, npulse-light.",
        ),
        (
            "colour = 1",
            "DIR/x.toml: this is not a theme: Object contains unknown field `colour`.",
        ),
        (
            "[colours]\nlive = 3",
            "DIR/x.toml: this is not a theme: Expected `str`, got `int` - at `$.colours[...]`.",
        ),
        ("[colours", "DIR/x.toml line 1, column 9: this is not TOML: Expected ']' at the end"),
        (b"\xff", "DIR/x.toml line 1: the text is not UTF-8."),
    ],
)
def test_a_broken_theme_is_one_sentence_and_left_out(
    tmp_path: Path, text: str | bytes, sentence: str
) -> None:
    loaded = _with_user_theme(tmp_path, "x", text)
    assert set(loaded.by_name) == set(SHIPPED)
    (problem,) = loaded.problems
    assert problem.replace(str(tmp_path), "DIR").startswith(sentence)


def test_one_broken_theme_does_not_take_the_others_along(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text("broken")
    (tmp_path / "b.toml").mkdir()
    (tmp_path / "c.toml").write_text("[colours]\nlive = '#fff'\n")
    (tmp_path / "d.txt").write_text("no theme")
    loaded = load_themes(users=tmp_path)
    assert set(loaded.by_name) == {*SHIPPED, "c"}
    assert len(loaded.problems) == 2


def test_a_file_in_place_of_the_folder_holds_no_themes(tmp_path: Path) -> None:
    (tmp_path / "themes").write_text("")
    assert set(load_themes(users=tmp_path / "themes").by_name) == set(SHIPPED)


def test_the_users_themes_are_below_xdg_config_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    folder = tmp_path / "npulse" / "themes"
    folder.mkdir(parents=True)
    (folder / "mine.toml").write_text("[colours]\n")
    assert "mine" in load_themes().by_name


def test_a_wanted_theme_or_the_default_with_a_sentence(tmp_path: Path) -> None:
    loaded = load_themes(users=tmp_path)
    assert loaded.pick("npulse-16") == ("npulse-16", None)
    assert loaded.pick("npulse-drak") == (
        DEFAULT_THEME,
        'There is no theme "npulse-drak"; did you mean npulse-dark?',
    )
    name, problem = loaded.pick("zzz")
    assert name == DEFAULT_THEME
    assert problem is not None
    assert "npulse-high-contrast" in problem


_WORDS = st.sampled_from(
    [
        *("name = ", "like = ", "dark = ", "ansi = ", "[colours]\n", "colours = ", "\n"),
        *(f"{name} = " for name in Palette.__struct_fields__),
        *("true", "1", "''", "'#fff'", "'#0e1318'", "'ansi_red'", "'npulse-16'", "[]", "{a='b'}"),
        *("'\\u001b'", '"\\u001b[2J"', '"\\u202e"', "\x1b", "'" + "a" * 80 + "'"),
    ]
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.binary(max_size=80) | st.lists(_WORDS, max_size=12).map("".join).map(str.encode))
def test_any_bytes_are_a_theme_or_one_sentence(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.toml"
    path.write_bytes(content)
    try:
        loaded = read_theme(path, BASES)
    except ConfigError as error:
        sentence = str(error)
        assert "\n" not in sentence
        assert not any(map(is_forbidden, sentence))
    else:
        assert re.fullmatch(r"[\w.-]+", loaded.at("truecolor").name)
        loaded.at("truecolor").to_color_system().generate()


class Picture(ThemedApp):
    """Every variable that a style of npulse may use, in one app."""

    CSS = LIBRARY_CSS + "".join(
        f"\n#{name} {{ color: ${name}; background: $background; border: solid $rule; }}"
        for name in roles(Palette())
    )

    def compose(self) -> ComposeResult:
        for name in roles(Palette()):
            yield Static(name, id=name)


@pytest.mark.parametrize("name", [*SHIPPED, "nord", "ansi-dark"])
async def test_styles_can_use_every_variable_in_every_theme(name: str) -> None:
    app = Picture(name)
    async with app.run_test() as pilot:
        expected = app.theme_variables["live"]
        assert app.query_one("#live").styles.color.hex.lower() == expected.lower()
        app.theme = DEFAULT_THEME
        await pilot.pause()
        assert app.query_one("#live").styles.color.hex.lower() == Palette().live
