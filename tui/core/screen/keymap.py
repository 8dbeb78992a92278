"""Applies a keymap: finds clashing keys, and builds the sections of the help.

A keymap is what ``[keys]`` gives: action id -> its keys, separated by commas.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

from tui.core.screen.key_names import shown_keys
from tui.core.screen.keys.action import KeyAction
from tui.core.screen.keys.bench import BENCH_KEYS
from tui.core.screen.keys.board import BOARD_KEYS, FIX_KEYS, RAM_FIELD_KEYS, RAM_KEYS
from tui.core.screen.keys.chat import (
    BRANCH_ARROWS,
    CHAT_KEYS,
    DEMO_LETTER,
    FIXED_PROMPT_KEYS,
    FOCUS_KEYS,
    GLOBAL_KEYS,
    INTERRUPT,
    PROMPT_KEYS,
    SERVER_LINE_KEYS,
    TRANSCRIPT_KEYS,
    TURN_TIMELINE,
)
from tui.core.screen.keys.choice import CHOICE_KEYS
from tui.core.screen.keys.clients import CLIENTS_KEYS
from tui.core.screen.keys.explain import EXPLAIN, EXPLAINED_BACK
from tui.core.screen.keys.fleet import FLEET_KEYS
from tui.core.screen.keys.forms import HELP_KEYS, MODELS_KEYS, SETTINGS_KEYS, TOGGLE_KEYS
from tui.core.screen.keys.history import ANSWERS_KEYS, CONVERSATION_KEYS, HISTORY_KEYS, REPLAY_KEYS
from tui.core.screen.keys.lab import JUDGE_KEYS, LAB_KEYS, SET_TEXT_KEYS
from tui.core.screen.keys.panel import PANEL_KEYS, PANEL_SCREEN_KEYS
from tui.core.screen.keys.table import SCOPES, default_keys
from tui.core.screen.keys.timeline import TIMELINE_KEYS

Place = Literal[
    "chat",
    "panel",
    "board",
    "ram",
    "fix",
    "bench",
    "lab",
    "history",
    "replay",
    "timeline",
    "clients",
    "fleet",
    "models",
    "settings",
    "choice",
    "help",
]
"""Where help was asked for."""


def bound_keys(key: KeyAction, keymap: Mapping[str, str]) -> str:
    """The keys of an action now, separated by commas."""
    return keymap.get(key.action_id, key.keys)


@dataclass(frozen=True, slots=True)
class KeyClash:
    """One key for two actions that work at the same time, of one of :data:`SCOPES`."""

    key: str
    first_id: str
    second_id: str


def key_clashes(keymap: Mapping[str, str]) -> list[KeyClash]:
    """Every key with two meanings; each pair of actions once, where it is met first."""
    found: dict[KeyClash, None] = {}
    for actions in SCOPES.values():
        owner: dict[str, str] = {}
        for action in actions:
            for name in bound_keys(action, keymap).split(","):
                first_id = owner.setdefault(name, action.action_id)
                if first_id != action.action_id:
                    found[KeyClash(name, first_id, action.action_id)] = None
    return list(found)


def rebound(keymap: Mapping[str, str]) -> dict[str, str]:
    """The part of a keymap that says something new: actions with other keys than npulse's own, and
    those whose own keys another action takes.

    Empty for most users. Textual applies a keymap at each key and each change of the focus, in a
    time that grows with its square.
    """
    defaults = default_keys()
    changed = {
        action_id: keys for action_id, keys in keymap.items() if keys != defaults.get(action_id)
    }
    taken = {key for keys in changed.values() for key in keys.split(",")}
    touched = {
        action_id: keys
        for action_id, keys in keymap.items()
        if not taken.isdisjoint(keys.split(","))
    }
    return {**changed, **touched}


def key_lines(actions: Iterable[KeyAction], keymap: Mapping[str, str]) -> list[tuple[str, str]]:
    """Keys and text of each action; neighbours with one line share it, with a key of each."""
    lines: list[tuple[str, str]] = []
    for text, group in groupby(actions, key=lambda action: action.help_line):
        bound = [bound_keys(action, keymap) for action in group]
        names = bound if len(bound) == 1 else [keys.split(",")[0] for keys in bound]
        lines.append((shown_keys(",".join(names)), text))
    return lines


def help_sections(
    keymap: Mapping[str, str], place: Place = "chat"
) -> list[tuple[str, list[tuple[str, str]]]]:
    """The keys of every screen as titles with lines; those that work everywhere come
    first, then those of ``place``."""

    def title(name: str, action_id: str) -> str:
        return f"{name} ({shown_keys(keymap[action_id])})"

    chat = [
        *key_lines(PROMPT_KEYS, keymap),
        *FIXED_PROMPT_KEYS,
        *key_lines([*FOCUS_KEYS, *CHAT_KEYS], keymap),
    ]
    sections: list[tuple[Place, str, list[tuple[str, str]]]] = [
        ("chat", "chat", chat),
        (
            "chat",
            title("transcript", "focus"),
            key_lines([*TRANSCRIPT_KEYS, *BRANCH_ARROWS, TURN_TIMELINE, DEMO_LETTER], keymap),
        ),
        ("chat", title("server line", "connect"), key_lines(SERVER_LINE_KEYS, keymap)),
        (
            "panel",
            title("enlarged panel", "panel.speed"),
            key_lines(PANEL_SCREEN_KEYS[len(PANEL_KEYS) :], keymap),
        ),
        ("board", title("the board", "board"), key_lines(BOARD_KEYS, keymap)),
        (
            "ram",
            title("RAM calculator", "board.calculator"),
            key_lines([*RAM_FIELD_KEYS, *RAM_KEYS], keymap),
        ),
        ("fix", title("fix of the board", "board.fix"), key_lines(FIX_KEYS, keymap)),
        ("bench", title("benchmarks", "bench"), key_lines(BENCH_KEYS, keymap)),
        ("lab", title("prompt lab", "lab"), key_lines(LAB_KEYS, keymap)),
        ("lab", title("judging", "lab.judge"), key_lines(JUDGE_KEYS, keymap)),
        ("lab", title("text of a set", "lab.edit"), key_lines(SET_TEXT_KEYS, keymap)),
        ("history", title("history", "history"), key_lines(HISTORY_KEYS, keymap)),
        (
            "history",
            title("opened conversation", "history.open"),
            key_lines(CONVERSATION_KEYS, keymap),
        ),
        ("history", title("side by side", "history.compare"), key_lines(ANSWERS_KEYS, keymap)),
        ("replay", "replay", key_lines(REPLAY_KEYS, keymap)),
        ("timeline", title("timeline", "timeline"), key_lines(TIMELINE_KEYS, keymap)),
        ("clients", title("clients", "clients"), key_lines(CLIENTS_KEYS, keymap)),
        ("fleet", title("fleet", "fleet"), key_lines(FLEET_KEYS, keymap)),
        ("models", title("models", "models"), key_lines(MODELS_KEYS, keymap)),
        (
            "settings",
            title("settings", "settings"),
            key_lines([*SETTINGS_KEYS, *TOGGLE_KEYS], keymap),
        ),
        ("choice", title("commands, themes", "palette"), key_lines(CHOICE_KEYS, keymap)),
        ("help", title("help", "help"), key_lines(HELP_KEYS, keymap)),
        (
            "help",
            title("figures, explained", "explain"),
            key_lines([EXPLAIN, EXPLAINED_BACK], keymap),
        ),
    ]
    first = [(title, lines) for at, title, lines in sections if at == place]
    rest = [(title, lines) for at, title, lines in sections if at != place]
    everywhere = ("on every screen", key_lines([*GLOBAL_KEYS, INTERRUPT], keymap))
    return [everywhere, *first, *rest]
