"""Benchmarks for a screen: suites, the running benchmark, earlier runs, reports and comparisons.

The run is a process of its own (:mod:`tui.bench.store.detached`). This class follows its events in
the network thread's event loop and accumulates them. Files are read and statistics computed in
worker threads. Public methods are for the screen's thread and do not block.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, TypeAlias

from tui.bench.model.events import Finished, Started
from tui.bench.model.past_run import PastRun
from tui.bench.model.records import Request
from tui.bench.model.screen import (
    BenchView,
    OpenedRequest,
    RunView,
    RunWish,
)
from tui.bench.run.forecast import Speed
from tui.bench.session import views
from tui.bench.session.listing import speed_of
from tui.bench.session.live import LiveRun
from tui.bench.session.process import (
    NO_SERVER,
    BenchPlace,
    place_arguments,
    run_arguments,
    tell,
)
from tui.bench.session.results import Results
from tui.bench.session.screen_state import ShownView
from tui.bench.store import document, runs
from tui.bench.store.detached import Detached, follow, running, start
from tui.bench.store.folder import boards_folder, default_folder
from tui.core.text.sanitize import clean_line
from tui.core.types import GenerationSettings
from tui.servers.loop import EventLoopThread
from tui.timeline.source import TimelineSource

MeasuredBy: TypeAlias = tuple[str, bool] | None
"""Model whose earlier runs give the expected durations, and whether it is simulated."""
USUAL_CONTEXT_TOKENS = 16_384


class Benchmarks:
    """Implementation of :class:`tui.bench.model.screen.BenchSession`.

    ``busy`` returns why no run can start now (an answer is streaming), or None. ``run_arguments``
    are added to the command of each run. ``boards``: names of boards that a run can be
    distributed to.
    """

    def __init__(
        self,
        loop: EventLoopThread,
        place: Callable[[], BenchPlace | None],
        settings: Callable[[], GenerationSettings],
        busy: Callable[[], str | None] = lambda: None,
        *,
        folder: Path | None = None,
        user_suites: Path | None = None,
        run_arguments: Sequence[str] = (),
        boards: Sequence[str] = (),
    ) -> None:
        self._loop = loop
        self._place = place
        self._settings = settings
        self._busy = busy
        self._folder = default_folder() if folder is None else folder
        self._user_suites = user_suites
        self._run_arguments = tuple(run_arguments)
        self._boards = tuple(clean_line(name, 60) for name in boards)
        self._lock = threading.Lock()
        self._shown = ShownView()
        self._results = Results(self._folder, self._shown, self._submit)
        self._live: LiveRun | None = None
        self._is_seeking = False
        self._process: Detached | None = None
        self._looked_by: MeasuredBy = None
        """Whose runs the shown durations are from."""
        self._speed: tuple[MeasuredBy, tuple[tuple[str, str], ...], Speed] | None = None
        self._tasks: set[Future[None]] = set()

    # State for the screen -------------------------------------------------------------------

    def view(self) -> BenchView:
        place, view = self._place(), self._shown.view
        with self._lock:
            run = view.run if self._live is None else self._live.view()
        return replace(
            view,
            run=run,
            model=None if place is None or place.model is None else clean_line(place.model, 60),
            server=None if place is None else clean_line(place.label, 60),
            boards=self._boards,
        )

    @property
    def is_running(self) -> bool:
        """Whether a benchmark of this session is running."""
        with self._lock:
            return self._live is not None and not self._live.is_over

    def busy_sentence(self, url: str) -> str | None:
        """Why a chat with the server at ``url`` should wait, as it would disturb the benchmark;
        None otherwise."""
        place = self._place()
        with self._lock:
            live = self._live
            if live is None or live.is_over:
                return None
            login = None if place is None else place.own_login
            if not live.is_at(url, None if login is None else login[0]):
                return None
            title = live.view().title
        return f"a benchmark is running{f': {title}' if title else ''}"

    # Suites and earlier runs ----------------------------------------------------------------

    def look(self) -> None:
        self._shown.change(is_looking=True)
        self._submit(self._look())

    async def _look(self) -> None:
        place = self._place()
        self._looked_by = _measured_by(place)
        try:
            await self._seek()
            past = await asyncio.to_thread(views.past_runs, self._folder)
            self._shown.change(past=past)
            speed = await asyncio.to_thread(self._speed_for, place, past)
            context = None if place is None else place.context_tokens
            suites, problems = await asyncio.to_thread(
                views.choices,
                self._suite_folder(),
                speed,
                context or USUAL_CONTEXT_TOKENS,
            )
            self._shown.change(suites=suites, problems=problems, is_measured=speed.is_measured)
        finally:
            self._shown.change(is_looking=False)

    def _suite_folder(self) -> Path:
        if self._user_suites is not None:
            return self._user_suites
        from tui.bench.model.suite import user_suites

        return user_suites()

    def _speed_for(self, place: BenchPlace | None, past: Sequence[PastRun]) -> Speed:
        """Forecast data for this model; read again only after a run was added or ended."""
        states = tuple((run.id, run.status) for run in past)
        known = self._speed
        if known is not None and known[:2] == (_measured_by(place), states):
            return known[2]
        speed = Speed()
        if place is not None and place.model is not None:
            speed = speed_of(self._folder, place.model, is_simulated=place.is_simulated)
            speed.size_bytes = place.size_bytes
        self._speed = (_measured_by(place), states, speed)
        return speed

    def seek(self) -> None:
        view = self._shown.view
        if view.suites and not view.is_looking and _measured_by(self._place()) != self._looked_by:
            # The model has changed, and with it the expected durations.
            self.look()
        elif not self._is_seeking and not self.is_running:
            self._is_seeking = True
            self._submit(self._seek())

    # The run --------------------------------------------------------------------------------

    def start(self, wish: RunWish) -> str | None:
        place = None if wish.is_of_boards else self._place()
        refusal = self._refusal(place, is_of_boards=wish.is_of_boards)
        if refusal is None:
            arguments = [wish.suite, *run_arguments(wish, place, self._settings())]
            self._begin("run", arguments, is_of_boards=wish.is_of_boards)
        return refusal

    def resume(self, run_id: str) -> str | None:
        past = next((run for run in self._shown.view.past if run.id == run_id), None)
        live = self._live
        is_of_boards = (past is not None and past.is_of_boards) or (
            live is not None and live.is_of_boards and live.view().run_id == run_id
        )
        place = None if is_of_boards else self._place()
        refusal = self._refusal(place, is_of_boards=is_of_boards)
        if refusal is None:
            arguments = [run_id, *place_arguments(place)]
            self._begin("resume", arguments, is_of_boards=is_of_boards)
        return refusal

    def _refusal(self, place: BenchPlace | None, *, is_of_boards: bool) -> str | None:
        if place is None and not is_of_boards:
            return NO_SERVER
        if self.is_running:
            return "a benchmark is already running"
        other = runs.holder(boards_folder(self._folder) if is_of_boards else self._folder)
        if other is not None:
            self.seek()
            return f"another benchmark is running: {other}"
        # Many boards have servers of their own: what is asked here does not disturb them.
        return None if is_of_boards else self._busy()

    def _begin(
        self, verb: Literal["run", "resume"], arguments: Sequence[str], *, is_of_boards: bool
    ) -> None:
        with self._lock:
            self._live = LiveRun(is_of_boards=is_of_boards)
            self._process = None
        every = (*arguments, *self._run_arguments)
        self._submit(self._run(verb, every, is_of_boards=is_of_boards))

    async def _run(
        self, verb: Literal["run", "resume"], arguments: Sequence[str], *, is_of_boards: bool
    ) -> None:
        try:
            process = await asyncio.to_thread(
                start, verb, arguments, self._folder, is_of_boards=is_of_boards
            )
        except runs.RunError as error:
            self._end(Finished(outcome="failed", sentence=str(error)))
            return
        await self._follow(process)

    async def _seek(self) -> None:
        """Find and follow a run that another process started: an earlier npulse, another
        terminal."""
        try:
            found = await asyncio.to_thread(running, self._folder)
            other = None
            if found is None:
                other = await asyncio.to_thread(runs.holder, self._folder)
            with self._lock:
                if self._live is not None and not self._live.is_over:
                    return
                self._shown.change(other_run=other)
                if found is None:
                    return
                is_of_boards = found.is_of_boards(self._folder)
                self._live = LiveRun(is_of_boards=is_of_boards)
                self._process = None
            self._submit(self._follow(found))
        finally:
            self._is_seeking = False

    async def _follow(self, process: Detached) -> None:
        """Process the run's events until its end, then do the work after it."""
        with self._lock:
            live, self._process = self._live, process
        assert live is not None
        try:
            async for event in follow(process):
                earlier: Sequence[Request] = ()
                if isinstance(event, Started) and event.done:
                    earlier = await asyncio.to_thread(_requests_of, Path(event.folder))
                with self._lock:
                    live.apply(event, earlier)
        except OSError as error:
            why = error.strerror or "cannot be read"
            self._end(Finished(outcome="failed", sentence=f"The journal of the run: {why}."))
        await self._after(live.view())

    def _end(self, event: Finished) -> None:
        with self._lock:
            if self._live is not None and not self._live.is_over:
                self._live.apply(event)

    async def _after(self, view: RunView) -> None:
        """List earlier runs again; retry failed requests if that was requested."""
        past = await asyncio.to_thread(views.past_runs, self._folder)
        self._shown.change(past=past, other_run=None)
        is_incomplete = view.finished is not None and view.finished.outcome == "incomplete"
        if view.retries_after and view.count("failed") and is_incomplete:
            refusal = self.resume(view.run_id)
            if refusal is not None:
                self._shown.say(f"failed prompts are not retried: {refusal}", "warn")

    # During the run ------------------------------------------------------------------------

    def pause(self) -> None:
        with self._lock:
            live = self._live
            if live is None or live.is_over:
                return
            view = live.view()
            wants_pause = not (view.is_paused or view.is_pausing)
            live.asked_to_pause(is_asked=wants_pause)
        if wants_pause:
            self._tell("pause", "pauses after this request; the same key resumes")
        else:
            self._tell("resume", "resumed")

    def skip(self) -> None:
        with self._lock:
            is_of_boards = self._live is not None and self._live.is_of_boards
        if is_of_boards:
            self._shown.say("many boards answer: none of their prompts is skipped", "warn")
            return
        self._tell("skip", "request skipped; its partial numbers are kept")

    def abort(self) -> None:
        self._tell("abort", "stopping; results are kept, the run can be resumed")

    def _tell(self, word: Literal["pause", "resume", "skip", "abort"], said: str) -> None:
        with self._lock:
            live, process = self._live, self._process
            folder = "" if live is None else live.folder
        if live is None or process is None or live.is_over:
            self._shown.say("no benchmark is running", "warn")
            return
        try:
            tell(process, folder, word)
        except OSError as error:
            self._shown.say(f"the run cannot be reached: {error.strerror or 'unknown'}", "bad")
            return
        self._shown.say(said)

    def retry(self) -> None:
        with self._lock:
            live = self._live
            if live is None:
                return
            view = live.view()
            if not view.is_over:
                live.retries(is_wanted=not view.retries_after)
        if not view.is_over:
            taken_back = view.retries_after
            self._shown.say(
                "failed prompts are not retried"
                if taken_back
                else "failed prompts are retried at the end"
            )
            return
        refusal = self.resume(view.run_id) if view.run_id else "this run cannot be resumed"
        if refusal is not None:
            self._shown.say(refusal, "warn")

    # Results --------------------------------------------------------------------------------

    def export(self, run_id: str) -> None:
        self._results.export(run_id)

    def open_result(self, run_id: str) -> None:
        self._results.open(run_id)

    def request(self, run_id: str, at: int) -> OpenedRequest | None:
        return self._results.request(run_id, at)

    def timelines(self, run_id: str) -> Sequence[TimelineSource]:
        return self._results.timelines(run_id)

    def compare(self, a: str, b: str, *, is_forced: bool = False) -> None:
        self._results.compare(a, b, is_forced=is_forced)

    def partner_of(self, run_id: str) -> str | None:
        return views.partner(self._shown.view.past, run_id)

    # Small things ---------------------------------------------------------------------------

    def _submit(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            task = self._loop.submit(work)
        except RuntimeError:
            # The loop is stopped: npulse is ending.
            return
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: Future[None]) -> None:
        self._tasks.discard(task)
        if task.cancelled() or task.exception() is None:
            return
        error = task.exception()
        self._shown.say(f"benchmarks: {type(error).__name__}: {error}", "bad")


def _requests_of(folder: Path) -> Sequence[Request]:
    """What earlier segments of a run have answered; empty where it cannot be read."""
    try:
        return document.load(folder).document.requests
    except runs.RunError:
        return ()


def _measured_by(place: BenchPlace | None) -> MeasuredBy:
    return None if place is None or place.model is None else (place.model, place.is_simulated)
