"""Loads a run of the lab and computes its figures."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import msgspec

from tui.bench.store import journal
from tui.bench.store.active_run import running
from tui.lab import store
from tui.lab.figures import agreement, figures_of
from tui.lab.follow import stored_matrix
from tui.lab.model.records import LabRun
from tui.lab.model.result import LabResult
from tui.lab.opinions import opinions_of
from tui.lab.store import LabFolders


def is_alive(run: LabRun, folders: LabFolders) -> bool:
    """Whether the process of the run still runs: it holds the benchmark's lock, or is between two
    parts. As process ids are reused, its command line is checked too."""
    if run.outcome != "running":
        return False
    found = running(folders.bench)
    if found is not None and found.pid == run.pid:
        return True
    try:
        return b"lab" in Path(f"/proc/{run.pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False


def as_it_stands(run: LabRun, folders: LabFolders) -> LabRun:
    """The record; with the outcome "interrupted" if the run was killed."""
    if run.outcome != "running" or is_alive(run, folders):
        return run
    said = f"It was killed; npulse lab resume {run.id} continues it."
    return msgspec.structs.replace(run, outcome="interrupted", sentence=said)


def answered_of(run: LabRun, folders: LabFolders) -> int:
    """Number of answers of a run; counted in its journals if it is not complete."""
    if run.outcome == "complete":
        return run.planned
    count = 0
    for part in run.parts:
        if part.run_id:
            with suppress(OSError):
                path = folders.bench / part.run_id / journal.FILE_NAME
                count += journal.outline(path).scored
    return count


def result_of(run: LabRun, folders: LabFolders) -> LabResult:
    """Figures, verdicts and opinions of a run. Raises RunError if a journal is missing."""
    run = as_it_stands(run, folders)
    matrix = stored_matrix(run, folders.bench, is_running=is_alive(run, folders))
    judged = store.judgements(folders, run.id)
    opinions = opinions_of(run, matrix, folders.bench)
    return LabResult(
        run=run,
        matrix=matrix,
        figures=figures_of(matrix, judged, opinions),
        judged=judged,
        opinions=opinions,
        agreement=agreement(judged),
    )
