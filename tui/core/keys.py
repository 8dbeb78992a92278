"""Every key of npulse: one table for bindings, bottom line, help and config file."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class KeyAction:
    """One thing that a key does.

    ``action_id`` is the name under ``[keys]`` in config.toml, ``keys`` the default keys separated
    by commas, ``cap`` how the first of them is written in the bottom line, ``hint`` its word there
    (empty: only in the help), ``text`` its line in the help.
    """

    action_id: str
    keys: str
    action: str
    cap: str
    hint: str
    text: str


DASHBOARD_KEYS: tuple[KeyAction, ...] = (
    KeyAction("stop", "escape", "stop", "Esc", "stop", "stop the answer; its text is kept"),
    KeyAction("help", "f1", "app.help", "F1", "help", "this help"),
    KeyAction("models", "f2", "app.models", "F2", "model", "models: list, load, unload, switch"),
    KeyAction("bench", "f3", "app.bench", "F3", "bench", "benchmark the model, compare runs"),
    KeyAction("board", "f5", "app.board", "F5", "board", "the board: history, why slow, RAM"),
    KeyAction(
        "settings", "f6", "app.settings", "F6", "settings", "temperature, tokens, system prompt"
    ),
    KeyAction(
        "palette", "ctrl+p", "app.command_palette", "^P", "commands", "command palette, themes"
    ),
    KeyAction("regenerate", "ctrl+r", "regenerate", "^R", "again", "answer the last prompt again"),
    KeyAction("new", "ctrl+n", "new_conversation", "^N", "new", "new conversation"),
    KeyAction("copy", "ctrl+y", "copy_answer", "^Y", "copy", "copy the last answer (OSC 52)"),
    KeyAction("thinking", "ctrl+t", "toggle_thinking", "^T", "", "open or fold the thinking"),
    KeyAction("plain", "f7", "toggle_plain", "F7", "", "plain text or formatted Markdown"),
    KeyAction("search", "ctrl+f", "search", "^F", "", "search the transcript"),
    KeyAction("prev_turn", "alt+up", "jump_turn(-1)", "Alt+Up", "", "to the turn before"),
    KeyAction("next_turn", "alt+down", "jump_turn(1)", "Alt+Down", "", "to the next turn"),
    KeyAction("prev_code", "alt+left", "jump_code(-1)", "Alt+Left", "", "to the code block before"),
    KeyAction("next_code", "alt+right", "jump_code(1)", "Alt+Right", "", "to the next code block"),
    KeyAction("copy_code", "alt+y", "copy_code", "Alt+Y", "", "copy the last code block"),
    KeyAction("quit", "ctrl+q", "app.quit", "^Q", "quit", "quit"),
)

FIXED_KEYS: tuple[tuple[str, str], ...] = (
    ("Enter", "send the prompt"),
    ("Shift+Enter, Ctrl+J", "new line in the prompt; Alt+Enter too"),
    ("Up, Down", "earlier prompts, from the first and last line"),
    ("PageUp, PageDown", "scroll the transcript"),
    ("End", "at the end of the prompt: follow again"),
    ("Tab", "between prompt and transcript; there:"),
    ("  n N  [ ]  { }", "next and previous match, turn, code block"),
    ("  y c  Shift+Up Down", "copy the answer or selection, code; select"),
)
"""Keys that are not bound by id: the prompt's own."""

ACTION_IDS: frozenset[str] = frozenset(key.action_id for key in DASHBOARD_KEYS)
