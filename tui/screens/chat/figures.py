"""Data of the dashboard's panels, read whenever one is drawn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from tui.core.expect.wait_words import long_wait
from tui.core.text import format as fmt
from tui.core.types import Phase
from tui.widgets.board.panels import board_rows
from tui.widgets.board.why import roofline_row, why_row
from tui.widgets.chat.speed import phase_word

if TYPE_CHECKING:
    from tui.core.board.history import BoardHistory
    from tui.core.expect.outlook import Outlook
    from tui.core.screen.backend import ScreenBackend
    from tui.core.text.glyphs import Glyphs
    from tui.core.turn.turn import Turn
    from tui.core.turn.turn_stats import TurnStats
    from tui.timeline.record import Timeline
    from tui.widgets.kit.rows import Row


class ChatFigures:
    """Present numbers and texts. ``board_key`` opens the board screen."""

    def __init__(
        self,
        backend: ScreenBackend,
        board_key: str,
        timeline: Callable[[Turn], Timeline | None],
    ) -> None:
        self._backend = backend
        self._timeline = timeline
        self._board_key = board_key

    def stats(self) -> TurnStats | None:
        """The numbers of the turn in flight or of the last one."""
        chat = self._backend.chat
        turn = chat.turn if chat.ahead is None else chat.ahead.turn
        return None if turn is None else turn.stats(self._backend.clock_ns())

    def timeline(self) -> Timeline | None:
        """Timeline of that turn, where it is followed."""
        chat = self._backend.chat
        turn = chat.turn
        is_own = chat.ahead is None and chat.followed is None
        return self._timeline(turn) if is_own and turn is not None else None

    def outlook(self, stats: TurnStats) -> Outlook | None:
        """Outlook of the running turn with these numbers; None for one of another npulse."""
        chat, facts = self._backend.chat, self._backend.board.facts
        is_own = chat.ahead is None and chat.followed is None
        view = chat.outlook(stats) if is_own else None
        if view is None or facts is None or facts.ram_alert is None:
            return view
        return replace(view, warnings=(*view.warnings, facts.ram_alert))

    def history(self) -> BoardHistory:
        """The board's last minutes."""
        return self._backend.board.history

    def board_rows(self, history: BoardHistory, width: int, glyphs: Glyphs) -> list[Row]:
        """The lowest panel: DDR, SoC, what DDR allows, the first finding, npulse's own share."""
        title, ddr, soc, own = board_rows(history, width, glyphs)
        facts = self._backend.board.facts
        if facts is None:
            return [title, ddr, soc, (), (), own]
        roofline = roofline_row(facts.decode, width, glyphs, self._board_key)
        why = why_row(facts.findings, width, glyphs, self._board_key)
        return [title, ddr, soc, roofline, why, own]

    def warning_key(self) -> str | None:
        """The key of the board screen while something there should be done."""
        facts = self._backend.board.facts
        if facts is None:
            return None
        is_wrong = any(finding.weight == "act" for finding in facts.findings)
        return self._board_key if is_wrong or facts.alert else None

    def note(self) -> str | None:
        """What stands in the speed panel in place of figures: what the server is doing."""
        chat = self._backend.chat
        has_figures = chat.turn is not None and not chat.turn.phase.is_over
        if chat.finishing_note is not None or has_figures:
            return chat.finishing_note
        return self._backend.headline().activity

    def status(self) -> str | None:
        """The live row under a prompt that has no answer yet."""
        chat = self._backend.chat
        ahead = chat.ahead
        if ahead is None and (waiting := chat.waiting) is not None:
            elapsed = (self._backend.clock_ns() - waiting.since_ns) / 1e9
            return f"{waiting.reason}, {fmt.long_seconds(elapsed)}"
        turn = chat.turn if ahead is None else ahead.turn
        if turn is None or turn.phase not in (Phase.WAITING, Phase.PREFILL):
            return None
        stats = turn.stats(self._backend.clock_ns())
        if turn.wait is not None:
            return f"{turn.wait.reason}, {fmt.long_seconds(stats.elapsed_s)}"
        if ahead is not None:
            return phase_word(stats)
        if chat.was_busy:
            so_far = fmt.long_seconds(stats.elapsed_s)
            return f"waiting {so_far}, the NPU was busy before this prompt"
        view = self.outlook(stats)
        return phase_word(stats) if view is None else long_wait(view)
