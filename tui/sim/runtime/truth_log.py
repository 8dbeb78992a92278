"""The truth log: the simulator's events with their times, one JSON line per event.

``{"t_ns", "event", "request", ...}``; ``t_ns`` is CLOCK_MONOTONIC (``time.perf_counter_ns``) and
``request`` counts from 1. Events and their further fields:

===========  =====================================================================================
request      the last byte of the request has arrived, by the kernel's clock: ``route``, ``id``,
             ``prompt`` (what the model gets), ``prompt_tokens``, ``max_tokens`` (after the
             server's own defaults), ``stream``
prefill_end  the prompt is read: ``prompt_tokens``, ``prefill_tokens`` (fewer when the prefix was
             cached), ``start_ns`` (when the run got the NPU)
token        ``n`` from 1, ``text``; right before it is written to the socket, and ``written_ns``
             right after
trouble      the slow-downs have changed: ``names`` (throttle, clock, background), empty
             if there are none
finish       right before the finish chunk: ``reason`` (stop, max_tokens, context, error, or the
             fault that ended it), ``tokens`` (sent), ``generated`` (with the one that is dropped
             at max_tokens), ``end_ns`` (end of the last step)
disconnect   the client has left; the run may go on
===========  =====================================================================================

Writing must not disturb the schedule. So an event is only put on a queue, and a thread writes the
queue to the file every 0.1 s. At the end of a request, the queue is written before the last bytes
of the answer are sent, so that a client that has seen the end finds all events of the request. The
file is only appended to, in whole lines.
"""

from __future__ import annotations

import json
import os
from collections import deque
from pathlib import Path
from threading import Event, Lock, Thread
from typing import Any

FLUSH_S = 0.1


class TruthLog:
    """Appends events to a file; does nothing if ``path`` is None. Raises OSError if it cannot open
    it."""

    def __init__(self, path: Path | None) -> None:
        self._queue: deque[tuple[int, str, int, dict[str, Any]]] = deque()
        self._lock = Lock()
        self._is_over = Event()
        self._fd: int | None = None
        self._thread: Thread | None = None
        if path is not None:
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
            self._fd = os.open(path, flags, 0o644)
            self._thread = Thread(target=self._write_regularly, name="truth", daemon=True)
            self._thread.start()

    def add(self, t_ns: int, event: str, request: int, **fields: Any) -> None:
        """Queue one event; the thread writes it later."""
        if self._fd is not None:
            self._queue.append((t_ns, event, request, fields))

    def flush(self) -> None:
        """Write the queued events now."""
        if self._fd is None:
            return
        with self._lock:
            lines: list[str] = []
            while self._queue:
                t_ns, event, request, fields = self._queue.popleft()
                entry = {"t_ns": t_ns, "event": event, "request": request, **fields}
                lines.append(json.dumps(entry, ensure_ascii=False, separators=(",", ":")))
            if lines:
                data = memoryview(("\n".join(lines) + "\n").encode("utf-8", "replace"))
                while data:
                    data = data[os.write(self._fd, data) :]

    def close(self) -> None:
        """Write the queued events and close the file."""
        self._is_over.set()
        if self._thread is not None:
            self._thread.join()
        self.flush()
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    def _write_regularly(self) -> None:
        while not self._is_over.wait(FLUSH_S):
            self.flush()
