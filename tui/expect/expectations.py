"""Expectations for an answer from earlier answers of the model, read when the first answer begins.

The history is read in a worker thread at the first prompt to a model, never at the start. Answers
of this process are added in memory, also without a history.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from tui.core.expect.outlook import Knowledge, NpuSeen, Outlook, outlook
from tui.core.turn.model_key import ModelKey, host_of

if TYPE_CHECKING:
    from tui.core.board.reading import Snapshot
    from tui.core.expect.decay import Decay
    from tui.core.expect.past_answer import Conditions, PastAnswer
    from tui.core.turn.turn import Turn
    from tui.core.turn.turn_stats import TurnStats
    from tui.expect.answer_watch import AnswerWatch
    from tui.servers.connection_state import Server

LOOK_S = 0.1
"""Seconds between two checks of a running answer."""
SOON_S = 0.03
"""Seconds between two checks while a stop is planned."""
NOTHING_KNOWN = Knowledge()


class Expectations:
    """Watches answers in the network's event loop; the results may be read from any thread.

    ``history`` returns the history's file, None without one. ``stops_loops``: whether an answer
    that repeats itself is stopped.
    """

    def __init__(
        self,
        history: Callable[[], Path | None] = lambda: None,
        *,
        stops_loops: bool = False,
    ) -> None:
        self._history = history
        self.stops_loops = stops_loops
        """Whether answers that begin from now on are stopped if they repeat themselves."""
        self._past: dict[ModelKey, list[PastAnswer]] = {}
        self._known: tuple[Turn | None, Knowledge] = (None, NOTHING_KNOWN)
        self._watch: AnswerWatch | None = None

    def known(self, turn: Turn) -> Knowledge:
        """Expectations for this answer; none until earlier answers are read."""
        about, knowledge = self._known
        return knowledge if about is turn else NOTHING_KNOWN

    def watch(self, turn: Turn) -> AnswerWatch | None:
        """The watch of the running or last answer; None before the first."""
        watch = self._watch
        return watch if watch is not None and watch.turn is turn else None

    def outlook(self, turn: Turn, stats: TurnStats, npu: NpuSeen, now_ns: int) -> Outlook:
        """Forecast for this running answer. ``stats``: its figures at ``now_ns``. ``npu``: the
        NPU's activity since the request.
        """
        view = outlook(
            stats,
            self.known(turn),
            npu,
            t0_ns=turn.t0_ns,
            now_ns=now_ns,
            is_first=not turn.request.is_follow_up,
        )
        watch = self.watch(turn)
        if watch is None:
            return view
        planned = () if watch.plan is None else (watch.plan.words(stats.tokens),)
        return replace(view, warnings=watch.warnings, notes=(*planned, *watch.notes))

    def stop_later(self, turn: Turn, tokens: int | None, now_ns: int) -> str | None:
        """Plan the stop of this answer; see :meth:`tui.core.screen.chat.Chat.stop_later`."""
        watch = self.watch(turn)
        if watch is None:
            return None
        plan, so_far = watch.plan, turn.stats(now_ns).tokens
        from tui.core.turn.stop_plan import StopPlan

        if tokens is None:
            watch.plan = StopPlan() if plan is None else None
        else:
            begin = so_far if plan is None or plan.at_tokens is None else plan.at_tokens
            watch.plan = StopPlan(begin + tokens)
        return "planned stop cancelled" if watch.plan is None else watch.plan.words(so_far)

    def on_snapshot(self, turn: Turn, snapshot: Snapshot, others: str | None) -> None:
        """Takes a board sample during this answer. ``others``: name of another program that uses
        the CPU."""
        watch = self.watch(turn)
        if watch is not None:
            watch.on_snapshot(snapshot)
            watch.others = watch.others or others

    async def follow(
        self,
        turn: Turn,
        server: Server,
        stop: Callable[[], object] = lambda: None,
        on_decay: Callable[[], object] = lambda: None,
    ) -> None:
        """Reads earlier answers of the model, watches this one, and adds it to them at its end.

        ``stop`` is called if the answer has to stop, as planned or for a repetition; ``on_decay``
        after its end if it was slower than usual.
        """
        from tui.expect.answer_watch import AnswerWatch

        self._watch = watch = AnswerWatch(turn, stops_loops=self.stops_loops)
        while not turn.model and not turn.phase.is_over:  # noqa: ASYNC110 - a turn has no event
            await asyncio.sleep(LOOK_S)
        key = key_for(turn, server)
        if key not in self._past:
            self._past[key] = await asyncio.to_thread(self._read, key)
        past = self._past[key]
        self._known = turn, await asyncio.to_thread(knowledge_of, past, turn)
        knowledge = self.known(turn)
        while not turn.phase.is_over:
            watch.look(time.perf_counter_ns(), knowledge)
            if watch.stop_reason is not None:
                stop()
                break
            await asyncio.sleep(LOOK_S if watch.plan is None else SOON_S)
        answer, decay = await asyncio.to_thread(judge, past, watch, time.time_ns() // 1_000_000)
        past.append(answer)
        if decay is not None:
            watch.decay = decay.sentence
            on_decay()

    def _read(self, key: ModelKey) -> list[PastAnswer]:
        """Earlier answers from the history; none if it cannot be read, which its writer reports."""
        path = self._history()
        if path is None or not path.exists():
            return []
        from tui.history.database import reading_from
        from tui.history.failures import HistoryError
        from tui.history.past_answers import past_answers

        try:
            with reading_from(path) as connection:
                return past_answers(connection, key)
        except HistoryError:
            return []


def key_for(turn: Turn, server: Server) -> ModelKey:
    """The key of the answering model: name, host, and whether it is simulated."""
    return ModelKey(turn.model, host_of(server.url), server.is_simulated)


def knowledge_of(past: list[PastAnswer], turn: Turn) -> Knowledge:
    """Expected prefill time, decode rate and length of the answer to this prompt."""
    from tui.core.expect.decode import fit_decode, usual_lengths
    from tui.core.expect.prefill import fit_prefill

    prefill, decode = fit_prefill(past), fit_decode(past)
    size = turn.stats(time.perf_counter_ns()).prompt_estimate
    is_thinking = turn.request.settings.is_thinking
    return Knowledge(prefill, decode, usual_lengths(past, size, is_thinking=is_thinking))


def judge(
    past: list[PastAnswer], watch: AnswerWatch, now_ms: int
) -> tuple[PastAnswer, Decay | None]:
    """The record of the finished answer, and how it was slower than usual; None if it was not."""
    from tui.core.expect.decay import decay_of

    answer = answer_of(watch.turn, now_ms, watch.conditions)
    return answer, decay_of(past, answer, others=watch.others)


def answer_of(turn: Turn, now_ms: int, conditions: Conditions) -> PastAnswer:
    """Record of a finished answer."""
    from tui.core.expect.past_answer import past_answer
    from tui.core.turn.result import result_of
    from tui.history.turn_json import numbers_of

    now_ns = time.perf_counter_ns()
    numbers = numbers_of(result_of(turn, now_ns, None, has_words=False), turn.stats(now_ns))
    numbers["conditions"] = conditions.to_json_dict()
    return past_answer(
        numbers,
        created_ms=now_ms,
        status=turn.status,
        is_follow_up=turn.request.is_follow_up,
        is_thinking=turn.request.settings.is_thinking,
    )
