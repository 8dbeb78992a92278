"""The column beside the charts of the board screen: why it is slow, what fits, what is missing."""

from __future__ import annotations

from collections.abc import Sequence

from textual import events
from textual.app import ComposeResult
from textual.containers import VerticalScroll

from tui.core.board.board_facts import BoardFacts
from tui.core.board.finding import Finding
from tui.core.board.load_facts import LoadFacts
from tui.core.board.reading import Snapshot
from tui.core.text.glyphs import Glyphs
from tui.widgets.board.facts import (
    decode_rows,
    finding_rows,
    headroom_rows,
    load_rows,
    missing_rows,
)
from tui.widgets.kit.rows import Rows


class FactsColumn(VerticalScroll, can_focus=False):
    """One finding is chosen; it and others may be open."""

    DEFAULT_CSS = """
    FactsColumn {
        width: 46; height: 100%; padding: 0 1; border-left: solid $rule; scrollbar-size-vertical: 1;
    }
    FactsColumn Rows { margin-bottom: 1; }
    """

    def __init__(self, glyphs: Glyphs, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._glyphs = glyphs
        self.is_narrow = False
        self._findings: Sequence[Finding] = ()
        self._past: frozenset[str] = frozenset()
        """The rules of those that were seen when a model last computed."""
        self._is_read = False
        self._chosen = 0
        self._opened: frozenset[str] | None = None
        """The open findings by rule; None until the user opens or closes one."""
        self._owner: list[int] = []
        """For each row which finding it belongs to; -1: none."""

    def compose(self) -> ComposeResult:
        for name in ("why", "decode", "ahead", "load", "missing"):
            yield Rows(self._glyphs, id=f"facts-{name}")

    def draw(self, facts: BoardFacts, snapshot: Snapshot | None, load: LoadFacts | None) -> None:
        """Draws the facts derived from the samples. ``snapshot`` is the newest one, None before the
        first.
        """
        width, glyphs = self.query_one("#facts-why", Rows).size.width, self._glyphs
        if width < 1:
            return
        # Those that need action first, seen now or when a model last computed.
        self._findings = sorted(
            (*facts.findings, *facts.past_findings), key=lambda finding: finding.weight != "act"
        )
        self._past = frozenset(finding.rule for finding in facts.past_findings)
        self._is_read = snapshot is not None
        self._chosen = min(self._chosen, max(0, len(self._findings) - 1))
        self._draw_findings()
        self.query_one("#facts-decode", Rows).show(decode_rows(facts.decode, width, glyphs))
        self.query_one("#facts-ahead", Rows).show(
            headroom_rows(facts.trend, snapshot, width, glyphs)
        )
        self.query_one("#facts-load", Rows).show(load_rows(load, width))
        self.query_one("#facts-missing", Rows).show(
            missing_rows(snapshot, facts.remedies, width, glyphs)
        )

    def _draw_findings(self) -> None:
        why = self.query_one("#facts-why", Rows)
        rows, self._owner = finding_rows(
            self._findings,
            self._chosen,
            self._open_rules(),
            why.size.width,
            self._glyphs,
            self._past,
        )
        if not self._is_read:
            rows, self._owner = [(("why slow", "strong"),), (("reading the board ...", "dim"),)], []
        why.show(rows)

    @property
    def chosen(self) -> Finding | None:
        """The finding that keys act on."""
        return self._findings[self._chosen] if self._chosen < len(self._findings) else None

    def choose(self, step: int) -> None:
        """Another finding."""
        if self._findings:
            self._chosen = (self._chosen + step) % len(self._findings)
            self._draw_findings()

    def toggle(self) -> None:
        """Open or close the chosen finding."""
        finding = self.chosen
        if finding is not None:
            self._opened = self._open_rules() ^ {finding.rule}
            self._draw_findings()

    def _open_rules(self) -> frozenset[str]:
        """What is open: at first the worst one, where there is room for it."""
        if self._opened is not None or self.is_narrow:
            return self._opened or frozenset()
        wrong = [finding.rule for finding in self._findings if finding.weight == "act"]
        return frozenset(wrong[:1])

    def on_click(self, event: events.Click) -> None:
        """A finding that is clicked is chosen, and opens or closes."""
        is_finding = event.widget is self.query_one("#facts-why", Rows)
        if is_finding and event.y < len(self._owner) and self._owner[event.y] >= 0:
            self._chosen = self._owner[event.y]
            self.toggle()
