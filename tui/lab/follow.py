"""Follows the journals of a run and fills its matrix: finished, running and streaming answers."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

from tui.bench.model.events import (
    Event,
    Forecast,
    Progressed,
    RequestEnded,
    RequestStarted,
    StageChanged,
    TokensArrived,
    from_json,
)
from tui.bench.model.records import NOT_ATTEMPTED
from tui.bench.store import journal
from tui.bench.store.runs import RunError
from tui.lab import plan
from tui.lab.model.matrix import CellKey, LabAnswer, Matrix
from tui.lab.model.records import LabRun


class MatrixFollower:
    """Reads the new events of a lab run's benchmark runs."""

    def __init__(self, run: LabRun, bench: Path) -> None:
        self.run = run
        self._bench = bench
        self._empty = plan.empty_matrix(run.prompt_set)
        self._cells_of = plan.cells_of(run.prompt_set)
        self._cells: dict[CellKey, tuple[LabAnswer, ...]] = {}
        self._tails: dict[str, _Tail] = {}
        self.missing: list[str] = []
        """Benchmark runs whose journal cannot be read."""
        self.is_paused = False
        self.left_s: float | None = None
        """Time left of the present part, in s."""

    def use(self, run: LabRun) -> None:
        """Sets the present record, which may have more benchmark runs."""
        self.run = run

    def look(self) -> bool:
        """Reads new events; returns whether there were any."""
        is_new = False
        for part in self.run.parts:
            if not part.run_id or part.run_id in self.missing:
                continue
            tail = self._tails.setdefault(
                part.run_id, _Tail(self._bench / part.run_id / journal.FILE_NAME)
            )
            try:
                events = tail.read()
            except OSError:
                self.missing.append(part.run_id)
                continue
            for event in events:
                is_new = self.apply(event) or is_new
        return is_new

    def matrix(self, *, is_running: bool) -> Matrix:
        """The present matrix. In a finished run, an unfinished answer counts as skipped."""
        cells = self._cells
        if not is_running:
            cells = {key: tuple(map(_cut_off, answers)) for key, answers in cells.items()}
        return replace(self._empty, cells=dict(cells))

    def apply(self, event: Event) -> bool:
        """Applies one event; returns whether it changed the matrix."""
        if isinstance(event, RequestStarted):
            if event.is_warmup:
                return False
            return self._change(
                (event.id, event.rep),
                lambda old: (
                    old
                    if old.state == "ok"
                    else LabAnswer(event.rep, "running", prompt=event.prompt)
                ),
            )
        if isinstance(event, TokensArrived):
            if event.is_warmup:
                return False
            return self._change(
                (event.id, event.rep),
                lambda old: (
                    old
                    if old.state != "running"
                    else replace(
                        old, text=old.text + event.text, thinking=old.thinking + event.thinking
                    )
                ),
            )
        if isinstance(event, Progressed):
            return self._change((event.id, event.rep), lambda old: _progressed(old, event))
        if isinstance(event, RequestEnded):
            return self._change(event.request.key, lambda old: _ended(old, event))
        if isinstance(event, Forecast):
            self.left_s = event.left_s
            return True
        if isinstance(event, StageChanged):
            was, self.is_paused = self.is_paused, event.stage == "paused"
            return was != self.is_paused
        return False

    def _change(self, key: tuple[str, int], change: Callable[[LabAnswer], LabAnswer]) -> bool:
        cell = self._cells_of.get(key[0])
        if cell is None or not 0 <= key[1] < self._empty.repeats:
            return False
        answers = list(self._cells.get(cell) or self._empty.cell(*cell))
        answers[key[1]] = change(answers[key[1]])
        self._cells[cell] = tuple(answers)
        return True


def _progressed(old: LabAnswer, event: Progressed) -> LabAnswer:
    if old.state != "running":
        return old
    return replace(
        old,
        tokens=event.tokens,
        is_count_estimated=event.tokens_source == "estimated",
        rate_tps=event.rate_now_tps or event.rate_tps,
        ttft_ms=event.ttft_ms,
        latency_ms=event.elapsed_s * 1000,
    )


def _ended(old: LabAnswer, event: RequestEnded) -> LabAnswer:
    request = event.request
    # A later attempt replaces an earlier one, but a skipped request does not replace an answer.
    if old.state in ("ok", "failed") and request.status in NOT_ATTEMPTED:
        return old
    return LabAnswer(
        rep=request.rep,
        state=request.outcome,
        text=event.text or old.text,
        thinking=event.thinking or old.thinking,
        tokens=request.tok.out,
        is_count_estimated=request.tok.source == "estimated",
        rate_tps=request.rate_tps,
        is_rate_estimated=request.is_rate_estimated,
        ttft_ms=request.m.get("ttft_client_ms"),
        latency_ms=request.m.get("latency_ms"),
        prompt=old.prompt,
        request=request,
    )


def _cut_off(answer: LabAnswer) -> LabAnswer:
    return replace(answer, state="skipped") if answer.state == "running" else answer


class _Tail:
    """Reads new complete lines of a journal."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._at = 0
        self._rest = b""

    def read(self) -> Iterable[Event]:
        """The new events. Raises OSError if there is no journal."""
        fd = os.open(self._path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(fd, "rb") as file:
            if self._at > os.fstat(fd).st_size:
                # Resuming a run removes an incomplete last line.
                self._at, self._rest = os.fstat(fd).st_size, b""
            file.seek(self._at)
            data = file.read()
        self._at += len(data)
        *lines, self._rest = (self._rest + data).split(b"\n")
        return [event for line in lines if (event := _read(line)) is not None]


_WANTED = tuple(
    f'{{"type":"{kind}"'.encode()
    for kind in ("began", "tokens", "progressed", "ended", "forecast", "stagechanged")
)


def _read(line: bytes) -> Event | None:
    """Decodes events that change a matrix. Board samples, most of a journal, are skipped."""
    return from_json(line) if line.startswith(_WANTED) else None


def stored_matrix(run: LabRun, bench: Path, *, is_running: bool = False) -> Matrix:
    """The matrix of a run from its journals. Raises RunError if a journal is missing."""
    follower = MatrixFollower(run, bench)
    follower.look()
    if follower.missing:
        said = ", ".join(follower.missing)
        raise RunError(f"the benchmark run {said} is missing, so its answers are as well")
    return follower.matrix(is_running=is_running)
