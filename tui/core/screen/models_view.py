"""What the model screen shows: the models a server has, and what is being done with them."""

from __future__ import annotations

from dataclasses import dataclass

from tui.core.types import ModelInfo


@dataclass(frozen=True, slots=True)
class ModelsView:
    """A moment of the model list. ``work`` is a sentence such as ``loading qwen3-4b`` while it
    runs, ``message`` the outcome of the last one. Strings are sanitised."""

    models: tuple[ModelInfo, ...] = ()
    server: str | None = None
    can_load: bool = False
    work: str | None = None
    work_s: float = 0.0
    message: str | None = None
    is_error: bool = False
