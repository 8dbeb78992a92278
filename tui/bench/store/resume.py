"""Resuming a run: which requests are missing, and whether anything has changed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tui.bench.model import events
from tui.bench.model.conditions import Config, Env, Model
from tui.bench.model.suite import Suite
from tui.bench.store import journal
from tui.bench.store.document import load
from tui.bench.store.run_files import Loaded
from tui.bench.store.runs import RunError


@dataclass(frozen=True, slots=True)
class Earlier:
    """The state of a run that is to be resumed. ``done``: keys of its scored requests."""

    folder: Path
    loaded: Loaded
    suite: Suite
    config: Config
    prompts_sha256: dict[str, str]
    done: frozenset[tuple[str, int]]
    segments: int

    @property
    def model(self) -> Model:
        return self.loaded.document.model

    @property
    def env(self) -> Env:
        return self.loaded.document.env


def earlier(folder: Path) -> Earlier:
    """Load a run to resume. Raises RunError; its message is one sentence."""
    path = folder / journal.FILE_NAME
    if not path.is_file():
        raise RunError("there is no journal: an imported run cannot be resumed")
    loaded = load(folder)
    lines, _ = journal.read(path)
    header = next(line for line in lines if isinstance(line, events.Header))
    if loaded.document.run.status == "complete":
        raise RunError("this run is complete, nothing is missing")
    if header.suite.minutes is not None or header.run.planned == 0:
        raise RunError("a run by time cannot be resumed; start a new one")
    return Earlier(
        folder=folder,
        loaded=loaded,
        suite=header.suite,
        config=loaded.document.config,
        prompts_sha256=header.prompts_sha256,
        done=frozenset(r.key for r in loaded.document.requests if r.is_scored),
        segments=sum(isinstance(line, events.Segment) for line in lines),
    )


def check_unchanged(
    before: Earlier,
    *,
    model: Model,
    env: Env,
    config: Config,
    prompts_sha256: dict[str, str],
    is_simulated: bool,
) -> None:
    """Raises RunError if model, settings, server or prompts differ from those of the run's
    start."""
    found: list[str] = []

    def compare(name: str, old: object, new: object) -> None:
        if old != new:
            found.append(f"{name} was {_shown(old)} and is {_shown(new)}")

    compare("simulated", before.loaded.document.run.simulated, is_simulated)
    compare("model", before.model.name, model.name)
    if before.model.sha256 is not None and model.sha256 is not None:
        compare("model sha256", before.model.sha256, model.sha256)
    else:
        compare("model size", before.model.size, model.size)
        compare("model file", before.model.file, model.file)
    compare("quantisation", before.model.quant, model.quant)
    if "ctx" not in (*before.model.guessed, *model.guessed):
        # Different guesses do not mean that the server changed. If a shorter context changes a
        # prompt, the comparison of hashes below finds it.
        compare("context", before.model.ctx, model.ctx)
    compare("runtime", before.env.runtime.version, env.runtime.version)
    compare("server", before.env.server.name, env.server.name)
    for key in sorted(set(before.config.sampling) | set(config.sampling)):
        compare(f"sampling {key}", before.config.sampling.get(key), config.sampling.get(key))
    for key, old in before.prompts_sha256.items():
        if prompts_sha256.get(key, old) != old:
            found.append(f"the text of prompt {key} has changed")
    if found:
        raise RunError(f"cannot be resumed, something has changed: {'; '.join(found)}")


def _shown(value: object) -> str:
    return "unknown" if value is None else str(value)[:80]
