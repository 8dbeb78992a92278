"""A bare app around a transcript, for tests and for looking at it."""

from __future__ import annotations

from textual.app import App, ComposeResult
from textual.theme import Theme

from tui.core.types import Segment
from tui.widgets.transcript import Transcript

COLOURS = {
    "soft": "#9fb0bf",
    "dim": "#7b8795",
    "live": "#56c8d8",
    "ok": "#86c56f",
    "warn": "#e0af5a",
    "bad": "#e8716a",
    "rule": "#26303a",
    "track": "#2a343e",
    "raised": "#141b22",
}
DARK = Theme(
    name="test-dark",
    primary="#56c8d8",
    background="#0e1318",
    foreground="#d5dce4",
    surface="#0e1318",
    variables=COLOURS,
)


class TranscriptApp(App[None]):
    """Nothing but a transcript."""

    CSS = "Transcript { background: $background; }"
    ENABLE_COMMAND_PALETTE = False

    def __init__(self, *, is_ascii: bool = False) -> None:
        super().__init__()
        self.transcript = Transcript(is_ascii=is_ascii)
        self.messages: list[object] = []

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return COLOURS

    def compose(self) -> ComposeResult:
        yield self.transcript

    def on_mount(self) -> None:
        self.register_theme(DARK)
        self.theme = DARK.name
        self.transcript.focus()

    def on_transcript_follow_changed(self, message: Transcript.FollowChanged) -> None:
        self.messages.append(message)

    def lines(self) -> list[str]:
        """What stands on the screen, as text."""
        transcript = self.transcript
        height = transcript.size.height
        return [transcript.render_line(y).text.rstrip() for y in range(height)]


def text(*parts: str) -> list[Segment]:
    return [Segment("text", part) for part in parts]


def thinking(*parts: str) -> list[Segment]:
    return [Segment("thinking", part) for part in parts]
