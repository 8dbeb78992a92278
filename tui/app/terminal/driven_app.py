"""Base class of apps for our terminal driver: colours, first frame, exit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.core.screen.attention import Attention
from tui.widgets.kit.lean_app import LeanApp

if TYPE_CHECKING:
    from tui.app.app_colours import AppColours
    from tui.app.terminal.launch import Launch


class DrivenApp(LeanApp[int], inherit_bindings=False):
    """An app that ends in order when a signal ends it, once it is open."""

    colours: AppColours
    launch: Launch | None = None
    """What was drawn before this app was there."""
    bound_keys: frozenset[str] = frozenset()
    """The keys that do something on any screen."""
    attention: Attention | None = None
    """What tells somebody who looks elsewhere; None where that was not asked for."""
    _is_open = False
    _ending_code: int | None = None

    def opened(self) -> None:
        """The first paint is done: from now on an end comes at once."""
        self._is_open = True
        if self._ending_code is not None:
            self.exit(return_code=self._ending_code)

    def end_with(self, code: int) -> None:
        """End with this exit code; not before every widget is there, for an end between would
        take them from under those that look for them."""
        self._ending_code = code
        if self._is_open:
            self.exit(return_code=code)

    def stop_answer(self) -> None:
        """A second signal: what runs is not finished, whatever the first one was."""

    @property
    def finishes_without_terminal(self) -> bool:
        """Whether an answer that runs is to be finished once the terminal is gone. From any
        thread."""
        return False
