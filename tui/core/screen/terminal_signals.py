"""Sequences that tell a terminal that something is done: bell, notification, tab progress, title.

Sources: OSC 9 (iTerm2), OSC 777 (urxvt), OSC 99 (kitty, "Desktop notifications"), OSC 9;4 (ConEmu,
"Progress"), XTWINOPS 22 and 23 (xterm, "Window manipulation"), tmux(1) under allow-passthrough.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from tui.core.text.sanitize import clean_line

Signal = Literal["bell", "desktop", "osc9", "osc777", "osc99", "progress", "title"]
SIGNALS: tuple[Signal, ...] = ("bell", "desktop", "osc9", "osc777", "osc99", "progress", "title")
OFF = "off"

BELL = "\a"
ESC, ST = "\x1b", "\x1b\\"
PUSH_TITLE, POP_TITLE = "\x1b[22;2t", "\x1b[23;2t"
NO_PROGRESS = f"{ESC}]9;4;0;0{ST}"
MAX_CHARS = 120


def signals_of(words: str, env: Mapping[str, str]) -> frozenset[Signal]:
    """What ``[ui] notify`` asks for. ``desktop`` becomes the notification that this terminal takes,
    as far as its variables tell. Unknown words are left out: the settings refuse them."""
    given = {word.strip() for word in words.split(",")}
    wanted = {signal for signal in SIGNALS if signal in given}
    if "desktop" in wanted:
        wanted = (wanted - {"desktop"}) | {_notification_of(env)}
    return frozenset(wanted)


def _notification_of(env: Mapping[str, str]) -> Signal:
    """OSC 9 is what most take."""
    term = env.get("TERM", "")
    if "kitty" in term or "KITTY_WINDOW_ID" in env:
        return "osc99"
    return "osc777" if term.startswith(("rxvt", "foot", "contour")) else "osc9"


def notification(kind: Signal, title: str, body: str) -> str:
    """One notification; a bell for ``bell``, nothing for what is none."""
    title, body = _plain(title), _plain(body)
    if kind == "bell":
        return BELL
    if kind == "osc9":
        return f"{ESC}]9;{title}: {body}{ST}"
    if kind == "osc777":
        return f"{ESC}]777;notify;{title};{body}{ST}"
    if kind == "osc99":
        # A terminal that has the focus shows none.
        head = f"{ESC}]99;i=npulse:o=unfocused"
        return f"{head}:d=0:p=title;{title}{ST}{head}:d=1:p=body;{body}{ST}"
    return ""


def tab_progress(share: float | None) -> str:
    """Progress in the terminal's tab; None is under way without a known end."""
    if share is None:
        return f"{ESC}]9;4;3;0{ST}"
    return f"{ESC}]9;4;1;{min(max(round(share * 100), 0), 100)}{ST}"


def window_title(text: str) -> str:
    return f"{ESC}]2;{_plain(text)}{ST}"


def passed_on(sequence: str, env: Mapping[str, str]) -> str:
    """For the terminal around tmux or screen, which would swallow it. tmux needs ``set -g
    allow-passthrough on``. A bell and a title they take themselves."""
    if not sequence.startswith((f"{ESC}]9;", f"{ESC}]777;", f"{ESC}]99;")):
        return sequence
    if env.get("TMUX"):
        return f"{ESC}Ptmux;{sequence.replace(ESC, ESC + ESC)}{ST}"
    if env.get("TERM", "").startswith("screen") and env.get("STY"):
        # GNU screen ends its own string at the first ST: each part goes by itself.
        return "".join(f"{ESC}P{part}{ESC}{ST}{ESC}P\\{ST}" for part in sequence.split(ST) if part)
    return sequence


def _plain(text: str) -> str:
    """One line without anything that a terminal would obey, or take for a separator."""
    return clean_line(text, MAX_CHARS).replace(";", ",")
