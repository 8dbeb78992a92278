"""Answers that are being written by any npulse of this user, as the database tells of them."""

from __future__ import annotations

import sqlite3
import time

from tui.core.text.sanitize import clean_line
from tui.core.types import Phase
from tui.history import writing
from tui.history.answer_tail import AnswerTail
from tui.history.records import Origin, Place, RunningAnswer
from tui.history.turn_json import decode_origin
from tui.history.writer_process import WriterProcess

MAX_PROMPT_CHARS = 200

_RUNNING = """
SELECT t.id, t.conversation, t.created_ms, o.json, w.pid, w.started_ticks, w.boot_id, w.command,
    d.turn IS NOT NULL, l.t0_ns, l.wait, l.stop_wanted_ms IS NOT NULL
FROM turns AS t JOIN writers AS w ON w.id = t.writer LEFT JOIN live AS l ON l.turn = t.id
    LEFT JOIN detached AS d ON d.turn = t.id LEFT JOIN origins AS o ON o.id = t.origin
WHERE t.writer IS NOT NULL AND t.status = 'running'
"""


def running(connection: sqlite3.Connection) -> list[RunningAnswer]:
    """Those that are not over, oldest first. Where ``is_alive`` is false the process was killed,
    and nobody has ended the answer in the database yet.

    Raises sqlite3.Error, and ValueError where what is stored is damaged.
    """
    rows = connection.execute(f"{_RUNNING} ORDER BY t.id").fetchall()
    return [_running(connection, *row) for row in rows]


def unseen(connection: sqlite3.Connection) -> list[int]:
    """Answers that went on without a terminal and whose end no dashboard has shown, oldest first:
    those that are over, and those that still run. Raises sqlite3.Error."""
    rows = connection.execute("SELECT turn FROM detached ORDER BY turn").fetchall()
    return [int(turn) for (turn,) in rows]


def _running(
    connection: sqlite3.Connection,
    answer: int,
    conversation: int,
    created_ms: int,
    origin: str | None,
    pid: int,
    started_ticks: int,
    boot_id: str,
    command: str | None,
    is_detached: int,
    t0_ns: int | None,
    wait: str | None,
    is_stop_wanted: int,
) -> RunningAnswer:
    tail = AnswerTail(connection, answer)
    tail.read(connection)
    now_ns = time.perf_counter_ns()
    stats = tail.turn.stats(now_ns)
    is_alive = WriterProcess(pid, started_ticks, boot_id).is_alive
    since_ms = created_ms
    if is_alive and t0_ns is not None:
        # The clock of the machine may have been set meanwhile: this one was not.
        since_ms = (time.time_ns() - (now_ns - t0_ns)) // 1_000_000
    place: Place = "unknown"
    if command in ("dashboard", "ask"):
        place = "ask" if command == "ask" else "dashboard"
    return RunningAnswer(
        turn=answer,
        conversation=conversation,
        pid=pid,
        place="detached" if is_detached else place,
        is_alive=is_alive,
        since_ms=since_ms,
        phase=tail.turn.phase,
        wait=None if wait is None or tail.turn.phase is not Phase.WAITING else clean_line(wait),
        origin=decode_origin(origin) or Origin(""),
        prompt=clean_line("" if tail.prompt is None else tail.prompt.text, MAX_PROMPT_CHARS),
        tokens=stats.tokens,
        decode_tps=stats.decode_tps,
        is_stop_wanted=bool(is_stop_wanted),
    )


def want_stop(connection: sqlite3.Connection, answer: int) -> bool:
    """Asks the process that writes an answer to stop it. False where it is over. Raises
    sqlite3.Error."""
    return writing.want_stop(connection, answer, time.time_ns() // 1_000_000)
