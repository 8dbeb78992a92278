"""The end of a run in all cases: its last event and its report files."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import suppress
from pathlib import Path

from tui.bench.model.events import Event, Finished, Outcome
from tui.bench.run.announce import end_of
from tui.bench.run.connect import SetupError
from tui.bench.run.ledger import Ledger
from tui.bench.run.preparation import stage
from tui.bench.store import document, journal, run_files
from tui.bench.store.controls import Controls
from tui.bench.store.runs import RunError
from tui.core.text.sanitize import clean


async def events_of(
    ledger: Ledger, controls: Controls, work: Coroutine[None, None, None]
) -> AsyncIterator[Event]:
    """Run ``work`` as a task and yield its events. Closing the generator early aborts the run."""
    task = asyncio.create_task(work, name="npulse-bench")
    try:
        async for event in ledger.events():
            yield event
    finally:
        if not task.done():
            controls.abort()
            task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def told_to_the_end(
    ledger: Ledger,
    work: Awaitable[tuple[Outcome, str]],
    where: Callable[[], tuple[str, Path | None]],
) -> None:
    """Do the work, and emit the event of its end. ``where`` returns the run's id and folder, empty
    and None if there is none yet. Raises nothing but CancelledError."""
    outcome: Outcome = "failed"
    sentence = "The run ended unexpectedly."
    try:
        outcome, sentence = await work
    except SetupError as error:
        outcome, sentence = error.outcome, error.sentence
    except RunError as error:
        outcome, sentence = "refused", str(error)
    except journal.JournalError as error:
        outcome, sentence = "failed", f"The run was ended: {error.strerror}."
    except asyncio.CancelledError:
        outcome, sentence = "interrupted", "The run was interrupted."
        raise
    finally:
        run_id, folder = where()
        ledger.emit(
            Finished(
                outcome=outcome,
                sentence=clean(sentence, newlines=False),
                run_id=run_id,
                folder="" if folder is None else str(folder),
            )
        )
        ledger.close()


async def saved(ledger: Ledger, folder: Path, ended: str, reason: str) -> tuple[Outcome, str]:
    """Write the report files. Returns the run's outcome and a sentence for the user."""
    await stage(ledger, "report", "Writing the report files.")
    loaded = await asyncio.to_thread(document.load, folder)
    try:
        await asyncio.to_thread(run_files.save, loaded, folder)
    except OSError as error:
        why = error.strerror or "not possible"
        return "failed", f"The report files could not be written: {why}."
    return end_of(loaded.document, ended, reason)
