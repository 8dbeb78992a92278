"""Board data for the screens: sampler, recent history, findings and alerts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tui.app.board_source import BoardReader
from tui.core.board.history import BoardHistory
from tui.core.board.reading import Snapshot
from tui.core.turn.turn_stats import TurnStats
from tui.core.types import ModelInfo

if TYPE_CHECKING:
    from tui.board.advice.board_state import BoardView
    from tui.core.board.board_facts import BoardFacts
    from tui.core.board.load_facts import LoadFacts
    from tui.recording.lines import Program

OTHER_PROGRAMS = frozenset({"cpu-others"})
"""Rules of :mod:`tui.board.advice.diagnosis` that tell of somebody else's work."""


class BoardMonitor:
    """``source.sample`` is called in the sampling thread, everything here in the app's."""

    def __init__(self, source: BoardReader) -> None:
        self.source = source
        self.history = BoardHistory()
        self.load: LoadFacts | None = None
        """What the runtime logged when it loaded the model. Set from any thread."""
        self._view: BoardView | None = None
        self._root: Path | None = None

    @property
    def facts(self) -> BoardFacts | None:
        """Facts derived from the snapshots; None before the first."""
        return None if self._view is None else self._view.facts

    @property
    def other_program(self) -> str | None:
        """Load by another program, as a clause; None where there is none."""
        findings = () if self.facts is None else self.facts.findings
        found = next((finding for finding in findings if finding.rule in OTHER_PROGRAMS), None)
        return None if found is None else found.title

    def other_programs(self) -> tuple[Program, ...]:
        """Other programs in the last sample, as recorded."""
        if not self.source.neighbours:
            return ()
        from tui.recording.samples import programs_of

        return programs_of(self.source.neighbours)

    def saw(
        self,
        snapshot: Snapshot,
        stats: TurnStats | None,
        model: ModelInfo | None,
        is_finishing: bool,
        *,
        is_benchmark: bool,
        t0_ns: int | None,
        now_ns: int,
    ) -> None:
        """A new snapshot; see :meth:`tui.board.advice.board_state.BoardView.saw`.

        The first one of another board begins a history of its own.
        """
        if self._root not in (None, self.source.sampled_root):
            self.history, self._view = BoardHistory(), None
        self._root = self.source.sampled_root
        if self._view is None:
            from tui.board.advice.board_state import BoardView

            self._view = BoardView()
        self.history.add(snapshot)
        self._view.saw(
            snapshot,
            stats,
            model,
            is_finishing,
            is_benchmark=is_benchmark,
            t0_ns=t0_ns,
            now_ns=now_ns,
            neighbours=self.source.neighbours,
            root=self._root,
        )
        self.source.wants_neighbours = self._view.wants_neighbours
