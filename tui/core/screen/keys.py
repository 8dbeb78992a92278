"""Every key of npulse: one table for bindings, bottom line, help and config file."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class KeyAction:
    """One thing that a key does.

    ``action_id`` is the name under ``[keys]`` in config.toml, ``keys`` the default keys separated
    by commas, ``hint`` its word in the bottom line (empty: only in the help), ``text`` its line in
    the help and the command palette.
    """

    action_id: str
    keys: str
    action: str
    hint: str
    text: str


DASHBOARD_KEYS: tuple[KeyAction, ...] = (
    KeyAction("stop", "escape", "stop", "stop", "stop the answer; its text is kept"),
    KeyAction("help", "f1", "app.help", "help", "every key, and what the figures mean"),
    KeyAction("models", "f2", "app.models", "model", "models: list, load, unload, switch"),
    KeyAction("bench", "f3", "app.bench", "bench", "benchmark the model, compare runs"),
    KeyAction("board", "f5", "app.board", "board", "the board: history, why slow, RAM"),
    KeyAction("settings", "f6", "app.settings", "settings", "temperature, tokens, system prompt"),
    KeyAction("palette", "ctrl+p", "app.command_palette", "commands", "command palette, themes"),
    KeyAction("regenerate", "ctrl+r", "regenerate", "again", "answer the last prompt again"),
    KeyAction("new", "ctrl+n", "new_conversation", "new", "new conversation"),
    KeyAction("copy", "ctrl+y", "copy_answer", "copy", "copy the selection or the last answer"),
    KeyAction("thinking", "ctrl+t", "toggle_thinking", "", "open or fold the thinking"),
    KeyAction("plain", "f7", "toggle_plain", "", "plain text or formatted Markdown"),
    KeyAction("search", "ctrl+f", "search", "", "search the transcript"),
    KeyAction("prev_turn", "alt+up", "jump_turn(-1)", "", "to the turn before"),
    KeyAction("next_turn", "alt+down", "jump_turn(1)", "", "to the next turn"),
    KeyAction("prev_code", "alt+left", "jump_code(-1)", "", "to the code block before"),
    KeyAction("next_code", "alt+right", "jump_code(1)", "", "to the next code block"),
    KeyAction("copy_code", "alt+y", "copy_code", "", "copy the last code block"),
    KeyAction("connect", "alt+u", "connect", "", "type the URL of another server"),
    KeyAction("demo", "alt+d", "demo", "", "no server: start the simulated board"),
    KeyAction("quit", "ctrl+q", "app.quit", "quit", "quit"),
)

FIXED_KEYS: tuple[tuple[str, str], ...] = (
    ("Enter", "send the prompt"),
    ("Shift+Enter, Ctrl+J", "new line in the prompt; Alt+Enter too"),
    ("Paste", "sends nothing; nor do lines that come in one burst without paste marks"),
    ("Up, Down", "earlier prompts, from the first and last line"),
    ("PageUp, PageDown", "scroll the transcript"),
    ("End", "at the end of the prompt: follow again"),
    ("Tab", "between prompt and transcript; there:"),
    ("  n N  [ ]  { }", "next and previous match, turn, code block"),
    ("  y c  Shift+Up Down", "copy the answer or selection, code; select"),
    ("Ctrl+C", "copy what is selected; else stop the answer, and again: quit"),
)
"""Keys that are not bound by id: the prompt's own."""

BOARD_KEYS: tuple[KeyAction, ...] = (
    KeyAction("board.chart_before", "left,h", "step(-1)", "", "another chart, where one is shown"),
    KeyAction("board.chart_next", "right,l", "step(1)", "", "another chart, where one is shown"),
    KeyAction("board.zoom_in", "plus,equals_sign", "zoom(1)", "", "less or more time"),
    KeyAction("board.zoom_out", "minus", "zoom(-1)", "", "less or more time"),
    KeyAction("board.up", "up,k", "choose(-1)", "", "from finding to finding"),
    KeyAction("board.down", "down,j", "choose(1)", "", "from finding to finding"),
    KeyAction(
        "board.open", "enter,space", "open", "", "open the finding: what was read, and its fix"
    ),
    KeyAction("board.copy", "y", "copy", "", "copy its command"),
    KeyAction(
        "board.readings", "r", "readings", "", "every reading with its source; again: the charts"
    ),
    KeyAction("board.calculator", "c", "calculator", "", "what fits into RAM"),
    KeyAction("board.page_up", "pageup", "page(-1)", "", "scroll"),
    KeyAction("board.page_down", "pagedown", "page(1)", "", "scroll"),
    KeyAction("board.back", "escape", "back", "", "one step back"),
)
"""Keys of the board screen. Neighbours with one text are one line in the help."""

BENCH_KEYS: tuple[tuple[str, str], ...] = (
    ("Up, Down", "choose a suite, an earlier run or a request; scroll"),
    ("Left, Right", "from option to option; of a result: page to page, request to request"),
    ("+ -", "change the option"),
    ("Tab", "between suites and earlier runs"),
    ("Enter", "run the suite; open the run, its results, one of its requests"),
    ("Home, End", "the beginning and the end of a request"),
    ("p  s", "pause and resume; skip this prompt"),
    ("x x", "stop the run; its results are kept and it can be resumed"),
    ("r", "retry what failed or is missing"),
    ("e", "export the report"),
    ("c", "compare with another run"),
    ("w  f", "in a comparison: swap sides; force the comparison"),
    ("Esc", "one step back; a run continues"),
)
"""Keys of the benchmark screens."""

ACTIONS: tuple[KeyAction, ...] = (*DASHBOARD_KEYS, *BOARD_KEYS)
"""Everything that ``[keys]`` can bind to other keys."""


def default_keys() -> dict[str, str]:
    """Action id -> its keys, separated by commas, as npulse comes."""
    return {key.action_id: key.keys for key in ACTIONS}
