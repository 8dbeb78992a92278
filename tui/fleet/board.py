"""The board's side of a run on many boards: measures one request at a time with ``tui/bench/run``.

Nothing here uses Dask: the owner of a :class:`Board` calls its methods and receives its messages.
An answer is saved to disk before it is sent, so a lost connection loses no answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from time import perf_counter_ns

import msgspec

from tui.bench.model.events import (
    Event,
    RequestEnded,
    RequestStarted,
    StageChanged,
    from_json,
    to_json,
)
from tui.bench.model.options import Options
from tui.bench.model.suite import Suite
from tui.bench.run import connect
from tui.bench.run.board_link import BoardLink
from tui.bench.run.connect import SetupError
from tui.bench.run.forecast import Speed
from tui.bench.run.preparation import prepared, sample_forever, waiting
from tui.bench.run.request_loop import RequestLoop
from tui.bench.run.run_context import RunContext
from tui.bench.store.controls import Controls
from tui.bench.store.runs import Lock, RunError, lock_holder, utc_now
from tui.core.text.sanitize import clean_line
from tui.fleet.board_ledger import BoardLedger
from tui.fleet.kept_answers import KeptAnswers
from tui.fleet.messages import Ask, Message, Ready, RunOrder

LOCK_LOOK_S = 0.5
IDLE_S = 60.0
"""Seconds without a request after which the board is released: its run may have crashed."""

WAITS = ("queue", "cool-down")
"""Stages sent to the run: the board waits for another run, or cools down."""

Tell = Callable[[str, Message], None]
"""Sends a message to a run: called with (run id, message)."""


class Board:
    """``own``: the options of this machine (server, folder, root). ``tell`` sends a message to a
    run."""

    def __init__(self, name: str, own: Options, tell: Tell) -> None:
        self.name = name
        self.kept = KeptAnswers(own.folder)
        self._own = own
        self._tell = tell
        self._work: _Work | None = None
        self._order: RunOrder | None = None
        self._turn = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()
        self._idle: asyncio.TimerHandle | None = None

    @property
    def is_busy(self) -> bool:
        """Whether an order is being executed."""
        return bool(self._tasks)

    async def serve(self, order: RunOrder) -> None:
        """Prepares for a run: sends the run's kept answers, then "ready" or "refused"."""
        await self._shielded(self._serve(order))

    async def ask(self, ask: Ask) -> None:
        """Sends one request to the server, keeps its answer on disk and sends it to the run."""
        await self._shielded(self._ask(ask))

    async def end(self, run_id: str, *, is_abort: bool) -> None:
        """Ends work on this run; ``is_abort`` also cancels the request in progress."""
        if self._order is None or self._order.run_id != run_id:
            return
        self._order = None
        if self._work is not None and is_abort:
            self._work.controls.abort()
        await self._shielded(self._let_go())

    async def finish(self) -> None:
        """Waits for the order in progress (its answer is kept on disk), then releases the board."""
        self._order = None
        while self._tasks:
            await asyncio.wait(self._tasks)
        await self._let_go()

    async def leave(self) -> None:
        """Cancels the order in progress and releases the board."""
        self._order = None
        if self._work is not None:
            self._work.controls.abort()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=5.0)
        for task in self._tasks:
            task.cancel()
        await self._let_go()

    async def _shielded(self, work: Coroutine[None, None, None]) -> None:
        """Continues the work even when the caller is cancelled, as on a lost connection."""
        await asyncio.shield(self._begin(work))

    def _begin(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    # -- orders ----------------------------------------------------------------------------------

    async def _serve(self, order: RunOrder) -> None:
        self._order = order
        async with self._turn:
            for lines in await asyncio.to_thread(self.kept.all_of, order.run_id):
                self._tell(order.run_id, Message(
                    kind="answered", board=self.name, key=_key_of(lines), events=lines.decode()
                ))  # fmt: skip
            await self._close()
            await self._open(order)

    async def _open(self, order: RunOrder) -> bool:
        """Whether the board can take requests now. If not, "refused" has been sent with the
        reason."""
        work = _Work(order, self._own, lambda event: self._heard(order.run_id, event))
        self._work = work
        try:
            ready = await work.open(lambda: self._order is not order)
        except (SetupError, RunError) as error:
            await self._close()
            refused = Message(kind="refused", board=self.name, sentence=clean_line(str(error), 400))
            self._tell(order.run_id, refused)
            return False
        self._rest()
        self._tell(
            order.run_id,
            Message(kind="ready", board=self.name, ready=ready, events=work.ledger.take().decode()),
        )
        return True

    async def _ask(self, ask: Ask) -> None:
        async with self._turn:
            order = self._order
            if order is None or order.run_id != ask.run_id:
                return
            if self._work is None and not await self._open(order):
                return
            work = self._work
            assert work is not None
            self._rest(is_working=True)
            ended = await work.ask(ask)
            lines = work.ledger.take()
            with suppress(OSError):
                await asyncio.to_thread(self.kept.keep, ask.run_id, ask.task.key, lines)
            is_broken = ended in ("drain", "unreachable") or work.is_broken(lines)
            self._tell(
                ask.run_id,
                Message(
                    kind="broken" if is_broken else "answered",
                    board=self.name,
                    key=ask.task.key,
                    events=lines.decode(),
                ),
            )
            self._rest()

    async def _let_go(self) -> None:
        async with self._turn:
            await self._close()

    async def _close(self) -> None:
        if self._idle is not None:
            self._idle.cancel()
        work, self._work = self._work, None
        if work is not None:
            await work.close()

    def _rest(self, *, is_working: bool = False) -> None:
        """Starts the idle timer; with ``is_working`` only stops it."""
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None
        if not is_working:
            loop = asyncio.get_running_loop()
            self._idle = loop.call_later(IDLE_S, lambda: self._begin(self._let_go()))

    # -- messages --------------------------------------------------------------------------------

    def _heard(self, run_id: str, event: Event) -> None:
        if isinstance(event, RequestStarted):
            line = to_json(event, is_ascii=False).decode() + "\n"
            key = (event.id, event.rep)
            self._tell(run_id, Message(kind="began", board=self.name, key=key, events=line))
        elif isinstance(event, StageChanged) and event.stage in WAITS and event.sentence:
            self._tell(run_id, Message(kind="waiting", board=self.name, sentence=event.sentence))


def events_in(lines: str) -> list[Event]:
    """The events of these journal lines; a damaged line is left out."""
    found = (from_json(line) for line in lines.encode("utf-8", "replace").split(b"\n") if line)
    return [event for event in found if event is not None]


def _key_of(lines: bytes) -> tuple[str, int] | None:
    """The key of the last request that ends in these lines; None without one."""
    ended = [e for e in events_in(lines.decode("utf-8", "replace")) if isinstance(e, RequestEnded)]
    return ended[-1].request.key if ended else None


class _Work:
    """The state of one run on this board, from taking the folder's lock to the last request."""

    def __init__(self, order: RunOrder, own: Options, on_event: Callable[[Event], None]) -> None:
        self.controls = Controls()
        self.ledger = BoardLedger(on_event)
        self._order = order
        self._options = order.choices.over(own)
        self._lock = Lock(own.folder)
        self._board: BoardLink | None = None
        self._client_close: Callable[[], Coroutine[None, None, None]] | None = None
        self._loop: RequestLoop | None = None
        self._sampling: asyncio.Task[None] | None = None

    async def open(self, is_over: Callable[[], bool]) -> Ready:
        """Does everything before the first request; the result describes the board. Raises
        SetupError, RunError."""
        await self._take_lock(is_over)
        suite, options = self._order.suite, self._options
        connected = await connect.connect(options, waiting(self.ledger))
        self._client_close = connected.client.aclose
        board = BoardLink(connected.server, options.root, reads_board=options.reads_board)
        self._board = board
        found = await prepared(connected, suite, options, board, self.ledger)
        self._client_close = found.connected.client.aclose
        context = RunContext(
            suite=suite,
            options=options,
            seed=options.seed,
            controls=self.controls,
            ledger=self.ledger,
            connected=found.connected,
            board=board,
            settings=found.settings,
            speed=Speed(found.model.size),
            history={},
            cool_limit_c=found.cool_limit_c,
            segment=0,
            env=found.env,
            model=found.model,
            config=found.config,
            model_path=found.model_path,
            is_one_of_many=True,
        )
        self._loop = RequestLoop(context)
        began_ns, began_utc = perf_counter_ns(), utc_now()

        async def nothing() -> None:
            return None

        self._sampling = asyncio.create_task(sample_forever(board, options, self.ledger, nothing))
        ended = await self._loop.warm_up([self._order.warm_up])
        if ended is not None:
            raise SetupError("refused", self._loop.sentence or "The run ended before this board.")
        return Ready(
            t_ns=began_ns,
            started_utc=began_utc,
            server=found.connected.server.label,
            model=context.model,
            env=context.env,
            config=context.config,
            is_simulated=found.is_simulated,
            problem=found.problem,
        )

    async def _take_lock(self, is_over: Callable[[], bool]) -> None:
        """Takes the lock of the runs folder, as only one run may measure at a time. Waits while
        another run of this machine holds it. Raises RunError."""
        told, free_looks = "", 0
        while True:
            try:
                self._lock.take(f"{self._order.suite.id} for {clean_line(self._order.who, 40)}")
                return
            except RunError:
                holder = lock_holder(self._options.folder)
                free_looks += holder is None
                if free_looks > 3:
                    # No run holds it, so this file system cannot lock.
                    raise
            if is_over():
                raise RunError("the run was over before this board was free")
            if holder is not None and holder.name != told:
                told = holder.name
                sentence = f"Waiting for another benchmark of this board: {told}."
                self.ledger.show(StageChanged(stage="queue", sentence=sentence))
            await asyncio.sleep(LOCK_LOOK_S)

    async def ask(self, ask: Ask) -> str | None:
        """Sends one request; its journal lines are in the ledger. Returns why the run has to end,
        or None."""
        assert self._loop is not None
        self.ledger.begin_block()
        await self._loop.cool(ask.task)
        return await self._loop.one(ask.task, ask.number, ask.planned)

    def is_broken(self, lines: bytes) -> bool:
        """Whether the connection to the server was lost during the request in these lines: the
        answer was cut off, or the request failed before the response's headers."""
        for event in events_in(lines.decode("utf-8", "replace")):
            if isinstance(event, RequestEnded):
                request = event.request
                has_no_head = request.status == "error_http" and request.t.th_ns is None
                return request.status == "truncated" or has_no_head
        return False

    async def close(self) -> None:
        """Stops sampling, closes the connection to the server and releases the lock."""
        if self._sampling is not None:
            self._sampling.cancel()
            with suppress(asyncio.CancelledError):
                await self._sampling
        if self._board is not None:
            self._board.close()
        if self._client_close is not None:
            await self._client_close()
        self._lock.release()


def reduced(suite: Suite) -> Suite:
    """The suite with one prompt per distinct sampling settings: enough for a board to record the
    settings that it sends, without the text of every prompt."""
    first = {repr(prompt.sampling): prompt for prompt in reversed(suite.prompts)}
    return msgspec.structs.replace(suite, prompts=tuple(reversed(first.values())))
