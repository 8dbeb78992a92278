"""Serialises keys, pastes and clicks: each is handled when the previous one has taken effect.

Textual runs the action of a priority binding at once. Every other key it posts to what has the
focus, and from there it rises to the app widget by widget. What was typed ahead, or comes in one
piece over a slow connection, loses its order so: Ctrl+Y overtakes the Tab before it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

from textual import events
from textual.app import App
from textual.dom import DOMNode
from textual.message_pump import MessagePump

from tui.widgets.kit.fields import LineField, TextField

ROUNDS = 2
"""How often everything from the focus up to the app has to have emptied its queue: once for the
key itself, once for the messages that were posted because of it."""
WRITING = ("cursor", "delete")
"""Beginnings of actions that a text field does by itself, at once."""
MAX_WAIT_S = 1.0
"""Time after which the next key is handled anyway."""


class InputOrder:
    """Takes the events of an app; ``handle`` is what the app does with one."""

    def __init__(self, app: App[Any], handle: Callable[[events.Event], Awaitable[None]]) -> None:
        self._app = app
        self._handle = handle
        self._waiting: deque[events.Event] = deque()
        self._rounds = 0
        """Rounds that are left until everything under way has had its effect."""
        self._task: asyncio.Task[None] | None = None
        self._field: DOMNode | None = None
        """The text field that everything under way is for; None where it may move the focus."""

    async def take(self, event: events.Event) -> None:
        """Handle an event, or keep it until its turn comes."""
        is_input = isinstance(event, (events.InputEvent, events.Paste)) and not event.is_forwarded
        if not is_input:
            await self._handle(event)
            return
        self._waiting.append(event)
        await self._go_on()

    async def _go_on(self) -> None:
        while self._waiting and self._may_go(self._waiting[0]):
            event = self._waiting.popleft()
            if isinstance(event, (events.Key, events.Paste)):
                self._rounds = ROUNDS
                self._field = self._field_of(event)
                if self._field is None:
                    self._begin_to_settle()
            await self._handle(event)
        if self._waiting:
            self._begin_to_settle()

    def _may_go(self, event: events.Event) -> bool:
        """Everything has had its effect, or is for the field that has the focus: its queue keeps
        the order, and typing costs nothing more."""
        if not self._rounds and self._task is None:
            return True
        if self._field is None or self._field is not self._app.focused:
            return False
        return isinstance(event, events.Key) and not self._is_priority(event.key)

    def _field_of(self, event: events.Event) -> DOMNode | None:
        """The text field that an event does nothing but write in."""
        focused = self._app.focused
        if not isinstance(focused, (LineField, TextField)) or not isinstance(event, events.Key):
            return None
        bound = focused._bindings.key_to_bindings.get(event.key, ())
        writes = event.is_printable or any(one.action.startswith(WRITING) for one in bound)
        return focused if writes and not self._is_priority(event.key) else None

    def _is_priority(self, key: str) -> bool:
        return any(
            binding.priority
            for _, bindings in self._app.screen._binding_chain
            for binding in bindings.key_to_bindings.get(key, ())
        )

    def _begin_to_settle(self) -> None:
        if self._task is None:
            self._task = asyncio.create_task(self._settle())

    async def _settle(self) -> None:
        try:
            await asyncio.wait_for(self._all_rounds(), MAX_WAIT_S)
        except asyncio.TimeoutError:
            self._rounds = 0  # somebody on the way has gone, or is busy
        self._task = None
        if self._waiting:
            self._app.call_later(self._go_on)

    async def _all_rounds(self) -> None:
        while self._rounds:
            self._rounds -= 1
            for one in self._way():
                await _emptied(one)

    def _way(self) -> list[MessagePump]:
        """The nodes that a key passes: from the focus, or the screen, up to the app."""
        start = self._app.focused or self._app.screen
        return list(start.ancestors_with_self)


async def _emptied(one: MessagePump) -> None:
    """Everything that stood in its queue has been handled."""
    reached = asyncio.Event()
    if one.call_later(reached.set):
        await reached.wait()
