"""Which colours a real terminal receives: 16 at most, or none at all, where that is asked for."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.terminal.pty_terminal import PtyTerminal

pytestmark = pytest.mark.slow

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
_SGR = re.compile(rb"\x1b\[([\d;:]*)m")


def _colours(theme: str, env: Mapping[str, str | None], *args: str) -> tuple[set[str], str]:
    """The kinds of colour that were asked for, and the last screen."""
    argv = [sys.executable, str(HERE / "drawn.py"), theme, *args]
    path = os.pathsep.join([str(ROOT), *os.environ.get("PYTHONPATH", "").split(os.pathsep)])
    with PtyTerminal(argv, size=(80, 40), env={"PYTHONPATH": path, **env}) as terminal:
        terminal.wait_for("type what you want to do")
        terminal.wait_quiet(0.2)
        raw, text = terminal.raw, terminal.text()
    kinds: set[str] = set()
    for match in _SGR.finditer(raw):
        codes = iter(match[1].replace(b":", b";").split(b";"))
        for code in codes:
            if code in (b"38", b"48"):
                kind = next(codes, b"")
                kinds.add({b"2": "true", b"5": "256"}.get(kind, "broken"))
                for _ in range(3 if kind == b"2" else 1):
                    next(codes, b"")
            elif code.isdigit() and int(code) in {*range(30, 38), *range(40, 48)}:
                kinds.add("8")
            elif code.isdigit() and int(code) in {*range(90, 98), *range(100, 108)}:
                kinds.add("16")
    return kinds, text


def test_the_default_theme_uses_true_colour() -> None:
    assert "true" in _colours("npulse-dark", {})[0]


def test_the_theme_of_16_colours_uses_those_and_no_others() -> None:
    assert _colours("npulse-16", {})[0] == {"8", "16"}


@pytest.mark.parametrize("theme", ["npulse-dark", "npulse-16"])
def test_no_color_means_no_colour(theme: str) -> None:
    kinds, text = _colours(theme, {"NO_COLOR": "1"})
    assert kinds == set()
    assert "raised text" in text


def test_ascii_reaches_the_edges_of_a_dialog() -> None:
    text = _colours("npulse-16", {}, "--ascii")[1]
    palette = text[text.index("+---") : text.index("theme: dark, light")]
    assert palette.isascii()
