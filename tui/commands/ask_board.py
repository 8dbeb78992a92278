"""Samples the board during ``npulse ask``, for the recording and the history."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from tui.recording.samples import Sample, programs_of
from tui.servers.address import local_port
from tui.servers.connection_state import Server

Take = Callable[[Sample], None]


class AskBoard:
    """Samples the board in a thread of its own until the answer is over."""

    def __init__(self, root: Path, interval_s: float) -> None:
        self._root = root
        self._interval_s = interval_s
        self._is_over = threading.Event()
        self._thread: threading.Thread | None = None

    def begin(self, server: Server, always: Sequence[Take], on_board: Sequence[Take]) -> None:
        """Starts sampling before the request is sent. ``always`` gets every sample; ``on_board``
        only where the server runs on this machine and the machine has an NPU.
        """
        port = local_port(server.url)
        if port is None:
            on_board = ()
        if always or on_board:
            self._thread = threading.Thread(
                target=self._sample, args=(port, tuple(always), tuple(on_board)), daemon=True
            )
            self._thread.start()

    def close(self) -> None:
        """No sample comes after this."""
        self._is_over.set()
        if self._thread is not None:
            self._thread.join()

    def _sample(
        self, port: int | None, always: tuple[Take, ...], on_board: tuple[Take, ...]
    ) -> None:
        from tui.board.sampler import Sampler

        sampler = Sampler(self._root, interval_s=self._interval_s)
        sampler.watch_server(port)
        try:
            while True:
                snapshot = sampler.sample()
                if on_board and snapshot.number("npu.freq") is None:
                    on_board = ()
                if not (always or on_board):
                    return
                sample = Sample(snapshot, programs_of(sampler.others()))
                for take in (*always, *on_board):
                    take(sample)
                if self._is_over.wait(self._interval_s):
                    return
        finally:
            sampler.close()
