"""``npulse ask --record``: the answer in a file, with samples of the board taken meanwhile."""

from __future__ import annotations

import argparse
import threading
import time
from pathlib import Path

from tui.commands.parser import complain
from tui.core.turn.chunk_log import ChunkMeaning
from tui.core.turn.turn import Turn
from tui.core.types import ChatRequest, ModelInfo
from tui.recording.samples import Sample, programs_of
from tui.recording.session import RecordingSession, request_line
from tui.recording.told_turn import ToldTurn
from tui.servers.address import local_port
from tui.servers.connection_state import Server
from tui.settings.config import LoadedConfig
from tui.settings.recording_options import recording_options, recording_session


class AnswerRecording:
    """Records the one answer of this command, or does nothing where that is not wanted."""

    def __init__(self, session: RecordingSession | None, root: Path, interval_s: float) -> None:
        self._session = session
        self._root = root
        self._interval_s = interval_s
        self._is_over = threading.Event()
        self._thread: threading.Thread | None = None

    @classmethod
    def of(cls, options: argparse.Namespace, config: LoadedConfig) -> AnswerRecording:
        """As the options say. Raises ValueError with one sentence."""
        wanted = recording_options(options)
        board = config.settings.board
        session = None if wanted is None else recording_session(wanted, _tell)
        return cls(session, Path(board.root).expanduser(), board.interval_s)

    def new_turn(
        self,
        request: ChatRequest,
        t0_ns: int,
        chunk_meaning: ChunkMeaning = "token",
        context_tokens: int | None = None,
    ) -> Turn:
        """A turn, of the kind that can be recorded where that is wanted."""
        kind = Turn if self._session is None else ToldTurn
        return kind(request, t0_ns, chunk_meaning, context_tokens)

    def begin(self, turn: Turn, server: Server, model: ModelInfo | None) -> None:
        """The request of this turn is sent next."""
        if self._session is None or not isinstance(turn, ToldTurn):
            return
        self._thread = threading.Thread(
            target=self._sample, args=(self._session, local_port(server.url)), daemon=True
        )
        self._thread.start()
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
        """There are better numbers of it."""
        if self._session is not None:
            self._session.renew(turn)

    def close(self) -> None:
        """Writes the end."""
        self._is_over.set()
        if self._thread is not None:
            self._thread.join()
        if self._session is not None:
            self._session.close()

    def _sample(self, session: RecordingSession, port: int | None) -> None:
        """In a thread of its own: the board until the answer is over."""
        from tui.board.sampler import Sampler

        sampler = Sampler(self._root, interval_s=self._interval_s)
        sampler.watch_server(port)
        try:
            while True:
                snapshot = sampler.sample()
                session.on_snapshot(Sample(snapshot, programs_of(sampler.others())))
                if self._is_over.wait(self._interval_s):
                    return
        finally:
            sampler.close()


def _tell(problem: str) -> None:
    complain("npulse ask", problem)
