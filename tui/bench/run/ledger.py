"""Where a running benchmark writes things down: the journal on disk and the queue of events."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from time import perf_counter_ns

from tui.bench.model.events import Event, Finished, Noted, Progressed
from tui.bench.run.recorded import RecordedTurn
from tui.bench.store import journal
from tui.core.turn.think import Reclassified

LINE_EVERY_NS = 500_000_000


class Ledger:
    """Collects events for whoever watches, and lines for the journal once there is one."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[Event] = asyncio.Queue()
        self._early: list[journal.Line] = []
        self.journal: journal.Journal | None = None
        self._line_ns = 0
        self._text: list[str] = []
        self._thinking: list[str] = []

    # -- events --------------------------------------------------------------------------------

    def emit(self, event: Event) -> None:
        self._queue.put_nowait(event)

    async def events(self) -> AsyncIterator[Event]:
        """Every event up to and with :class:`Finished`."""
        while True:
            event = await self._queue.get()
            yield event
            if isinstance(event, Finished):
                return

    def note(self, sentence: str) -> None:
        """Something worth a line, on the screen and in the journal."""
        self.emit(Noted(sentence=sentence))
        self.write(journal.Note(t_ns=perf_counter_ns(), text=sentence))

    # -- journal -------------------------------------------------------------------------------

    def open(self, path: Path) -> None:
        """Opens the journal; lines that were written before come first. Raises JournalError."""
        self.journal = journal.Journal(path)
        for line in self._early:
            self.journal.add(line)
        self._early.clear()

    def write(self, line: journal.Line, *, first: bool = False) -> None:
        """A line for the next flush. ``first``: before everything that waits for the journal."""
        if self.journal is not None:
            self.journal.add(line)
        elif first:
            self._early.insert(0, line)
        else:
            self._early.append(line)

    async def flush(self, *, sync: bool = False) -> None:
        """Writes to disk in a worker thread. Raises JournalError."""
        if self.journal is not None:
            await asyncio.to_thread(self.journal.flush, sync=sync)

    def close(self) -> None:
        if self.journal is not None:
            self.journal.close()

    # -- the answer in flight ------------------------------------------------------------------

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
        is_kept: bool = True,
        is_last: bool = False,
    ) -> None:
        """What is new of an answer: an event now, a journal line about twice a second."""
        now_ns = perf_counter_ns()
        text: list[str] = []
        thinking: list[str] = []
        for segment in turn.take_pending():
            if isinstance(segment, Reclassified):
                continue
            (thinking if segment.kind == "thinking" else text).append(segment.text)
        self._text += text
        self._thinking += thinking
        self.emit(_progress(turn, key, now_ns, idle_limit_s, "".join(text), "".join(thinking)))
        if not is_kept or (now_ns - self._line_ns < LINE_EVERY_NS and not is_last):
            return
        self._line_ns = now_ns
        stamps = turn.take_stamps()
        if stamps or self._text or self._thinking:
            self.write(
                journal.Tokens(
                    id=key[0],
                    rep=key[1],
                    t_ns=stamps,
                    text="".join(self._text),
                    thinking="".join(self._thinking),
                )
            )
        self._text.clear()
        self._thinking.clear()


def _progress(
    turn: RecordedTurn,
    key: tuple[str, int],
    now_ns: int,
    idle_limit_s: float,
    text: str,
    thinking: str,
) -> Progressed:
    stats = turn.stats(now_ns)
    stamps = turn.stamps_ns
    since_ns = stamps[-1] if stamps else turn.t0_ns
    return Progressed(
        id=key[0],
        rep=key[1],
        phase=stats.phase.value,
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
        text=text,
        thinking=thinking,
    )
