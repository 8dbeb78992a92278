"""Every key of npulse: one table for bindings, bottom line, help, command palette and config file.

A screen binds the actions of its table and nothing else. One id may stand on several screens and
act there in its own way: ``bench.down`` scrolls a result and chooses a suite.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class KeyAction:
    """One thing that a key does.

    ``action_id`` is the name under ``[keys]`` in config.toml, ``keys`` the default keys separated
    by commas, ``text`` its line in the command palette and in the help. Neighbours with the same
    ``line`` share one line of the help.
    """

    action_id: str
    keys: str
    action: str
    text: str
    line: str = ""

    @property
    def help_line(self) -> str:
        return self.line or self.text


def _picked(keys: Sequence[KeyAction], section: str, names: str) -> tuple[KeyAction, ...]:
    """The actions of ``keys`` with these names, without the ``section.`` before each."""
    by_id = {key.action_id: key for key in keys}
    return tuple(by_id[f"{section}.{name}"] for name in names.split())


GLOBAL_KEYS: tuple[KeyAction, ...] = (
    KeyAction("help", "f1", "app.help", "every key, and what the figures mean; again: back"),
    KeyAction("palette", "ctrl+p", "app.command_palette", "command palette: actions, themes"),
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

_TURNS, _CODE = "to the turn before, next turn", "to the code block before, next one"

CHAT_KEYS: tuple[KeyAction, ...] = (
    KeyAction("stop", "escape", "stop", "stop the answer; its text is kept"),
    KeyAction("models", "f2", "app.models", "models: list, load, unload, switch"),
    KeyAction("bench", "f3", "app.bench", "benchmark the model, compare runs"),
    KeyAction("history", "f4", "app.history", "history: earlier conversations"),
    KeyAction("board", "f5", "app.board", "the board: history, why slow, RAM"),
    KeyAction("settings", "f6", "app.settings", "temperature, tokens, system prompt"),
    KeyAction("regenerate", "ctrl+r", "regenerate", "answer the last prompt again"),
    KeyAction("edit", "alt+e", "edit", "edit the last prompt and ask it anew"),
    KeyAction("new", "ctrl+n", "new_conversation", "new conversation"),
    KeyAction("old", "ctrl+z", "old_conversation", "after that: back to the old conversation"),
    KeyAction("copy", "ctrl+y", "copy_answer", "copy the selection or the last answer"),
    KeyAction("thinking", "ctrl+t", "toggle_thinking", "open or fold the thinking"),
    KeyAction("plain", "f7", "toggle_plain", "plain text or formatted Markdown"),
    KeyAction("search", "ctrl+f", "search", "search the transcript"),
    KeyAction("prev_turn", "alt+up", "jump_turn(-1)", "to the turn before", _TURNS),
    KeyAction("next_turn", "alt+down", "jump_turn(1)", "to the next turn", _TURNS),
    KeyAction("prev_code", "alt+left", "jump_code(-1)", "to the code block before", _CODE),
    KeyAction("next_code", "alt+right", "jump_code(1)", "to the next code block", _CODE),
    KeyAction("copy_code", "alt+y", "copy_code", "copy the last code block"),
    KeyAction("connect", "alt+u", "connect", "type the URL of another server"),
    KeyAction("demo", "alt+d", "demo", "without a server: start the simulated board"),
)
"""Work on the dashboard, wherever its focus is, and come before what has it."""

FOCUS = KeyAction("focus", "tab,shift+tab", "app.focus_next", "between prompt and transcript")
"""Works on the dashboard too, but must not overtake what was typed before it."""

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
    ("Paste", "sends nothing; nor do lines that come in one burst without paste marks"),
    ("Up, Down", "earlier prompts, from the first and last line"),
    ("End", "at the end of the prompt: follow the answer again"),
)
"""What the keys of a text field do besides moving its cursor. They cannot be bound anew."""

_PAGES = "scroll by a page"

TRANSCRIPT_KEYS: tuple[KeyAction, ...] = (
    KeyAction("transcript.up", "up", "scroll_rows(-1)", "a row up", "scroll"),
    KeyAction("transcript.down", "down", "scroll_rows(1)", "a row down", "scroll"),
    KeyAction("transcript.page_up", "pageup", "scroll_pages(-1)", "a page up", _PAGES),
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

BOARD_KEYS: tuple[KeyAction, ...] = (
    KeyAction(
        "board.chart_before",
        "left,h",
        "step(-1)",
        "the chart before",
        "another chart, where one is shown",
    ),
    KeyAction(
        "board.chart_next",
        "right,l",
        "step(1)",
        "the next chart",
        "another chart, where one is shown",
    ),
    KeyAction("board.zoom_in", "plus,equals_sign", "zoom(1)", "less time", "less or more time"),
    KeyAction("board.zoom_out", "minus", "zoom(-1)", "more time", "less or more time"),
    KeyAction("board.up", "up,k", "choose(-1)", "to the finding above", "from finding to finding"),
    KeyAction(
        "board.down", "down,j", "choose(1)", "to the finding below", "from finding to finding"
    ),
    KeyAction("board.open", "enter,space", "open", "open the finding: what was read, and its fix"),
    KeyAction("board.copy", "y", "copy", "copy its command"),
    KeyAction("board.readings", "r", "readings", "every reading with its source; again: charts"),
    KeyAction("board.calculator", "c", "calculator", "what fits into RAM"),
    KeyAction("board.page_up", "pageup", "page(-1)", "a page up", _PAGES),
    KeyAction("board.page_down", "pagedown", "page(1)", "a page down", _PAGES),
    KeyAction("board.back", "escape", "back", "one step back"),
)
"""Keys of the board screen (F5)."""

_BRANCHES = "another branch of the conversation"

_VERTICAL = "choose a suite, an earlier run or a request; scroll"
_SIDEWAYS = "from option to option, page to page, request to request"
_PARTS = "between suites and earlier runs; from page to page"

BENCH_KEYS: tuple[KeyAction, ...] = (
    KeyAction("bench.up", "up,k", "move(-1)", "choose upwards, or scroll up", _VERTICAL),
    KeyAction("bench.down", "down,j", "move(1)", "choose downwards, or scroll down", _VERTICAL),
    KeyAction("bench.left", "left,h", "turn(-1)", "option, page or request before", _SIDEWAYS),
    KeyAction("bench.right", "right,l", "turn(1)", "next option, page or request", _SIDEWAYS),
    KeyAction(
        "bench.more", "plus,equals_sign,space", "change(1)", "raise the option", "change the option"
    ),
    KeyAction("bench.less", "minus", "change(-1)", "lower the option", "change the option"),
    KeyAction("bench.next_part", "tab", "part(1)", "the next list or page", _PARTS),
    KeyAction("bench.prev_part", "shift+tab", "part(-1)", "the list or page before", _PARTS),
    KeyAction("bench.open", "enter", "open", "run the suite; open a run, its results, a request"),
    KeyAction("bench.page_up", "pageup", "move(-10)", "a page up", _PAGES),
    KeyAction("bench.page_down", "pagedown,space", "move(10)", "a page down", _PAGES),
    KeyAction(
        "bench.home", "home", "scroll_home", "to the start of a request", "start, end of a request"
    ),
    KeyAction(
        "bench.end", "end", "scroll_end", "to the end of a request", "start, end of a request"
    ),
    KeyAction("bench.pause", "p", "pause", "pause and resume the run"),
    KeyAction("bench.skip", "s", "skip", "skip this prompt"),
    KeyAction("bench.stop", "x", "abort", "stop the run; press it twice (results kept, resumable)"),
    KeyAction("bench.retry", "r", "retry", "retry what failed or is missing"),
    KeyAction("bench.export", "e", "export", "export the report"),
    KeyAction("bench.compare", "c", "compare", "compare with another run"),
    KeyAction("bench.swap", "w", "swap", "swap the sides of a comparison"),
    KeyAction("bench.force", "f", "force", "compare runs that are not comparable"),
    KeyAction("bench.back", "escape", "back", "one step back; a run continues"),
)
"""Keys of the benchmark screens (F3); each has some of them."""

BENCH_CHOOSER_KEYS = _picked(
    BENCH_KEYS,
    "bench",
    "up down left right more less next_part prev_part open compare retry export back",
)
BENCH_LIVE_KEYS = _picked(BENCH_KEYS, "bench", "pause skip stop retry export compare open back")
BENCH_RESULT_KEYS = _picked(
    BENCH_KEYS,
    "bench",
    "left right next_part prev_part up down page_up page_down open retry export compare back",
)
BENCH_REQUEST_KEYS = _picked(
    BENCH_KEYS, "bench", "left right up down page_up page_down home end back"
)
BENCH_COMPARE_KEYS = _picked(BENCH_KEYS, "bench", "swap force up down page_up page_down back")

HISTORY_KEYS: tuple[KeyAction, ...] = (
    KeyAction("history.up", "up,k", "choose(-1)", "to the conversation above", "choose"),
    KeyAction("history.down", "down,j", "choose(1)", "to the conversation below", "choose"),
    KeyAction("history.page_up", "pageup", "page(-1)", "a page up", _PAGES),
    KeyAction("history.page_down", "pagedown", "page(1)", "a page down", _PAGES),
    KeyAction("history.home", "home", "ends(-1)", "to the newest", "to the newest, the oldest"),
    KeyAction("history.end", "end", "ends(1)", "to the oldest", "to the newest, the oldest"),
    KeyAction("history.open", "enter", "open", "read the conversation, or what was found in it"),
    KeyAction("history.continue", "c", "continue", "continue the conversation in the chat"),
    KeyAction("history.search", "slash", "search", "search titles, tags and all texts"),
    KeyAction("history.pin", "p", "pin", "pin it to the top, or not"),
    KeyAction("history.rename", "r", "rename", "rename it"),
    KeyAction("history.tag", "t", "tag", "give it tags"),
    KeyAction("history.delete", "d,delete", "delete", "delete it"),
    KeyAction("history.undo", "u", "undo", "take the last deletion back"),
    KeyAction("history.mark", "space", "mark", "mark its last answer for a comparison"),
    KeyAction("history.compare", "v", "compare", "the marked answers beside this one"),
    KeyAction("history.back", "escape", "back", "one step back"),
)
"""Keys of the history screen (F4)."""

CONVERSATION_KEYS: tuple[KeyAction, ...] = (
    KeyAction("conversation.continue", "enter", "continue", "continue this branch in the chat"),
    KeyAction("conversation.edit", "e", "edit", "edit the prompt in view and ask it anew"),
    KeyAction(
        "conversation.compare", "v", "compare", "answers to the prompt in view, side by side"
    ),
    KeyAction("conversation.prev_branch", "left", "branch(-1)", "the branch before", _BRANCHES),
    KeyAction("conversation.next_branch", "right", "branch(1)", "the next branch", _BRANCHES),
    KeyAction("conversation.back", "escape", "back", "back to the list"),
)
"""Keys of a conversation that is opened from the history, besides those of the transcript."""

ANSWERS_KEYS: tuple[KeyAction, ...] = (
    KeyAction("answers.left", "left,h", "turn(-1)", "the answers before", "other answers"),
    KeyAction("answers.right", "right,l", "turn(1)", "the next answers", "other answers"),
    KeyAction("answers.up", "up,k", "move(-1)", "a row up", "scroll all"),
    KeyAction("answers.down", "down,j", "move(1)", "a row down", "scroll all"),
    KeyAction("answers.page_up", "pageup", "page(-1)", "a page up", _PAGES),
    KeyAction("answers.page_down", "pagedown", "page(1)", "a page down", _PAGES),
    KeyAction("answers.back", "escape", "back", "back"),
)
"""Keys of answers that stand side by side."""

MODELS_KEYS: tuple[KeyAction, ...] = (
    KeyAction("models.up", "up,k", "choose(-1)", "to the model above", "choose a model"),
    KeyAction("models.down", "down,j", "choose(1)", "to the model below", "choose a model"),
    KeyAction("models.use", "enter", "use", "use the model for the next answers"),
    KeyAction("models.load", "l", "load", "load the model; a loaded one is unloaded first"),
    KeyAction("models.unload", "u", "unload", "unload the model"),
    KeyAction("models.back", "escape", "back", "one step back; a load is not waited for"),
)
"""Keys of the models screen (F2)."""

TOGGLE_KEYS: tuple[KeyAction, ...] = (
    KeyAction("settings.flip", "space,enter", "flip", "thinking on or off"),
)
"""Work while a switch of the settings has the focus."""

SETTINGS_SAVE = KeyAction("settings.save", "ctrl+s", "save", "save the settings")
SETTINGS_BACK = KeyAction("settings.back", "escape", "back", "back; the settings stay as they were")
SETTINGS_KEYS = (SETTINGS_SAVE, SETTINGS_BACK)
"""Keys of the settings (F6), besides the usual ones of a form."""

RAM_FIELD_KEYS: tuple[KeyAction, ...] = (
    KeyAction(
        "ram.next",
        "tab,down",
        "app.focus_next",
        "to the next field",
        "from field to field",
    ),
    KeyAction(
        "ram.prev",
        "shift+tab,up",
        "app.focus_previous",
        "to the field before",
        "from field to field",
    ),
)
"""Between the fields of the RAM calculator."""

RAM_KEYS: tuple[KeyAction, ...] = (
    KeyAction("ram.page_up", "pageup", "page(-1)", "a page up", _PAGES),
    KeyAction("ram.page_down", "pagedown", "page(1)", "a page down", _PAGES),
    KeyAction("ram.back", "escape", "back", "back to the board"),
)
"""Keys of the RAM calculator."""

HELP_KEYS: tuple[KeyAction, ...] = (
    KeyAction("help.back", "escape,q", "back", "back to where help was asked for"),
)
"""Keys of the help (F1)."""


def closing(action_id: str) -> KeyAction:
    """The action of the dashboard that opens a screen, as that screen binds it: the key closes."""
    opening = next(key for key in CHAT_KEYS if key.action_id == action_id)
    return replace(opening, action="leave", text="back to the chat", line="")


ACTIONS: tuple[KeyAction, ...] = (
    *CHAT_KEYS[:1],
    *GLOBAL_KEYS[:1],
    *CHAT_KEYS[1:],
    *GLOBAL_KEYS[1:],
    INTERRUPT,
    FOCUS,
    *PROMPT_KEYS,
    *TRANSCRIPT_KEYS,
    DEMO_LETTER,
    *SERVER_LINE_KEYS,
    *BOARD_KEYS,
    *RAM_FIELD_KEYS,
    *RAM_KEYS,
    *BENCH_KEYS,
    *HISTORY_KEYS,
    *CONVERSATION_KEYS,
    *ANSWERS_KEYS,
    *MODELS_KEYS,
    *SETTINGS_KEYS,
    *TOGGLE_KEYS,
    *HELP_KEYS,
)
"""Everything that ``[keys]`` can bind to other keys, in the order of config.toml."""

_EVERYWHERE = (*GLOBAL_KEYS, INTERRUPT)

SCOPES: Mapping[str, tuple[KeyAction, ...]] = {
    "the prompt": (*CHAT_KEYS, FOCUS, *PROMPT_KEYS, *_EVERYWHERE),
    "the transcript": (*CHAT_KEYS, FOCUS, *TRANSCRIPT_KEYS, DEMO_LETTER, *_EVERYWHERE),
    "the server line": (*CHAT_KEYS, FOCUS, *SERVER_LINE_KEYS, *_EVERYWHERE),
    "the board": (closing("board"), *BOARD_KEYS, *_EVERYWHERE),
    "the RAM calculator": (*RAM_FIELD_KEYS, *RAM_KEYS, *_EVERYWHERE),
    "the benchmarks": (closing("bench"), *BENCH_CHOOSER_KEYS, *_EVERYWHERE),
    "a running benchmark": (closing("bench"), *BENCH_LIVE_KEYS, *_EVERYWHERE),
    "the results of a benchmark": (closing("bench"), *BENCH_RESULT_KEYS, *_EVERYWHERE),
    "a request of a benchmark": (closing("bench"), *BENCH_REQUEST_KEYS, *_EVERYWHERE),
    "a comparison": (closing("bench"), *BENCH_COMPARE_KEYS, *_EVERYWHERE),
    "the history": (closing("history"), *HISTORY_KEYS, *_EVERYWHERE),
    "a conversation of the history": (
        closing("history"),
        *CONVERSATION_KEYS,
        *TRANSCRIPT_KEYS,
        *_EVERYWHERE,
    ),
    "answers side by side": (closing("history"), *ANSWERS_KEYS, *_EVERYWHERE),
    "the models": (closing("models"), *MODELS_KEYS, *_EVERYWHERE),
    "the settings": (closing("settings"), *SETTINGS_KEYS, *TOGGLE_KEYS, *_EVERYWHERE),
    "the help": (*HELP_KEYS, *_EVERYWHERE),
}
"""The actions that work at the same time. Within one of them a key can do only one thing."""


def default_keys() -> dict[str, str]:
    """Action id -> its keys, separated by commas, as npulse comes."""
    return {key.action_id: key.keys for key in ACTIONS}
