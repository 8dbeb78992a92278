"""Application state without UI: chat session, server connection, board, benchmarks, demo simulator.

The screens get it from :class:`tui.app.app.NpulseApp`; what they may ask of it stands in
:mod:`tui.core.screen.backend`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from tui.app.board_monitor import BoardMonitor
from tui.app.board_source import BoardReader, DemoBoard, DemoOptions
from tui.app.chat_session import ChatSession
from tui.app.model_loader import ModelLoader
from tui.app.server_link import ServerLink
from tui.app.server_words import since_words
from tui.core.board.reading import Snapshot
from tui.core.screen.chat import ANSWER_RUNS
from tui.core.screen.headline import Headline, NoModel
from tui.core.screen.key_names import key_cap, shown_key
from tui.core.screen.keys import default_keys
from tui.core.screen.notices import notice_lines
from tui.core.text.model_name import spoken_name
from tui.core.text.sanitize import clean_line
from tui.core.turn.turn import Turn
from tui.core.types import GenerationSettings, ModelInfo
from tui.servers.address import local_port, normalised_url
from tui.servers.connection_state import ConnectionState, Server
from tui.servers.loop import EventLoopThread
from tui.servers.remembered import NOTHING_REMEMBERED, RememberedServers
from tui.servers.tokenizer import ModelTokenizer
from tui.settings.schema import HistorySection, ServerSection
from tui.settings.server_options import phase_timeouts, server_access, server_urls

if TYPE_CHECKING:
    from tui.bench.session.process import BenchPlace
    from tui.bench.session.session import Benchmarks
    from tui.board.runtime_log.reader import RuntimeLog
    from tui.history.browser import HistoryBrowser
    from tui.history.recorder import Recorder
    from tui.servers.connection import Connection

MAX_NAME_CHARS = 40
MAX_OTHERS = 4
LOOK_S = 0.1
"""How often it is looked whether an answer is over."""


@dataclass(frozen=True, slots=True)
class BenchLock:
    """Whether a process holds the lock of the benchmarks, whether it uses the NPU of this machine,
    and why a prompt to the connected server should wait for it, in one sentence."""

    is_held: bool = False
    is_here: bool = False
    reason: str | None = None


class Backend:
    """The parts of one run of npulse, which do not know each other: what goes between them is here.

    ``chat`` is the conversation, ``models`` the models of the server, ``board`` the board and
    ``bench`` the benchmarks. ``uses_little_cores``: npulse keeps itself to the little cores, where
    the board has some. ``keymap``: action id -> its keys, as configured. ``history``: what is kept
    of the chat; None keeps nothing. ``remembered`` is what earlier runs know of servers, and
    ``keep_servers`` gets what the next one should know. Everything is called in the app's thread,
    but :meth:`sample`.
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
    ) -> None:
        self._link = ServerLink(EventLoopThread())
        self.board = BoardMonitor(board)
        self.chat = ChatSession(
            self._link, settings, why_wait=self._why_wait, on_asked=self._expect_numbers
        )
        self.models = ModelLoader(self._link, self.clock_ns, self._why_wait, self.chat.foreign_work)
        self._server_settings = server
        self._history = history
        self._recorder: Recorder | None = None
        self._remembered = remembered
        self._keep_servers = keep_servers
        self._demo_options = demo
        self._demo = DemoBoard(demo.arguments)
        self._on_change: Callable[[], None] = lambda: None
        self._on_problem: Callable[[str | None], None] = lambda problem: None
        self._uses_little_cores = uses_little_cores
        self._demo_state: Literal["none", "starting", "running"] = "none"
        self._demo_problem: str | None = None
        self._watched: Server | None = None
        self._bench: Benchmarks | None = None
        self._bench_lock = BenchLock()
        keys = (keymap or default_keys())["bench"]
        self._bench_keys = (key_cap(keys),) if keys else ()
        """The key of the bench screen, where it has one."""
        self._runtime_log: RuntimeLog | None = None
        self._tokenizer = ModelTokenizer(server.tokenizer, lambda said: self._on_problem(said))

    @staticmethod
    def clock_ns() -> int:
        """The clock of answers and snapshots."""
        return time.perf_counter_ns()

    @property
    def state(self) -> ConnectionState:
        """The moment of the connection to the server. From any thread."""
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
        # In this order: the end of the loop stops the answer that runs, as it is then stored.
        self._link.loop.stop()
        self.chat.keeper.close()
        self._keep_remembered()
        self._demo.stop()
        self.board.source.close()

    @property
    def is_keeping_answer(self) -> bool:
        """Whether an answer runs that is kept in the history. From any thread."""
        turn = self.chat.turn
        return turn is not None and not turn.phase.is_over and self.chat.keeper.is_keeping(turn)

    async def _run(self) -> None:
        # Imported here, in the network's thread: the first paint needs nothing of HTTP.
        from tui.servers.connection import Connection

        urls = server_urls(self._server_settings)
        timeouts = phase_timeouts(self._server_settings)
        connection = Connection(
            urls,
            timeouts,
            self._changed,
            access=server_access(self._server_settings),
            model=self._server_settings.model,
            remembered=self._remembered,
        )
        self._keep_history()
        self._link.use(connection)
        self._on_change()
        if await self._wants_demo(urls):
            await self._run_demo(connection)
        await connection.run()

    def _keep_history(self) -> None:
        """Before the first prompt can be sent: SQLite is loaded here, in the network's thread."""
        if self._history is None:
            return
        from tui.settings.history_options import recorder

        self._recorder = recorder(self._history, self._on_problem)
        if self._recorder is not None:
            self.chat.keeper.use(self._recorder)

    @property
    def history(self) -> HistoryBrowser:
        """The conversations that are kept. Imports SQLite: asked for when they are looked at."""
        from tui.history.browser import HistoryBrowser
        from tui.settings.history_options import history_file

        return HistoryBrowser(history_file(), self._recorder)

    async def _wants_demo(self, urls: Sequence[str] | None) -> bool:
        options = self._demo_options
        if options.is_wanted or not options.only_alone:
            return options.is_wanted
        from tui.servers.locate import find

        return await find(urls) is None

    async def _run_demo(self, connection: Connection) -> None:
        """Start the simulated board and use it, its server and its readings."""
        self._demo_state = "starting"
        simulator = await asyncio.to_thread(self._demo.start)
        if simulator is None:
            self._demo_state, self._demo_problem = "none", self._demo.problem
            self._on_change()
            return
        self._demo_state, self._demo_problem = "running", None
        if simulator.root is not None:
            self.board.source.use(simulator.root)
        connection.pin((simulator.url,))

    def start_demo(self) -> str | None:
        """Start the simulated board as ``--demo`` does. Returns None, or one sentence why not."""
        state = self.state
        if self._demo_state != "none":
            return f"the simulated board is {self._demo_state} already"
        if state.is_connected and state.status != "busy":
            return "a server answers; npulse --demo starts the simulated board beside it"
        self._demo_state = "starting"
        self._link.submit(self._run_demo)
        return None

    def connect(self, url: str) -> str | None:
        """Use the server at this address from now on. Returns None, or one sentence why not."""
        if self.chat.is_answering:
            return ANSWER_RUNS
        if self.state.work is not None:
            return f"{self.state.work}; wait until that is done"
        if self._demo_state == "starting":
            return "the simulated board is starting"
        from msgspec.structs import replace

        try:
            section = replace(self._server_settings, url=normalised_url(url))
            access = server_access(section)
        except ValueError as error:
            return str(error)

        async def pin(connection: Connection) -> None:
            connection.pin((section.url,), access)

        self._link.submit(pin)
        return None

    def _changed(self) -> None:
        server = self.state.server
        if server is not self._watched:
            self._watched = server
            self.board.source.watch_server(None if server is None else local_port(server.url))
        self._on_change()

    # The board ------------------------------------------------------------------------------

    def sample(self) -> Snapshot:
        """One snapshot of the board, for :meth:`on_snapshot`. Called in the sampling thread, which
        also looks whether a benchmark runs: nothing of the disk is waited for in the app's."""
        self._keep_remembered()
        snapshot = self.board.source.sample()
        server = self.state.server
        self._bench_lock = _bench_lock(None if server is None else server.url)
        return snapshot

    def _keep_remembered(self) -> None:
        """What was chosen since the last time, for the next run. A simulated board is gone then."""
        state = self.state
        if state.server is None or state.server.is_simulated:
            return
        if state.remembered != self._remembered:
            self._remembered = state.remembered
            self._keep_servers(self._remembered)

    def on_snapshot(self, snapshot: Snapshot) -> None:
        """Give a new snapshot to every part that draws conclusions from it."""
        self.chat.on_snapshot(snapshot)
        self.chat.keeper.on_snapshot(snapshot)
        self.models.on_snapshot(snapshot)
        if self._bench_lock.is_held and (self._bench is None or not self._bench.is_running):
            # Another npulse began it; this one follows it.
            self.bench.seek()
        turn, state = self.chat.turn, self.state
        now_ns = self.clock_ns()
        self.board.saw(
            snapshot,
            None if turn is None else turn.stats(now_ns),
            state.in_use,
            state.slot.status == "finishing",
            is_benchmark=self._bench_lock.is_here,
            t0_ns=None if turn is None else turn.t0_ns,
            now_ns=now_ns,
        )

    def _expect_numbers(self, turn: Turn) -> None:
        """What comes after an answer: counts of the model's tokenizer, and the numbers that the
        runtime logs where the server is on this very board."""
        if self._tokenizer.is_usable:
            self._link.loop.submit(self._note_counts(turn))
        server = self.state.server
        port = None if server is None or server.is_simulated else local_port(server.url)
        if port and self.board.source.root == Path("/"):
            self._link.loop.submit(self._note_runtime(turn, port))

    async def _note_counts(self, turn: Turn) -> None:
        while not turn.phase.is_over:  # noqa: ASYNC110 - a turn has no event, and no hurry here
            await asyncio.sleep(LOOK_S)
        if await asyncio.to_thread(self._tokenizer.note_counts, turn):
            self.chat.keeper.renew(turn)
            self._on_change()

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
            self.chat.keeper.renew(turn)
            self._on_change()

    # Benchmarks -----------------------------------------------------------------------------

    @property
    def bench(self) -> Benchmarks:
        """The benchmarks of this run of npulse; loaded when first asked for."""
        if self._bench is None:
            from tui.bench.session.session import Benchmarks

            self._bench = Benchmarks(
                self._link.loop, self._bench_place, lambda: self.chat.settings, self._why_no_bench
            )
        return self._bench

    def _bench_note(self) -> str | None:
        """The benchmark that is running and how far it is; None where there is none."""
        if self._bench is None or not self._bench.is_running:
            return None
        run = self._bench.view().run
        if run is None:
            return None
        done = len(run.plan) - run.count("waiting") - run.count("running")
        planned = run.planned or len(run.plan)
        words = f"bench {done}/{planned} prompts" if planned else "bench starting"
        return ", ".join((words, *self._bench_keys))

    def _bench_place(self) -> BenchPlace | None:
        state = self.state
        server, model = state.server, state.in_use
        if server is None:
            return None
        from tui.bench.session.process import BenchPlace

        root = self.board.source.root
        return BenchPlace(
            url=server.url,
            label=server.label,
            model=None if model is None else model.name,
            size_bytes=None if model is None else model.size_bytes,
            context_tokens=None if model is None else model.context_tokens,
            root=None if root == Path("/") else root,
            is_simulated=server.is_simulated,
        )

    def _why_no_bench(self) -> str | None:
        if self.chat.is_answering:
            return ANSWER_RUNS
        return self.chat.finishing_note

    def _why_wait(self) -> str | None:
        """A benchmark that goes on, also one of another terminal, would be spoilt by an answer."""
        server = self.state.server
        busy = None
        if self._bench is not None and server is not None:
            busy = self._bench.busy_sentence(server.url)
        busy = busy or self._bench_lock.reason
        return busy and "; ".join((busy, *(f"{key} shows it" for key in self._bench_keys)))

    # What to say ----------------------------------------------------------------------------

    def headline(self) -> Headline:
        """The top line as of now."""
        state = self.state
        model, server = self._model(), state.server
        snapshot, facts = self.board.history.latest, self.board.facts
        is_simulated = self._demo_state == "running" or (server is not None and server.is_simulated)
        board = soc = driver = None
        temperature_c = None
        if snapshot is not None:
            board, soc, driver = (
                _short(snapshot.text(name)) for name in ("board.model", "board.soc", "npu.driver")
            )
            temperature_c = snapshot.number("soc.temp")
            is_simulated = is_simulated or snapshot.text("board.simulated") is not None
        word, since_ns = state.status, state.since_ns
        if word == "ready" and state.slot.status == "finishing":
            word, since_ns = "busy", state.slot.since_ns
        return Headline(
            board=board,
            soc=soc,
            driver=driver,
            server_state=word,
            server_since=since_words(since_ns, self.clock_ns()),
            server=None if server is None else clean_line(server.label),
            model=None if model is None else _short(spoken_name(model.name)),
            no_model=_no_model(state),
            is_model_loaded=True if model is None else model.is_loaded,
            quantisation=None if model is None else _quantisation(model),
            context=None if model is None else _context(model),
            temperature_c=temperature_c,
            time_of_day=time.strftime("%H:%M:%S"),
            is_simulated=is_simulated,
            is_stop_heeded=server is None or server.dialect.is_stopped_by_disconnect,
            is_server_missing=state.has_looked and not state.is_connected,
            server_problem=self._demo_problem or state.problem,
            bench=self._bench_note(),
            alert=None if facts is None else facts.alert,
        )

    def _model(self) -> ModelInfo | None:
        """The model of the answer that runs, as far as it is known by now; else the one in use."""
        state, turn = self.state, self.chat.turn
        name = turn.model if turn is not None and self.chat.is_answering else ""
        listed = next((model for model in state.models if name and model.name == name), None)
        # A server may tell another name in its stream than in its list.
        return listed or state.in_use or (ModelInfo(name) if name else None)

    def notice(self, keymap: Mapping[str, str]) -> list[str]:
        """What an empty transcript says."""
        state = self.state
        looked_at = [address.partition("://")[2] for address in state.looked_at]
        return notice_lines(self.headline(), looked_at, keymap, self._server_notes(keymap))

    def _server_notes(self, keymap: Mapping[str, str]) -> list[str]:
        """What stands in the way of a prompt, which other servers answer, and what to know of this
        one."""
        state = self.state
        notes = [state.choice.problem] if state.choice.problem else []
        if state.note is not None:
            notes.append(state.note)
        if state.status == "ready" and state.problem:
            notes.append(state.problem)
        if state.others:
            others = ", ".join(clean_line(seen.server.label) for seen in state.others[:MAX_OTHERS])
            key = shown_key(keymap["models"].split(",")[0].strip())
            notes.append(f"Also answering: {others}; {key} chooses.")
        if state.server is not None and state.is_connected:
            notes += state.server.dialect.notes
        return notes


