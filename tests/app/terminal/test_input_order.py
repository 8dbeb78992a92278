"""Keys of one burst have the effect that they have one by one, whatever they are."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import ClassVar

import pytest
from textual import events
from textual.binding import Binding, BindingType

from tests.idle import until_idle
from tests.screens.board.prepared import prepared
from tests.screens.opened import Opened
from tests.screens.prepared_chat import PreparedBackend, PreparedChat, help_screen
from tui.app.terminal.input_order import InputOrder
from tui.core.screen.headline import Headline
from tui.core.screen.keys.table import default_keys
from tui.core.text.glyphs import UNICODE
from tui.screens import dashboard
from tui.screens.dashboard import Dashboard
from tui.widgets.chat.prompt import Prompt
from tui.widgets.transcript.transcript import Transcript

pytestmark = pytest.mark.slow

KEYS = (
    *("a", "b", "space", "enter", "backspace", "tab", "left", "up", "ctrl+y", "ctrl+n", "ctrl+f"),
    *("escape", "f1", "f7", "y", "slash", "ctrl+c", "ctrl+u", "pageup", "ctrl+j"),
)


class WillingChat(PreparedChat):
    """Takes every prompt, and answers none."""

    def __init__(self, done: list[str]) -> None:
        super().__init__(0)
        self.done = done

    def ask(self, prompt: str) -> str | None:
        self.done.append(f"asked {prompt}")
        return None

    def clear(self) -> bool:
        self.done.append("new")
        return True


class OrderedApp(Opened):
    """The dashboard and the help, with their keys in order."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("f1", "help", priority=True)]

    def __init__(self) -> None:
        self.done: list[str] = []
        super().__init__(self._dashboard)
        self._order = InputOrder(self, super().on_event)

    def _dashboard(self) -> Dashboard:
        backend = PreparedBackend(prepared(), Headline())
        backend.chat = WillingChat(self.done)
        return Dashboard(backend, UNICODE, default_keys(), self._copied)

    def _copied(self, text: str, what: str) -> str:
        self.done.append(f"copied {what}")
        return ""

    async def on_event(self, event: events.Event) -> None:
        await self._order.take(event)

    def action_help(self) -> None:
        self.push_screen(help_screen())

    def action_help_quit(self) -> None:
        self.done.append("ctrl+c")

    def state(self) -> list[object]:
        """Everything that keys may have changed."""
        chat = self.screen_stack[1]
        prompt, transcript = chat.query_one(Prompt), chat.query_one(Transcript)
        return [
            *self.done,
            len(self.screen_stack),
            None if self.focused is None else self.focused.id,
            prompt.text,
            prompt.cursor_location,
            chat.query_one("#search").display,
            transcript.is_following,
        ]


def pressed(app: OrderedApp, keys: Sequence[str]) -> None:
    """As the driver does: all at once, nothing is waited for."""
    for key in keys:
        character = {"space": " ", "slash": "/"}.get(key, key if len(key) == 1 else None)
        app.post_message(events.Key(key, character))


async def after(keys: Sequence[str], *, is_burst: bool) -> list[object]:
    app = OrderedApp()
    async with app.run_test(size=(100, 30)) as pilot:
        await pilot.pause()
        app.screen.query_one(Transcript).past_turns.add("q", answer="line\n\n" * 60)
        for some in [keys] if is_burst else [[key] for key in keys]:
            pressed(app, some)
            for _ in range(6 * len(some) + 6):
                await until_idle()
        return app.state()


@pytest.mark.parametrize("seed", range(12))
async def test_a_burst_is_what_its_keys_are_one_by_one(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dashboard, "STRAY_ESC_S", 0.0)
    rng = random.Random(seed)
    keys = [rng.choice(KEYS) for _ in range(14)]
    assert await after(keys, is_burst=True) == await after(keys, is_burst=False), keys
