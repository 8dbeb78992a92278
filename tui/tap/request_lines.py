"""Prints one line per finished request, as text or JSON."""

from __future__ import annotations

import json
import time
from collections import deque
from contextlib import suppress
from dataclasses import asdict
from threading import Condition, Thread

from tui.core.text import format as fmt
from tui.history.request_records import ClientRequest

MAX_LINES = 10_000
"""Lines kept while stdout is slow. Further ones are dropped, which a line reports."""
_WIDTHS = (8, 12, 20, 19, 12, 11, 8)
"""Widths of the columns time, client, model, tokens, TTFT, rate and duration. A longer text moves
the next columns."""


def json_of(request: ClientRequest) -> dict[str, object]:
    """One request as an object of ``npulse tap --json``."""
    found = asdict(request)
    if request.prompt is None and request.answer is None:
        del found["prompt"], found["answer"]
    numbers = found.pop("numbers")
    for name in ("prefill_ms", "prefill_tps", "prefill_source", "itl_ms", "latency_ms", "chunks",
                 "clock", "finish", "bytes_in", "bytes_out", "operation",
                 "chunk_gaps"):  # fmt: skip
        found[name] = numbers.get(name)
    return found


def line_of(request: ClientRequest) -> str:
    """One request as text: time, client, model, token counts, TTFT, rate, duration and status."""
    clock = time.strftime("%H:%M:%S", time.localtime((request.ended_ms or 0) / 1000))
    ttft = (
        "–"
        if request.ttft_ms is None
        else fmt.marked(fmt.milliseconds(request.ttft_ms), request.ttft_source)
    )
    rate = fmt.marked(fmt.rate(request.decode_tps), request.decode_source)
    took = None if request.ended_ms is None else (request.ended_ms - request.started_ms) / 1e3
    tokens_in = _count(request.tokens_in, request.tokens_in_source)
    told = f"{tokens_in} → {_count(request.tokens_out, request.tokens_out_source)} tokens"
    speeds = [f"TTFT {ttft}", f"{rate} tok/s"]
    if request.status == "unread":
        told, speeds = f"{request.numbers.get('bytes_out') or 0} bytes", ["", ""]
    elif request.is_embedding:
        told, speeds = f"{tokens_in} tokens embedded", ["", ""]
    who = [clock, request.client.label, request.origin.model or request.path or "–"]
    words = [*who, told, *speeds, fmt.seconds(took)]
    words = [word.ljust(width) for word, width in zip(words, _WIDTHS, strict=True)]
    if request.queue_ms is not None:
        queue = fmt.marked(fmt.milliseconds(request.queue_ms), request.queue_source)
        words.append(f"queue {queue}")
    words.append(request.status if request.note is None else f"{request.status}: {request.note}")
    return "  ".join(words)


def _count(number: int | None, source: str) -> str:
    if number is None:
        return "–"
    return f"{'' if source in ('runtime', 'measured', 'tokenizer') else '~'}{number}"


class LineWriter:
    """Writes lines to stdout in a thread, so that a slow reader does not delay the caller. Stops
    when stdout is closed.
    """

    def __init__(self, *, is_json: bool) -> None:
        self._is_json = is_json
        self._lines: deque[str] = deque()
        self._n_left_out = 0
        self._condition = Condition()
        self._is_over = False
        self._thread = Thread(target=self._run, name="npulse-tap-lines", daemon=True)
        self._thread.start()

    def add(self, request: ClientRequest) -> None:
        """Adds a finished request."""
        if self._is_json:
            text = json.dumps(json_of(request), ensure_ascii=False, separators=(",", ":"))
        else:
            text = line_of(request)
        with self._condition:
            if len(self._lines) >= MAX_LINES:
                self._n_left_out += 1
                return
            self._lines.append(text)
            self._condition.notify()

    def close(self, timeout_s: float = 2.0) -> None:
        """Writes the remaining lines, for at most ``timeout_s`` seconds."""
        with self._condition:
            self._is_over = True
            self._condition.notify()
        self._thread.join(timeout_s)

    def _run(self) -> None:
        with suppress(OSError, ValueError):
            while True:
                with self._condition:
                    while not self._lines and not self._is_over:
                        self._condition.wait()
                    if not self._lines:
                        return
                    text = self._lines.popleft()
                    left_out, self._n_left_out = self._n_left_out, 0
                if left_out and not self._is_json:
                    text = f"{left_out} lines were left out: stdout was too slow\n{text}"
                print(text, flush=True)