def _bench_lock(url: str | None) -> BenchLock:
    """Reads the lock of the benchmarks. Where none was ever run here, their code is not loaded."""
    from tui.bench.store.folder import LOCK_FILE, default_folder

    folder = default_folder()
    if not (folder / LOCK_FILE).exists():
        return BenchLock()
    from tui.bench.store.runs import holder

    if holder(folder) is None:
        return BenchLock()
    from tui.bench.store.active_run import is_here, why_wait

    reason = None if url is None else why_wait(folder, url)
    return BenchLock(is_held=True, is_here=is_here(folder), reason=reason)


def _leave_the_big_cores() -> None:
    """The model's threads own them. Before the network's thread starts, which inherits it."""
    from tui.board.affinity import move_to_little_cpus
    from tui.board.readers.files import Files

    move_to_little_cpus(Files())


def _short(text: str | None) -> str | None:
    return None if text is None else clean_line(text, MAX_NAME_CHARS)


def _no_model(state: ConnectionState) -> NoModel:
    """Why there is no model to name."""
    if state.choice.problem is not None:
        return "no model chosen"
    is_told = any(model.is_loaded is not None for model in state.models)
    return "no model loaded" if is_told or not state.is_connected else "model not known"


def _quantisation(model: ModelInfo) -> str | None:
    """Its data type, marked where only the file name tells it."""
    name = model.quantisation
    return f"~{name}" if name and model.is_quantisation_guessed else name


def _context(model: ModelInfo) -> str | None:
    """Its context as it is spoken of: 16k; marked where only the file name tells it."""
    tokens = model.context_tokens
    if tokens is None:
        return None
    mark = "~" if model.is_context_guessed else ""
    return f"{mark}{tokens // 1024}k" if tokens % 1024 == 0 else f"{mark}{tokens}"
