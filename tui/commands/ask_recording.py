"""``npulse ask --record``: records the answer and board samples into a file."""

from __future__ import annotations

import argparse
import time

from tui.commands.ask_board import Take
from tui.commands.parser import complain
from tui.core.turn.chunk_log import ChunkMeaning
from tui.core.turn.turn import Turn
from tui.core.types import ChatRequest, ModelInfo
from tui.recording.recorder import RecordingSession, request_line
from tui.recording.told_turn import ToldTurn
from tui.servers.connection_state import Server
from tui.settings.recording_options import recording_options, recording_session


class AnswerRecording:
    """Records the answer of this command, or does nothing without ``--record``."""

    def __init__(self, session: RecordingSession | None) -> None:
        self._session = session

    @classmethod
    def of(cls, options: argparse.Namespace) -> AnswerRecording:
        """The recording that the options ask for. Raises ValueError with one sentence."""
        wanted = recording_options(options)
        return cls(None if wanted is None else recording_session(wanted, _tell))

    @property
    def takers(self) -> tuple[Take, ...]:
        """Callbacks for board samples; none without a recording."""
        return () if self._session is None else (self._session.on_snapshot,)

    def new_turn(
        self,
        request: ChatRequest,
        t0_ns: int,
        chunk_meaning: ChunkMeaning = "token",
        context_tokens: int | None = None,
    ) -> Turn:
        """A new turn; with a recording, one that can be recorded."""
        kind = Turn if self._session is None else ToldTurn
        return kind(request, t0_ns, chunk_meaning, context_tokens)

    def begin(self, turn: Turn, server: Server, model: ModelInfo | None) -> None:
        """Begins to record, before the request is sent."""
        if self._session is None or not isinstance(turn, ToldTurn):
            return
        request = request_line(
            turn,
            time_s=time.time(),
            server=server.label,
            dialect=server.dialect.name,
            about=model,
            context_tokens=None if model is None else model.context_tokens,
            is_simulated=server.is_simulated,
        )
        self._session.begin(turn, request)

    def renew(self, turn: Turn) -> None:
        """Updates the answer's numbers."""
        if self._session is not None:
            self._session.renew(turn)

    def close(self) -> None:
        """Writes the end."""
        if self._session is not None:
            self._session.close()


def _tell(problem: str) -> None:
    complain("npulse ask", problem)
