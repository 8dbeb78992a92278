"""Runs for tests: quick options, and everything that a run told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from tui.bench.model.events import Event, Finished
from tui.bench.model.options import LimitPolicy, Options
from tui.bench.model.records import Request
from tui.bench.model.suite import Suite, parse
from tui.bench.run.runner import run
from tui.bench.store.controls import Controls
from tui.bench.store.document import load
from tui.bench.store.run_files import Loaded

T = TypeVar("T")

QUICK = Options(
    folder=Path("/nowhere"),
    sample_s=0.05,
    idle_samples=2,
    has_warmup=False,
    cool_down_s=0,
    tick_s=0.02,
    hashes_model=False,
    policy=LimitPolicy(first_min_s=20.0, idle_min_s=5.0, drain_s=2.0),
)


def suite_of(*prompts: str, extra: str = "", cap: int = 16) -> Suite:
    """A suite that asks these texts, named a, b, c, ..."""
    text = f'id = "made"\nshuffle = false\n{extra}\n'
    for at, prompt in enumerate(prompts):
        text += f'[[prompt]]\nid = "{chr(97 + at)}"\ntext = "{prompt}"\nmax_tokens = {cap}\n'
    return parse(text.encode(), "made.toml")


@dataclass
class Told:
    """The events of a run, and the run as it was kept."""

    events: list[Event] = field(default_factory=list)
    loaded: Loaded | None = None

    def all(self, kind: type[T]) -> list[T]:
        return [event for event in self.events if isinstance(event, kind)]

    @property
    def finished(self) -> Finished:
        return self.all(Finished)[0]

    @property
    def requests(self) -> tuple[Request, ...]:
        assert self.loaded is not None
        return self.loaded.document.requests

    def one(self, prompt_id: str = "a") -> Request:
        return next(r for r in self.requests if r.id == prompt_id)

    @property
    def statuses(self) -> list[str]:
        return [r.status for r in self.requests]


async def told(
    suite: Suite,
    folder: Path,
    url: str,
    *,
    controls: Controls | None = None,
    on_event: Any = None,
    resume: Any = None,
    run_suite: Any = run,
    **changes: Any,
) -> Told:
    """Runs the suite and returns all that it told."""
    options = replace(QUICK, folder=folder, urls=(url,), **changes)
    found = Told()
    async for event in run_suite(suite, options, controls, resume=resume):
        found.events.append(event)
        if on_event is not None:
            on_event(event)
    if found.finished.folder:
        found.loaded = load(Path(found.finished.folder))
    return found


def rate_tps(stamps_ns: Sequence[int], together_ns: int = 3_000_000) -> float:
    """Tokens after the first arrival by the time from the first to the last arrival."""
    begins = [0]
    for at in range(1, len(stamps_ns)):
        if stamps_ns[at] - stamps_ns[begins[-1]] >= together_ns:
            begins.append(at)
    tokens = len(stamps_ns) - begins[1]
    return tokens * 1e9 / (stamps_ns[begins[-1]] - stamps_ns[0])
