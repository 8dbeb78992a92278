"""``npulse history export`` and ``import``: writes and reads documents of conversations."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tui.core.text.sanitize import clean_line, safe_file_name
from tui.files.private import read_regular, write_whole
from tui.history.database import Connection
from tui.history.export_documents import FORMATS, SUFFIXES
from tui.history.import_documents import MAX_IMPORT_BYTES, NotUnderstoodError, read
from tui.history.recordings import to_recording
from tui.history.transfer import MadeHere, PlainConversation, add, plain
from tui.recording.scrub import Scrubber

DEFAULT_FORMAT = "markdown"
RECORDING, RECORDING_SUFFIX = "recording", ".jsonl"
FORMAT_NAMES = (*FORMATS, RECORDING)


def export_files(
    connection: Connection, numbers: Sequence[int], options: argparse.Namespace
) -> list[Path]:
    """Exports these conversations as ``options`` say; returns the files, none for stdout.

    Raises ValueError with one sentence.
    """
    form = _format(options)
    if form != RECORDING and (options.unmasked or options.without_text):
        flag = "--unmasked" if options.unmasked else "--without-text"
        raise ValueError(f"{flag} goes with --format recording")
    is_tree = options.tree or form == "json"
    target = None if options.output in (None, "-") else Path(options.output)
    if target is None:
        sys.stdout.flush()
        sys.stdout.buffer.write(_maker(form, options)(_plain(connection, numbers, is_tree=is_tree)))
        sys.stdout.buffer.flush()
        return []
    if not (target.is_dir() or options.output.endswith("/")):
        data = _maker(form, options)(_plain(connection, numbers, is_tree=is_tree))
        return [_write(target, data, is_forced=options.force)]
    written: list[Path] = []
    for number in numbers:
        for found in _plain(connection, [number], is_tree=is_tree):
            name = f"{number}-{safe_file_name(found.title, 'conversation')}{_SUFFIXES[form]}"
            written.append(
                _write(target / name, _maker(form, options)([found]), is_forced=options.force)
            )
    return written


_SUFFIXES = {**SUFFIXES, RECORDING: RECORDING_SUFFIX}


def _maker(
    form: str, options: argparse.Namespace
) -> Callable[[Sequence[PlainConversation]], bytes]:
    if form != RECORDING:
        return FORMATS[form]
    scrubber = None if options.unmasked else Scrubber.of_this_machine()
    return partial(to_recording, scrubber=scrubber, has_text=not options.without_text)


def _format(options: argparse.Namespace) -> str:
    if options.format is not None:
        return str(options.format)
    if options.output is None:
        return "json" if options.json else DEFAULT_FORMAT
    suffix = Path(options.output).suffix.lower()
    return next((form for form, own in _SUFFIXES.items() if own == suffix), DEFAULT_FORMAT)


def _plain(
    connection: Connection, numbers: Sequence[int], *, is_tree: bool
) -> list[PlainConversation]:
    found = (plain(connection, number, is_tree=is_tree) for number in numbers)
    return [conversation for conversation in found if conversation is not None]


def _write(path: Path, data: bytes, *, is_forced: bool) -> Path:
    shown = clean_line(str(path))
    try:
        if not is_forced and (path.exists() or path.is_symlink()):
            raise ValueError(f"{shown} already exists; --force replaces it")
        write_whole(path, data)
    except OSError as error:
        raise ValueError(f"cannot write {shown}: {error.strerror or error}") from None
    return path


@dataclass(frozen=True, slots=True)
class ImportOutcome:
    """Result of importing one file. ``problem`` says in one sentence why nothing was imported."""

    file: str
    kind: str | None = None
    n_added: int = 0
    n_known: int = 0
    n_skipped: int = 0
    problem: str | None = None

    @property
    def line(self) -> str:
        """The result as a line of text."""
        plural = "" if self.n_added == 1 else "s"
        parts = [f"{self.n_added} conversation{plural} of {self.kind} added"]
        if self.n_known:
            parts.append(f"{self.n_known} were there already")
        if self.n_skipped:
            parts.append(f"{self.n_skipped} could not be understood")
        return f"{self.file}: {', '.join(parts)}"

    def to_json_dict(self) -> dict[str, object]:
        return {
            "file": self.file,
            "kind": self.kind,
            "added": self.n_added,
            "known": self.n_known,
            "skipped": self.n_skipped,
            "problem": self.problem,
        }


def import_files(connection: Connection, files: Sequence[str]) -> list[ImportOutcome]:
    """Imports these files. Raises sqlite3.Error where the history cannot be written; earlier
    imports stay.
    """
    return [_import_file(connection, name) for name in files]


def _import_file(connection: Connection, name: str) -> ImportOutcome:
    shown = clean_line(name)
    try:
        path = Path(name)
        if path.is_file() and path.stat().st_size > MAX_IMPORT_BYTES:
            raise NotUnderstoodError(f"it is larger than {MAX_IMPORT_BYTES >> 20} MiB")
        document = read(read_regular(path))
    except NotUnderstoodError as error:
        return ImportOutcome(shown, problem=str(error))
    except (OSError, ValueError) as error:
        return ImportOutcome(shown, problem=getattr(error, "strerror", None) or str(error))
    made_here = MadeHere(connection)
    added = [add(connection, found, made_here) for found in document.conversations]
    n_known = added.count(None)
    return ImportOutcome(shown, document.kind, len(added) - n_known, n_known, document.n_skipped)
