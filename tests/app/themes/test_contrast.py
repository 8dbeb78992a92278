"""Every text of a shipped theme can be read: WCAG 2.1, at least 4.5:1 (level AA)."""

from __future__ import annotations

import pytest

from tui.app.themes import LoadedTheme, load_themes

TEXTS = ("text", "soft", "dim", "live", "ok", "warn", "bad")
MIN_CONTRAST = 4.5

ACCENTS = ("live", "ok", "warn", "bad")

# The accents as the Linux console and xterm set them.
CONSOLE = {
    "ansi_cyan": "#00aaaa",
    "ansi_green": "#00aa00",
    "ansi_bright_yellow": "#ffff55",
    "ansi_bright_red": "#ff5555",
}
XTERM = {
    "ansi_cyan": "#00cdcd",
    "ansi_green": "#00cd00",
    "ansi_bright_yellow": "#ffff00",
    "ansi_bright_red": "#ff0000",
}


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


def _themes(*, is_ansi: bool) -> list[LoadedTheme]:
    return [theme for theme in load_themes().by_name.values() if theme.theme.ansi is is_ansi]


def test_the_formula_on_known_pairs() -> None:
    assert _contrast("#ffffff", "#000000") == pytest.approx(21)
    assert _contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)
    assert _contrast("#123456", "#123456") == 1


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("theme", _themes(is_ansi=False), ids=lambda theme: theme.theme.name)
def test_text_stands_out_from_what_is_behind_it(theme: LoadedTheme, text: str) -> None:
    for behind in ("background", "raised"):
        found = _contrast(getattr(theme.palette, text), getattr(theme.palette, behind))
        assert found >= MIN_CONTRAST, f"{text} on {behind}: {found:.2f}"


@pytest.mark.parametrize("theme", _themes(is_ansi=False), ids=lambda theme: theme.theme.name)
def test_the_librarys_own_texts_stand_out_too(theme: LoadedTheme) -> None:
    variables = theme.theme.to_color_system().generate() | theme.theme.variables
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
    for text in TEXTS:
        for behind in ("background", "raised"):
            assert _contrast(getattr(theme.palette, text), getattr(theme.palette, behind)) >= 7
    assert _contrast(theme.palette.rule, theme.palette.background) >= 3


@pytest.mark.parametrize("palette", [CONSOLE, XTERM], ids=["console", "xterm"])
def test_in_16_colours_text_is_the_terminals_own_and_accents_stand_out(
    palette: dict[str, str],
) -> None:
    (theme,) = _themes(is_ansi=True)
    for name in ("background", "raised", "text", "soft", "dim"):
        assert getattr(theme.palette, name) == "ansi_default"
    accents = [getattr(theme.palette, name) for name in ACCENTS]
    assert len(set(accents)) == len(ACCENTS)
    for accent in accents:
        assert _contrast(palette[accent], "#000000") >= MIN_CONTRAST, accent
