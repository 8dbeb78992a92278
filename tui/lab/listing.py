"""Lists the prompt sets and the runs of the lab, for a screen."""

from __future__ import annotations

from contextlib import suppress

from tui.bench.store.runs import RunError
from tui.lab import results, store
from tui.lab.model.records import LabRun
from tui.lab.model.screen import LabView, RunRow, SetRow
from tui.lab.sets.problems import SetError
from tui.lab.store import LabFolders

MAX_RUNS = 200


class LabListing:
    """Caches the number of answers per run, as journals may be long."""

    def __init__(self, folders: LabFolders) -> None:
        self._folders = folders
        self._counts: dict[str, tuple[int, int]] = {}
        """Run id -> (mtime of its record in ns, number of answers)."""

    def look(self) -> LabView:
        """The present sets and runs, the newest run first."""
        sets = tuple(self._set_row(name) for name in store.set_names(self._folders))
        rows = []
        for run_id in reversed(store.run_ids(self._folders)[-MAX_RUNS:]):
            with suppress(RunError):
                rows.append(self._run_row(store.read_run(self._folders, run_id)))
        return LabView(sets, tuple(rows), has_looked=True)

    def _set_row(self, name: str) -> SetRow:
        try:
            found = store.find_set(self._folders, name)
        except SetError as error:
            return SetRow(name, problem=error.sentences[0])
        return SetRow(name, found.title, len(found.rows), len(found.variants), found.repeats)

    def _run_row(self, run: LabRun) -> RunRow:
        return RunRow(
            id=run.id,
            set_id=run.prompt_set.id,
            started_utc=run.started_utc,
            outcome=results.as_it_stands(run, self._folders).outcome,
            answered=self._answered(run),
            planned=run.planned,
            is_simulated=run.is_simulated,
        )

    def _answered(self, run: LabRun) -> int:
        """Number of answers; counted again only after a change of the record or while it runs."""
        try:
            path = self._folders.runs / run.id / store.RECORD_FILE
            changed_ns = path.stat().st_mtime_ns
        except OSError:
            return 0
        known = self._counts.get(run.id)
        if known is None or known[0] != changed_ns or results.is_alive(run, self._folders):
            known = self._counts[run.id] = (changed_ns, results.answered_of(run, self._folders))
        return known[1]
