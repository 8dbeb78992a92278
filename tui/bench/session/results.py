"""Opens, exports and compares stored runs, in worker threads."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from tui.bench.model.screen import OpenedRequest
from tui.bench.report.render import makers
from tui.bench.session import views
from tui.bench.session.requests import opened_request, request_timelines
from tui.bench.session.screen_state import ShownView
from tui.bench.store import document, runs
from tui.bench.store.run_files import Loaded
from tui.files.private import write_whole
from tui.timeline.source import TimelineSource

REPORT_NAME = "report"


class Results:
    """Methods return at once; the result appears in the shown view, an error as its message."""

    def __init__(
        self,
        folder: Path,
        shown: ShownView,
        submit: Callable[[Coroutine[Any, Any, None]], None],
    ) -> None:
        self._folder = folder
        self._shown = shown
        self._submit = submit
        self._lock = threading.Lock()
        self._opened: tuple[str, Loaded] | None = None
        """The opened run, with the id it was requested by."""

    def export(self, run_id: str) -> None:
        """Write the report in all formats to the run's folder."""
        self._submit(self._work("writing the report", self._export, run_id))

    def _export(self, run_id: str) -> None:
        path = runs.find(self._folder, run_id)
        loaded = document.load(path)
        made = []
        try:
            for form, make in makers().items():
                write_whole(path / f"{REPORT_NAME}.{form}", make(loaded))
                made.append(f".{form}")
        except OSError as error:
            raise runs.RunError(f"cannot write {path}: {error.strerror or 'unknown'}") from None
        self._shown.say(f"{REPORT_NAME}{' '.join(made)} in {_short_path(path)}")

    def open(self, run_id: str) -> None:
        """Open a run as the view's result."""
        with self._lock:
            self._opened = None
        self._shown.change(result=None)
        self._submit(self._work("reading the run", self._open, run_id))

    def _open(self, run_id: str) -> None:
        loaded = document.load(runs.find(self._folder, run_id))
        found = views.result(loaded)
        with self._lock:
            self._opened = (run_id, loaded)
        self._shown.change(result=found)

    def request(self, run_id: str, at: int) -> OpenedRequest | None:
        """One request of the opened run; None if that is another run."""
        with self._lock:
            opened = self._opened
        if opened is None or opened[0] != run_id:
            return None
        return opened_request(opened[1], at)

    def timelines(self, run_id: str) -> list[TimelineSource]:
        """The timelines of the opened run's requests; empty if that is another run."""
        with self._lock:
            opened = self._opened
        return request_timelines(opened[1]) if opened is not None and opened[0] == run_id else []

    def compare(self, a: str, b: str, *, is_forced: bool = False) -> None:
        """Compare two runs; the result becomes the view's comparison."""
        self._shown.change(comparison=None)

        def work(_: str) -> None:
            self._shown.change(comparison=views.comparison(self._folder, a, b, is_forced=is_forced))

        self._submit(self._work("comparing", work, a))

    async def _work(self, what: str, function: Callable[[str], None], run_id: str) -> None:
        self._shown.change(work=what)
        try:
            await asyncio.to_thread(function, run_id)
        except runs.RunError as error:
            self._shown.say(str(error), "bad")
        finally:
            self._shown.change(work=None)


def _short_path(path: Path) -> str:
    """The path with ``~`` for the home folder."""
    try:
        return f"~/{path.relative_to(Path.home())}"
    except (ValueError, RuntimeError):
        return str(path)
