"""The 256 colours of xterm, the nearest of them, and the contrast of two colours."""

from __future__ import annotations

from functools import lru_cache

RGB = tuple[int, int, int]

_LEVELS = (0, 95, 135, 175, 215, 255)
XTERM_16: tuple[RGB, ...] = (
    (0, 0, 0), (205, 0, 0), (0, 205, 0), (205, 205, 0),
    (0, 0, 238), (205, 0, 205), (0, 205, 205), (229, 229, 229),
    (127, 127, 127), (255, 0, 0), (0, 255, 0), (255, 255, 0),
    (92, 92, 255), (255, 0, 255), (0, 255, 255), (255, 255, 255),
)  # fmt: skip
GREY_SPREAD = 24
"""Channels that differ by less look grey: such a colour never becomes one of the coloured cube."""


def xterm_rgb(index: int) -> RGB:
    """Red, green and blue of one of the 256. The first 16 are as xterm sets them."""
    if index < 16:
        return XTERM_16[index]
    if index < 232:
        red, rest = divmod(index - 16, 36)
        green, blue = divmod(rest, 6)
        return _LEVELS[red], _LEVELS[green], _LEVELS[blue]
    grey = 8 + 10 * (index - 232)
    return grey, grey, grey


def parsed(colour: str) -> RGB:
    """Of ``#rgb`` or ``#rrggbb``."""
    digits = colour.removeprefix("#")
    if len(digits) == 3:
        digits = "".join(2 * digit for digit in digits)
    return int(digits[:2], 16), int(digits[2:4], 16), int(digits[4:], 16)


def in_hex(rgb: RGB) -> str:
    return f"#{rgb[0]:02x}{rgb[1]:02x}{rgb[2]:02x}"


@lru_cache(maxsize=1024)
def nearest_256(rgb: RGB) -> int:
    """The index, 16 to 255, of the colour that looks most alike.

    Dark greys with a tint stay grey: the darkest step of the cube is far brighter than they are.
    """
    spread = max(rgb) - min(rgb)
    near: int = min(range(16, 256), key=lambda index: _distance(rgb, xterm_rgb(index)))
    if spread < GREY_SPREAD and xterm_rgb(near) != rgb:
        greys = (16, *range(232, 256), 231)
        near = min(greys, key=lambda index: _distance(rgb, xterm_rgb(index)))
    return near


def contrast(one: RGB, other: RGB) -> float:
    """Contrast of text on a ground, 1 to 21 (WCAG 2.1)."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def luminance(rgb: RGB) -> float:
    """Relative luminance, 0 to 1 (WCAG 2.1)."""
    red, green, blue = (
        value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4
        for value in (channel / 255 for channel in rgb)
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _distance(one: RGB, other: RGB) -> float:
    """How different two colours look: weighted by the mean of red (T. Riemersma, 'redmean')."""
    mean = (one[0] + other[0]) / 2
    red, green, blue = (a - b for a, b in zip(one, other, strict=True))
    by_red, by_blue = 2 + mean / 256, 2 + (255 - mean) / 256
    return by_red * red**2 + 4.0 * green**2 + by_blue * blue**2
