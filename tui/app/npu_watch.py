"""Infers from the NPU's load whether the server is busy for others, working on our prompt, or
idle.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from tui.core.board.npu_busy import is_busy_for_others
from tui.core.expect.outlook import BUSY_PCT, NpuSeen

if TYPE_CHECKING:
    from tui.core.board.reading import Snapshot
    from tui.core.turn.turn import Turn
    from tui.servers.connection_state import Server
    from tui.servers.slot import SlotState

IDLE_LOAD_PCT = 2.0
IDLE_SAMPLES = 5
"""So many samples in a row without NPU load, and without a piece of text, end the wait for an
answer that was stopped: the server must have given it up."""
STOPPED_ANSWER_LIMIT_NS = 300_000_000_000
"""A stopped answer is waited for this long after its last text: a server may never end it, or never
say so. One that still sends is at work, and would not begin with another prompt."""


class NpuWatch:
    """Sees every sample of the board; ``seen`` is what the NPU did for the turn in flight."""

    def __init__(self, clock_ns: Callable[[], int]) -> None:
        self._clock_ns = clock_ns
        self._load_pct: float | None = None
        self.seen = NpuSeen()
        self._idle_samples = 0
        self._discarded_before = 0

    def on_snapshot(self, snapshot: Snapshot) -> None:
        """The load of the core that works hardest."""
        loads = [load for load in snapshot.numbers("npu.load") if load is not None]
        self._load_pct = max(loads) if loads else None

    # For others ------------------------------------------------------------------------------

    def is_busy_for_others(self, own_end_ns: int | None) -> bool:
        """Whether a prompt that is sent now finds the NPU at work. ``own_end_ns``: when our last
        answer ended."""
        return is_busy_for_others(self._load_pct, self._clock_ns(), own_end_ns)

    def foreign_work(self, own_end_ns: int | None) -> str | None:
        """What shows that the server answers somebody else, as a clause; None: nothing does."""
        if not self.is_busy_for_others(own_end_ns):
            return None
        return f"the NPU load is {self._load_pct:.0f} %, and no answer of this npulse is running"

    def overlap_guard(
        self, server: Server | None, own_end_ns: int | None
    ) -> Callable[[], str | None]:
        """Why a prompt must not be sent now: where a second one ends the answer that runs, while
        the NPU works for somebody else. What is returned may be called from any thread."""
        name = "" if server is None else server.name

        def reason() -> str | None:
            if not self.is_busy_for_others(own_end_ns):
                return None
            load = f"NPU at {self._load_pct:.0f} %"
            return f"{load}: a prompt would end the answer that {name} gives now"

        is_harmful = server is not None and server.dialect.is_overlap_fatal
        return reason if is_harmful else (lambda: None)

    # For the turn in flight ------------------------------------------------------------------

    def begin_turn(self) -> None:
        """A prompt was sent: forgets earlier load."""
        self.seen = NpuSeen()

    def watch_begin(self, turn: Turn, t_ns: int) -> None:
        """Whether the NPU has begun with the prompt, by the sample that was taken at ``t_ns``."""
        if self._load_pct is None or t_ns <= turn.t0_ns:
            return
        if self._load_pct < BUSY_PCT:
            self.seen = replace(self.seen, idle_samples=self.seen.idle_samples + 1)
        elif self.seen.busy_ns is None:
            self.seen = NpuSeen(busy_ns=t_ns)

    # For an answer that was stopped ----------------------------------------------------------

    def finishing_note(self, slot: SlotState) -> str | None:
        """What the server still does for a stopped answer; None when it is idle."""
        if slot.status != "finishing":
            return None
        if self._load_pct is None:
            pieces = "piece" if slot.n_discarded == 1 else "pieces"
            return f"server still finishing, {slot.n_discarded} {pieces} of text discarded"
        return f"server still finishing, NPU {self._load_pct:.0f} %"

    def is_given_up(self, slot: SlotState) -> bool:
        """Whether the server must have given it up, for the NPU is idle and no text comes. Called
        once a sample."""
        is_quiet = self._load_pct is not None and self._load_pct < IDLE_LOAD_PCT
        is_quiet = is_quiet and slot.n_discarded == self._discarded_before
        self._discarded_before = slot.n_discarded
        if slot.status != "finishing" or not is_quiet:
            self._idle_samples = 0
            return False
        self._idle_samples += 1
        if self._idle_samples < IDLE_SAMPLES:
            return False
        self._idle_samples = 0
        return True

    def is_overdue(self, slot: SlotState) -> bool:
        """Whether it has sent nothing for too long, whatever the NPU's load."""
        heard_ns = slot.heard_ns
        if slot.status != "finishing" or heard_ns is None:
            return False
        return self._clock_ns() - heard_ns > STOPPED_ANSWER_LIMIT_NS


def end_ns(turn: Turn | None, now_ns: int) -> int | None:
    """When this turn ended; None where it did not, or there is none."""
    latency_ms = None if turn is None else turn.stats(now_ns).latency_ms
    return None if turn is None or latency_ms is None else turn.t0_ns + round(latency_ms * 1e6)
