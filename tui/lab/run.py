"""Runs a prompt set: one benchmark run for each model, one after the other."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import msgspec

from tui.bench.model.events import Event, Finished, StageChanged, Started
from tui.bench.model.options import Options
from tui.bench.model.suite import Suite
from tui.bench.run.connect import TOOL
from tui.bench.run.runner import RunSuite
from tui.bench.run.runner import run as run_on_one
from tui.bench.store import resume as resuming
from tui.bench.store.controls import Controls
from tui.bench.store.document import load
from tui.bench.store.runs import RunError, utc_now
from tui.core.types import GenerationSettings
from tui.lab import plan, store
from tui.lab.model.prompt_set import PromptSet
from tui.lab.model.records import LabOutcome, LabRun, Part

ENDS_ALL = ("aborted", "interrupted", "failed")
"""Outcomes after which no further part is started."""
_WORST: tuple[LabOutcome, ...] = (
    "interrupted", "aborted", "failed", "refused", "unreachable", "incomplete", "complete",
)  # fmt: skip


def new_run(prompt_set: PromptSet, base: GenerationSettings) -> LabRun:
    """The record of a run that has not begun."""
    return LabRun(
        id=store.new_run_id(prompt_set.id),
        prompt_set=prompt_set,
        base=base,
        started_utc=utc_now(),
        tool=TOOL,
        pid=os.getpid(),
        parts=plan.parts_of(prompt_set),
    )


class LabRunner:
    """Runs all parts of a run. ``record`` is saved after every change."""

    def __init__(
        self,
        record: LabRun,
        folders: store.LabFolders,
        options: Callable[[Part], Options],
        controls: Controls,
        run_suite: RunSuite = run_on_one,
    ) -> None:
        self.record = record
        self._run_suite = run_suite
        self._folders = folders
        self._options = options
        self._controls = controls

    async def events(self) -> AsyncIterator[Event]:
        """The events of every part that is not complete; the last one says how the run ended.
        Raises RunError if the record cannot be saved."""
        self._keep(msgspec.structs.replace(self.record, pid=os.getpid(), outcome="running"))
        for at, part in enumerate(self.record.parts):
            if part.outcome == "complete":
                continue
            async for event in self._part(at, part):
                yield event
            if self.record.parts[at].outcome in ENDS_ALL or self._controls.is_aborted:
                break
        outcome, sentence = overall(self.record.parts)
        self._keep(msgspec.structs.replace(self.record, outcome=outcome, sentence=sentence))
        if not any(part.run_id for part in self.record.parts):
            # No request was sent, so there is nothing to show or to resume.
            store.remove_run(self._folders, self.record.id)
        yield Finished(
            outcome=outcome if outcome != "running" else "incomplete",
            sentence=sentence,
            run_id=self.record.id,
            folder=str(self._folders.runs / self.record.id),
        )

    async def _part(self, at: int, part: Part) -> AsyncIterator[Event]:
        """Runs or resumes one part. Its own last event is left out."""
        suite = plan.suite_of(self.record.prompt_set, part)
        try:
            if is_whole(self._folders.bench, part.run_id):
                # The process was killed between the end of the part and the update of this record.
                self._change(at, outcome="complete", sentence="")
                return
            earlier = earlier_run(self._folders.bench, part.run_id)
        except RunError as error:
            self._change(at, outcome="failed", sentence=str(error))
            return

        def change(**new: object) -> None:
            self._change(at, **new)

        options = as_before(self._options(part), earlier)
        events = run_part(suite, options, self._controls, earlier, change, self._run_suite)
        async for event in events:
            if isinstance(event, Started) and event.is_simulated:
                self._keep(msgspec.structs.replace(self.record, is_simulated=True))
            yield event

    def _change(self, at: int, **new: object) -> None:
        parts = list(self.record.parts)
        loads = parts[at].loads + int(new.pop("loads", 0))  # type: ignore[call-overload]
        parts[at] = msgspec.structs.replace(parts[at], loads=loads, **new)
        self._keep(msgspec.structs.replace(self.record, parts=tuple(parts)))

    def _keep(self, record: LabRun) -> None:
        self.record = record
        store.save_run(self._folders, record)


def is_whole(bench: Path, run_id: str) -> bool:
    """Whether a part's benchmark run is complete. Raises RunError."""
    if not run_id or not (bench / run_id).is_dir():
        return False
    return load(bench / run_id).document.run.status == "complete"


def as_before(options: Options, earlier: resuming.Earlier | None) -> Options:
    """The options with the model that has answered so far, for a resumed run."""
    if earlier is None:
        return options
    return replace(options, model=options.model or earlier.model.name)


def earlier_run(bench: Path, run_id: str) -> resuming.Earlier | None:
    """A part's unfinished benchmark run; None without one. Raises RunError if it cannot be
    resumed."""
    if not run_id or not (bench / run_id).is_dir():
        return None
    return resuming.earlier(bench / run_id)


async def run_part(
    suite: Suite,
    options: Options,
    controls: Controls,
    earlier: resuming.Earlier | None,
    change: Callable[..., None],
    run_suite: RunSuite = run_on_one,
) -> AsyncIterator[Event]:
    """The events of one benchmark run, except for the last, which is passed to ``change``."""
    events = run_suite(suite, options, controls, resume=earlier)
    try:
        async for event in events:
            if isinstance(event, Started):
                change(run_id=event.run_id, answered_by=event.model, answered_at=event.server)
            elif isinstance(event, StageChanged) and event.stage == "load":
                change(loads=1)
            if isinstance(event, Finished):
                change(outcome=event.outcome, sentence=event.sentence)
                return
            yield event
    except BaseException:
        with suppress(RunError):
            change(outcome="interrupted", sentence="The run was interrupted.")
        raise
    finally:
        await events.aclose()  # type: ignore[attr-defined]


def overall(parts: tuple[Part, ...]) -> tuple[LabOutcome, str]:
    """Outcome and sentence of a run: those of its worst part."""
    seen = {part.outcome or "incomplete" for part in parts}
    outcome: LabOutcome = next((word for word in _WORST if word in seen), "incomplete")
    said = [part.sentence for part in parts if (part.outcome or "incomplete") == outcome]
    if outcome == "complete":
        count = len(parts)
        return outcome, f"Everything was answered, in {count} part{'s' if count > 1 else ''}."
    return outcome, next((text for text in said if text), "Not every part was run.")


def with_part(options: Options, part: Part) -> Options:
    """The options with the server and the model of a part."""
    return replace(
        options,
        urls=(part.server,) if part.server else options.urls,
        model=part.model or options.model,
    )
