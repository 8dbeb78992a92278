"""Loads themes/*.toml as Textual themes.

A theme is thirteen colours, each with a meaning, made once for each depth of colour that a terminal
may have. Every colour that the screen library knows is taken from them, so a theme file never has
to name one of those. A file that knows 24-bit colours only is given the others. A file that cannot
be used is left out and reported in one sentence; it never stops the start.
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

from tui.app.palettes import (
    DEFAULT_PALETTES,
    ROLES,
    Palettes,
    blended,
    in_256,
    is_ansi,
    is_dark,
    items,
    screen_theme,
)
from tui.core.screen.colours import ColourDepth
from tui.core.screen.xterm_colours import in_hex, xterm_rgb
from tui.core.text.in_quotes import in_quotes
from tui.core.text.sanitize import clean_line
from tui.settings.config_file import ConfigError, place_of, read_toml
from tui.settings.data_files import themes_folder
from tui.settings.folders import config_folder

DEFAULT_THEME = "npulse-dark"

LIBRARY_CSS = """
App:ansi, Screen:ansi { background: $background; color: $foreground; }
ModalScreen:ansi { background: transparent; }
.-ascii Dialog > VerticalScroll, .-ascii Dialog > Vertical { border: ascii $edge; }
"""
"""Styles for the library's own screens where they name a colour or a character of their own.

``-ascii`` is a class of the app.
"""

MAX_FILES = 100
_SIXTEEN = "one of the 16 colours, such as ansi_cyan"
_HEX_COLOUR = "a colour such as #56c8d8"
_INDEX = "a number of xterm's 256 colours, 16 to 255"
_BLENDED = {"selected", "edge"}
_BLENDED_OF = {"background", "text", "live"}
"""What those two are made of where a file does not name them."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_HEX = re.compile(r"#(?:[0-9a-fA-F]{3}){1,2}")
_HUES = ("black", "red", "green", "yellow", "blue", "magenta", "cyan", "white")
ANSI_COLOURS = frozenset(
    ["ansi_default", *(f"ansi_{hue}" for hue in _HUES), *(f"ansi_bright_{hue}" for hue in _HUES)]
)


class ThemeFile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Content of a theme file."""

    name: str = ""
    """Empty: the name of the file without ``.toml``."""
    like: str = DEFAULT_THEME
    """The theme of npulse that colours which are not named here are taken from."""
    dark: bool = True
    ansi: bool = False
    """Whether it uses the 16 colours of the terminal and no others."""
    colours: dict[str, str] = {}
    colours_256: dict[str, int] = {}
    """The same where the terminal has 256 colours: xterm's numbers from 16 on."""
    colours_16: dict[str, str] = {}
    """The same in 16 colours, such as ``ansi_cyan``."""


@dataclass(frozen=True, slots=True)
class LoadedTheme:
    """One theme: its colours by meaning."""

    name: str
    palettes: Palettes
    is_dark: bool
    is_shipped: bool

    def at(self, depth: ColourDepth) -> Theme:
        """The Textual theme for a colour depth."""
        return screen_theme(self.name, self.palettes.at(depth), is_dark=self.is_dark)


@dataclass(frozen=True, slots=True)
class LoadedThemes:
    """Every theme that can be used, and a sentence for every file that cannot."""

    by_name: Mapping[str, LoadedTheme]
    """Always holds :data:`DEFAULT_THEME`."""
    problems: tuple[str, ...]

    def at(self, depth: ColourDepth) -> tuple[Theme, ...]:
        """What to register with the app, for a colour depth."""
        return tuple(loaded.at(depth) for loaded in self.by_name.values())

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
    found = {DEFAULT_THEME: LoadedTheme(DEFAULT_THEME, DEFAULT_PALETTES, True, True)}
    problems: list[str] = []
    for folder, is_shipped in (
        (themes_folder() if shipped is None else shipped, True),
        (config_folder() / "themes" if users is None else users, False),
    ):
        bases = {name: theme.palettes for name, theme in found.items() if theme.is_shipped}
        for path in _theme_files(folder, problems):
            loaded = _theme_or_problem(path, bases, is_shipped=is_shipped)
            if isinstance(loaded, str):
                problems.append(loaded)
            else:
                found[loaded.name] = loaded
    return LoadedThemes(found, tuple(problems))


