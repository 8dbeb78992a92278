"""Every key of npulse: one table for bindings, bottom line, help, command palette and config file.

A screen binds the actions of its table and nothing else. One id may stand on several screens and
act there in its own way: ``bench.down`` scrolls a result and chooses a suite.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from tui.core.screen.keys.action import KeyAction
from tui.core.screen.keys.bench import (
    BENCH_CHOOSER_KEYS,
    BENCH_COMPARE_KEYS,
    BENCH_KEYS,
    BENCH_LIVE_KEYS,
    BENCH_REQUEST_KEYS,
    BENCH_RESULT_KEYS,
)
from tui.core.screen.keys.board import BOARD_KEYS, FIX_KEYS, RAM_FIELD_KEYS, RAM_KEYS
from tui.core.screen.keys.chat import (
    BRANCH_ARROWS,
    CHAT_KEYS,
    DEMO_LETTER,
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
from tui.core.screen.keys.lab import (
    JUDGE_KEYS,
    LAB_ANSWER_KEYS,
    LAB_KEYS,
    LAB_LIST_KEYS,
    LAB_MATRIX_KEYS,
    LAB_SIDES_KEYS,
    SET_TEXT_KEYS,
)
from tui.core.screen.keys.panel import PANEL_KEYS, PANEL_SCREEN_KEYS
from tui.core.screen.keys.timeline import TIMELINE_KEYS


def closing(action_id: str) -> KeyAction:
    """The action of the dashboard that opens a screen, as that screen binds it: the key closes."""
    opening = next(key for key in CHAT_KEYS if key.action_id == action_id)
    return replace(opening, action="leave", text="back to the chat", line="")


REPLAY_CHAT_KEYS: tuple[KeyAction, ...] = tuple(
    replace(key, action="board") if key.action_id == "board" else key
    for key in CHAT_KEYS
    if key.action_id
    in (
        "board", "copy", "thinking", "plain", "search", "prev_turn", "next_turn", "prev_code",
        "next_code", "copy_code",
    )
)  # fmt: skip
"""What the keys of the dashboard still do in a replay: nothing that needs a server."""

ACTIONS: tuple[KeyAction, ...] = (
    *CHAT_KEYS[:1],
    *GLOBAL_KEYS[:1],
    *CHAT_KEYS[1:],
    *GLOBAL_KEYS[1:],
    INTERRUPT,
    *FOCUS_KEYS,
    *PROMPT_KEYS,
    *TRANSCRIPT_KEYS,
    *BRANCH_ARROWS,
    TURN_TIMELINE,
    DEMO_LETTER,
    *SERVER_LINE_KEYS,
    *PANEL_SCREEN_KEYS[len(PANEL_KEYS) :],
    *BOARD_KEYS,
    *RAM_FIELD_KEYS,
    *RAM_KEYS,
    *FIX_KEYS,
    *BENCH_KEYS,
    *LAB_KEYS,
    *JUDGE_KEYS,
    *SET_TEXT_KEYS,
    *HISTORY_KEYS,
    *CONVERSATION_KEYS,
    *ANSWERS_KEYS,
    *REPLAY_KEYS,
    *TIMELINE_KEYS,
    *(key for key in CLIENTS_KEYS if key is not EXPLAIN),
    *FLEET_KEYS,
    *MODELS_KEYS,
    *SETTINGS_KEYS,
    *TOGGLE_KEYS,
    *CHOICE_KEYS,
    EXPLAINED_BACK,
    *HELP_KEYS,
)
"""Everything that ``[keys]`` can bind to other keys, in the order of config.toml."""

_EVERYWHERE = (*GLOBAL_KEYS, INTERRUPT)

SCOPES: Mapping[str, tuple[KeyAction, ...]] = {
    "the prompt": (*CHAT_KEYS, *FOCUS_KEYS, *PROMPT_KEYS, *_EVERYWHERE),
    "the transcript": (
        *CHAT_KEYS,
        *FOCUS_KEYS,
        *TRANSCRIPT_KEYS,
        *BRANCH_ARROWS,
        TURN_TIMELINE,
        DEMO_LETTER,
        *_EVERYWHERE,
    ),
    "the server line": (*CHAT_KEYS, *FOCUS_KEYS, *SERVER_LINE_KEYS, *_EVERYWHERE),
    "an enlarged panel": (*PANEL_SCREEN_KEYS, *_EVERYWHERE),
    "the board": (closing("board"), *BOARD_KEYS, *_EVERYWHERE),
    "the RAM calculator": (*RAM_FIELD_KEYS, *RAM_KEYS, *_EVERYWHERE),
    "a fix of the board": (*FIX_KEYS, *_EVERYWHERE),
    "the benchmarks": (closing("bench"), *BENCH_CHOOSER_KEYS, *_EVERYWHERE),
    "a running benchmark": (closing("bench"), *BENCH_LIVE_KEYS, *_EVERYWHERE),
    "the results of a benchmark": (closing("bench"), *BENCH_RESULT_KEYS, EXPLAIN, *_EVERYWHERE),
    "a request of a benchmark": (closing("bench"), *BENCH_REQUEST_KEYS, *_EVERYWHERE),
    "a comparison": (closing("bench"), *BENCH_COMPARE_KEYS, *_EVERYWHERE),
    "the prompt lab": (closing("lab"), *LAB_LIST_KEYS, *_EVERYWHERE),
    "a matrix of the lab": (closing("lab"), *LAB_MATRIX_KEYS, *_EVERYWHERE),
    "an answer of the lab": (
        closing("lab"),
        *LAB_ANSWER_KEYS,
        *TRANSCRIPT_KEYS,
        *_EVERYWHERE,
    ),
    "answers of the lab": (closing("lab"), *LAB_SIDES_KEYS, *_EVERYWHERE),
    "judging": (closing("lab"), *JUDGE_KEYS, *_EVERYWHERE),
    "the text of a set": (closing("lab"), *SET_TEXT_KEYS, *_EVERYWHERE),
    "the history": (closing("history"), *HISTORY_KEYS, *_EVERYWHERE),
    "a conversation of the history": (
        closing("history"),
        *CONVERSATION_KEYS,
        *TRANSCRIPT_KEYS,
        *_EVERYWHERE,
    ),
    "answers side by side": (closing("history"), *ANSWERS_KEYS, *_EVERYWHERE),
    "a replay": (*REPLAY_CHAT_KEYS, *REPLAY_KEYS, *FOCUS_KEYS, *TRANSCRIPT_KEYS, *_EVERYWHERE),
    "a timeline": (closing("timeline"), *TIMELINE_KEYS, *_EVERYWHERE),
    "the clients": (closing("clients"), *CLIENTS_KEYS, *_EVERYWHERE),
    "the fleet": (closing("fleet"), *FLEET_KEYS, *_EVERYWHERE),
    "the models": (closing("models"), *MODELS_KEYS, *_EVERYWHERE),
    "the settings": (closing("settings"), *SETTINGS_KEYS, *TOGGLE_KEYS, *_EVERYWHERE),
    "a list of commands or themes": (*CHOICE_KEYS, *_EVERYWHERE),
    "figures that are explained": (EXPLAIN, EXPLAINED_BACK, *_EVERYWHERE),
    "the help": (*HELP_KEYS, *_EVERYWHERE),
}
"""The actions that work at the same time. Within one of them a key can do only one thing."""


def default_keys() -> dict[str, str]:
    """Action id -> its keys, separated by commas, as npulse comes."""
    return {key.action_id: key.keys for key in ACTIONS}
