"""The history of conversations, as this run of npulse keeps and reads it. SQLite is loaded when it
is first needed, never before the first paint."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tui.core.turn.turn import Turn
    from tui.history.browser import HistoryBrowser
    from tui.history.recorder import Recorder
    from tui.settings.schema import HistorySection


class KeptHistory:
    """``section``: the settings; None keeps nothing."""

    def __init__(self, section: HistorySection | None) -> None:
        self._section = section
        self._recorder: Recorder | None = None

    def file(self) -> Path | None:
        """The database; None where nothing is kept."""
        if self._section is None or not self._section.enabled:
            return None
        from tui.settings.history_options import history_file

        return history_file()

    def recorder(
        self, on_problem: Callable[[str | None], None], on_stop_wanted: Callable[[Turn], None]
    ) -> Recorder | None:
        """What keeps answers from now on; None where nothing is kept. In the network's thread."""
        if self._section is None:
            return None
        from tui.settings.history_options import recorder

        self._recorder = recorder(self._section, on_problem, "dashboard", on_stop_wanted)
        return self._recorder

    def leave_terminal(self) -> None:
        """This process goes on without its terminal, for the answer that runs. From any thread."""
        if self._recorder is not None:
            self._recorder.leave_terminal()

    @property
    def browser(self) -> HistoryBrowser:
        """Reads the conversations that are kept."""
        from tui.history.browser import HistoryBrowser
        from tui.settings.history_options import history_file

        return HistoryBrowser(history_file(), self._recorder)

    @property
    def kept(self) -> HistoryBrowser | None:
        """The same, where conversations are kept in this run."""
        return None if self.file() is None else self.browser
