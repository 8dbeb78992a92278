"""The command line of a run that a screen begins."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tui.core.bench_view import RunWish
from tui.core.types import GenerationSettings


@dataclass(frozen=True, slots=True)
class BenchPlace:
    """The server, model and board that a run would measure. ``root``: where /sys and /proc of a
    board lie that is not this machine."""

    url: str
    label: str
    model: str | None = None
    size_bytes: int | None = None
    context_tokens: int | None = None
    root: Path | None = None
    is_simulated: bool = False


def place_arguments(place: BenchPlace) -> list[str]:
    """Where the server and its board are."""
    made = [f"--url={place.url}"]
    if place.root is not None:
        made.append(f"--root={place.root}")
    return made


def run_arguments(wish: RunWish, place: BenchPlace, settings: GenerationSettings) -> list[str]:
    """What comes after the suite. Joined by =, for a name may begin with a dash."""
    made = [*place_arguments(place), f"--seed={wish.seed}"]
    if place.model is not None:
        made.append(f"--model={place.model}")
    if wish.runs is not None:
        made.append(f"--runs={wish.runs}")
    if wish.is_quick:
        made.append("--quick")
    if wish.max_time_s is not None:
        made.append(f"--max-time={wish.max_time_s:g}s")
    return [
        *made,
        f"--temperature={settings.temperature}",
        f"--top-p={settings.top_p}",
        f"--top-k={settings.top_k}",
        f"--repeat-penalty={settings.repeat_penalty}",
    ]
