"""Output of a run's events: to its journal, and to a queue in its own process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from time import perf_counter_ns

from tui.bench.model.events import Event, Finished, Noted, Progressed, TokensArrived
from tui.bench.run.recorded_turn import RecordedTurn
from tui.bench.store import active_run
from tui.bench.store.journal import Journal, journal_error
from tui.core.screen.footer import PART_WORDS
from tui.core.turn.think import Reclassified

LINE_EVERY_NS = 500_000_000


class Ledger:
    """Writes events to the journal, which other processes follow, and to the queue.

    Before a run has a folder, its journal is a temporary file in the folder of runs. Its events are
    also written to the run's own journal later.
    """

    def __init__(self) -> None:
        self._queue: asyncio.Queue[Event] = asyncio.Queue()
        self._early: list[Event] = []
        self._folder = Path()
        self._first: Path | None = None
        self._is_marked = False
        self._place: tuple[Path, int, str] | None = None
        """What the mark says, or would: the journal, where in it this run begins, the server."""
        self._journal: Journal | None = None
        self._line_ns = 0
        self._text: list[str] = []
        self._thinking: list[str] = []

    # -- events --------------------------------------------------------------------------------

    def emit(self, event: Event) -> None:
        """Put an event on the queue, and in the journal with the next flush."""
        self.write(event)
        self.show(event)

    def show(self, event: Event) -> None:
        """Put an event only on the queue, as it is for this process alone or already in the
        journal."""
        self._queue.put_nowait(event)

    async def events(self) -> AsyncIterator[Event]:
        """The queue's events up to and including :class:`Finished`."""
        while True:
            event = await self._queue.get()
            yield event
            if isinstance(event, Finished):
                return

    def note(self, sentence: str) -> None:
        """Emit a remark."""
        self.emit(Noted(t_ns=perf_counter_ns(), sentence=sentence))

    # -- journal -------------------------------------------------------------------------------

    def begin(self, folder: Path, *, is_holder: bool = True) -> None:
        """Start the temporary journal, so that the run can be followed.

        The holder of the folder's lock is marked as the active run. A run without the lock is not:
        only the process that started it reads why it ended. Raises JournalError.
        """
        try:
            self._first = active_run.new_journal(folder)
            self._journal = Journal(self._first)
        except OSError as error:
            raise journal_error(error) from error
        self._folder, self._place = folder, (self._first, 0, "")
        if is_holder:
            self.mark()

    def mark(self) -> None:
        """Marks this run as the running benchmark of its folder, whose lock is held by now. Raises
        JournalError."""
        self._is_marked = True
        try:
            if self._place is not None:
                active_run.mark(self._folder, *self._place)
        except OSError as error:
            raise journal_error(error) from error

    def open(self, path: Path, url: str) -> None:
        """Continue in the run's own journal, beginning with the earlier events. Raises
        JournalError."""
        made, before, first = Journal(path), self._journal, self._first
        offset = made.size
        for event in self._early:
            made.add(event)
        self._early.clear()
        self._journal, self._first = made, None
        if before is None or first is None:
            return
        before.close()
        made.flush(sync=True)
        self._place = path, offset, url
        if self._is_marked:
            self.mark()
        try:
            first.unlink(missing_ok=True)
        except OSError as error:
            raise journal_error(error) from error

    def write(self, event: Event) -> None:
        """Put an event in the journal with the next flush, not on the queue."""
        if self._journal is not None:
            self._journal.add(event)
        if self._journal is None or self._first is not None:
            self._early.append(event)

    async def flush(self, *, sync: bool = False) -> None:
        """Write to disk in a worker thread; ``sync`` waits for the disk. Raises JournalError."""
        if self._journal is not None:
            await asyncio.to_thread(self._journal.flush, sync=sync)

    def close(self) -> None:
        if self._journal is not None:
            self._journal.close()

    # -- the running answer --------------------------------------------------------------------

    def begin_answer(self) -> None:
        self._line_ns = perf_counter_ns()
        self._text.clear()
        self._thinking.clear()

    def follow(
        self,
        turn: RecordedTurn,
        key: tuple[str, int],
        idle_limit_s: float,
        *,
        is_warmup: bool = False,
        is_last: bool = False,
    ) -> None:
        """Emit the answer's figures at each call, and its new chunks about twice a second."""
        now_ns = perf_counter_ns()
        for segment in turn.take_pending():
            if not isinstance(segment, Reclassified):
                parts = self._thinking if segment.kind == "thinking" else self._text
                parts.append(segment.text)
        progress = _progress(turn, key, now_ns, idle_limit_s)
        self.show(progress)
        if now_ns - self._line_ns < LINE_EVERY_NS and not is_last:
            return
        self._line_ns = now_ns
        self.write(progress)
        stamps = turn.take_stamps()
        if stamps or self._text or self._thinking:
            self.emit(
                TokensArrived(
                    id=key[0],
                    rep=key[1],
                    t_ns=stamps,
                    text="".join(self._text),
                    thinking="".join(self._thinking),
                    is_warmup=is_warmup,
                )
            )
        self._text.clear()
        self._thinking.clear()


def _progress(
    turn: RecordedTurn,
    key: tuple[str, int],
    now_ns: int,
    idle_limit_s: float,
) -> Progressed:
    stats = turn.stats(now_ns)
    stamps = turn.stamps_ns
    since_ns = stamps[-1] if stamps else turn.t0_ns
    return Progressed(
        id=key[0],
        rep=key[1],
        phase=stats.phase.value if turn.wait is None else PART_WORDS["queue"],
        elapsed_s=stats.elapsed_s,
        tokens=stats.tokens,
        tokens_source=stats.tokens_source,
        ttft_ms=stats.ttft_ms,
        rate_now_tps=stats.rate_now_tps,
        rate_tps=stats.decode_tps,
        itl_p50_ms=stats.itl_p50_ms,
        itl_p99_ms=stats.itl_p99_ms,
        idle_s=max(0, now_ns - since_ns) / 1e9,
        idle_limit_s=idle_limit_s,
        context_used=stats.context_used,
        context_tokens=stats.context_tokens,
    )
