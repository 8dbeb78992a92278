"""Whether a model fits into RAM: in one word, and in which role of the screen."""

from __future__ import annotations

from collections.abc import Mapping

from tui.core.board.headroom import Fit
from tui.core.text.format import UNKNOWN

FIT_WORDS: Mapping[Fit, str] = {
    "fits": "fits",
    "tight": "tight",
    "too large": "no",
    "unknown": UNKNOWN,
}
FIT_ROLES: Mapping[Fit, str] = {
    "fits": "ok",
    "tight": "warn",
    "too large": "bad",
    "unknown": "dim",
}
