"""Every text of a shipped theme can be read: WCAG 2.1, at least 4.5:1 (level AA)."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.app.palettes import (
    DEFAULT_PALETTES,
    GROUNDS,
    MIN_CONTRAST,
    TEXTS,
    Palette,
    blended,
    in_256,
    items,
)
from tui.app.themes import ANSI_COLOURS, LoadedTheme, load_themes
from tui.core.screen.colours import ColourDepth
from tui.core.screen.xterm_colours import (
    RGB,
    XTERM_16,
    contrast,
    in_hex,
    parsed,
    xterm_rgb,
)

HUES = ("black", "red", "green", "yellow", "blue", "magenta", "cyan", "white")

ACCENTS = ("live", "ok", "warn", "bad")


def _luminance(colour: str) -> float:
    """Relative luminance of ``#rrggbb`` (WCAG 2.1)."""
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _contrast(one: str, other: str) -> float:
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


VGA_16: tuple[RGB, ...] = (
    (0, 0, 0), (170, 0, 0), (0, 170, 0), (170, 85, 0),
    (0, 0, 170), (170, 0, 170), (0, 170, 170), (170, 170, 170),
    (85, 85, 85), (255, 85, 85), (85, 255, 85), (255, 255, 85),
    (85, 85, 255), (255, 85, 255), (85, 255, 255), (255, 255, 255),
)  # fmt: skip
"""Of the Linux console."""
TABLES = {"xterm": XTERM_16, "console": VGA_16}
ANSI_NAMES = tuple(f"{bright}{hue}" for bright in ("ansi_", "ansi_bright_") for hue in HUES)


def _shown(colour: str, table: str = "xterm", default: str = "#000000") -> str:
    """What the terminal shows for a colour of a palette."""
    if colour == "ansi_default":
        return default
    return in_hex(TABLES[table][ANSI_NAMES.index(colour)]) if "ansi" in colour else colour


def _palettes(depth: ColourDepth) -> list[Any]:
    themes = [theme for theme in load_themes().by_name.values() if not theme.at("truecolor").ansi]
    return [pytest.param(theme.palettes.at(depth), id=f"{theme.name}-{depth}") for theme in themes]


def _themes(*, is_ansi: bool) -> list[LoadedTheme]:
    return [
        theme for theme in load_themes().by_name.values() if theme.at("truecolor").ansi is is_ansi
    ]


def test_the_formula_on_known_pairs() -> None:
    assert _contrast("#ffffff", "#000000") == pytest.approx(21)
    assert _contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)
    assert _contrast("#123456", "#123456") == 1


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("palette", [*_palettes("truecolor"), *_palettes("256")])
def test_text_stands_out_from_what_is_behind_it(palette: Palette, text: str) -> None:
    for behind in GROUNDS:
        found = _contrast(getattr(palette, text), getattr(palette, behind))
        assert found >= MIN_CONTRAST, f"{text} on {behind}: {found:.2f}"


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("palette", _palettes("16"))
def test_in_16_colours_text_stands_out_as_xterm_and_the_console_set_them(
    palette: Palette, table: str
) -> None:
    for text in TEXTS:
        for behind in GROUNDS:
            on = _shown(getattr(palette, behind), table)
            found = _contrast(_shown(getattr(palette, text), table), on)
            assert found >= MIN_CONTRAST, f"{text} on {behind}: {found:.2f}"


@pytest.mark.parametrize("palette", [*_palettes("truecolor"), *_palettes("256")])
def test_grounds_and_lines_are_told_apart(palette: Palette) -> None:
    grounds = [getattr(palette, role) for role in GROUNDS]
    assert len(set(grounds)) == len(grounds)
    for line, least in (("rule", 1.25), ("track", 1.25), ("edge", 2)):
        assert _contrast(getattr(palette, line), palette.background) >= least, line
    for line in ("rule", "track"):
        # Lines are grey: no channel stands out.
        channels = [int(getattr(palette, line)[at : at + 2], 16) for at in (1, 3, 5)]
        assert max(channels) - min(channels) <= 24


