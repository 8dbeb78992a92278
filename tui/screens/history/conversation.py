"""A conversation of the history: its turns with their numbers, and its branches."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType

from tui.core.screen.keys.history import CONVERSATION_KEYS
from tui.core.text.glyphs import Glyphs
from tui.history.records import OpenedConversation
from tui.screens.history.page import HistoryData, HistoryPage
from tui.widgets.chat.key_bar import HintOf, key_caps
from tui.widgets.chat.search_line import SearchLine
from tui.widgets.history.rows import title_row
from tui.widgets.history.turns import Exchange, exchanges
from tui.widgets.kit.bindings import bindings
from tui.widgets.kit.rows import Row, Rows
from tui.widgets.kit.rows_panel import RowsPanel
from tui.widgets.transcript.style import MEANING_CSS
from tui.widgets.transcript.transcript import Transcript


class ConversationScreen(HistoryPage):
    """Shows one branch; Left and Right go to the others at the place in view."""

    BINDINGS: ClassVar[list[BindingType]] = bindings(CONVERSATION_KEYS)
    HINTS = (
        HintOf("continue here", "conversation.continue"),
        HintOf("edit prompt", "conversation.edit"),
        HintOf("branches", "conversation.prev_branch", "conversation.next_branch", is_short=True),
        HintOf("side by side", "conversation.compare"),
        HintOf("timeline", "conversation.timeline"),
        HintOf("replay", "conversation.replay"),
        HintOf("copy", "transcript.copy"),
        HintOf("search", "transcript.search"),
        HintOf("thinking", "transcript.thinking"),
        HintOf("back", "conversation.back"),
        HintOf("help", "help"),
    )
    CSS = MEANING_CSS
    DEFAULT_CSS = """
    ConversationScreen #title { height: 1; }
    ConversationScreen Transcript { height: 1fr; }
    """

    def __init__(
        self, data: HistoryData, glyphs: Glyphs, conversation: int, turn: int | None
    ) -> None:
        super().__init__(data, glyphs)
        self._conversation = conversation
        self._turn = turn
        self._opened: OpenedConversation | None = None
        self._exchanges: list[Exchange] = []

    def compose(self) -> ComposeResult:
        yield from self.compose_header()
        yield RowsPanel(self._title, self.glyphs, id="title")
        yield Transcript(self.glyphs, id="transcript", classes="ruled")
        yield SearchLine(self._close_search, id="search")
        yield from self.compose_keys()

    def on_mount(self) -> None:
        self.query_one(Transcript).focus()
        self._show(self._turn)

    def _title(self, width: int, _: int) -> list[Row]:
        """Its name, and how many branches it has."""
        opened = self._opened
        if opened is None:
            return [title_row("reading", "", width)]
        count = len(opened.siblings)
        branches = f"{count} place{'' if count == 1 else 's'} with branches" if count else ""
        return [title_row(opened.stored.row.title, branches, width)]

    def _show(self, turn: int | None, place: int | None = None) -> None:
        """Show the branch through ``turn``; ``place`` is the exchange to be in view."""

        async def run() -> None:
            opened = await self.ask(lambda: self.history.open(self._conversation, turn))
            if opened is None:
                return
            self._opened = opened
            self._exchanges = exchanges(opened)
            transcript = self.query_one(Transcript)
            transcript.clear()
            for one in self._exchanges:
                transcript.past_turns.add(
                    one.prompt,
                    thinking=one.thinking,
                    answer=one.answer,
                    footer=one.footer,
                    state=one.state,
                    error=one.error,
                    model=one.model,
                )
            self.query_one("#title", Rows).refresh_rows()
            at = place if place is not None else self._place_of(turn)
            if at is not None:
                self.call_after_refresh(transcript.viewport.show_turn, at)

        self.run_worker(run(), group="read", exclusive=True)

    def _place_of(self, turn: int | None) -> int | None:
        places = (
            n for n, one in enumerate(self._exchanges) if turn in (one.prompt_id, one.answer_id)
        )
        return None if turn is None else next(places, None)

    @property
    def _in_view(self) -> int:
        """The exchange in view, by its number."""
        return self.query_one(Transcript).viewport.turn_number_in_view or 0

    # Searching ------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """While a pattern is typed the keys are text, but the one that goes back."""
        is_ours = action in ("continue", "edit", "compare", "branch", "lab", "timeline")
        return not (is_ours and self.query(SearchLine) and self.query_one(SearchLine).has_focus)

    def on_transcript_search_requested(self) -> None:
        search = self.query_one(SearchLine)
        search.display = True
        search.focus()

    def on_search_line_searched(self, event: SearchLine.Searched) -> None:
        self.query_one(Transcript).search(event.pattern)

    def _close_search(self, pattern: str) -> None:
        transcript = self.query_one(Transcript)
        self.query_one(SearchLine).display = False
        self.set_focus(transcript)
        if pattern and not transcript.is_searching:
            transcript.search(pattern)

    def on_transcript_search_changed(self, event: Transcript.SearchChanged) -> None:
        if event.pattern and not event.count:
            self.say("no match", "warn")
        elif event.pattern:
            keys = key_caps(self, "transcript.next_match", "transcript.prev_match")
            self.say(f"match {event.position} of {event.count}; {keys} go on")

    def action_back(self) -> None:
        """Out of the search, then out of the screen."""
        search, transcript = self.query_one(SearchLine), self.query_one(Transcript)
        if search.display:
            search.give_up()
        elif transcript.is_searching:
            transcript.search("")
        else:
            super().action_back()

    # Keys -----------------------------------------------------------------------------------

    def action_branch(self, step: int) -> None:
        """The branch beside this one, at the exchange in view or the nearest one above it."""
        opened = self._opened
        if opened is None:
            return
        for at in range(min(self._in_view, len(self._exchanges) - 1), -1, -1):
            one = self._exchanges[at]
            for turn in (one.answer_id, one.prompt_id):
                same = () if turn is None else opened.alternatives.get(turn, ())
                if turn is not None and turn in same:
                    self._show(same[(same.index(turn) + step) % len(same)], at)
                    return
        self.say("there is only one branch up to here")

    def action_continue(self) -> None:
        opened = self._opened
        if opened is not None:
            self.post_message(self.Continue(self, self._conversation, opened.stored.leaf))

    def action_replay(self) -> None:
        """The answer in view."""
        if self._exchanges:
            at = min(self._in_view, len(self._exchanges) - 1)
            answer = self._exchanges[at].answer_id
            self.post_message(self.Replay(self, self._conversation, answer))

    def action_edit(self) -> None:
        """The prompt in view goes back to the chat, and what was before it."""
        if not self._exchanges:
            return
        at = min(self._in_view, len(self._exchanges) - 1)
        before = self._exchanges[at - 1] if at else None
        leaf = None if before is None else before.answer_id or before.prompt_id
        self.post_message(
            self.Continue(
                self,
                self._conversation,
                leaf,
                self._exchanges[at].prompt,
                is_from_start=leaf is None,
            )
        )

    def action_lab(self) -> None:
        """The prompt in view and the settings of its answer begin a prompt set."""
        if self._exchanges:
            one = self._exchanges[min(self._in_view, len(self._exchanges) - 1)]
            self.post_message(self.ToLab(one.prompt, one.settings))

    def action_timeline(self) -> None:
        """Of the answer in view, or of the nearest one above it."""
        answered = [one for one in self._exchanges if one.answer_id is not None]
        if not answered:
            self.say("there is no answer here yet", "warn")
            return
        seen = self._exchanges[: self._in_view + 1]
        at = max(sum(one.answer_id is not None for one in seen) - 1, 0)
        numbers = [one.answer_id for one in answered if one.answer_id is not None]
        self.post_message(self.OpenTimelines(self, numbers, [one.prompt for one in answered], at))

    def action_compare(self) -> None:
        """The answers to the prompt in view, also to its other versions."""
        opened = self._opened
        if opened is None or not self._exchanges:
            return
        one = self._exchanges[min(self._in_view, len(self._exchanges) - 1)]
        same = opened.siblings.get(one.answer_id or -1, ())
        if len(same) < 2:
            self.say("this prompt has one answer; ask it again in the chat to have another", "warn")
        else:
            self.post_message(self.OpenAnswers(same))

    @on(Transcript.CopyRequested)
    def _copy(self, event: Transcript.CopyRequested) -> None:
        if event.text:
            self.say(self.data.copy(event.text, event.what))
