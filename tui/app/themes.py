"""themes/*.toml to Textual themes.

A theme is eleven colours, each with a meaning. Every colour that the screen library knows is taken
from them, so a theme file never has to name one of those. A file that cannot be used is left out
and reported in one sentence; it never stops the start.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec
from msgspec import Struct
from textual.theme import Theme

from tui.core.text.in_quotes import in_quotes
from tui.core.text.sanitize import clean_line
from tui.settings.config_file import ConfigError, place_of, read_toml
from tui.settings.data_files import themes_folder
from tui.settings.folders import config_folder

DEFAULT_THEME = "npulse-dark"
COLOURLESS_THEME = "npulse-16"
"""The theme for NO_COLOR: without its accents it is the terminal's own two colours."""

LIBRARY_CSS = """
SearchIcon { color: $dim; }
CommandInput, CommandInput:focus { border: blank $background; }
CommandList, CommandList:focus { border-top: blank $background; border-bottom: hkey $rule; }
CommandPalette #--input { border: hkey $rule; }
.-ascii SearchIcon { display: none; }
.-ascii CommandList, .-ascii CommandList:focus { border-bottom: ascii $rule; }
.-ascii CommandPalette #--input { border: ascii $rule; }
"""
"""Styles for the library's own screens where they name a colour or a character of their own.

``-ascii`` is a class of the app.
"""

MAX_FILES = 100

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_HEX = re.compile(r"#(?:[0-9a-fA-F]{3}){1,2}")
_HUES = ("black", "red", "green", "yellow", "blue", "magenta", "cyan", "white")
ANSI_COLOURS = frozenset(
    ["ansi_default", *(f"ansi_{hue}" for hue in _HUES), *(f"ansi_bright_{hue}" for hue in _HUES)]
)


