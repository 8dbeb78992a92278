"""Application state without UI: chat session, server connection, board sampler, demo simulator.

The screens get plain callables and records of it from :class:`tui.app.app.NpulseApp`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from tui.app.board_source import BoardReader, Demo, DemoOptions
from tui.app.chat_session import Session
from tui.core.board.history import BoardHistory
from tui.core.board.reading import Snapshot
from tui.core.screen.chat import ANSWER_RUNS
from tui.core.screen.headline import Headline
from tui.core.screen.notices import notice_lines
from tui.core.text.sanitize import clean_line
from tui.core.turn.turn import Turn
from tui.core.types import GenerationSettings
from tui.servers.loop import EventLoopThread
from tui.settings.schema import ServerSection
from tui.settings.server_options import phase_timeouts, server_access, server_urls

if TYPE_CHECKING:
    from tui.bench.model.screen import BenchSession
    from tui.bench.session.process import BenchPlace
    from tui.bench.session.session import BenchDesk
    from tui.board.advice.board_state import BoardView
    from tui.board.runtime_log.reader import RuntimeLog
    from tui.core.board.board_facts import BoardScreenData, Cause, DecodeBound
    from tui.core.screen.models_view import ModelsView
from tui.servers.address import local_port
from tui.servers.connection_state import Server

MAX_NAME_CHARS = 40
LOOK_S = 0.1
"""How often it is looked whether an answer is over."""


class Backend(Session):
    """A session with its own connection, board and, where wanted, simulated board.

    ``uses_little_cores``: npulse keeps itself to the little cores, where the board has some.
    """

    def __init__(
        self,
        server: ServerSection,
        board: BoardReader,
        settings: GenerationSettings,
        demo: DemoOptions,
        *,
        uses_little_cores: bool = False,
    ) -> None:
        self._loop_thread = EventLoopThread()
        super().__init__(self._loop_thread, settings)
        self._server_settings = server
        self._board = board
        self._wish = demo
        self._demo = Demo(demo.arguments)
        self._on_change: Callable[[], None] = lambda: None
        self._uses_little_cores = uses_little_cores
        self._has_demo = False
        self._problem: str | None = None
        self._watched: Server | None = None
        self._view: BoardView | None = None
        self._bench: BenchDesk | None = None
        self._is_bench_held = False
        self._why_no_change: str | None = None
        self._runtime_log: RuntimeLog | None = None

    # Start and end --------------------------------------------------------------------------

    def start(self, on_change: Callable[[], None]) -> None:
        """Begin to look for a server. ``on_change`` is called from the network's thread."""
        self._on_change = on_change
        if self._uses_little_cores:
            _leave_the_big_cores()
        self._loop_thread.start()
        self._loop_thread.submit(self._run())

    def close(self) -> None:
        """End the network and the simulated board; blocks for a moment at most."""
        self._loop_thread.stop()
        self._demo.stop()
        self._board.close()

    async def _run(self) -> None:
        # Imported here, in the network's thread: the first paint needs nothing of HTTP.
        from tui.servers.connection import Connection

        urls = server_urls(self._server_settings)
        timeouts = phase_timeouts(self._server_settings)
        connection = Connection(
            urls, timeouts, self._changed, access=server_access(self._server_settings)
        )
        self.connected_by(connection)
        self._on_change()
        if await self._wants_demo(urls):
            simulator = await asyncio.to_thread(self._demo.start)
            if simulator is None:
                self._problem = self._demo.problem
                self._on_change()
            else:
                self._has_demo = True
                if simulator.root is not None:
                    self._board.use(simulator.root)
                connection.pin((simulator.url,))
        await connection.run()

    async def _wants_demo(self, urls: Sequence[str] | None) -> bool:
        if self._wish.is_wanted or not self._wish.only_alone:
            return self._wish.is_wanted
        from tui.servers.locate import find

        return await find(urls) is None

    def _changed(self) -> None:
        server = self.state.server
        if server is not self._watched:
            self._watched = server
            self._board.watch_server(None if server is None else local_port(server.url))
        self._on_change()

    # The board ------------------------------------------------------------------------------

    @property
    def board_view(self) -> BoardView:
        """What is made of the snapshots; loaded with the first one."""
        if self._view is None:
            from tui.board.advice.board_state import BoardView

            self._view = BoardView()
        return self._view

    def sample(self) -> Snapshot:
        """One snapshot of the board, for :meth:`on_snapshot`. Called in the sampling thread, which
        also looks whether a benchmark runs: nothing of the disk is waited for in the app's."""
        snapshot = self._board.sample()
        self._is_bench_held = _is_bench_held()
        return snapshot

    def on_snapshot(self, snapshot: Snapshot) -> None:
        super().on_snapshot(snapshot)
        if self._is_bench_held and (self._bench is None or not self._bench.is_running):
            # Another npulse began it; this one follows it.
            self.bench_session().seek()
        turn, loaded = self.turn, self.state.loaded
        now_ns = time.perf_counter_ns()
        self.board_view.saw(
            snapshot,
            None if turn is None else turn.stats(now_ns),
            None if loaded is None else self._with_context_in_use(loaded),
            # What npulse itself has begun is nobody else's work.
            self.state.slot.status == "finishing" or self._bench_note() is not None,
            t0_ns=None if turn is None else turn.t0_ns,
            now_ns=now_ns,
            neighbours=self._board.neighbours,
        )
        self._board.wants_neighbours = self.board_view.wants_neighbours

    @property
    def findings(self) -> Sequence[Cause]:
        """What slows the model down, worst first."""
        return () if self._view is None else self._view.findings

    @property
    def decode_bound(self) -> DecodeBound | None:
        """The measured rate beside what the memory allows; None before the first sample."""
        return None if self._view is None else self._view.roofline()

    @property
    def has_new_alert(self) -> bool:
        """Whether the last snapshot raised an alert."""
        return self._view is not None and bool(self._view.new_alerts)

    def board_screen_data(
        self, history: Callable[[], BoardHistory], copy: Callable[[str, str], str]
    ) -> BoardScreenData:
        """What the board screen pulls from."""
        return self.board_view.data(
            headline=lambda: self.headline(history().latest), history=history, copy=copy
        )

    # Benchmarks -----------------------------------------------------------------------------

    def bench_session(self) -> BenchSession:
        """The benchmarks of this run of npulse; loaded when first asked for."""
        if self._bench is None:
            from tui.bench.session.session import BenchDesk

            self._bench = BenchDesk(
                self._loop_thread, self._bench_place, lambda: self.settings, self._why_no_bench
            )
        return self._bench

    def _bench_note(self) -> str | None:
        """The benchmark that is running and how far it is; None where there is none."""
        if self._bench is None or not self._bench.is_running:
            return None
        run = self._bench.view().run
        if run is None:
            return None
        done = sum(row.state not in ("waiting", "running") for row in run.plan)
        planned = run.planned or len(run.plan)
        return f"bench {done}/{planned} prompts, F3" if planned else "bench starting, F3"

    def _bench_place(self) -> BenchPlace | None:
        server, model = self.state.server, self.state.loaded
        if server is None:
            return None
        from tui.bench.session.process import BenchPlace

        root = self._board.root
        return BenchPlace(
            url=server.url,
            label=server.label,
            model=None if model is None else model.name,
            size_bytes=None if model is None else model.size_bytes,
            context_tokens=self._context_tokens(model),
            root=None if root == Path("/") else root,
            is_simulated=server.is_simulated,
        )

    def _why_no_bench(self) -> str | None:
        if self.is_answering:
            return ANSWER_RUNS
        return self.finishing_note

    def ask(self, prompt: str) -> str | None:
        refusal = self._why_wait() or super().ask(prompt)
        server, turn = self.state.server, self.turn
        port = None if server is None or server.is_simulated else local_port(server.url)
        if refusal is None and turn is not None and port and self._board.root == Path("/"):
            self._loop_thread.submit(self._note_runtime(turn, port))
        return refusal

    async def _note_runtime(self, turn: Turn, port: int) -> None:
        """The runtime's own numbers, once the answer is over; delays neither it nor the next."""
        from tui.board.readers.files import Files
        from tui.board.runtime_log.reader import RuntimeLog

        if self._runtime_log is None or self._runtime_log.port != port:
            self._runtime_log = RuntimeLog(Files(), port)
        log = self._runtime_log
        await log.begin()
        while not turn.phase.is_over:  # noqa: ASYNC110 - a turn has no event, and no hurry here
            await asyncio.sleep(LOOK_S)
        numbers = await log.numbers_of(turn)
        if numbers is not None:
            turn.note_runtime(numbers)
            self._on_change()

    def _why_wait(self) -> str | None:
        """A benchmark that goes on, also one of another terminal, would be spoilt by an answer."""
        server = self.state.server
        busy = None if self._bench is None else self._bench.busy_sentence()
        if server is None or busy is not None:
            return busy
        from tui.bench.store.active_run import why_wait
        from tui.bench.store.folder import default_folder

        return why_wait(default_folder(), server.url)

    def load_model(self, name: str, is_forced: bool = False) -> None:
        self._why_no_change = self._why_wait()
        if self._why_no_change is None:
            super().load_model(name, is_forced)

    def unload_model(self) -> None:
        self._why_no_change = self._why_wait()
        if self._why_no_change is None:
            super().unload_model()

    def models_view(self) -> ModelsView:
        view = super().models_view()
        if self._why_no_change is not None:
            # It holds as long as the run does.
            self._why_no_change = self._why_wait()
        if self._why_no_change is None:
            return view
        return replace(view, message=self._why_no_change, is_error=True)

    # What to say ----------------------------------------------------------------------------

    def headline(self, snapshot: Snapshot | None) -> Headline:
        """The top line as of now."""
        state, model = self.state, self.state.loaded
        server = state.server
        is_simulated = self._has_demo or (server is not None and server.is_simulated)
        board = soc = driver = None
        temperature_c = None
        if snapshot is not None:
            board, soc, driver = (
                _short(snapshot.text(name)) for name in ("board.model", "board.soc", "npu.driver")
            )
            temperature_c = snapshot.number("soc.temp")
            is_simulated = is_simulated or snapshot.text("board.simulated") is not None
        word = state.status
        if word == "ready" and state.slot.status == "finishing":
            word = "busy"
        return Headline(
            board=board,
            soc=soc,
            driver=driver,
            server_state=word,
            server=self.server_label(),
            model=None if model is None else _short(model.name),
            quantisation=None if model is None else model.quantisation,
            context=_context(self._context_tokens(model)),
            temperature_c=temperature_c,
            time_of_day=time.strftime("%H:%M:%S"),
            is_simulated=is_simulated,
            bench=self._bench_note(),
            alert=None if self._view is None else self._view.headline_alert(),
        )

    def notice(self, snapshot: Snapshot | None, keymap: Mapping[str, str]) -> list[str]:
        """What an empty transcript says."""
        state = self.state
        looked_at = [address.partition("://")[2] for address in state.looked_at]
        problem = self._problem or state.problem
        return notice_lines(self.headline(snapshot), looked_at, problem, keymap)


def _is_bench_held() -> bool:
    """Whether a process holds the lock of the benchmarks. Where none was ever run here, their
    code is not loaded."""
    from tui.bench.store.folder import LOCK_FILE, default_folder

    folder = default_folder()
    if not (folder / LOCK_FILE).exists():
        return False
    from tui.bench.store.runs import holder

    return holder(folder) is not None


def _leave_the_big_cores() -> None:
    """The model's threads own them. Before the network's thread starts, which inherits it."""
    from tui.board.affinity import move_to_little_cpus
    from tui.board.readers.files import Files

    move_to_little_cpus(Files())


def _short(text: str | None) -> str | None:
    return None if text is None else clean_line(text, MAX_NAME_CHARS)


def _context(tokens: int | None) -> str | None:
    """A context as it is spoken of: 16k."""
    if tokens is None:
        return None
    return f"{tokens // 1024}k" if tokens % 1024 == 0 else str(tokens)
