"""State of the simulated board, written by the server, read by the thread that writes the files.

Each change replaces one frozen object, so that the other thread always reads a consistent state.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Literal

from tui.sim.board.clock_choices import ClockChoices
from tui.sim.faults import SLOWER, SWAPPING, Condition, Trouble
from tui.sim.profiles import Profile

Activity = Literal["idle", "loading", "prefill", "decode"]


@dataclass(frozen=True, slots=True)
class BoardState:
    """State of the board at one moment."""

    activity: Activity = "idle"
    model: Profile | None = None
    leaked_mb: int = 0
    """Memory of models that the server dropped without freeing them, in MiB."""
    peak_mb: int = 0
    """Highest memory use of models so far, in MiB, for the process's VmHWM."""
    port: int = 0
    request_troubles: frozenset[Trouble] = frozenset()
    """Troubles that faults of the running request set for a range of its tokens."""
    conditions: frozenset[Condition] = frozenset()
    """Permanent conditions, from the command line's faults."""
    is_overheated: bool = False
    choices: ClockChoices = field(default_factory=ClockChoices)
    """Governors, limits and fan as set in the board's files."""

    @property
    def lasting_troubles(self) -> frozenset[Trouble]:
        """Troubles that follow from the permanent conditions."""
        found: set[Trouble] = {"throttle"} if self.is_overheated else set()
        if "background-load" in self.conditions:
            found.add("background")
        return frozenset(found)

    @property
    def troubles(self) -> frozenset[Trouble]:
        """All present troubles."""
        return self.request_troubles | self.lasting_troubles

    @property
    def lasting_factor(self) -> float:
        """Factor on the time of a decode step due to permanent conditions, 1.0 or more."""
        swapping = SWAPPING if "swap" in self.conditions else 1.0
        return math.prod(SLOWER[name] for name in self.lasting_troubles) * swapping

    @property
    def prefill_factor(self) -> float:
        """Factor on the time of prefill while overheated, 1.0 or more."""
        return SLOWER["throttle"] if self.is_overheated else 1.0


class BoardMemo:
    """Holds the current :class:`BoardState`, and calls ``on_change`` after a change."""

    def __init__(self) -> None:
        self.now = BoardState()
        self.on_change: Callable[[], None] = lambda: None
        self._run: Activity = "idle"
        self._is_loading = False

    def set_activity(self, activity: Activity) -> None:
        """Set what the NPU does from now on."""
        self._run = activity
        self._show()

    def set_loading(self, is_loading: bool) -> None:
        """Loading a model begins or ends. Loading is shown in preference to a run."""
        self._is_loading = is_loading
        self._show()

    def set_model(self, model: Profile | None) -> None:
        """Set the model that is in memory."""
        peak_mb = max(self.now.peak_mb, self.now.leaked_mb + (model.memory_mb if model else 0))
        self._set(replace(self.now, model=model, peak_mb=peak_mb))

    def leak_model(self) -> None:
        """Drop the loaded model without freeing its memory, as a defect of a real server does."""
        model = self.now.model
        if model is not None:
            leaked_mb = self.now.leaked_mb + model.memory_mb
            self._set(replace(self.now, model=None, leaked_mb=leaked_mb))

    def set_troubles(self, troubles: frozenset[Trouble]) -> None:
        """Set the troubles of the running request."""
        if troubles != self.now.request_troubles:
            self._set(replace(self.now, request_troubles=troubles))

    def set_conditions(self, conditions: frozenset[Condition]) -> None:
        """Set the permanent conditions."""
        self._set(replace(self.now, conditions=conditions, is_overheated="hot" in conditions))

    def set_overheated(self, is_overheated: bool) -> None:
        """Set whether the board is too hot. Does not call ``on_change``: its listener, the tree, is
        the caller."""
        if is_overheated != self.now.is_overheated:
            self.now = replace(self.now, is_overheated=is_overheated)

    def set_choices(self, choices: ClockChoices) -> None:
        """Set governors, limits and fan as read from the files. Does not call ``on_change``: its
        listener, the tree, is the caller."""
        self.now = replace(self.now, choices=choices)

    def set_port(self, port: int) -> None:
        """Set the port that the server listens on."""
        self._set(replace(self.now, port=port))

    def _show(self) -> None:
        activity = "loading" if self._is_loading else self._run
        if activity != self.now.activity:
            self._set(replace(self.now, activity=activity))

    def _set(self, state: BoardState) -> None:
        self.now = state
        self.on_change()
