"""``npulse history show ID --timeline``: the timeline of an answer, as text, JSON or SVG."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tui.commands.history_lines import local_time, print_json
from tui.core.text.sanitize import clean_line
from tui.files.private import write_whole
from tui.history import reading
from tui.history.database import Connection
from tui.history.resuming import no_conversation
from tui.timeline.record import Timeline
from tui.timeline.stored import stored_timeline
from tui.timeline.svg import timeline_svg
from tui.timeline.values import timeline_values
from tui.timeline.words import timeline_words


def read_timeline(connection: Connection, number: int, answer: int | None) -> Timeline:
    """The timeline of an answer of a conversation; None: of its last one. Raises ValueError with
    one sentence."""
    found = reading.conversation(connection, number, is_tree=answer is not None)
    if found is None or found.row.id != number:
        raise ValueError(no_conversation(number))
    answers = [turn for turn in found.turns if turn.role == "assistant"]
    if answer is not None:
        answers = [turn for turn in answers if turn.id == answer]
        if not answers:
            raise ValueError(
                f"conversation {number} has no answer {answer}; npulse history show {number} "
                "--tree tells their numbers"
            )
    if not answers:
        raise ValueError(f"conversation {number} has no answer yet")
    trace = reading.trace(connection, answers[-1].id)
    if trace is None:
        raise ValueError(no_conversation(number))
    return stored_timeline(trace.prompt, trace.answer, trace.times_ns, trace.samples, trace.ends)


def print_timeline(timeline: Timeline, options: argparse.Namespace) -> None:
    """Writes an SVG file, or prints JSON or lines, as the options say. Raises ValueError with one
    sentence where the file cannot be written.
    """
    if options.svg is not None:
        _write_svg(timeline, options.svg)
    elif options.json:
        print_json(timeline_values(timeline))
    else:
        if timeline.created_ms is not None:
            print(local_time(timeline.created_ms))
        for line in timeline_words(timeline):
            indent = line[: len(line) - len(line.lstrip(" "))]
            print(f"{indent}{clean_line(line)}")


def _write_svg(timeline: Timeline, name: str) -> None:
    data = timeline_svg(timeline).encode("utf-8", "replace")
    if name == "-":
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
        return
    path, shown = Path(name).expanduser(), clean_line(name)
    if path.exists() or path.is_symlink():
        raise ValueError(f"{shown} already exists; name another file, or move it away")
    try:
        write_whole(path, data)
    except OSError as error:
        raise ValueError(f"cannot write {shown}: {error.strerror or error}") from None
    print(shown)
