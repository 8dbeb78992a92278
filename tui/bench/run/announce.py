"""The start event, the refusal sentence and the outcome of a run."""

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
    """What is going to be done, with the time that each request is expected to take."""
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
    """The requests, with the time that each is expected to take."""
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
    """The refusing gates, a sentence each, with its fix."""
    parts = []
    for gate in gates:
        fix = f" Fix: {gate.fix}." if gate.fix else ""
        parts.append(f"{gate.sentence}{fix}")
    return " ".join(parts)


def end_of(document: Document, ended: str, reason: str) -> tuple[Outcome, str]:
    """How a run ended that got so far as its report, and a sentence about it. ``ended`` and
    ``reason`` are those of its last request."""
    scored = sum(request.is_scored for request in document.requests)
    said = f"{scored} of {document.run.planned or len(document.requests)} answered"
    if ended == "aborted":
        return "aborted", f"Ended early: {said}."
    if reason:
        return "incomplete", f"{reason} {said}."
    if document.run.status != "complete":
        return "incomplete", f"Not everything was answered: {said}."
    return "complete", f"{said}."
