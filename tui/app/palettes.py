"""Semantic colours of a theme for each colour depth, and Textual themes made of them."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from msgspec import Struct
from textual.theme import Theme

from tui.core.screen.colours import ColourDepth
from tui.core.screen.xterm_colours import RGB, contrast, in_hex, nearest_256, parsed, xterm_rgb


class Palette(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The colours by what they mean: ``#rrggbb``, or ``ansi_cyan`` where there are 16."""

    background: str = "#0e1318"
    raised: str = "#141b22"
    """Behind the header, the bottom line and code."""
    selected: str = "#131f26"
    """Behind the row that a key would act on."""
    rule: str = "#26303a"
    """Lines between things."""
    edge: str = "#4a5967"
    """Lines around dialogs and beside code: seen without any ground."""
    track: str = "#2a343e"
    """The empty part of a bar."""
    text: str = "#d5dce4"
    soft: str = "#9fb0bf"
    """Secondary text: histories, keys."""
    dim: str = "#7b8795"
    """Labels and units."""
    live: str = "#56c8d8"
    """Running and present values."""
    ok: str = "#86c56f"
    warn: str = "#e0af5a"
    bad: str = "#e8716a"


ROLES = Palette.__struct_fields__
TEXTS = ("text", "soft", "dim", "live", "ok", "warn", "bad")
"""Roles used for text."""
GROUNDS = ("background", "raised", "selected")
"""Roles used as backgrounds."""
MIN_CONTRAST = 4.5
"""Least contrast of text on its background (WCAG 2.1, level AA)."""

COLOURLESS = Palette(
    background="ansi_default",
    raised="ansi_default",
    selected="ansi_default",
    rule="ansi_default",
    edge="ansi_default",
    track="ansi_default",
    **dict.fromkeys(TEXTS, "ansi_default"),
)
"""Without colours: the terminal's own two, and what is chosen in reverse."""


class Palettes(Struct, frozen=True, kw_only=True):
    """One theme's palettes: each is made for its depth, not converted from another."""

    truecolor: Palette
    in_256: Palette
    """Only colours of xterm's 256, as ``#rrggbb``."""
    in_16: Palette
    """Only ``ansi_`` colours."""

    def at(self, depth: ColourDepth) -> Palette:
        """The palette to draw in where the terminal has that many colours."""
        if depth == "none":
            return COLOURLESS
        return {"truecolor": self.truecolor, "256": self.in_256, "16": self.in_16}[depth]


DEFAULT_PALETTES = Palettes(
    truecolor=Palette(),
    in_256=Palette(
        background="#121212",
        raised="#262626",
        selected="#303030",
        rule="#4e4e4e",
        edge="#767676",
        track="#444444",
        text="#dadada",
        soft="#bcbcbc",
        dim="#9e9e9e",
        live="#5fd7d7",
        ok="#87d75f",
        warn="#d7af5f",
        bad="#ff8787",
    ),
    in_16=Palette(
        background="ansi_black",
        raised="ansi_black",
        selected="ansi_black",
        rule="ansi_bright_black",
        edge="ansi_white",
        track="ansi_bright_black",
        text="ansi_bright_white",
        soft="ansi_white",
        dim="ansi_white",
        live="ansi_bright_cyan",
        ok="ansi_bright_green",
        warn="ansi_bright_yellow",
        bad="ansi_bright_red",
    ),
)
"""Of the theme that is there without any file."""


def items(palette: Palette) -> list[tuple[str, str]]:
    return [(name, getattr(palette, name)) for name in ROLES]


def is_ansi(colour: str) -> bool:
    return colour.startswith("ansi_")


def blended(palette: Palette) -> Palette:
    """With edge and selected made of the other colours: for a theme that does not name them."""
    if is_ansi(palette.background) or is_ansi(palette.text):
        return msgspec.structs.replace(palette, selected=palette.background, edge=palette.rule)
    back, text, live = (parsed(one) for one in (palette.background, palette.text, palette.live))
    edge, selected = in_hex(_mixed(back, text, 0.3)), in_hex(_mixed(back, live, 0.1))
    return msgspec.structs.replace(palette, selected=selected, edge=edge)