class Palette(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The colours by what they mean: ``#rrggbb``, or ``ansi_cyan`` in a theme of 16 colours."""

    background: str = "#0e1318"
    raised: str = "#141b22"
    """Behind the header, the bottom line and code."""
    rule: str = "#26303a"
    """Lines between things."""
    track: str = "#2a343e"
    """The empty part of a bar."""
    text: str = "#d5dce4"
    soft: str = "#9fb0bf"
    """Second to the text: histories, keys."""
    dim: str = "#7b8795"
    """Labels and units."""
    live: str = "#56c8d8"
    """What happens right now."""
    ok: str = "#86c56f"
    warn: str = "#e0af5a"
    bad: str = "#e8716a"


class ThemeFile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a theme file may say."""

    name: str = ""
    """Empty: the name of the file without ``.toml``."""
    like: str = DEFAULT_THEME
    """The theme of npulse that colours which are not named here are taken from."""
    dark: bool = True
    ansi: bool = False
    """Whether it uses the 16 colours of the terminal and no others."""
    colours: dict[str, str] = {}


@dataclass(frozen=True, slots=True)
class LoadedTheme:
    """One theme: its colours by meaning, and the same for the screen."""

    palette: Palette
    theme: Theme
    is_shipped: bool


@dataclass(frozen=True, slots=True)
class LoadedThemes:
    """Every theme that can be used, and a sentence for every file that cannot."""

    by_name: Mapping[str, LoadedTheme]
    """Always holds :data:`DEFAULT_THEME`."""
    problems: tuple[str, ...]

    @property
    def themes(self) -> tuple[Theme, ...]:
        """What to register with the app."""
        return tuple(loaded.theme for loaded in self.by_name.values())

    def pick(self, wanted: str) -> tuple[str, str | None]:
        """The name of a theme to start with, and a sentence where it is not the wanted one."""
        if wanted in self.by_name:
            return wanted, None
        near = difflib.get_close_matches(wanted, self.by_name, n=1)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(self.by_name)}."
        return DEFAULT_THEME, f"There is no theme {in_quotes(wanted)}; {hint}"


def load_themes(shipped: Path | None = None, users: Path | None = None) -> LoadedThemes:
    """Read the themes that npulse brings along, then the user's; the same name replaces.

    Without arguments the folders are those of this installation and of this user.
    """
    found = {DEFAULT_THEME: _loaded(DEFAULT_THEME, Palette(), is_dark=True, is_ansi=False)}
    problems: list[str] = []
    for folder, is_shipped in (
        (themes_folder() if shipped is None else shipped, True),
        (config_folder() / "themes" if users is None else users, False),
    ):
        bases = {name: theme.palette for name, theme in found.items() if theme.is_shipped}
        for path in _theme_files(folder, problems):
            loaded = _theme_or_problem(path, bases, is_shipped=is_shipped)
            if isinstance(loaded, str):
                problems.append(loaded)
            else:
                found[loaded.theme.name] = loaded
    return LoadedThemes(found, tuple(problems))


def read_theme(
    path: Path, bases: Mapping[str, Palette], *, is_shipped: bool = False
) -> LoadedTheme:
    """One theme file; ``bases`` are the themes that it can be like.

    Raises ConfigError with one sentence.
    """
    table, lines = read_toml(path)
    try:
        file = msgspec.convert(table, ThemeFile)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{path}: this is no theme: {error}.") from None
    name = file.name or path.stem
    if not _NAME.fullmatch(name):
        raise ConfigError(
            f"{place_of(path, lines, '', 'name')}: the name is {in_quotes(name)}; "
            "it takes letters, digits, - and _."
        )
    base = bases.get(file.like)
    if base is None:
        raise ConfigError(
            f"{place_of(path, lines, '', 'like')}: like is {in_quotes(file.like)}; "
            f"it takes one of {', '.join(sorted(bases))}."
        )
    for key, colour in file.colours.items():
        _check_colour(f"{place_of(path, lines, 'colours', key)}: colours.", key, colour, file.ansi)
    palette = msgspec.structs.replace(base, **file.colours)
    missing = [key for key, colour in _items(palette) if _is_ansi(colour) != file.ansi]
    if missing:
        raise ConfigError(
            f"{path}: a theme with ansi = {'true' if file.ansi else 'false'} cannot take "
            f"{', '.join(missing)} from {file.like}; name {'them' if missing[1:] else 'it'}."
        )
    return _loaded(name, palette, is_dark=file.dark, is_ansi=file.ansi, is_shipped=is_shipped)


def _theme_or_problem(
    path: Path, bases: Mapping[str, Palette], *, is_shipped: bool
) -> LoadedTheme | str:
    try:
        return read_theme(path, bases, is_shipped=is_shipped)
    except ConfigError as error:
        return str(error)


def default_variables() -> dict[str, str]:
    """The variables that styles may use, for a theme that does not come from here."""
    return _roles(Palette())


def is_colourless(env: Mapping[str, str]) -> bool:
    """Whether NO_COLOR asks for no colour: it is there and not empty (no-color.org)."""
    return bool(env.get("NO_COLOR"))


def _theme_files(folder: Path, problems: list[str]) -> Iterable[Path]:
    try:
        if not folder.is_dir():
            return []
        files = sorted(path for path in folder.iterdir() if path.suffix == ".toml")
    except OSError as error:
        problems.append(clean_line(f"{folder} cannot be read: {error.strerror}."))
        return []
    if len(files) > MAX_FILES:
        problems.append(
            clean_line(f"{folder} holds more than {MAX_FILES} themes; the rest is ignored.")
        )
    return files[:MAX_FILES]


def _check_colour(place: str, key: str, colour: str, is_ansi: bool) -> None:
    if key not in Palette.__struct_fields__:
        near = difflib.get_close_matches(key, Palette.__struct_fields__, n=1)
        hint = f"; did you mean {near[0]}?" if near else "."
        raise ConfigError(f"{place}{key} is not known{hint}")
    takes = "one of the 16 colours, such as ansi_cyan" if is_ansi else "a colour such as #56c8d8"
    if not (colour in ANSI_COLOURS if is_ansi else _HEX.fullmatch(colour)):
        raise ConfigError(f"{place}{key} is {in_quotes(colour)}; it takes {takes}.")


def _items(palette: Palette) -> list[tuple[str, str]]:
    return [(name, getattr(palette, name)) for name in Palette.__struct_fields__]


def _is_ansi(colour: str) -> bool:
    return colour.startswith("ansi_")


def _roles(palette: Palette) -> dict[str, str]:
    """The colours that styles use by their meaning: ``$live``, ``$dim``, ..."""
    roles = ("raised", "rule", "track", "soft", "dim", "live", "ok", "warn", "bad")
    return {role: getattr(palette, role) for role in roles}


def _loaded(
    name: str, palette: Palette, *, is_dark: bool, is_ansi: bool, is_shipped: bool = True
) -> LoadedTheme:
    p = palette
    theme = Theme(
        name=name,
        dark=is_dark,
        ansi=is_ansi,
        primary=p.live,
        secondary=p.soft,
        accent=p.live,
        warning=p.warn,
        error=p.bad,
        success=p.ok,
        foreground=p.text,
        background=p.background,
        surface=p.raised,
        panel=p.raised,
        variables=_roles(p) | (_ANSI_VARIABLES if is_ansi else _variables(p)),
    )
    return LoadedTheme(p, theme, is_shipped)


def _variables(p: Palette) -> dict[str, str]:
    """The library's own variables where what it would derive has too little contrast."""
    return {
        "text-muted": p.soft,
        "text-disabled": p.dim,
        "foreground-muted": p.soft,
        "foreground-disabled": p.dim,
        "text-primary": p.live,
        "text-secondary": p.soft,
        "text-accent": p.live,
        "text-warning": p.warn,
        "text-error": p.bad,
        "text-success": p.ok,
        "border": p.live,
        "border-blurred": p.rule,
        "block-cursor-background": p.live,
        "block-cursor-foreground": p.background,
        "block-cursor-text-style": "none",
        "block-cursor-blurred-background": p.track,
        "block-cursor-blurred-foreground": p.text,
        "block-hover-background": p.track,
        "input-cursor-background": p.soft,
        "input-cursor-foreground": p.background,
        "input-selection-background": f"{p.live} 30%",
        "screen-selection-background": f"{p.live} 30%",
        "scrollbar": p.track,
        "scrollbar-hover": p.dim,
        "scrollbar-active": p.soft,
        "scrollbar-background": p.background,
        "scrollbar-background-hover": p.background,
        "scrollbar-background-active": p.background,
        "scrollbar-corner-color": p.background,
        "footer-background": p.raised,
        "footer-foreground": p.dim,
        "footer-key-foreground": p.soft,
        "footer-description-foreground": p.dim,
        "link-color": p.live,
        "link-background-hover": p.track,
        "link-color-hover": p.text,
    }


_ANSI_VARIABLES = {
    "ansi-background": "ansi_black",
    "ansi-foreground": "ansi_white",
    "foreground-disabled": "ansi_default",
    "surface-active": "ansi_default",
    "block-cursor-background": "ansi_cyan",
    "block-cursor-foreground": "ansi_black",
    "block-cursor-blurred-background": "ansi_bright_black",
    "border": "ansi_cyan",
    "border-blurred": "ansi_bright_black",
    "footer-key-foreground": "ansi_cyan",
    "input-cursor-text-style": "reverse",
    "input-selection-background": "ansi_cyan",
    "input-selection-foreground": "ansi_black",
    "scrollbar": "ansi_bright_black",
    "scrollbar-hover": "ansi_white",
    "scrollbar-active": "ansi_white",
    "scrollbar-background": "ansi_default",
    "scrollbar-background-hover": "ansi_default",
    "scrollbar-background-active": "ansi_default",
}
