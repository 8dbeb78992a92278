"""npulse as an app, beside a board and a benchmark that are prepared, and without a server."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from tests.screens.bench.prepared import Prepared as PreparedBench
from tests.screens.board.prepared import prepared
from tests.screens.board.prepared_fixes import PreparedFixes
from tests.screens.clients.prepared import PreparedClients
from tests.screens.fleet.prepared import PreparedFleet
from tests.screens.lab.prepared import PreparedLab
from tests.screens.prepared_chat import PreparedChat, PreparedModels
from tui.app.app import NpulseApp
from tui.app.kept_history import KeptHistory
from tui.app.terminal_app import Appearance
from tui.app.themes import load_themes
from tui.app.timelines import Timelines
from tui.bench.model.screen import BenchView
from tui.core.board.reading import Snapshot
from tui.core.screen.colours import ColourChoice
from tui.core.screen.headline import Headline
from tui.core.screen.keys.table import default_keys
from tui.core.text.glyphs import UNICODE
from tui.core.types import GenerationSettings
from tui.expect.expectations import Expectations
from tui.history.browser import HistoryBrowser
from tui.servers.connection_state import ConnectionState


class CountingChat(PreparedChat):
    """Counts how often its answer was stopped."""

    def __init__(self, now_ns: int) -> None:
        super().__init__(now_ns)
        self.settings = GenerationSettings()
        self.expectations = Expectations()
        self.stopped = 0
        self.expectations = Expectations(lambda: None)

    def stop(self) -> str | None:
        self.stopped += 1
        return super().stop()


def _no_history() -> HistoryBrowser:
    raise AssertionError("nothing is kept")


class PreparedBackend:
    """What the app asks for, as if a server were there."""

    def __init__(self, bench: BenchView | None = None) -> None:
        self.board = prepared()
        self.fixes = PreparedFixes()
        self.chat = CountingChat(self.board.now_ns)
        self.models = PreparedModels()
        self.bench = PreparedBench() if bench is None else PreparedBench(bench)
        self.lab = PreparedLab()
        self.clients = PreparedClients()
        self.timelines = Timelines(_no_history)
        self.state = ConnectionState()
        self.has_server = True
        self.kept_history = KeptHistory(None)
        self.timelines = Timelines(lambda: HistoryBrowser(Path("nothing is kept")))

    def fleet(self) -> PreparedFleet:
        return PreparedFleet()

    def work_of_boards(self) -> dict[str, str]:
        return {}

    def start(self, on_change: Callable[[], None], on_problem: Callable[[str], None]) -> None:
        pass

    def headline(self) -> Headline:
        ready = self.board.headline()
        return (
            ready
            if self.has_server
            else replace(ready, server_state="searching", is_server_missing=True)
        )

    def notice(self, keymap: Mapping[str, str]) -> Sequence[str]:
        return ()

    def clock_ns(self) -> int:
        return self.board.now_ns

    def sample(self) -> Snapshot:
        latest = self.board.history.latest
        assert latest is not None
        return latest

    def on_snapshot(self, snapshot: Snapshot) -> None:
        pass


def appearance(folder: Path, keymap: Mapping[str, str] | None = None) -> Appearance:
    """As npulse comes, with these keys."""
    return Appearance(
        glyphs=UNICODE,
        themes=load_themes().at,
        theme="npulse-dark",
        colours=ColourChoice("truecolor", "COLORTERM says so"),
        wanted_colours="auto",
        keymap=default_keys() if keymap is None else keymap,
        has_bell=False,
        copy_file=folder / "copied.txt",
        notify=frozenset(),
        frames_per_s=15,
        sample_interval_s=60.0,
    )


class PreparedApp(NpulseApp):
    """npulse, and a list of the actions that keys asked for.

    While ``is_listening`` an action is only written down. A screen can then be tried key by key
    without that it changes, closes or ends the app.
    """

    def __init__(self, appearance: Appearance, bench: BenchView | None = None) -> None:
        self.prepared = PreparedBackend(bench)
        super().__init__(cast("Any", self.prepared), appearance)
        self.is_listening = False
        self.asked: list[tuple[str, object]] = []

    async def run_action(
        self, action: Any, default_namespace: Any = None, namespaces: Any = None
    ) -> bool:
        if self.is_listening:
            self.asked.append((action, default_namespace))
            return True
        return await super().run_action(action, default_namespace, namespaces)


class NothingKept(PreparedApp):
    """Nothing is kept, so no exchange has branches."""

    @property
    def _branch_walk(self) -> Any:
        return self

    async def show_places(self, dashboard: object) -> None:
        pass
