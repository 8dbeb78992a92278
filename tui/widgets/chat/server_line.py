"""The line that takes the URL of a server, and below it why that was not taken."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
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
    """Hidden until it is displayed. What was typed stays, whatever becomes of it."""

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

    def compose(self) -> ComposeResult:
        with Horizontal():
            yield Static(" server ", classes="label", markup=False)
            yield UrlField(compact=True, placeholder=self._placeholder)
        yield Static("", classes="problem", markup=False)

    @property
    def field(self) -> UrlField:
        """Where the URL is typed."""
        return self.query_one(UrlField)

    def show_problem(self, sentence: str | None) -> None:
        """Say why there is no such server; None takes it back."""
        problem = self.query_one(".problem", Static)
        problem.update(clean_line(sentence or "", MAX_PROBLEM_CHARS))
        problem.display = sentence is not None

    @on(Input.Changed)
    def _edited(self, event: Input.Changed) -> None:
        event.stop()
        self.show_problem(None)

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        if event.value.strip():
            self.post_message(self.Submitted(event.value))
