"""The event at a run's start, the sentence of a refusal, and a run's outcome."""

from __future__ import annotations

from collections.abc import Iterable

from tui.bench.model.conditions import Gate, Model
from tui.bench.model.events import Outcome, Planned, Started
from tui.bench.model.records import Document, Run
from tui.bench.run.connect import Connected
from tui.bench.run.forecast import Speed, tokens_in, tokens_out
from tui.bench.run.plan import Task


def started(
    run: Run,
    connected: Connected,
    model: Model,
    tasks: Iterable[Task],
    speed: Speed,
    *,
    server: str,
    url: str,
    folder: str,
    done: int,
    minutes: float | None,
) -> Started:
    """The event at a run's start, with the plan and the expected time of each request."""
    return Started(
        run_id=run.id,
        folder=folder,
        suite=run.suite,
        title=run.title,
        model=model.name,
        server=server,
        url=url,
        is_simulated=run.simulated,
        seed=run.seed,
        done=done,
        minutes=minutes,
        plan=planned_requests(tasks, speed),
    )


def planned_requests(tasks: Iterable[Task], speed: Speed) -> tuple[Planned, ...]:
    """The planned requests with their expected times."""
    return tuple(
        Planned(
            id=task.prompt.id,
            rep=task.rep,
            name=task.prompt.name,
            group=task.group,
            max_tokens=task.prompt.max_tokens,
            expected_s=speed.request_s(tokens_in(task), tokens_out(task)[0]),
        )
        for task in tasks
    )


def refusal(gates: Iterable[Gate]) -> str:
    """One sentence per refusing gate, with its fix."""
    parts = []
    for gate in gates:
        fix = f" Fix: {gate.fix}." if gate.fix else ""
        parts.append(f"{gate.sentence}{fix}")
    return " ".join(parts)


def end_of(document: Document, ended: str, reason: str) -> tuple[Outcome, str]:
    """The outcome of a run with a report, and a sentence for the user. ``ended`` is how its loop
    ended, ``reason`` why it ended early, or empty."""
    scored = sum(request.is_scored for request in document.requests)
    said = f"{scored} of {document.run.planned or len(document.requests)} answered"
    if ended == "aborted":
        return "aborted", f"Ended early: {said}."
    if reason:
        return "incomplete", f"{reason} {said}."
    if document.run.status != "complete":
        return "incomplete", f"Not all requests were answered: {said}."
    return "complete", f"{said}."
