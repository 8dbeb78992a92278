"""The transcript: prompts and answers, live and finished, for any Textual app.

    class ChatApp(App[None]):
        def compose(self) -> ComposeResult:
            yield Transcript()

        def on_mount(self) -> None:
            transcript = self.query_one(Transcript)
            transcript.begin("what is it?")
            transcript.append("It is **Markdown** as it ")
            transcript.append("arrives.")
            transcript.end("2 pieces")

:meth:`Transcript.append` takes any text and cleans it. A caller that cleans and keeps its text
itself gives :meth:`Transcript.feed` its segments and :meth:`Transcript.attach` the place where they
are kept. Colours are those of the app's theme; ``style.py`` names the component classes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from rich.cells import cell_len

from tui.core.text.display import display_text
from tui.core.text.sanitize import Sanitizer, clean
from tui.core.types import Segment, SegmentKind
from tui.widgets.transcript.flow import Span
from tui.widgets.transcript.reader import TranscriptReader
from tui.widgets.transcript.turn_view import TurnState, TurnView


class TextSource(Protocol):
    """Keeps the clean text of a live turn, so that the transcript need not."""

    def joined(self, kind: SegmentKind) -> str:
        """All text of a kind that was fed, or more."""


class Transcript(TranscriptReader, can_focus=True):
    """Shows turns: those of a conversation that is opened again, and one that is being answered.

    The app calls :meth:`feed` at its own pace, at most once a frame; nothing here has a timer or
    moves by itself. Posts :class:`FollowChanged`, :class:`SearchRequested`,
    :class:`SearchChanged` and :class:`CopyRequested`.
    """

    FOCUS_ON_CLICK = False
    """What is typed goes where it went before: only Tab, or :meth:`focus`, makes keys commands."""

    _is_settling = False
    _sanitizers: dict[SegmentKind, Sanitizer]

    @property
    def is_streaming(self) -> bool:
        """Whether a turn is live."""
        return self._live is not None

    @property
    def _live(self) -> TurnView | None:
        turns = self._turn_list.turns
        return turns[-1] if turns and turns[-1].is_live else None

    def begin(self, prompt: str, label: str = "you", model: str = "") -> None:
        """A new turn, whose answer will be fed. ``model`` is named where it changes."""
        if self._live is not None:
            self.end("", state="stopped")
        self._turn_list.mode.lexers.is_patient = False
        self.warm_up()
        self._sanitizers = {"text": Sanitizer(), "thinking": Sanitizer()}
        self._add(TurnView(prompt, cell_len, label=label, model=model))
        self._turn_list.open(len(self._turn_list.turns) - 1)
        self.show_end()

    def warm_up(self) -> None:
        """Import what formatted text needs, on a thread of its own; only the first call does.

        :meth:`begin` does it too. Called earlier, while nobody waits (with the first key that is
        typed into the prompt), it stays out of the way of the first tokens.
        """
        self._turn_list.mode.lexers.warm_up()

    def append(self, text: str, kind: SegmentKind = "text") -> None:
        """New text of the live turn, as it came from anywhere: it is cleaned here."""
        if self._live is not None:
            self.feed([Segment(kind, self._sanitizers[kind].feed(text))])

    def attach(self, source: TextSource) -> None:
        """``source`` keeps the text that is fed to the live turn; nothing was fed yet."""
        turn = self._live
        if turn is not None:
            turn.thinking.attach(lambda: source.joined("thinking"))
            turn.answer.attach(lambda: source.joined("text"))

    def feed(self, segments: Sequence[Segment]) -> None:
        """New text of the live turn that has passed :class:`Sanitizer` already.

        Does nothing where no turn is live. Other text goes through :meth:`append`."""
        turn, turn_list = self._live, self._turn_list
        if turn is None or not segments:
            return
        last = len(turn_list.turns) - 1
        rows = turn_list.rows
        anchor = None
        if not self.is_following:
            anchor = turn_list.anchor(self.top_row)
            if turn.wants_thinking is None and turn.is_thinking:
                turn.wants_thinking = turn.is_thinking_held = True
        first = turn.feed(segments, turn_list.mode)
        if first is None:
            self._arranged(last, rows, anchor)
            return
        changed = rows - 1
        for index in range(first, len(turn.parts)):
            part = turn.parts[index]
            row = turn_list.lay_out(last, index)
            self._forget_strips(part, row)
            changed = min(changed, turn_list.top(last, index) + row)
        self._grown(rows, changed)

    def set_status(self, text: str | None, kind: str = "dim") -> None:
        """What is going on while nothing has arrived: one row under the prompt.

        ``kind`` is ``dim`` or ``warn``.
        """
        turn = self._live
        if turn is None or (turn.status, turn.status_role) == (text, kind):
            return
        turn.status, turn.status_role = text, kind
        if turn.parts[-1].kind == "status":
            self._rearrange(turn)

    def set_thinking_note(self, note: str) -> None:
        """What the folded thinking of the live turn says, as soon as it is known."""
        turn = self._live
        if turn is not None and turn.thinking_note != note:
            turn.thinking_note = note
            self._rearrange(turn)

    def end(
        self,
        footer: str,
        *,
        state: TurnState = "done",
        error: str | None = None,
        thinking_note: str = "",
    ) -> None:
        """The live turn is over: its numbers in one dim line, its error in a style of its own."""
        turn = self._live
        if turn is None:
            return
        turn.footer, turn.error = footer, error or ""
        turn.thinking_note = thinking_note or turn.thinking_note
        if not self.is_following and turn.wants_thinking is None:
            turn.wants_thinking = turn.is_thinking_open
        turn.state = state
        self._turn_list.mode.lexers.is_patient = True
        turn.answer.finish()
        turn.thinking.finish()
        self._rearrange(turn)
        if self.is_following:
            self.show_end()

    def set_footer(self, footer: str) -> None:
        """Other numbers for the last turn, which is over already."""
        turns = self._turn_list.turns
        if turns and not turns[-1].is_live and turns[-1].footer not in ("", footer):
            turns[-1].footer = footer
            self._rearrange(turns[-1])

    def reclassify(self) -> None:
        """Everything of the live turn so far was thinking: a ``</think>`` came without opening."""
        turn = self._live
        if turn is not None:
            turn.reclassify(self._turn_list.mode)
            self._rearrange(turn)

    def add_finished(
        self,
        prompt: str,
        thinking: str = "",
        answer: str = "",
        footer: str = "",
        state: TurnState = "done",
        error: str | None = None,
        *,
        label: str = "you",
        model: str = "",
        thinking_note: str = "",
    ) -> None:
        """A turn of a conversation that is opened again. It costs nothing until it is seen."""
        turn = TurnView(
            prompt,
            cell_len,
            label=label,
            model=model,
            thinking=thinking,
            answer=answer,
            state=state,
        )
        turn.footer, turn.error = footer, error or ""
        turn.thinking_note = thinking_note
        self._add(turn)
        if not self._is_settling and self.is_attached:
            self._is_settling = True
            self.call_next(self._settle_added)

    def clear(self) -> None:
        """Forget all turns."""
        self.deselect()
        self.search("")
        self._turn_list.clear()
        self._strips.clear()
        self._code_jump.clear()
        self.show_end()

    def set_notice(self, lines: Sequence[str | Sequence[Span]]) -> None:
        """What an empty transcript says: lines of text, or of spans of text and role."""
        self._notice = [
            [(display_text(clean(text), cell_len), role) for text, role in _spans(line)]
            for line in lines
        ]
        if not self._turn_list.turns:
            self._repaint()

    def last_answer(self) -> str:
        """The last answer as it came, also while it streams; nothing if there is none."""
        for turn in reversed(self._turn_list.turns):
            if turn.answer.has_text:
                return turn.answer.text
        return ""

    def show_end(self) -> None:
        turn = self._live
        if turn is not None and turn.is_thinking_held:
            turn.wants_thinking, turn.is_thinking_held = None, False
            turn.arrange(self._turn_list.mode)
            self._turn_list.resized(len(self._turn_list.turns) - 1)
            self._strips.clear()
        super().show_end()

    def _add(self, turn: TurnView) -> None:
        before = next(
            (one.model for one in reversed(self._turn_list.turns) if one.model), turn.model
        )
        turn.shows_model = bool(turn.model) and turn.model != before
        self._turn_list.add(turn)

    def _settle_added(self) -> None:
        self._is_settling = False
        if self.is_following:
            self.show_end()
        else:
            self.show_row(self.top_row)


def _spans(line: str | Sequence[Span]) -> Sequence[Span]:
    return [(line, "soft")] if isinstance(line, str) else line
