"""A bare app around a transcript whose output is read by a terminal emulator, for tests."""

from __future__ import annotations

from typing import Any

import pyte
from textual.app import App, ComposeResult
from textual.driver import Driver
from textual.drivers.headless_driver import HeadlessDriver
from textual.theme import Theme

from tests.waiting import until
from tui.core.text.glyphs import ASCII, UNICODE
from tui.core.types import CleanText, Segment
from tui.widgets.transcript.transcript import Transcript

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


class EmulatedDriver(HeadlessDriver):
    """Counts and keeps what would go to the terminal, and shows it on an emulated one."""

    is_headless = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        width, height = self._get_terminal_size()
        self.screen = pyte.Screen(width, height)
        self.stream = pyte.Stream(self.screen)
        self.output: list[str] = []

    def write(self, data: str) -> None:
        self.output.append(data)
        self.stream.feed(data)


class TranscriptApp(App[None]):
    """Nothing but a transcript."""

    CSS = "Transcript { background: $background; }"
    ENABLE_COMMAND_PALETTE = False

    def __init__(self, *, is_ascii: bool = False, is_emulated: bool = False) -> None:
        super().__init__()
        self.is_emulated = is_emulated
        self.transcript = Transcript(ASCII if is_ascii else UNICODE)
        self.messages: list[object] = []

    def _build_driver(
        self, headless: bool, inline: bool, mouse: bool, size: tuple[int, int] | None
    ) -> Driver:
        if not self.is_emulated:
            return super()._build_driver(headless, inline, mouse, size)
        return EmulatedDriver(self, debug=False, mouse=mouse, size=size)

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

    def on_transcript_search_changed(self, message: Transcript.SearchChanged) -> None:
        self.messages.append(message)

    def on_transcript_copy_requested(self, message: Transcript.CopyRequested) -> None:
        self.messages.append(message)

    def lines(self) -> list[str]:
        """The rows of the view as they are now, as text."""
        transcript = self.transcript
        return [transcript.painter.line(y).text.rstrip() for y in range(transcript.size.height)]

    def seen(self) -> list[str]:
        """The rows that stand on the emulated terminal."""
        driver = self._driver
        assert isinstance(driver, EmulatedDriver)
        screen = driver.screen
        columns = range(screen.columns)
        return [
            "".join(screen.buffer[y][x].data for x in columns).rstrip() for y in range(screen.lines)
        ]

    async def painted(self, shown: object = "the terminal shows other rows") -> None:
        """Waits until the emulated terminal shows what the view has; fails with ``shown``."""
        await until(lambda: self.seen() == self.lines(), shown=shown)

    @property
    def output(self) -> list[str]:
        driver = self._driver
        assert isinstance(driver, EmulatedDriver)
        return driver.output


def text(*parts: str) -> list[Segment]:
    return [Segment("text", CleanText(part)) for part in parts]


def thinking(*parts: str) -> list[Segment]:
    return [Segment("thinking", CleanText(part)) for part in parts]