def in_256(palette: Palette, changed: Iterable[str], base: Palette) -> Palette:
    """A theme of 24-bit colours in xterm's 256: what was ``changed`` from the theme that it is like
    becomes the nearest one, the rest is that theme's own palette of 256, ``base``.

    Grounds stay apart, and texts keep their contrast on them.
    """
    near = {role: nearest_256(parsed(getattr(palette, role))) for role in changed}
    found = msgspec.structs.replace(
        base, **{role: in_hex(xterm_rgb(index)) for role, index in near.items()}
    )
    if not near:
        return found
    background = parsed(found.background)
    for role, towards in (("raised", 0.08), ("selected", 0.12), ("track", 0.22), ("rule", 0.25)):
        if parsed(getattr(found, role)) == background:
            step = _mixed(background, parsed(found.text), towards)
            found = msgspec.structs.replace(found, **{role: in_hex(xterm_rgb(nearest_256(step)))})
    grounds = [parsed(getattr(found, role)) for role in GROUNDS]
    texts = {role: _readable(parsed(getattr(found, role)), grounds) for role in TEXTS}
    return msgspec.structs.replace(found, **texts)


def is_dark(palette: Palette) -> bool:
    """Whether the background is nearer to black than to white."""
    back = parsed(palette.background)
    return contrast(back, (255, 255, 255)) > contrast(back, (0, 0, 0))


def _readable(rgb: RGB, grounds: list[RGB]) -> str:
    """The nearest of the 256 that can be read on all grounds; the nearest where none can."""
    for share in (0.0, 0.15, 0.3, 0.45, 0.6, 0.8, 1.0):
        for end in ((255, 255, 255), (0, 0, 0)):
            found = xterm_rgb(nearest_256(_mixed(rgb, end, share)))
            if all(contrast(found, ground) >= MIN_CONTRAST for ground in grounds):
                return in_hex(found)
    return in_hex(rgb)


def _mixed(one: RGB, other: RGB, share: float) -> RGB:
    red, green, blue = (round(a + share * (b - a)) for a, b in zip(one, other, strict=True))
    return red, green, blue


def roles(palette: Palette) -> dict[str, str]:
    """The colours that styles use by their meaning: ``$live``, ``$dim``, ..."""
    return {role: value for role, value in items(palette) if role not in ("background", "text")}


def screen_theme(name: str, palette: Palette, *, is_dark: bool) -> Theme:
    """The theme as the screen library takes it."""
    p = palette
    has_ansi = is_ansi(p.background)
    return Theme(
        name=name,
        dark=is_dark,
        ansi=has_ansi,
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
        variables=roles(p) | (_ansi_variables(p) if has_ansi else _variables(p)),
    )


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
        "input-selection-background": p.live,
        "input-selection-foreground": p.background,
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


def _ansi_variables(p: Palette) -> dict[str, str]:
    """The same in 16 colours, of which only ground and ink are known to stand apart."""
    ink = "ansi_black" if p.background == "ansi_default" else p.background
    # Without colours, whatever has a ground of its own is drawn in reverse.
    live = "ansi_cyan" if p.live == "ansi_default" else p.live
    line = "ansi_white" if p.rule == "ansi_default" else p.rule
    return {
        "ansi-background": ink,
        "ansi-foreground": "ansi_white" if p.text == "ansi_default" else p.text,
        "foreground-muted": p.soft,
        "foreground-disabled": p.dim,
        "text": p.text,
        "text-muted": p.soft,
        "text-disabled": p.dim,
        "footer-foreground": p.dim,
        "footer-background": p.raised,
        "footer-description-foreground": p.dim,
        "footer-description-background": p.raised,
        "footer-item-background": p.raised,
        "scrollbar-corner-color": p.background,
        "surface-active": p.background,
        "block-cursor-background": live,
        "block-cursor-foreground": ink,
        "block-cursor-blurred-background": "ansi_white",
        "block-cursor-blurred-foreground": "ansi_black",
        "block-hover-background": "ansi_white",
        "block-hover-foreground": "ansi_black",
        "border": p.live,
        "border-blurred": p.rule,
        "footer-key-foreground": p.live,
        "input-cursor-text-style": "reverse",
        "input-cursor-background": p.background,
        "input-cursor-foreground": p.text,
        "input-selection-background": live,
        "input-selection-foreground": ink,
        "screen-selection-background": live,
        "screen-selection-foreground": ink,
        "scrollbar": line,
        "scrollbar-hover": "ansi_white",
        "scrollbar-active": "ansi_white",
        "scrollbar-background": p.background,
        "scrollbar-background-hover": p.background,
        "scrollbar-background-active": p.background,
    }
