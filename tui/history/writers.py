"""Processes that write answers, and recovery of answers that a killed process left running.

Each function is to be called inside :func:`tui.history.database.transaction`, except where it says
that it makes its own. All raise sqlite3.Error.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence

from tui.core.turn.meter import Meter
from tui.core.types import Phase, TurnError
from tui.history.board_samples import pack_samples, unpack_samples
from tui.history.chunk_ends import joined_ends, pack_ends, unpack_ends
from tui.history.database import transaction
from tui.history.records import WriterCommand
from tui.history.token_times import pack_times, unpack_times
from tui.history.writer_process import WriterProcess
from tui.history.writing import FinishedAnswer, finish_answer, new_id

TAP_ENDED = "npulse tap ended while this request ran."


def register_writer(
    connection: sqlite3.Connection, process: WriterProcess, command: WriterCommand | None = None
) -> int:
    """Says that this process writes answers; returns the id that they carry while they run."""
    cursor = connection.execute(
        "INSERT INTO writers (pid, started_ticks, boot_id, command) VALUES (?, ?, ?, ?)",
        (process.pid, process.started_ticks, process.boot_id, command),
    )
    return new_id(cursor)


def is_writer(connection: sqlite3.Connection, writer: int) -> bool:
    """Whether that writer is registered: a transaction that failed has taken it back."""
    found = connection.execute("SELECT 1 FROM writers WHERE id = ?", (writer,)).fetchone()
    return found is not None


def leave(connection: sqlite3.Connection, writer: int) -> None:
    """This process writes no more. An answer that it leaves running stays with it, for whoever
    finds it dead."""
    connection.execute(
        "DELETE FROM writers WHERE id = ?"
        " AND NOT EXISTS (SELECT 1 FROM turns WHERE writer = writers.id AND status = 'running')"
        " AND NOT EXISTS (SELECT 1 FROM client_requests WHERE writer = writers.id)",
        (writer,),
    )


def dead_writers(connection: sqlite3.Connection) -> list[int]:
    """Writers whose process is gone."""
    rows = connection.execute("SELECT id, pid, started_ticks, boot_id FROM writers").fetchall()
    return [number for number, *who in rows if not WriterProcess(*who).is_alive]


def recover(connection: sqlite3.Connection, writers: Iterable[int]) -> int:
    """Ends the answers and requests that these writers left running, as interrupted.

    Makes a transaction of its own for each. Returns how many answers there were.
    """
    count = 0
    for writer in writers:
        with transaction(connection):
            rows = connection.execute(
                "SELECT id FROM turns WHERE writer = ? AND status = 'running'", (writer,)
            ).fetchall()
            for (answer,) in rows:
                finish_answer(connection, answer, interrupted(connection, answer))
            connection.execute(
                "UPDATE client_requests SET status = 'interrupted', phase = NULL, writer = NULL,"
                " note = ? WHERE writer = ?",
                (TAP_ENDED, writer),
            )
            connection.execute("DELETE FROM writers WHERE id = ?", (writer,))
            count += len(rows)
    return count


def recover_all(connection: sqlite3.Connection) -> int:
    """:func:`recover` for every writer that is gone."""
    return recover(connection, dead_writers(connection))


def interrupted(connection: sqlite3.Connection, answer: int) -> FinishedAnswer:
    """An answer as far as it was stored."""
    pieces = connection.execute(
        "SELECT text, thinking, times, board, ends FROM pieces WHERE turn = ? ORDER BY place",
        (answer,),
    ).fetchall()
    times_ns = [t_ns for piece in pieces for t_ns in unpack_times(piece[2])]
    samples = [sample for piece in pieces for sample in unpack_samples(piece[3])]
    text = "".join(piece[0] for piece in pieces)
    thinking = "".join(piece[1] for piece in pieces).rstrip()
    meter = Meter(0, "unknown")
    n_chars = len(text) + len(thinking)
    for number, t_ns in enumerate(times_ns):
        share = n_chars * (number + 1) // len(times_ns) - n_chars * number // len(times_ns)
        meter.mark(t_ns, "text", share, 1.0)
    stats = meter.stats(times_ns[-1] if times_ns else 0, Phase.ERROR)
    count = len(times_ns)
    numbers: dict[str, object] = {
        "ttft_ms": _rounded(stats.ttft_ms),
        "ttft_source": stats.ttft_source,
        "tokens_out": count,
        "tokens_source": "estimated" if count else "unknown",
        "decode_tps": _rounded(stats.decode_tps),
        "decode_source": "estimated" if stats.decode_tps is not None else "unknown",
        "itl_ms": {
            "p50": _rounded(stats.itl_p50_ms),
            "p90": _rounded(stats.itl_p90_ms),
            "p99": _rounded(stats.itl_p99_ms),
            "max": _rounded(stats.itl_max_ms),
        },
        "chunks": count,
    }
    return FinishedAnswer(
        text=text,
        thinking=thinking,
        status="interrupted" if count else "error",
        error=TurnError("io", interruption(count)),
        tokens=count,
        decode_tps=stats.decode_tps,
        numbers=numbers,
        times=pack_times(0, times_ns),
        board=pack_samples(samples),
        ends=packed_ends([piece[4] for piece in pieces]),
    )


def packed_ends(pieces: Sequence[bytes | None]) -> bytes | None:
    """The ends of several pieces as those of one; None where one of them has none."""
    known = [unpack_ends(piece) for piece in pieces if piece is not None]
    return pack_ends(joined_ends(known)) if len(known) == len(pieces) else None


def interruption(tokens: int) -> str:
    """Sentence about the end of an answer whose npulse was killed."""
    if not tokens:
        return "npulse ended before anything of this answer came."
    when = f"{tokens} tokens" if tokens != 1 else "1 token"
    return f"npulse ended while this answer ran: interrupted after {when}."


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
