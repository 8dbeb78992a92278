"""Keys of the dashboard, its prompt, its transcript and its line for a server's URL."""

from __future__ import annotations

from tui.core.screen.keys.action import PAGES, KeyAction
from tui.core.screen.keys.panel import PANEL_KEYS

GLOBAL_KEYS: tuple[KeyAction, ...] = (
    KeyAction("help", "f1", "app.help", "every key, and what the figures mean; again: back"),
    KeyAction("palette", "ctrl+p", "app.command_palette", "command palette: what works here"),
    KeyAction("theme", "alt+v", "app.choose_theme", "theme: dark, light, high contrast, your own"),
    KeyAction("colours", "alt+c", "app.cycle_colours", "colours: 24-bit, 256, 16, none, as found"),
    KeyAction("quit", "ctrl+q", "app.quit", "quit"),
)
"""Work on every screen, and come before what has the focus."""

INTERRUPT = KeyAction(
    "interrupt",
    "ctrl+c",
    "app.interrupt",
    "copy what is selected; else stop the answer, and again: quit",
)
"""Works on every screen too, but a field that has the focus copies its own selection first."""

_BRANCHES = "previous, next branch: another answer or prompt"
_TURNS, _CODE = "previous, next turn", "previous, next code block"

CHAT_KEYS: tuple[KeyAction, ...] = (
    KeyAction("stop", "escape", "stop", "stop the answer; its text is kept"),
    KeyAction(
        "stop_paragraph",
        "alt+s",
        "stop_later",
        "stop at the end of this paragraph; again: cancel",
    ),
    KeyAction("stop_tokens", "alt+m", "stop_later(50)", "stop after 50 more tokens, 50 each time"),
    KeyAction("models", "f2", "app.models", "models: list, load, unload, switch"),
    KeyAction("bench", "f3", "app.bench", "benchmark the model, compare runs"),
    KeyAction("history", "f4", "app.history", "history: earlier conversations"),
    KeyAction("board", "f5", "app.board", "the board: history, why slow, RAM"),
    KeyAction("timeline", "alt+t", "app.timeline", "timeline of the running or the last answer"),
    KeyAction("settings", "f6", "app.settings", "temperature, tokens, system prompt"),
    KeyAction("lab", "f8", "app.lab", "prompt lab: prompts, settings and models compared"),
    KeyAction(
        "clients", "f9", "app.clients", "clients: who else asks, and how fast it is answered"
    ),
    KeyAction("fleet", "f10", "app.fleet", "fleet: all boards, what is wrong first"),
    KeyAction("to_lab", "alt+l", "app.to_lab", "to the lab: this prompt with these settings"),
    KeyAction("regenerate", "ctrl+r", "regenerate", "answer the last prompt again"),
    KeyAction("edit", "alt+e", "edit", "edit the last prompt and send it again"),
    KeyAction("new", "ctrl+n", "new_conversation", "new conversation"),
    KeyAction("old", "ctrl+z", "old_conversation", "after that: back to the old conversation"),
    KeyAction("copy", "ctrl+y", "copy_answer", "copy the selection or the last answer"),
    KeyAction("thinking", "ctrl+t", "toggle_thinking", "open or fold the thinking"),
    KeyAction("plain", "f7", "toggle_plain", "plain text or formatted Markdown"),
    KeyAction("search", "ctrl+f", "search", "search the transcript"),
    KeyAction("prev_turn", "alt+up", "jump_turn(-1)", "to the previous turn", _TURNS),
    KeyAction("next_turn", "alt+down", "jump_turn(1)", "to the next turn", _TURNS),
    KeyAction("prev_code", "alt+left", "jump_code(-1)", "to the previous code block", _CODE),
    KeyAction("next_code", "alt+right", "jump_code(1)", "to the next code block", _CODE),
    KeyAction("prev_branch", "alt+p", "branch(-1)", "the previous branch", _BRANCHES),
    KeyAction("next_branch", "alt+n", "branch(1)", "the next branch", _BRANCHES),
    KeyAction("copy_code", "alt+y", "copy_code", "copy the last code block"),
    *PANEL_KEYS,
    KeyAction("connect", "alt+u", "connect", "type the URL of another server"),
    KeyAction("demo", "alt+d", "demo", "without a server: start the simulated board"),
)
"""Work on the dashboard, wherever its focus is, and come before what has it."""

_FOCUS = "between prompt and transcript"

FOCUS_KEYS: tuple[KeyAction, ...] = (
    KeyAction("focus", "tab", "app.focus_next", "to the next of prompt, transcript, URL", _FOCUS),
    KeyAction(
        "focus_back",
        "shift+tab",
        "app.focus_previous",
        "to the previous of prompt, transcript, URL",
        _FOCUS,
    ),
)
"""Work on the dashboard too, but must not overtake what was typed before them."""

_SCROLL = "scroll the transcript: a page up, down; start, end"

