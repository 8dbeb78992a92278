"""Stores the chat in the history: its conversation, and the place of each answer in it."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tui.core.board.reading import Snapshot
    from tui.core.turn.chunk_log import ChunkMeaning
    from tui.core.turn.last_usage import LastUsage
    from tui.core.turn.turn import Turn
    from tui.core.types import ChatRequest, ModelInfo
    from tui.history.kept_answer import KeptAnswer, KeptConversation
    from tui.history.recorder import Recorder
    from tui.history.resuming import ResumedConversation
    from tui.recording.lines import Program
    from tui.recording.recorder import RecordingSession
    from tui.servers.connection import Connection
    from tui.servers.connection_state import Server

STORE_S = 1.0
"""Longest wait of a request for its prompt to be stored."""


@dataclass(frozen=True, slots=True)
class KeptSoFar:
    """Stored ids of a conversation that was set aside."""

    conversation: KeptConversation | None
    answers: tuple[KeptAnswer | None, ...]
    running: KeptAnswer | None
    dropped: tuple[str, KeptAnswer] | None


class ChatKeeper:
    """Stores changes of a conversation, once it has a recorder.

    ``recording`` gets every answer too, for a file.

    Called in the app's thread, but :meth:`use`. One answer belongs to each exchange of
    :class:`tui.core.turn.conversation.Conversation`, in the same order; those from before there was
    a recorder are None.
    """

    def __init__(self, recording: RecordingSession | None = None) -> None:
        self._recording = recording
        self._recorder: Recorder | None = None
        self._conversation: KeptConversation | None = None
        self._answers: list[KeptAnswer | None] = []
        self._running: KeptAnswer | None = None
        self._last_turns: deque[tuple[Turn, KeptAnswer]] = deque(maxlen=2)
        """Turns whose numbers may still be updated."""
        self._dropped: tuple[str, KeptAnswer] | None = None
        """The prompt that was removed last, with its answer."""

    @property
    def conversation_id(self) -> int | None:
        """The conversation in the database; None where it is not stored yet, or never."""
        return None if self._conversation is None else self._conversation.id

    @property
    def answer_ids(self) -> list[int | None]:
        """The answers of the conversation in the database, oldest first; None is not stored."""
        return [None if kept is None else kept.answer_id for kept in self._answers]

    def answer_id_of(self, turn: Turn) -> int | None:
        """One of the last answers in the database; None is not stored, or older."""
        found = (kept.answer_id for known, kept in self._last_turns if known is turn)
        return next(found, None)

    def leaf_id(self, *, is_open: bool) -> int | None:
        """The last turn of the conversation in the database: of the answer that runs where
        ``is_open``, else of the last exchange. None where there is none, or it is not stored."""
        last = self._running if is_open else self._answers[-1] if self._answers else None
        return None if last is None else last.answer_id

    @property
    def unsaved(self) -> str | None:
        """Why something is not saved, in one sentence; None where everything is, or still will
        be."""
        recorder = self._recorder
        return None if recorder is None or not recorder.is_busy else recorder.problem

    def use(self, recorder: Recorder) -> None:
        """Sets the recorder for prompts from now on. Thread-safe."""
        self._recorder = recorder

    def new_turn(
        self,
        request: ChatRequest,
        t0_ns: int,
        chunk_meaning: ChunkMeaning,
        context_tokens: int | None,
        last_usage: LastUsage | None,
    ) -> Turn:
        """A new turn; one that can be recorded where that is wanted."""
        from tui.core.turn.turn import Turn

        kind = Turn
        if self._recording is not None:
            from tui.recording.told_turn import ToldTurn

            kind = ToldTurn
        return kind(request, t0_ns, chunk_meaning, context_tokens, last_usage)

    def begin(self, turn: Turn, server: Server | None, model: ModelInfo | None) -> Future[bool]:
        """This turn is sent when what is returned is done: then its prompt is stored."""
        recorder = self._recorder
        self._running = None
        if self._recording is not None:
            self._begin_recording(self._recording, turn, server, model)
        if recorder is None or server is None:
            done: Future[bool] = Future()
            done.set_result(False)
            return done
        from tui.history.kept_answer import KeptConversation
        from tui.settings.history_options import origin_of

        if self._conversation is None:
            self._conversation = KeptConversation()
        again_of = None
        if self._dropped is not None and self._dropped[0] == turn.prompt:
            again_of = self._dropped[1]
        kept = recorder.record(
            turn,
            origin_of(server, turn.request.model, model),
            self._conversation,
            after=self._answers[-1] if self._answers else None,
            again_of=again_of,
        )
        self._dropped = None
        self._running = kept
        self._last_turns.append((turn, kept))
        return kept.is_stored

    def _begin_recording(
        self,
        recording: RecordingSession,
        turn: Turn,
        server: Server | None,
        model: ModelInfo | None,
    ) -> None:
        from tui.recording.recorder import request_line
        from tui.recording.told_turn import ToldTurn

        if not isinstance(turn, ToldTurn):
            return
        request = request_line(
            turn,
            time_s=time.time(),
            server="" if server is None else server.label,
            dialect="" if server is None else server.dialect.name,
            about=model,
            context_tokens=None if model is None else model.context_tokens,
            is_simulated=server is not None and server.is_simulated,
        )
        recording.begin(turn, request)

    def commit(self) -> None:
        """Adds the finished turn to the conversation."""
        self._answers.append(self._running)

    def take_back(self, prompt: str) -> None:
        """Removes a prompt that was not sent."""
        if self._running is not None:
            self._dropped = (prompt, self._running)

    def drop_last(self, prompt: str) -> KeptAnswer | None:
        """The last exchange is taken out of the conversation: what is asked next stands beside it,
        as another answer to the same prompt, or as another prompt. Returns it for
        :meth:`put_back`."""
        last = self._answers.pop() if self._answers else None
        self._dropped = None if last is None else (prompt, last)
        return last

    def put_back(self, last: KeptAnswer | None) -> None:
        """Restores the removed exchange."""
        self._answers.append(last)
        self._dropped = None

    @property
    def exchange_ids(self) -> list[tuple[int | None, int | None]]:
        """Turn ids of each prompt and its answer; None where they are not stored."""
        return [
            (None, None) if kept is None else (kept.prompt_id, kept.answer_id)
            for kept in self._answers
        ]

    def clear(self) -> KeptSoFar:
        """Begins a new conversation. Returns the old one, for :meth:`bring_back`."""
        old = KeptSoFar(self._conversation, tuple(self._answers), self._running, self._dropped)
        self._conversation = self._running = self._dropped = None
        self._answers.clear()
        return old

    def bring_back(self, old: KeptSoFar) -> None:
        """Continues the previous conversation."""
        self._conversation, self._dropped = old.conversation, old.dropped
        self._running = old.running
        self._answers[:] = old.answers

    def resume(self, found: ResumedConversation) -> None:
        """A stored conversation goes on; its exchanges are put into the chat by the caller."""
        self.clear()
        self._conversation = found.conversation
        self._answers.extend(found.answers)

    def follow(self, before: ResumedConversation, answer: KeptAnswer) -> None:
        """A stored conversation goes on with an answer that another npulse keeps."""
        self.resume(before)
        self._running = answer

    @property
    def running_id(self) -> int | None:
        """The answer in the database that runs, or ran last; None where it is not stored. From any
        thread."""
        running = self._running
        return None if running is None else running.answer_id

    def is_keeping(self, turn: Turn) -> bool:
        """Whether this turn is kept, or will be once the disk takes it."""
        return any(known is turn for known, _ in list(self._last_turns))

    def renew(self, turn: Turn) -> None:
        """Updates the numbers of a finished turn."""
        for known, kept in self._last_turns:
            if self._recorder is not None and known is turn:
                self._recorder.renew(kept, turn)
        if self._recording is not None:
            self._recording.renew(turn)

    def on_snapshot(self, snapshot: Snapshot, programs: Sequence[Program] = ()) -> None:
        """A sample of the board: kept with the answer that runs. ``programs`` are others that took
        CPU time."""
        if self._recording is not None:
            from tui.recording.samples import Sample

            self._recording.on_snapshot(Sample(snapshot, tuple(programs)))
        if self._recorder is not None:
            self._recorder.on_snapshot(snapshot)

    def close(self) -> None:
        """Stores the end of the running answer. Blocks for a moment."""
        if self._recording is not None:
            self._recording.close()
        if self._recorder is not None:
            self._recorder.close()


async def ask_when_stored(
    connection: Connection,
    turn: Turn,
    stored: Future[bool],
    in_use: Callable[[], str | None],
) -> None:
    """Ask, once the prompt is on the disk or the disk is too slow; not where it was stopped by
    then."""
    if not stored.done():
        await asyncio.wait([asyncio.wrap_future(stored)], timeout=STORE_S)
    if not turn.phase.is_over:
        await connection.ask(turn, in_use)