def read_theme(
    path: Path, bases: Mapping[str, Palettes], *, is_shipped: bool = False
) -> LoadedTheme:
    """One theme file; ``bases`` are the themes that it can be like.

    Raises ConfigError with one sentence.
    """
    table, lines = read_toml(path)
    try:
        file = msgspec.convert(table, ThemeFile)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{path}: this is not a theme: {error}.") from None
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
    for table_name, colours, takes in (
        ("colours", file.colours, _SIXTEEN if file.ansi else _HEX_COLOUR),
        ("colours_256", file.colours_256, _INDEX),
        ("colours_16", file.colours_16, _SIXTEEN),
    ):
        for key, colour in colours.items():
            _check_colour(
                f"{place_of(path, lines, table_name, key)}: {table_name}.", key, colour, takes
            )
    palettes = _palettes(file, base, bases)
    # Those that are made of others are the same as they are.
    missing = [
        key
        for key, colour in items(palettes.truecolor)
        if is_ansi(colour) != file.ansi and key not in _BLENDED
    ]
    if missing:
        raise ConfigError(
            f"{path}: a theme with ansi = {'true' if file.ansi else 'false'} cannot take "
            f"{', '.join(missing)} from {file.like}; name {'them' if missing[1:] else 'it'}."
        )
    return LoadedTheme(name, palettes, file.dark, is_shipped)


def _palettes(file: ThemeFile, base: Palettes, bases: Mapping[str, Palettes]) -> Palettes:
    """What a theme file says, with what it leaves out: a file may know 24-bit colours only."""
    palette = msgspec.structs.replace(base.truecolor, **file.colours)
    changed = set(file.colours)
    if changed & _BLENDED_OF and not changed >= _BLENDED:
        with_blends = blended(palette)
        made = _BLENDED - changed
        palette = msgspec.structs.replace(
            palette, **{role: getattr(with_blends, role) for role in made}
        )
        changed |= made
    if file.ansi or any(is_ansi(colour) for _, colour in items(palette)):
        return Palettes(truecolor=palette, in_256=palette, in_16=palette)
    like = base
    if is_ansi(base.truecolor.background) or is_dark(palette) != is_dark(base.truecolor):
        like = bases.get("npulse-dark" if is_dark(palette) else "npulse-light", base)
    few = {role: in_hex(xterm_rgb(index)) for role, index in file.colours_256.items()}
    return Palettes(
        truecolor=palette,
        in_256=msgspec.structs.replace(in_256(palette, changed, base.in_256), **few),
        in_16=msgspec.structs.replace(like.in_16, **file.colours_16),
    )


def _theme_or_problem(
    path: Path, bases: Mapping[str, Palettes], *, is_shipped: bool
) -> LoadedTheme | str:
    try:
        return read_theme(path, bases, is_shipped=is_shipped)
    except ConfigError as error:
        return str(error)


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


def _check_colour(place: str, key: str, colour: object, takes: str) -> None:
    if key not in ROLES:
        near = difflib.get_close_matches(key, ROLES, n=1)
        hint = f"; did you mean {near[0]}?" if near else "."
        raise ConfigError(f"{place}{key} is not known{hint}")
    if isinstance(colour, int):
        is_right = 16 <= colour <= 255
    elif takes is _SIXTEEN:
        is_right = colour in ANSI_COLOURS
    else:
        is_right = _HEX.fullmatch(str(colour)) is not None
    if not is_right:
        shown = str(colour) if isinstance(colour, int) else in_quotes(str(colour))
        raise ConfigError(f"{place}{key} is {shown}; it takes {takes}.")
