"""Reads and writes the sets and runs of the lab: ``lab`` in the data folder, mode 0600."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

import msgspec

from tui.bench.store.folder import default_folder
from tui.bench.store.runs import RunError, slug
from tui.core.text.json_text import escaped_json
from tui.core.text.sanitize import clean_line
from tui.files.private import create_private, make_folder, read_regular, write_whole
from tui.lab.model.judgement import Judgement
from tui.lab.model.prompt_set import PromptSet
from tui.lab.model.records import LabRun, decoder
from tui.lab.sets.parse import load_set
from tui.lab.sets.problems import SetError

RECORD_FILE = "lab.json"
JUDGEMENTS_FILE = "judgements.jsonl"
_RUN_ID = re.compile(r"[0-9]{8}T[0-9]{6}Z-[a-z0-9._-]+")
_SET_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")

_judgement = msgspec.json.Decoder(Judgement)


@dataclass(frozen=True, slots=True)
class LabFolders:
    """Folders of one user. ``bench``: the benchmark runs, including those of the lab."""

    sets: Path
    runs: Path
    bench: Path


def lab_folders(data: Path | None = None) -> LabFolders:
    """The user's folders, or those below ``data``."""
    bench = default_folder() if data is None else data / "bench"
    lab = bench.parent / "lab"
    return LabFolders(sets=lab / "sets", runs=lab / "runs", bench=bench)


# -- sets --------------------------------------------------------------------------------------


def set_names(folders: LabFolders) -> list[str]:
    """The names of all sets, sorted."""
    try:
        found = [path.stem for path in folders.sets.iterdir() if path.suffix == ".toml"]
    except OSError:
        return []
    return sorted(name for name in found if _SET_NAME.fullmatch(name))


def set_path(folders: LabFolders, name: str) -> Path:
    """The file of a set, from its path or its name. Raises SetError."""
    if name.endswith(".toml") or "/" in name:
        return Path(name)
    path = folders.sets / f"{name}.toml"
    if not _SET_NAME.fullmatch(name) or not path.is_file():
        known = ", ".join(set_names(folders)) or "none yet; npulse lab new NAME makes one"
        raise SetError([f"there is no prompt set {clean_line(name, 60)!r}; there are: {known}"])
    return path


def find_set(folders: LabFolders, name: str) -> PromptSet:
    """A set by name or path. Raises SetError."""
    return load_set(set_path(folders, name))


def new_set_path(folders: LabFolders, name: str) -> Path:
    """The file for a new set. Raises SetError if the set exists or the name is invalid."""
    if not _SET_NAME.fullmatch(name):
        said = f"{clean_line(name, 60)!r} cannot be a name; it takes letters, digits, dot, - and _"
        raise SetError([said])
    path = folders.sets / f"{name}.toml"
    if path.exists():
        raise SetError([f"the prompt set {name!r} already exists; npulse lab edit {name} opens it"])
    return path


def save_set(path: Path, text: str) -> None:
    """Saves the text of a set. Raises SetError with one sentence."""
    try:
        write_whole(path, text.encode("utf-8", "replace"))
    except OSError as error:
        shown = clean_line(str(path), 200)
        raise SetError([f"{shown} cannot be written: {error.strerror or 'unknown'}"]) from None


# -- runs --------------------------------------------------------------------------------------


def new_run_id(set_id: str) -> str:
    """A new run id: time, set, and four random characters, for two runs within one second."""
    stamp = datetime.now(timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    return f"{stamp}-{slug(set_id)}-{secrets.token_hex(2)}"


def run_ids(folders: LabFolders) -> list[str]:
    """The ids of all runs, oldest first."""
    try:
        names = [entry.name for entry in folders.runs.iterdir() if (entry / RECORD_FILE).is_file()]
    except OSError:
        return []
    return sorted(name for name in names if _RUN_ID.fullmatch(name))


def find_run(folders: LabFolders, name: str) -> LabRun:
    """A run by id, beginning or end of an id, set, or ``last``. Raises RunError."""
    ids = run_ids(folders)
    shown = clean_line(name, 80)
    if not ids:
        raise RunError("there is no run of the lab yet; npulse lab run SET begins one")
    if name == "last":
        return read_run(folders, ids[-1])
    if name in ids:
        return read_run(folders, name)
    hits = [run_id for run_id in ids if run_id.startswith(name) or run_id.endswith(name)]
    if not hits:
        # The newest run of a set, by the set's name.
        named = [run_id for run_id in ids if run_id.split("-", 1)[1].rpartition("-")[0] == name]
        hits = named[-1:]
    if len(hits) == 1:
        return read_run(folders, hits[0])
    if not hits:
        raise RunError(f"there is no run {shown!r} of the lab; npulse lab list names them")
    raise RunError(f"{shown!r} fits {len(hits)} runs: {', '.join(hits[:4])}")


def read_run(folders: LabFolders, run_id: str) -> LabRun:
    """The record of a run. Raises RunError with one sentence."""
    path = folders.runs / run_id / RECORD_FILE
    shown = clean_line(str(path), 200)
    try:
        return decoder.decode(read_regular(path))
    except OSError as error:
        raise RunError(f"{shown} cannot be read: {error.strerror or 'unknown'}") from None
    except (ValueError, RecursionError) as error:
        raise RunError(f"{shown}: {clean_line(str(error), 200)}") from None


def save_run(folders: LabFolders, run: LabRun) -> None:
    """Saves the record. Raises RunError."""
    data = escaped_json(msgspec.json.format(msgspec.json.encode(run), indent=2)) + b"\n"
    path = folders.runs / run.id / RECORD_FILE
    try:
        write_whole(path, data)
    except OSError as error:
        shown = clean_line(str(path), 200)
        raise RunError(f"{shown} cannot be written: {error.strerror or 'unknown'}") from None


def remove_run(folders: LabFolders, run_id: str) -> None:
    """Removes the record of a run without requests, and its folder if that is empty then."""
    with suppress(OSError):
        (folders.runs / run_id / RECORD_FILE).unlink(missing_ok=True)
        (folders.runs / run_id).rmdir()


# -- judgements --------------------------------------------------------------------------------


def judgements(folders: LabFolders, run_id: str) -> list[Judgement]:
    """The verdicts of a run; of a pair judged twice in a pass, the last one. Damaged lines are left
    out."""
    try:
        lines = read_regular(folders.runs / run_id / JUDGEMENTS_FILE).split(b"\n")
    except OSError:
        return []
    found: dict[tuple[int, object], Judgement] = {}
    for line in lines:
        try:
            one = _judgement.decode(line)
        except (ValueError, RecursionError):
            continue
        found[one.judging_pass, one.pair.key] = one
    return list(found.values())


def add_judgements(folders: LabFolders, run_id: str, added: Sequence[Judgement]) -> None:
    """Appends verdicts. Raises RunError."""
    data = b"".join(escaped_json(msgspec.json.encode(one)) + b"\n" for one in added)
    try:
        make_folder(folders.runs / run_id)
        path = folders.runs / run_id / JUDGEMENTS_FILE
        fd = create_private(path, os.O_WRONLY | os.O_APPEND)
        with os.fdopen(fd, "ab") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise RunError(f"the verdict cannot be kept: {error.strerror or 'unknown'}") from None
