"""``npulse running``: lists running answers and benchmarks of all npulse processes of this user."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tui.bench.model.events import Event, Progressed, Started, from_json
from tui.bench.store import active_run
from tui.bench.store.folder import boards_folder, default_folder
from tui.bench.store.runs import lock_holder
from tui.commands.exit_code import ExitCode
from tui.commands.parser import Parser, complain, refused
from tui.commands.stdout_paper import stdout_paper
from tui.core.text import format as fmt
from tui.core.text.json_text import escaped_json
from tui.core.text.printed import GAP, Paper, cells_of, table
from tui.core.text.sanitize import clean_line
from tui.files.private import read_regular
from tui.history import writers
from tui.history.database import reading_from, writing_to
from tui.history.export_documents import utc
from tui.history.failures import HistoryError
from tui.history.records import RunningAnswer
from tui.history.running_answers import running
from tui.history.writer_process import started_ticks
from tui.settings.history_options import history_file

COMMAND = "npulse running"
WHO, WORDS = 3, 6
"""Columns: the first one that tells of the server, and that of the prompt."""

MIN_WORDS = 20
"""Cells of the prompt without which a line of its own is better."""


@dataclass(frozen=True, slots=True)
class Row:
    """One running answer or benchmark. None is not known."""

    conversation: int | None
    turn: int | None
    pid: int | None
    where: str
    status: str
    since_ms: int | None
    model: str | None
    server: str | None
    url: str | None
    is_simulated: bool
    tokens: int | None
    decode_tps: float | None
    wait: str | None
    first_words: str


def parser() -> Parser:
    """The options of ``npulse running``."""
    made = Parser(
        prog=COMMAND,
        description="Lists the answers that any npulse of this user is receiving: the dashboard, "
        "ask, a benchmark, or a dashboard whose terminal was closed (detached). Figures are at "
        "most one second old. npulse attach shows an answer live. Exit codes: 0 done, 1 the "
        "history cannot be read, 2 usage.",
    )
    made.add_argument("--json", action="store_true", help="JSON instead of lines")
    return made


def main(argv: Sequence[str]) -> int:
    """Run ``npulse running`` with these arguments; returns the exit code."""
    options = parser().parse_args(list(argv))
    try:
        rows = [_row_of(answer) for answer in _answers()]
    except HistoryError as error:
        return refused(COMMAND, str(error), ExitCode.FAILED)
    folder = default_folder()
    found = (benchmark_in(place) for place in (folder, boards_folder(folder)))
    rows += [benchmark for benchmark in found if benchmark is not None]
    if options.json:
        encoding = (sys.stdout.encoding or "ascii").lower().replace("-", "").replace("_", "")
        said = [_json_of(row) for row in rows]
        data = json.dumps(said, ensure_ascii=False, indent=1).encode("utf-8", "replace")
        print(escaped_json(data, is_ascii=encoding != "utf8").decode())
        return ExitCode.OK
    for line in lines_of(rows, stdout_paper()):
        print(line)
    if not rows:
        complain(COMMAND, "no answer is running; npulse history list shows those that are kept")
    return ExitCode.OK


# -- answers ---------------------------------------------------------------------------------------


def _answers() -> list[RunningAnswer]:
    """Running answers. Those of a killed process are ended in the database where it can be written,
    so they are listed once. Raises HistoryError.
    """
    path = history_file()
    if not path.exists():
        return []
    with suppress(HistoryError), writing_to(path) as connection:
        found = running(connection)
        writers.recover_all(connection)
        return found
    with reading_from(path) as connection:
        return running(connection)


def _row_of(answer: RunningAnswer) -> Row:
    who, origin = answer.receiver, answer.receiver.origin
    status = answer.phase.value if who.is_alive else "interrupted"
    return Row(
        conversation=who.conversation,
        turn=who.turn,
        pid=who.pid,
        where=who.place,
        status="stopping" if who.is_alive and answer.is_stop_wanted else status,
        since_ms=answer.since_ms,
        model=clean_line(origin.model) or None,
        server=None if origin.server is None else clean_line(origin.server),
        url=None if origin.url is None else clean_line(origin.url),
        is_simulated=origin.is_simulated,
        tokens=answer.tokens,
        decode_tps=answer.decode_tps,
        wait=answer.wait,
        first_words=answer.prompt,
    )


# -- the benchmark ---------------------------------------------------------------------------------


def benchmark_in(folder: Path) -> Row | None:
    """The benchmark that holds the lock of this folder, as far as its journal tells."""
    holder = lock_holder(folder)
    if holder is None:
        return None
    run = active_run.running(folder)
    events = [] if run is None else _newest_events(run.journal)
    started = next((event for event in events if isinstance(event, Started)), None)
    progress = next((event for event in events if isinstance(event, Progressed)), None)
    title = "" if started is None else started.title or started.suite
    return Row(
        conversation=None,
        turn=None,
        pid=holder.pid,
        where="bench",
        status="connecting" if started is None else "measuring",
        since_ms=None if holder.pid is None else _started_ms(holder.pid),
        model=None if started is None else clean_line(started.model),
        server=None if started is None else clean_line(started.server),
        url=None if run is None or not run.url else clean_line(run.url),
        is_simulated=started is not None and started.is_simulated,
        tokens=None if progress is None else progress.tokens,
        decode_tps=None if progress is None else progress.rate_tps,
        wait=None,
        first_words=clean_line(title or holder.name),
    )


def _newest_events(journal: Path) -> list[Event]:
    """The newest figures of an answer and the newest beginning of a run; empty where the journal
    cannot be read."""
    found: list[Event] = []
    wanted: list[type[Event]] = [Progressed, Started]
    try:
        lines = read_regular(journal).split(b"\n")
    except OSError:
        return []
    for line in reversed(lines):
        event = from_json(line) if line else None
        for kind in [kind for kind in wanted if isinstance(event, kind)]:
            wanted.remove(kind)
            found.append(event)  # type: ignore[arg-type]
        if not wanted:
            break
    return found


def _started_ms(pid: int) -> int | None:
    """When a process began, in ms since 1970."""
    ticks = started_ticks(pid)
    if ticks < 0:
        return None
    age_s = time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")
    return round((time.time() - age_s) * 1000)


# -- printing --------------------------------------------------------------------------------------


def _json_of(row: Row) -> dict[str, object]:
    return {
        "id": row.conversation,
        "turn": row.turn,
        "pid": row.pid,
        "where": row.where,
        "status": row.status,
        "since": None if row.since_ms is None else utc(row.since_ms),
        "elapsed_s": _elapsed_s(row),
        "model": row.model,
        "server": row.server,
        "url": row.url,
        "is_simulated": row.is_simulated,
        "tokens": row.tokens,
        "tokens_source": "unknown" if row.tokens is None else "estimated",
        "decode_tps": None if row.decode_tps is None else round(row.decode_tps, 4),
        "decode_source": "unknown" if row.decode_tps is None else "estimated",
        "wait": row.wait,
        "first_words": row.first_words,
    }


def _elapsed_s(row: Row) -> float | None:
    return None if row.since_ms is None else round(max(time.time() - row.since_ms / 1000, 0.0), 1)


def lines_of(rows: Sequence[Row], paper: Paper) -> list[str]:
    """A line each, in columns. Where the paper is too narrow for that there are two: what is done,
    and below it who answers and the first words of the prompt."""
    cells = [_cells(row) for row in rows]
    one_line = table([row[:WORDS] for row in cells])
    if paper.width is None or max(map(cells_of, one_line), default=0) + MIN_WORDS < paper.width:
        return table(cells, paper, right={0}, cuts=WORDS)
    heads = table([row[:WHO] for row in cells], paper, right={0})
    indent = " " * (max(len(row[0][0]) for row in cells) + len(GAP))
    more = table([row[WHO:] for row in cells], paper, cuts=WORDS - WHO, indent=indent)
    return [line for pair in zip(heads, more, strict=True) for line in pair]


def _cells(row: Row) -> tuple[tuple[str, str], ...]:
    """Conversation, who receives, status with figures, and from :data:`WHO` on the server and the
    prompt: text and role."""
    number = fmt.UNKNOWN if row.conversation is None else str(row.conversation)
    where = row.where if row.pid is None else f"{row.where} (pid {row.pid})"
    is_running = row.status not in ("interrupted", "stopping")
    status = row.status if row.wait is None else f"{row.status}: {clean_line(row.wait)}"
    figures = [] if row.tokens is None else [f"~{row.tokens} tokens"]
    if row.status == "interrupted":
        status, figures = f"interrupted after {figures[0] if figures else fmt.UNKNOWN}", []
    elif row.decode_tps is not None:
        figures.append(f"~{fmt.rate(row.decode_tps)} tok/s")
    said = ", ".join((status, fmt.long_seconds(_elapsed_s(row)), *figures))
    return (
        (number, "strong"),
        (where, ""),
        (said, "ok" if is_running else "warn"),
        ("SIMULATED" if row.is_simulated else "", "warn"),
        (row.model or "", "live"),
        (" ".join(word for word in (row.server, row.url) if word), "dim"),
        (clean_line(row.first_words), ""),
    )
