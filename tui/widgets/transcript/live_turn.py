"""The turn whose answer is streaming."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from rich.cells import cell_len

from tui.core.text.sanitize import Sanitizer
from tui.core.types import CleanText, Segment, SegmentKind
from tui.widgets.transcript.painter import Painter
from tui.widgets.transcript.turn_list import TurnList
from tui.widgets.transcript.turn_view import TurnState, TurnView
from tui.widgets.transcript.viewport import Viewport


class TextSource(Protocol):
    """Keeps the clean text of a live turn, so that the transcript need not."""

    def joined(self, kind: SegmentKind) -> CleanText:
        """All text of a kind that was fed, or more."""


class LiveTurn:
    """Updates the last turn of a column; does nothing where no turn is live."""

    def __init__(self, turn_list: TurnList, viewport: Viewport, painter: Painter) -> None:
        self._turn_list = turn_list
        self._viewport = viewport
        self._painter = painter
        self._sanitizers: dict[SegmentKind, Sanitizer] = {}

    @property
    def turn(self) -> TurnView | None:
        """The turn; None where the last one is over."""
        return self._turn_list.live

    def begin(self, prompt: str, *, label: str, model: str) -> None:
        """A new turn, whose answer will be fed."""
        turn_list = self._turn_list
        with self._viewport.changes:
            self.end("", state="stopped")
            turn_list.mode.lexers.is_patient = False
            turn_list.mode.lexers.warm_up()
            self._sanitizers = {"text": Sanitizer(), "thinking": Sanitizer()}
            turn_list.add(TurnView(prompt, cell_len, label=label, model=model))
            turn_list.open(len(turn_list.turns) - 1)
            self._viewport.show_end()

    def attach(self, source: TextSource) -> None:
        """``source`` keeps the text that is fed; nothing was fed yet."""
        if self.turn is not None:
            self.turn.thinking.attach(lambda: source.joined("thinking"))
            self.turn.answer.attach(lambda: source.joined("text"))

    def append(self, text: str, kind: SegmentKind) -> None:
        """New text, as it came from anywhere: it is cleaned here."""
        if self.turn is not None:
            self.feed([Segment(kind, self._sanitizers[kind].feed(text))])

    def feed(self, segments: Sequence[Segment]) -> None:
        """New text that is clean already."""
        turn, turn_list, viewport = self.turn, self._turn_list, self._viewport
        if turn is None or not segments:
            return
        last = len(turn_list.turns) - 1
        rows, anchor = turn_list.rows, viewport.anchor()
        if not viewport.is_following and turn.wants_thinking is None and turn.is_thinking:
            turn.wants_thinking = turn.is_thinking_held = True
        first = turn.feed(segments, turn_list.mode)
        if first is None:
            viewport.rearranged(last, rows, anchor)
            return
        changed = rows - 1
        for index in range(first, len(turn.parts)):
            part = turn.parts[index]
            row = turn_list.lay_out(last, index)
            self._painter.forget_rows(part, row)
            changed = min(changed, turn_list.top(last, index) + row)
        viewport.grown(rows, changed)

    def reclassify(self) -> None:
        """Everything so far was thinking: a ``</think>`` came without opening."""
        if self.turn is not None:
            self.turn.reclassify(self._turn_list.mode)
            self._viewport.rearrange(self.turn)

    def set_status(self, text: str | None, role: str = "dim") -> None:
        """What is going on while nothing has arrived: one row under the prompt.

        ``role`` is ``dim`` or ``warn``.
        """
        turn = self.turn
        if turn is None or (turn.status, turn.status_role) == (text, role):
            return
        turn.status, turn.status_role = text, role
        # Behind it there may be a note.
        if any(part.kind == "status" for part in turn.parts[-2:]):
            self._viewport.rearrange(turn)

    def set_thinking_note(self, note: str) -> None:
        """What the folded thinking says, as soon as it is known."""
        turn = self.turn
        if turn is not None and turn.thinking_note != note:
            turn.thinking_note = note
            self._viewport.rearrange(turn)

    def end(
        self, footer: str, *, state: TurnState, error: str = "", thinking_note: str = ""
    ) -> None:
        """The turn is over."""
        rest = [Segment(kind, one.flush()) for kind, one in self._sanitizers.items()]
        self.feed([segment for segment in rest if segment.text])
        turn, is_following = self.turn, self._viewport.is_following
        if turn is None:
            return
        turn.footer, turn.error = footer, error
        turn.thinking_note = thinking_note or turn.thinking_note
        if not is_following and turn.wants_thinking is None:
            turn.wants_thinking = turn.is_thinking_open
        turn.state = state
        self._turn_list.mode.lexers.is_patient = True
        turn.answer.finish()
        turn.thinking.finish()
        with self._viewport.changes:
            self._viewport.rearrange(turn)
            if is_following:
                self._viewport.show_end()

    def set_footer(self, footer: str) -> None:
        """Other numbers for a turn that is over already."""
        turns = self._turn_list.turns
        if turns and not turns[-1].is_live and turns[-1].footer not in ("", footer):
            turns[-1].footer = footer
            self._viewport.rearrange(turns[-1])