PROMPT_KEYS: tuple[KeyAction, ...] = (
    KeyAction("prompt.send", "enter", "submit", "send the prompt"),
    KeyAction(
        "prompt.new_line",
        "shift+enter,ctrl+j,alt+enter,ctrl+enter",
        "new_line",
        "new line in the prompt",
    ),
    KeyAction(
        "prompt.page_up",
        "pageup",
        "scroll_transcript('page_up')",
        "a page up in the transcript",
        _SCROLL,
    ),
    KeyAction(
        "prompt.page_down",
        "pagedown",
        "scroll_transcript('page_down')",
        "a page down in the transcript",
        _SCROLL,
    ),
    KeyAction(
        "prompt.home",
        "ctrl+home",
        "scroll_transcript('home')",
        "to the start of the transcript",
        _SCROLL,
    ),
    KeyAction(
        "prompt.end",
        "ctrl+end",
        "scroll_transcript('end')",
        "to the end of the transcript, and follow it",
        _SCROLL,
    ),
    KeyAction("prompt.redo", "ctrl+shift+z", "redo", "redo an edit"),
)
"""Work while the prompt has the focus, besides the usual ones of a text field."""

FIXED_PROMPT_KEYS: tuple[tuple[str, str], ...] = (
    ("Paste", "inserts the text; the ends of its lines do not send it"),
    ("Up, Down", "earlier prompts, from the first and last line"),
    ("End", "at the end of the prompt: follow the answer again"),
)
"""What the keys of a text field do besides moving its cursor. They cannot be bound anew."""

TRANSCRIPT_KEYS: tuple[KeyAction, ...] = (
    KeyAction("transcript.up", "up", "scroll_rows(-1)", "a row up", "scroll"),
    KeyAction("transcript.down", "down", "scroll_rows(1)", "a row down", "scroll"),
    KeyAction("transcript.page_up", "pageup", "scroll_pages(-1)", "a page up", PAGES),
    KeyAction(
        "transcript.page_down",
        "pagedown,space",
        "scroll_pages(1)",
        "a page down",
        "scroll by a page",
    ),
    KeyAction(
        "transcript.home", "home", "show_row(0)", "to the beginning", "to the beginning, to the end"
    ),
    KeyAction(
        "transcript.end",
        "end",
        "show_end",
        "to the end, and follow it",
        "to the beginning, to the end",
    ),
    KeyAction("transcript.thinking", "t", "toggle_thinking", "open or fold the thinking in view"),
    KeyAction("transcript.plain", "r", "toggle_raw", "plain text or formatted Markdown in view"),
    KeyAction(
        "transcript.prev_turn",
        "left_square_bracket",
        "jump_turn(-1)",
        "to the turn above",
        "to the turn above, below",
    ),
    KeyAction(
        "transcript.next_turn",
        "right_square_bracket",
        "jump_turn(1)",
        "to the turn below",
        "to the turn above, below",
    ),
    KeyAction(
        "transcript.prev_code",
        "left_curly_bracket",
        "jump_code(-1)",
        "to the code block above",
        "to the code block above, below",
    ),
    KeyAction(
        "transcript.next_code",
        "right_curly_bracket",
        "jump_code(1)",
        "to the code block below",
        "to the code block above, below",
    ),
    KeyAction("transcript.search", "slash", "search", "search"),
    KeyAction("transcript.next_match", "n", "search_step(1)", "next match", "next, previous match"),
    KeyAction(
        "transcript.prev_match",
        "N",
        "search_step(-1)",
        "previous match",
        "next, previous match",
    ),
    KeyAction(
        "transcript.select_up", "shift+up", "select_rows(-1)", "select a row up", "select rows"
    ),
    KeyAction(
        "transcript.select_down", "shift+down", "select_rows(1)", "select a row down", "select rows"
    ),
    KeyAction("transcript.copy", "y", "copy", "copy the selection, or the answer in view"),
    KeyAction("transcript.copy_code", "c", "copy_code", "copy the code block in view"),
)
"""Work while the transcript has the focus."""

BRANCH_ARROWS: tuple[KeyAction, ...] = (
    KeyAction(
        "transcript.prev_branch", "left", "branch_arrow(-1)", "the previous branch", _BRANCHES
    ),
    KeyAction("transcript.next_branch", "right", "branch_arrow(1)", "the next branch", _BRANCHES),
)
"""Work while the transcript of the chat has the focus, and come before its own keys."""

TURN_TIMELINE = KeyAction(
    "transcript.timeline", "enter", "turn_timeline", "the timeline of the answer in view"
)
"""Works on the dashboard while the transcript has the focus."""

DEMO_LETTER = KeyAction(
    "transcript.demo",
    "d",
    "demo_letter",
    "no server: start the simulated board",
)
"""Works while the transcript has the focus and no server answers."""

SERVER_LINE_KEYS: tuple[KeyAction, ...] = (
    KeyAction("server.connect", "enter", "submit", "connect to the URL that is typed"),
)
"""Work while the field for the URL of a server has the focus."""
