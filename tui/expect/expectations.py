"""What earlier answers of the model tell about the one that runs, read when the first one does.

The history is read in a worker thread with the first prompt to a model, never at the start; what
this run of npulse adds is kept here, also where no history is.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

from tui.core.expect.decode import DecodeFit, fit_decode, usual_lengths
from tui.core.expect.outlook import Knowledge
from tui.core.expect.past_answer import PastAnswer, past_answer
from tui.core.expect.prefill import PrefillFit, fit_prefill
from tui.core.turn.model_key import ModelKey, host_of
from tui.core.turn.turn import Turn
from tui.servers.connection_state import Server

LOOK_S = 0.1
"""How often it is looked whether a model is known, or an answer over."""
NOTHING_KNOWN = Knowledge()


class Expectations:
    """Follows answers in the network's loop; read from any thread.

    ``history`` gives the file of the history, None where there is none. ``now_ms`` is wall time.
    """

    def __init__(
        self,
        history: Callable[[], Path | None] = lambda: None,
        now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self._history = history
        self._now_ms = now_ms
        self._past: dict[ModelKey, list[PastAnswer]] = {}
        self._known: tuple[Turn | None, Knowledge] = (None, NOTHING_KNOWN)

    def known(self, turn: Turn) -> Knowledge:
        """What is expected of this answer; nothing until the earlier ones are read."""
        about, knowledge = self._known
        return knowledge if about is turn else NOTHING_KNOWN

    async def follow(self, turn: Turn, server: Server) -> None:
        """Find out what is known of the model, and learn from this answer at its end."""
        while not turn.model and not turn.phase.is_over:  # noqa: ASYNC110 - a turn has no event
            await asyncio.sleep(LOOK_S)
        key = key_for(turn, server)
        if key not in self._past:
            self._past[key] = await asyncio.to_thread(self._read, key)
        past = self._past[key]
        self._known = turn, await asyncio.to_thread(knowledge_of, past, turn)
        while not turn.phase.is_over:  # noqa: ASYNC110 - a turn has no event, and no hurry here
            await asyncio.sleep(LOOK_S)
        past.append(await asyncio.to_thread(answer_of, turn, self._now_ms()))

    def _read(self, key: ModelKey) -> list[PastAnswer]:
        """A history that cannot be read tells nothing; that it cannot is said where it is kept."""
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
    """The model that answers, and where."""
    return ModelKey(turn.model, host_of(server.url), server.is_simulated)


def knowledge_of(past: list[PastAnswer], turn: Turn) -> Knowledge:
    """What these tell about that prompt's answer."""
    prefill: PrefillFit | None = fit_prefill(past)
    decode: DecodeFit | None = fit_decode(past)
    size = turn.stats(time.perf_counter_ns()).prompt_estimate
    is_thinking = turn.request.settings.is_thinking
    return Knowledge(prefill, decode, usual_lengths(past, size, is_thinking=is_thinking))


def answer_of(turn: Turn, now_ms: int) -> PastAnswer:
    """One that is over, for the next one."""
    from tui.core.turn.result import result_of
    from tui.history.turn_json import numbers_of

    now_ns = time.perf_counter_ns()
    numbers = numbers_of(result_of(turn, now_ns, None, has_words=False), turn.stats(now_ns))
    return past_answer(
        numbers,
        created_ms=now_ms,
        status=turn.status,
        is_follow_up=turn.request.is_follow_up,
        is_thinking=turn.request.settings.is_thinking,
    )
