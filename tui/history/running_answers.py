"""Running answers of all npulse processes of this user, from the database."""

from __future__ import annotations

import time
from collections.abc import Collection
from pathlib import Path

from tui.core.text.sanitize import clean_line
from tui.core.types import Phase
from tui.history import writing
from tui.history.answer_tail import AnswerTail
from tui.history.database import Connection, reading_from
from tui.history.failures import HistoryError
from tui.history.records import Origin, Place, Receiver, RunningAnswer
from tui.history.turn_json import decode_origin
from tui.history.writer_process import WriterProcess, this_process

MAX_PROMPT_CHARS = 200

_RECEIVERS = """
SELECT t.id, t.conversation, w.pid, w.started_ticks, w.boot_id, w.command, d.turn IS NOT NULL,
    l.phase, o.json
FROM turns AS t JOIN writers AS w ON w.id = t.writer LEFT JOIN live AS l ON l.turn = t.id
    LEFT JOIN detached AS d ON d.turn = t.id LEFT JOIN origins AS o ON o.id = t.origin
WHERE t.writer IS NOT NULL AND t.status = 'running' ORDER BY t.id
"""


def receiving(connection: Connection) -> list[Receiver]:
    """The processes whose answers are not over, by the oldest answer. Where ``is_alive`` is false
    the process was killed, and nobody has ended the answer in the database yet. Raises
    sqlite3.Error."""
    return [_receiver(*row) for row in connection.execute(_RECEIVERS).fetchall()]


def running(connection: Connection) -> list[RunningAnswer]:
    """Running answers with all details.

    Raises sqlite3.Error, and ValueError where what is stored is damaged.
    """
    return [_running(connection, receiver) for receiver in receiving(connection)]


def first_in_line(path: Path, urls: Collection[str], own: int | None) -> Receiver | None:
    """Who is answered by the server at one of these addresses before the answer ``own`` of this
    process: one whose prompt the server has, or one that was stored earlier. None where there is
    none, and where the history cannot be read."""
    pid = this_process().pid
    try:
        with reading_from(path) as connection:
            found = receiving(connection)
    except HistoryError:
        return None
    for one in found:
        is_other = one.is_alive and one.pid != pid and one.origin.url in urls
        if is_other and (one.is_sent or own is None or one.turn < own):
            return one
    return None


def unseen(connection: Connection) -> list[int]:
    """Answers that went on without a terminal and whose end no dashboard has shown, oldest first:
    those that are over, and those that still run. Raises sqlite3.Error."""
    rows = connection.execute("SELECT turn FROM detached ORDER BY turn").fetchall()
    return [int(turn) for (turn,) in rows]


def want_stop(connection: Connection, answer: int) -> bool:
    """Asks the process that writes an answer to stop it. False where it is over. Raises
    sqlite3.Error."""
    return writing.want_stop(connection, answer, time.time_ns() // 1_000_000)


def _receiver(
    answer: int,
    conversation: int,
    pid: int,
    started_ticks: int,
    boot_id: str,
    command: str | None,
    is_detached: int,
    phase: str | None,
    origin: str | None,
) -> Receiver:
    place: Place = "unknown"
    if command in ("dashboard", "ask"):
        place = "ask" if command == "ask" else "dashboard"
    return Receiver(
        turn=answer,
        conversation=conversation,
        pid=pid,
        place="detached" if is_detached else place,
        is_alive=WriterProcess(pid, started_ticks, boot_id).is_alive,
        is_sent=phase != Phase.WAITING.value,
        origin=decode_origin(origin) or Origin(""),
    )


def _running(connection: Connection, receiver: Receiver) -> RunningAnswer:
    tail = AnswerTail(connection, receiver.turn)
    tail.read(connection)
    now_ns = time.perf_counter_ns()
    stats = tail.turn.stats(now_ns)
    created_ms, t0_ns, wait, is_stop_wanted = connection.execute(
        "SELECT t.created_ms, l.t0_ns, l.wait, l.stop_wanted_ms IS NOT NULL FROM turns AS t"
        " LEFT JOIN live AS l ON l.turn = t.id WHERE t.id = ?",
        (receiver.turn,),
    ).fetchone()
    since_ms = created_ms
    if receiver.is_alive and t0_ns is not None:
        # The clock of the machine may have been set meanwhile: this one was not.
        since_ms = (time.time_ns() - (now_ns - t0_ns)) // 1_000_000
    return RunningAnswer(
        receiver=receiver,
        since_ms=since_ms,
        phase=tail.turn.phase,
        wait=None if wait is None or tail.turn.phase is not Phase.WAITING else clean_line(wait),
        prompt=clean_line("" if tail.prompt is None else tail.prompt.text, MAX_PROMPT_CHARS),
        tokens=stats.tokens,
        decode_tps=stats.decode_tps,
        is_stop_wanted=bool(is_stop_wanted),
    )
