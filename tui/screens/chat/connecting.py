"""The input line for a server's URL: when it is shown, and connecting."""

from __future__ import annotations

from tui.core.screen.backend import ScreenBackend
from tui.screens.chat.widgets import ChatWidgets


class ServerEntry:
    """Shows the line while no server answers or the user asks for it."""

    def __init__(self, backend: ScreenBackend, widgets: ChatWidgets) -> None:
        self._backend = backend
        self._widgets = widgets
        self._is_asked_for = False
        """By the user, with the key or the command."""
        self._wanted_url = ""
        """The URL that was typed last."""

    @property
    def is_server_missing(self) -> bool:
        """No server answers; until one does, the line stays."""
        return self._backend.headline().is_server_missing

    @property
    def is_shown(self) -> bool:
        return self._widgets.server_line.display

    @property
    def has_focus(self) -> bool:
        return self._widgets.server_line.is_typed_in

    def update(self) -> None:
        """The server's state changed."""
        line, headline = self._widgets.server_line, self._backend.headline()
        if headline.is_server_missing:
            line.open()
            if self._wanted_url and self._wanted_url == line.url:
                line.show_problem(headline.server_problem)
        elif line.display and headline.server is not None and not self._is_asked_for:
            self.close()

    async def open(self) -> None:
        """The user wants to type a URL. What is typed next is for the line."""
        self._is_asked_for = True
        field = await self._widgets.server_line.open_ready()
        self._widgets.screen.set_focus(field)

    def close(self) -> None:
        """Give the keys back to the prompt; the line stays while no server answers."""
        self._is_asked_for = False
        if self.has_focus:
            self._widgets.focus_prompt()
        self._widgets.server_line.display = self.is_server_missing

    def connect(self, url: str) -> None:
        """Use the server at ``url``, or say under the line why not."""
        refusal = self._backend.connect(url)
        if refusal is not None:
            self._widgets.server_line.show_problem(refusal)
            return
        self._wanted_url = url
        self._is_asked_for = False
        self._widgets.say("looking for a server there")

    def start_demo(self) -> None:
        """Start the simulated board, or say why not."""
        refusal = self._backend.start_demo()
        if refusal is None:
            self._widgets.focus_prompt()
        self._widgets.say(refusal or "starting the simulated board", "warn" if refusal else "soft")
