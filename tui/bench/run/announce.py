"""The first event of a run, and the sentence of one that may not begin."""

from __future__ import annotations

from collections.abc import Iterable

from tui.bench.model.conditions import Gate, Model
from tui.bench.model.events import Planned, Started
from tui.bench.model.records import Run
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
        server=connected.server.label,
        url=connected.server.url,
        is_simulated=run.simulated,
        seed=run.seed,
        done=done,
        minutes=minutes,
        plan=tuple(
            Planned(
                id=task.prompt.id,
                rep=task.rep,
                name=task.prompt.name,
                group=task.group,
                max_tokens=task.prompt.max_tokens,
                expected_s=speed.request_s(tokens_in(task), tokens_out(task)[0]),
            )
            for task in tasks
        ),
    )


def refusal(gates: Iterable[Gate]) -> str:
    """The refusing gates, a sentence each, with its fix."""
    parts = []
    for gate in gates:
        fix = f" Fix: {gate.fix}." if gate.fix else ""
        parts.append(f"{gate.sentence}{fix}")
    return " ".join(parts)
