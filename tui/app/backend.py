"""Application state without UI: chat session, server connection, board, benchmarks, demo simulator.

The screens get it from :class:`tui.app.app.NpulseApp`; what they may ask of it stands in
:mod:`tui.core.screen.backend`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from tui.app.answers_elsewhere import AnswersElsewhere
from tui.app.bench_link import BenchLink
from tui.app.board_monitor import BoardMonitor
from tui.app.chat_keeper import ChatKeeper
from tui.app.chat_session import ChatSession
from tui.app.demo import DemoBoard, DemoOptions
from tui.app.headline import headline, notice
from tui.app.kept_history import KeptHistory
from tui.app.late_numbers import LateNumbers
from tui.app.model_loader import ModelLoader
from tui.app.server_choice import ServerChoice
from tui.app.server_link import ServerLink
from tui.app.timelines import Timelines
from tui.core.screen.chat import ANSWER_RUNS
from tui.core.screen.keys.table import default_keys
from tui.expect.expectations import Expectations
from tui.servers.address import local_port
from tui.servers.loop import EventLoopThread
from tui.servers.remembered_servers import NOTHING_REMEMBERED, RememberedServers
from tui.servers.tokenizer import ModelTokenizer
from tui.settings.folders import CHANGES_FILE, ROOT_CHANGES, changes_folder

if TYPE_CHECKING:
    from tui.app.board_fixes import Fixes
    from tui.app.board_source import BoardReader
    from tui.app.clients_watch import ClientsWatch
    from tui.bench.session.session import Benchmarks
    from tui.core.board.reading import Snapshot
    from tui.core.screen.headline import Headline
    from tui.core.turn.turn import Turn
    from tui.core.types import GenerationSettings
    from tui.history.browser import HistoryBrowser
    from tui.history.followed_answer import FollowedAnswer
    from tui.lab.session import Lab
    from tui.recording.recorder import RecordingSession
    from tui.remote.fleet import Fleet
    from tui.servers.connection import Connection
    from tui.servers.connection_state import ConnectionState, Server
    from tui.settings.recording_options import RecordingOptions
    from tui.settings.schema import HistorySection, ServerSection


class Backend:
    """Connects the parts of one npulse process, which do not know each other.

    ``chat`` is the conversation, ``models`` the models of the server, ``board`` the board and
    ``bench`` the benchmarks. ``uses_little_cores``: npulse keeps itself to the little cores, where
    the board has some. ``keymap``: action id -> its keys, as configured. ``history``: what is kept
    of the chat; None keeps nothing. ``remembered`` is what earlier runs know of servers, and
    ``keep_servers`` gets what the next one should know. ``recording``: a file that gets every
    answer; ValueError where it is there already. ``stops_loops``: an answer that repeats itself is
    stopped. ``fleet`` makes the watch over all boards, whose names are ``boards``. Everything is
    called in the app's thread, but :meth:`sample`.
    """

    def __init__(
        self,
        server: ServerSection,
        board: BoardReader,
        settings: GenerationSettings,
        demo: DemoOptions,
        *,
        uses_little_cores: bool = False,
        keymap: Mapping[str, str] | None = None,
        history: HistorySection | None = None,
        remembered: RememberedServers = NOTHING_REMEMBERED,
        keep_servers: Callable[[RememberedServers], object] = lambda remembered: None,
        recording: RecordingOptions | None = None,
        stops_loops: bool = False,
        fleet: Callable[[], Fleet] | None = None,
        boards: Sequence[str] = (),
    ) -> None:
        self._link = ServerLink(EventLoopThread())
        self.board = BoardMonitor(board)
        self.kept_history = KeptHistory(history)
        self.elsewhere = AnswersElsewhere()
        self.chat = ChatSession(
            self._link,
            settings,
            keeper=ChatKeeper(self._recording_session(recording)),
            expectations=Expectations(self.kept_history.file, stops_loops=stops_loops),
            elsewhere=self.elsewhere,
            why_wait=self._why_wait,
            on_asked=self._follow,
        )
        self.models = ModelLoader(
            self._link, self.clock_ns, self._why_wait, self.chat.foreign_work, board.words_there
        )
        bench_keys = (keymap or default_keys())["bench"]
        self._bench_link = BenchLink(self._link, self.chat, self.board, bench_keys, boards)
        tokenizer = ModelTokenizer(server.tokenizer, lambda said: self._on_problem(said))
        self._late_numbers = LateNumbers(self._link, tokenizer, self._got_numbers)
        self.timelines = Timelines(lambda: self.history)
        self._server_choice = ServerChoice(server, remembered, keep_servers)
        self._make_fleet = fleet
        self._demo = DemoBoard(demo)
        self._on_change: Callable[[], None] = lambda: None
        self._on_problem: Callable[[str | None], None] = lambda problem: None
        self._uses_little_cores = uses_little_cores
        self._watched: Server | None = None

    def _recording_session(self, wanted: RecordingOptions | None) -> RecordingSession | None:
        """Raises ValueError with one sentence."""
        if wanted is None:
            return None
        from tui.settings.recording_options import recording_session

        return recording_session(wanted, lambda said: self._on_problem(said))

    @staticmethod
    def clock_ns() -> int:
        """The clock of answers and snapshots."""
        return time.perf_counter_ns()

    @property
    def state(self) -> ConnectionState:
        """State of the connection to the server. Thread-safe."""
        return self._link.state

    # Start and end --------------------------------------------------------------------------

    def start(
        self,
        on_change: Callable[[], None],
        on_problem: Callable[[str | None], None] = lambda problem: None,
    ) -> None:
        """Begin to look for a server. ``on_change`` is called from the network's thread,
        ``on_problem`` from any: with a sentence when answers cannot be kept or counted, with None
        when they can be kept again."""
        self._on_change = on_change
        self._on_problem = on_problem
        if self._uses_little_cores:
            _leave_the_big_cores()
        self._link.loop.start()
        self._link.loop.submit(self._run())

    def close(self) -> None:
        """End the network and the simulated board; blocks for a moment at most."""
        self.chat.close()
        if "fixes" in self.__dict__:
            self.fixes.close()
        # In this order: the end of the loop stops the answer that runs, as it is then stored.
        self._link.loop.stop()
        self.chat.keeper.close()
        self._server_choice.remember(self.state)
        self._demo.stop()
        self.board.source.close()

    def leave_terminal(self) -> None:
        """This process goes on without its terminal, for the answer that runs. From any thread."""
        self.kept_history.leave_terminal()

    @property
    def is_keeping_answer(self) -> bool:
        """Whether an answer runs that is kept in the history. From any thread."""
        turn = self.chat.turn
        return turn is not None and not turn.phase.is_over and self.chat.keeper.is_keeping(turn)

    async def _run(self) -> None:
        # HTTP is imported here, in the network's thread: the first paint needs nothing of it.
        connection = self._server_choice.connection(self._changed)
        self._keep_history()
        self._link.use(connection)
        self._on_change()
        if any((folder / CHANGES_FILE).exists() for folder in (changes_folder(), ROOT_CHANGES)):
            said = await asyncio.to_thread(self.fixes.in_force_sentence)
            if said is not None:
                self._on_problem(said)
        if await self._demo.is_wanted(self._server_choice.urls):
            await self._run_demo(connection)
        else:
            problem = await self._server_choice.return_to_typed(connection)
            if problem is not None:
                self._on_problem(problem)
        await connection.run()

    def _keep_history(self) -> None:
        """Before the first prompt can be sent."""
        recorder = self.kept_history.recorder(self._on_problem, self._stop_for_another)
        if recorder is not None:
            self.chat.keeper.use(recorder)

    def follow(self, followed: FollowedAnswer) -> bool:
        """Show an answer that another npulse receives; False while one of this npulse runs."""
        if not self.chat.follow(followed):
            return False
        followed.start(self._on_problem, is_shown=True)
        return True

    def _stop_for_another(self, turn: Turn) -> None:
        """Another npulse was told to stop this answer. Called in the thread that writes, again and
        again until it is over; also when this process has no terminal any more."""
        if turn is self.chat.turn and not turn.phase.is_over:
            self._stop(turn)
            self._on_problem("this answer was stopped from another npulse")

    def _stop(self, turn: Turn) -> None:
        """From any thread."""
        turn.stop(self.clock_ns())
        self._link.call(lambda connection: connection.stop())

    def fleet(self) -> Fleet:
        """All boards of the config, not read yet."""
        from tui.remote.fleet import Fleet

        return Fleet((), ()) if self._make_fleet is None else self._make_fleet()

    def work_of_boards(self) -> Mapping[str, str]:
        """What a run on many boards has each do, in words; by name."""
        return self._bench_link.work_of_boards()

    @cached_property
    def clients(self) -> ClientsWatch:
        """Other clients of the server; read when the screen is open."""
        from tui.app.clients_watch import ClientsWatch

        return ClientsWatch(
            self.kept_history.file,
            lambda: self.state.server,
            lambda: self.board.history.latest,
            lambda: self.board.source.root,
            elsewhere=lambda: (
                None if self.board.source.line is None else self.board.source.read_file
            ),
            words_there=self.board.source.words_there,
        )

    @cached_property
    def fixes(self) -> Fixes:
        """Fixes of this board, and how to undo them: loaded when first asked for."""
        from tui.app.board_fixes import Fixes

        return Fixes(self.board.source, lambda: self.state, self._why_wait, in_use=self._own_answer)

    def _own_answer(self) -> str | None:
        """What this npulse has the server work on, as a clause. From any thread."""
        if self.chat.is_answering:
            return "the server answers your prompt"
        if self.state.slot.status == "finishing":
            return "the server still finishes the stopped answer"
        return None

    @property
    def history(self) -> HistoryBrowser:
        """The conversations that are kept. Imports SQLite: asked for when they are looked at."""
        return self.kept_history.browser

    async def _run_demo(self, connection: Connection) -> None:
        """Start the simulated board and use it, its server and its readings."""
        simulator = await self._demo.start()
        if simulator is None:
            self._on_change()
            return
        if simulator.root is not None:
            self.board.source.use(simulator.root)
        connection.pin((simulator.url,), is_alone=True)

    def start_demo(self) -> str | None:
        """Start the simulated board as ``--demo`` does. Returns None, or one sentence why not."""
        state = self.state
        if self._demo.state != "none":
            return f"the simulated board is {self._demo.state} already"
        if state.is_connected and state.status != "busy":
            return "a server answers; npulse --demo starts the simulated board beside it"
        self._demo.state = "starting"
        self._link.submit(self._run_demo)
        return None

    def connect(self, url: str) -> str | None:
        """Use the server at this address from now on. Returns None, or one sentence why not."""
        if self.chat.is_answering and not self.chat.is_held_ahead:
            return ANSWER_RUNS
        if self.state.work is not None:
            return f"{self.state.work}; wait until that is done"
        if self._demo.state == "starting":
            return "the simulated board is starting"
        try:
            pin = self._server_choice.typed(url)
        except ValueError as error:
            return str(error)

        async def use(connection: Connection) -> None:
            pin(connection)

        self._link.submit(use)
        return None

    def _changed(self) -> None:
        server = self.state.server
        if server is not self._watched:
            self._watched = server
            port = None if server is None else local_port(server.url)
            self.board.source.watch_server(port)
            self._late_numbers.look_at_load(port, self.board)
        self._on_change()

    # The board ------------------------------------------------------------------------------

    def sample(self) -> Snapshot:
        """One snapshot of the board, for :meth:`on_snapshot`. Called in the sampling thread, which
        also looks whether a benchmark runs: nothing of the disk is waited for in the app's."""
        self._server_choice.remember(self.state)
        snapshot = self.board.source.sample()
        self._bench_link.look_at_lock()
        self.chat.look_ahead()
        return snapshot

    def on_snapshot(self, snapshot: Snapshot) -> None:
        """Passes a new snapshot to every part that uses it."""
        self.chat.on_snapshot(snapshot)
        self.chat.keeper.on_snapshot(snapshot, self.board.other_programs())
        self.timelines.on_snapshot(snapshot)
        self.models.on_snapshot(snapshot)
        if self._bench_link.is_begun_elsewhere:
            # This npulse follows it.
            self.bench.seek()
        turn, state = self.chat.turn, self.state
        now_ns = self.clock_ns()
        self.board.saw(
            snapshot,
            None if turn is None else turn.stats(now_ns),
            state.in_use,
            state.slot.status == "finishing",
            is_benchmark=self._bench_link.lock.is_here,
            t0_ns=None if turn is None else turn.t0_ns,
            now_ns=now_ns,
        )
        if turn is not None:
            self.chat.expectations.on_snapshot(turn, snapshot, self.board.other_program)

    # Answers --------------------------------------------------------------------------------

    def _follow(self, turn: Turn) -> None:
        """Starts the forecast for an answer, and the late numbers."""
        server = self.state.server
        self.timelines.asked(turn, is_simulated=server is not None and server.is_simulated)
        self._late_numbers.expect(turn, self.board.source.root)
        if server is not None:
            follow = self.chat.expectations.follow
            work = follow(turn, server, lambda: self._stop(turn), lambda: self._on_change())
            self._link.loop.submit(work)

    def _got_numbers(self, turn: Turn) -> None:
        self.chat.keeper.renew(turn)
        self._on_change()

    # Benchmarks -----------------------------------------------------------------------------

    @property
    def bench(self) -> Benchmarks:
        """The benchmarks of this run of npulse; loaded when first asked for."""
        return self._bench_link.benchmarks

    @property
    def lab(self) -> Lab:
        """The prompt lab; loaded when first asked for."""
        return self._bench_link.lab

    def _why_wait(self) -> str | None:
        return self._bench_link.why_wait()

    # What to say ----------------------------------------------------------------------------

    def headline(self) -> Headline:
        """The top line as of now."""
        return headline(
            self.state,
            self.chat,
            self.board,
            is_demo=self._demo.state == "running",
            demo_problem=self._demo.problem,
            bench=self._bench_link.note(),
            now_ns=self.clock_ns(),
        )

    def notice(self, keymap: Mapping[str, str]) -> list[str]:
        """What an empty transcript says."""
        return notice(self.state, self.headline(), self._demo, keymap, self.board.source)


def _leave_the_big_cores() -> None:
    """Moves npulse to the little cores, before the network's thread starts and inherits that."""
    from tui.board.affinity import move_to_little_cpus
    from tui.board.readers.files import Files

    move_to_little_cpus(Files())
