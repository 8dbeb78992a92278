"""Record of the chosen model; :mod:`tui.servers.model_choice` chooses it.

Apart from it, because it must be cheap to load.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

ChoiceReason = Literal["asked for", "loaded", "the only one", "used last", "left to the server"]
"""Why this model answers."""


@dataclass(frozen=True, slots=True)
class Choice:
    """The model to ask for, or in one sentence why none can be asked.

    ``name`` is empty where the choice is left to the server.
    """

    name: str
    problem: str | None = None
    reason: ChoiceReason = field(default="left to the server", compare=False)
