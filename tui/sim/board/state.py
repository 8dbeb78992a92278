"""State of the simulated board, written by the server and read by the thread of the /sys tree.

Every change replaces one frozen value, so that the other thread always sees a whole one.
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
    """One moment of the board."""

    activity: Activity = "idle"
    model: Profile | None = None
    leaked_mb: int = 0
    """Memory of models that the server has forgotten without freeing them."""
    peak_mb: int = 0
    """The most that models have taken so far: the process's VmHWM never falls."""
    port: int = 0
    told_troubles: frozenset[Trouble] = frozenset()
    """What slows it down for a stretch of the answer that runs."""
    conditions: frozenset[Condition] = frozenset()
    """What is wrong with it all the time."""
    is_overheated: bool = False
    choices: ClockChoices = field(default_factory=ClockChoices)
    """Governors and limits, as they stand in its files."""

    @property
    def lasting_troubles(self) -> frozenset[Trouble]:
        """What slows it down all the time."""
        found: set[Trouble] = {"throttle"} if self.is_overheated else set()
        if "background-load" in self.conditions:
            found.add("background")
        return frozenset(found)

    @property
    def troubles(self) -> frozenset[Trouble]:
        """What slows it down now."""
        return self.told_troubles | self.lasting_troubles

    @property
    def lasting_factor(self) -> float:
        """How much longer a decoding step takes for what is wrong all the time."""
        swapping = SWAPPING if "swap" in self.conditions else 1.0
        return math.prod(SLOWER[name] for name in self.lasting_troubles) * swapping

    @property
    def prefill_factor(self) -> float:
        """How much longer it takes to read a prompt: in proportion to the NPU's clock."""
        return SLOWER["throttle"] if self.is_overheated else 1.0


class BoardMemo:
    """Holds the current :class:`BoardState` and tells a listener about each change."""

    def __init__(self) -> None:
        self.now = BoardState()
        self.on_change: Callable[[], None] = lambda: None
        self._run: Activity = "idle"
        self._is_loading = False

    def begin(self, activity: Activity) -> None:
        """The NPU starts to do something else."""
        self._run = activity
        self._show()

    def load(self, is_loading: bool) -> None:
        """Loading a model begins or ends; a run may end meanwhile."""
        self._is_loading = is_loading
        self._show()

    def hold(self, model: Profile | None) -> None:
        """That model, or none, is in memory now."""
        peak_mb = max(self.now.peak_mb, self.now.leaked_mb + (model.memory_mb if model else 0))
        self._set(replace(self.now, model=model, peak_mb=peak_mb))

    def leak(self) -> None:
        """The loaded model is forgotten, its memory is not given back."""
        model = self.now.model
        if model is not None:
            leaked_mb = self.now.leaked_mb + model.memory_mb
            self._set(replace(self.now, model=None, leaked_mb=leaked_mb))

    def suffer(self, troubles: frozenset[Trouble]) -> None:
        """That slows the board down from now on."""
        if troubles != self.now.told_troubles:
            self._set(replace(self.now, told_troubles=troubles))

    def suffer_always(self, conditions: frozenset[Condition]) -> None:
        """That is wrong with the board from its start on."""
        self._set(replace(self.now, conditions=conditions, is_overheated="hot" in conditions))

    def overheat(self, is_overheated: bool) -> None:
        """It is too hot, or cool again. It tells nobody: the tree, which has the temperatures, is
        the one that would be told."""
        if is_overheated != self.now.is_overheated:
            self.now = replace(self.now, is_overheated=is_overheated)

    def choose(self, choices: ClockChoices) -> None:
        """Somebody has written to the files of governors and limits. It tells nobody: the tree,
        which reads them, is the one that would be told."""
        self.now = replace(self.now, choices=choices)

    def listen(self, port: int) -> None:
        """The server answers on that port."""
        self._set(replace(self.now, port=port))

    def _show(self) -> None:
        activity = "loading" if self._is_loading else self._run
        if activity != self.now.activity:
            self._set(replace(self.now, activity=activity))

    def _set(self, state: BoardState) -> None:
        self.now = state
        self.on_change()