@pytest.mark.parametrize("theme", _themes(is_ansi=False), ids=lambda theme: theme.name)
def test_each_palette_has_only_colours_of_its_depth(theme: LoadedTheme) -> None:
    of_256 = {in_hex(xterm_rgb(index)) for index in range(16, 256)}
    assert {colour for _, colour in items(theme.palettes.in_256)} <= of_256
    assert {colour for _, colour in items(theme.palettes.in_16)} <= ANSI_COLOURS


@pytest.mark.parametrize("theme", _themes(is_ansi=False), ids=lambda theme: theme.name)
@pytest.mark.parametrize("table", TABLES)
def test_in_16_colours_what_is_chosen_stands_out(theme: LoadedTheme, table: str) -> None:
    variables = theme.at("16").to_color_system().generate() | theme.at("16").variables
    for name in ("block-cursor", "block-cursor-blurred", "input-selection", "screen-selection"):
        on = _shown(variables[f"{name}-background"], table)
        assert _contrast(_shown(variables[f"{name}-foreground"], table), on) >= MIN_CONTRAST, name


@given(
    back=st.integers(0, 0xFFFFFF), live=st.integers(0, 0xFFFFFF), text=st.sampled_from(["0", "f"])
)
def test_a_palette_of_256_that_is_derived_is_one(back: int, live: int, text: str) -> None:
    named = {"background": f"#{back:06x}", "live": f"#{live:06x}", "text": f"#{text * 6}"}
    palette = blended(msgspec.structs.replace(Palette(), **named))
    found = in_256(palette, {*named, "selected", "edge"}, DEFAULT_PALETTES.in_256)
    of_256 = {in_hex(xterm_rgb(index)) for index in range(16, 256)}
    assert {colour for _, colour in items(found)} <= of_256


def test_the_formula_in_the_code_is_this_one() -> None:
    for one in ("#123456", "#ffd24a", "#777777"):
        for other in ("#000000", "#ffffff", "#fbfaf7"):
            assert contrast(parsed(one), parsed(other)) == pytest.approx(_contrast(one, other))


@pytest.mark.parametrize("theme", _themes(is_ansi=False), ids=lambda theme: theme.name)
def test_the_librarys_own_texts_stand_out_too(theme: LoadedTheme) -> None:
    variables = theme.at("truecolor").to_color_system().generate() | theme.at("truecolor").variables
    pairs = [
        ("foreground", "background"),
        ("text-muted", "panel"),
        ("text-disabled", "panel"),
        ("block-cursor-foreground", "block-cursor-background"),
        ("block-cursor-blurred-foreground", "block-cursor-blurred-background"),
        ("input-cursor-foreground", "input-cursor-background"),
        ("footer-description-foreground", "footer-background"),
        ("footer-key-foreground", "footer-background"),
    ]
    for text, behind in pairs:
        found = _contrast(variables[text], variables[behind])
        assert found >= MIN_CONTRAST, f"{text} on {behind}: {found:.2f}"


def test_high_contrast_is_higher() -> None:
    theme = load_themes().by_name["npulse-high-contrast"]
    palette = theme.palettes.truecolor
    for text in TEXTS:
        for behind in ("background", "raised"):
            assert _contrast(getattr(palette, text), getattr(palette, behind)) >= 7
    assert _contrast(palette.rule, palette.background) >= 3


@pytest.mark.parametrize("table", TABLES)
def test_in_the_theme_of_16_text_is_the_terminals_own_and_accents_stand_out(table: str) -> None:
    (theme,) = _themes(is_ansi=True)
    for name in ("background", "raised", "text", "soft", "dim"):
        assert getattr(theme.palettes.truecolor, name) == "ansi_default"
    accents = [getattr(theme.palettes.truecolor, name) for name in ACCENTS]
    assert len(set(accents)) == len(ACCENTS)
    for accent in accents:
        assert _contrast(_shown(accent, table), "#000000") >= MIN_CONTRAST, accent


@pytest.mark.parametrize("theme", _themes(is_ansi=False), ids=lambda theme: theme.name)
def test_in_16_colours_no_text_is_left_to_the_terminal(theme: LoadedTheme) -> None:
    in_16 = theme.at("16")
    variables = in_16.to_color_system().generate() | in_16.variables
    for name in ("foreground", "foreground-muted", "text", "text-muted", "text-disabled"):
        assert "ansi_default" not in variables[name], name
