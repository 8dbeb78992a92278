"""Input line for a server's URL, with an error below it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widget import AwaitMount
from textual.widgets import Input, Static

from tui.core.screen.keys.chat import SERVER_LINE_KEYS
from tui.core.text.sanitize import clean_line
from tui.widgets.kit.bindings import bindings
from tui.widgets.kit.fields import LineField

MAX_PROBLEM_CHARS = 400


class UrlField(LineField):
    """One URL; Enter sends it."""

    BINDINGS: ClassVar[list[BindingType]] = bindings(SERVER_LINE_KEYS, has_priority=False)

    DEFAULT_CSS = """
    UrlField {
        width: 1fr; height: 1; border: none; padding: 0;
        background: $background; color: $foreground;
        &:focus { border: none; }
    }
    """


class ServerLine(Vertical):
    """Hidden until it is opened, and empty until then: a start with a server never needs it. What
    was typed stays, whatever becomes of it."""

    @dataclass
    class Submitted(Message):
        """The user wants this server."""

        url: str

    DEFAULT_CSS = """
    ServerLine { height: auto; display: none; }
    ServerLine Horizontal { height: 1; }
    ServerLine .label { width: auto; color: $soft; }
    ServerLine .problem { height: auto; color: $warn; padding: 0 1; display: none; }
    """

    def __init__(self, connect_key: str, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._placeholder = f"http://HOST:PORT, {connect_key} connects"
        self._field: UrlField | None = None
        self._mounting: AwaitMount | None = None
        self._problem = Static("", classes="problem", markup=False)

    def open(self) -> UrlField:
        """Shows the line; returns its field."""
        self.display = True
        if self._field is None:
            self._field = UrlField(compact=True, placeholder=self._placeholder)
            label = Static(" server ", classes="label", markup=False)
            self._mounting = self.mount(Horizontal(label, self._field), self._problem)
        return self._field

    async def open_ready(self) -> UrlField:
        """Show the line, and wait until its field takes keys."""
        field = self.open()
        if self._mounting is not None:
            await self._mounting
        return field

    @property
    def field(self) -> UrlField | None:
        """Where the URL is typed; None before the line was opened first."""
        return self._field

    @property
    def url(self) -> str:
        """What is typed."""
        return "" if self._field is None else self._field.value

    @property
    def is_typed_in(self) -> bool:
        """Whether the field has the focus."""
        return self._field is not None and self._field.has_focus

    def show_problem(self, sentence: str | None) -> None:
        """Say why there is no such server; None takes it back."""
        self._problem.update(clean_line(sentence or "", MAX_PROBLEM_CHARS))
        self._problem.display = sentence is not None

    @on(Input.Changed)
    def _edited(self, event: Input.Changed) -> None:
        event.stop()
        self.show_problem(None)

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        if event.value.strip():
            self.post_message(self.Submitted(event.value))
