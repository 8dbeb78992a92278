"""Keys shown in the dashboard's bottom line, by focus."""

from __future__ import annotations

from textual.widget import Widget

from tui.widgets.chat.key_bar import HintOf
from tui.widgets.chat.server_line import UrlField
from tui.widgets.transcript.transcript import Transcript

PAGE_HINTS: tuple[HintOf, ...] = (
    HintOf("help", "help"),
    HintOf("model", "models"),
    HintOf("bench", "bench"),
    HintOf("history", "history"),
    HintOf("board", "board"),
    HintOf("settings", "settings"),
    HintOf("commands", "palette"),
    HintOf("lab", "lab"),
    HintOf("timeline", "timeline"),
    HintOf("clients", "clients"),
    HintOf("fleet", "fleet"),
    HintOf("again", "regenerate"),
    HintOf("new", "new"),
    HintOf("copy", "copy"),
    HintOf("quit", "quit"),
)
PROMPT_HINTS: tuple[HintOf, ...] = (HintOf("send", "prompt.send"), *PAGE_HINTS)
"""While nothing runs: nothing can be stopped."""
ANSWERING_HINTS: tuple[HintOf, ...] = (
    HintOf("stop", "stop"),
    HintOf("after paragraph", "stop_paragraph"),
    HintOf("after 50 tokens", "stop_tokens"),
    *PAGE_HINTS,
)
"""While an answer runs: nothing can be sent."""
DEMO_HINT = HintOf("demo", "transcript.demo")
URL_HINTS: tuple[HintOf, ...] = (
    HintOf("connect", "server.connect"),
    HintOf("demo", "demo"),
    HintOf("prompt", "stop"),
)
TRANSCRIPT_HINTS: tuple[HintOf, ...] = (
    HintOf("timeline", "transcript.timeline"),
    HintOf("copy", "transcript.copy"),
    HintOf("thinking", "transcript.thinking"),
    HintOf("plain", "transcript.plain"),
    HintOf("next turn", "transcript.next_turn"),
    HintOf("branches", "transcript.prev_branch", "transcript.next_branch"),
    HintOf("next code", "transcript.next_code"),
    HintOf("search", "transcript.search"),
    HintOf("copy code", "transcript.copy_code"),
)
MATCH_HINTS: tuple[HintOf, ...] = (
    HintOf("next", "transcript.next_match"),
    HintOf("previous", "transcript.prev_match"),
    HintOf("back", "stop"),
)


def hints_for(
    focused: Widget | None,
    *,
    is_server_missing: bool,
    has_server_line: bool,
    is_answering: bool = False,
) -> tuple[HintOf, ...]:
    """The keys to name while ``focused`` has the focus.

    ``is_server_missing``: no server answers, so the demo is offered. ``has_server_line``: the line
    for a URL is shown, and is what comes after the transcript.
    """
    if isinstance(focused, UrlField):
        return URL_HINTS if is_server_missing else (URL_HINTS[0], URL_HINTS[-1])
    if isinstance(focused, Transcript):
        behind = "server" if has_server_line else "prompt"
        return (DEMO_HINT, HintOf(behind, "focus"), *TRANSCRIPT_HINTS)
    return ANSWERING_HINTS if is_answering else PROMPT_HINTS
