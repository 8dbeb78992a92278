"""The dashboard: chat at the left, speed and board at the right."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, ClassVar, TypeAlias

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.widget import Widget
from textual.widgets import Static

from tui.core.screen.backend import ScreenBackend
from tui.core.screen.explanations import PANELS, PanelName
from tui.core.screen.key_names import key_cap
from tui.core.screen.keymap import Place
from tui.core.screen.keys.chat import (
    BRANCH_ARROWS,
    CHAT_KEYS,
    DEMO_LETTER,
    FOCUS_KEYS,
    TURN_TIMELINE,
)
from tui.core.text.glyphs import Glyphs
from tui.screens.chat import messages
from tui.screens.chat.answer import AnswerDrawing
from tui.screens.chat.compose import dashboard_widgets
from tui.screens.chat.connecting import ServerEntry
from tui.screens.chat.conversation import ConversationActions
from tui.screens.chat.copying import Copying
from tui.screens.chat.elsewhere import ElsewhereWords
from tui.screens.chat.figures import ChatFigures
from tui.screens.chat.hints import hints_for
from tui.screens.chat.layout import DASHBOARD_CSS, arrange
from tui.screens.chat.place import ChatPlace
from tui.screens.chat.searching import TranscriptSearch
from tui.screens.chat.sources import NO_SOURCES, DashboardSources
from tui.screens.chat.widgets import ChatWidgets, panel_of
from tui.widgets.chat.key_bar import KeyBar, key_hints
from tui.widgets.chat.prompt import Prompt
from tui.widgets.chat.search_line import SearchLine
from tui.widgets.chat.server_line import ServerLine
from tui.widgets.kit.bindings import bindings
from tui.widgets.kit.lean_screen import LeanScreen
from tui.widgets.kit.too_small import TooSmall
from tui.widgets.transcript.style import MEANING_CSS
from tui.widgets.transcript.transcript import Transcript

if TYPE_CHECKING:
    from tui.core.turn.turn import Turn

WIDE_COLUMNS = 100

TRANSCRIPT_ACTIONS = ("branch_arrow", "turn_timeline", "demo_letter")
"""Elsewhere their keys are text."""
STRAY_ESC_S = 0.5
"""An Esc so soon after another screen has closed was meant for that screen."""


class Dashboard(LeanScreen):
    """Lays out the panels and hands keys and events to the parts in :mod:`tui.screens.chat`.

    ``keymap`` has the keys of each action. ``copy`` puts a text into the clipboard and gives the
    sentence that says where it is; its second argument is what the text is.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        # With priority, because the prompt would take some of these for itself.
        *bindings([*CHAT_KEYS, *BRANCH_ARROWS]),
        # Without, because where text is taken they are text, or must not overtake it.
        *bindings([*FOCUS_KEYS, TURN_TIMELINE, DEMO_LETTER], has_priority=False),
    ]
    HELP_PLACE: ClassVar[Place] = "chat"

    BranchWanted: TypeAlias = messages.BranchWanted
    AnswerEnded: TypeAlias = messages.AnswerEnded

    AUTO_FOCUS = "#prompt"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (WIDE_COLUMNS, "-wide")]

    CSS = MEANING_CSS
    DEFAULT_CSS = DASHBOARD_CSS

    def __init__(
        self,
        backend: ScreenBackend,
        glyphs: Glyphs,
        keymap: Mapping[str, str],
        copy: Callable[[str, str], str],
        frames_per_s: int = 15,
        sources: DashboardSources = NO_SOURCES,
    ) -> None:
        super().__init__()
        self.set_class(glyphs.is_ascii, "-ascii")
        self._sources = sources
        self._backend = backend
        self._glyphs = glyphs
        self._keymap = keymap
        self._resumed_s = 0.0
        self._has_opened = False
        self._is_resting = False
        self._parts = ChatWidgets(self)
        self._figures = ChatFigures(backend, key_cap(keymap["board"]), sources.timeline)
        self._answer = AnswerDrawing(
            backend,
            self._parts,
            self._figures,
            ElsewhereWords(keymap, glyphs),
            frames_per_s,
            on_end=self._answer_ended,
            on_change=lambda: self._show_hints(self.focused),
        )
        self.conversation = ConversationActions(backend, self._parts, self._answer, keymap)
        self.place = ChatPlace(self._parts, self.conversation)
        self._server_entry = ServerEntry(backend, self._parts)
        self._search = TranscriptSearch(self._parts, glyphs)
        self._copying = Copying(self._parts, copy)

    def compose(self) -> ComposeResult:
        # Known already, so that the first layout is the last one.
        is_wide = self.app.size.width >= WIDE_COLUMNS
        self.set_class(is_wide, "-wide")
        self.set_class(not is_wide, "-narrow")
        yield from dashboard_widgets(
            self._backend,
            self._figures,
            self._glyphs,
            key_cap(self._keymap["server.connect"]),
            self.compose_prompt(),
            self._sources,
            {name: key_cap(self._keymap[f"panel.{name}"]) for name in PANELS},
            key_cap(self._keymap["history"]),
        )

    def compose_prompt(self) -> ComposeResult:
        """The row in which something is written."""
        send = key_cap(self._keymap["prompt.send"])
        yield Static(f" {self._glyphs.prompt} ", id="prompt-mark", markup=False)
        yield Prompt(placeholder=f"ask the model; {send} sends", id="prompt")
        yield SearchLine(self._search.close, id="search")

    def on_mount(self) -> None:
        arrange(self, self.app.size)
        self.show_notice()

    # What the application tells --------------------------------------------------------------

    @property
    def is_busy(self) -> bool:
        """An answer is running or waited for."""
        return self.conversation.is_busy

    @property
    def ends_answer(self) -> bool:
        """Whether an answer ends with this npulse: one that another receives goes on."""
        return self.is_busy and self._backend.chat.followed is None

    def _answer_ended(self, turn: Turn) -> None:
        self.conversation.withdraw_refusal()
        self.post_message(self.AnswerEnded(turn))

    def rest(self, is_resting: bool) -> None:
        """Pauses or resumes drawing."""
        self._is_resting = is_resting
        self._answer.rest(is_resting)
        if not is_resting:
            self.show_board()

    def save_bandwidth(self, is_low: bool) -> None:
        """Move the transcript by half a view at a time, or row by row: each move writes all."""
        self._parts.transcript.viewport.has_leaps = is_low

    def show_board(self) -> None:
        """A new snapshot is there."""
        if self._is_resting:
            return
        self.conversation.take_unsent()
        if self.is_covered:
            return
        # What tells of a running answer is drawn with its figures, as often as the board is read.
        of_answer = () if self._answer.is_running else ("header", "speed", "strip")
        self._parts.refresh_rows("npu", "memory", "ddr", *of_answer)
        self._parts.transcript.live_turn.set_status(self._figures.status())

    def show_latest(self) -> None:
        """Other answers or conversations are the last ones now."""
        # They can be read before this screen is composed; its first frame has them then.
        if self.is_mounted:
            self._parts.refresh_rows("answers", "conversations")

    def show_server(self) -> None:
        """Draw anew what depends on the server."""
        self.conversation.take_unsent()
        self._answer.draw_late_numbers()
        self.show_notice()
        self._server_entry.update()
        self._show_hints(self.focused)
        if self._backend.headline().server_state == "ready":
            self.conversation.withdraw_refusal()

    def show_notice(self) -> None:
        """Updates the notice of the empty transcript."""
        self.conversation.show_notice()

    def say(self, text: str, role: str = "soft") -> None:
        """One sentence in the bottom line."""
        self._parts.say(text, role)

    # Size and focus --------------------------------------------------------------------------

    def on_resize(self, event: events.Resize) -> None:
        if event.size != self.app.size:
            # Overtaken by a newer size. While the first paint is held back, two sizes would
            # otherwise chase each other for ever: laying out one announces the other anew.
            event.prevent_default()
            return
        arrange(self, event.size)
        self.query_one(TooSmall).look(event.size)

    def on_screen_resume(self) -> None:
        if self._has_opened:
            self._resumed_s = time.monotonic()
            self.show_board()
        self._has_opened = True

    @property
    def focus_chain(self) -> list[Widget]:
        return self._parts.focus_chain

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """The bottom line shows the keys of what has the focus."""
        self._show_hints(event.widget)

    def _show_hints(self, focused: Widget | None) -> None:
        server = self._server_entry
        hints = hints_for(
            focused,
            is_server_missing=server.is_server_missing,
            has_server_line=server.is_shown,
            is_answering=self._backend.chat.is_answering,
        )
        self._parts.message_bar.set_hints(key_hints(self, hints))

    # Keys and text that nobody else took -----------------------------------------------------

    def on_key(self, event: events.Key) -> None:
        """Text goes to the prompt, from wherever it was typed."""
        is_command = event.key in self.active_bindings
        if event.is_printable and event.character is not None and not is_command:
            event.stop()
            self._take_text(event.character)

    def on_paste(self, event: events.Paste) -> None:
        event.stop()
        self._take_text(event.text)

    def _take_text(self, text: str) -> None:
        if self._search.is_open:
            self._search.take_text(text)
        else:
            self._parts.prompt.take_text(text)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Disables actions whose key has another meaning at present."""
        if action == "old_conversation":
            return self.conversation.can_bring_back
        if action == "demo_letter" and not self._server_entry.is_server_missing:
            return False
        return action not in TRANSCRIPT_ACTIONS or isinstance(self.focused, Transcript)

    def action_stop(self, is_meant: bool = False) -> None:
        """One step back: the line of a search, the answer, what is marked in the transcript.

        ``is_meant`` says that it is no key which may have been for another screen.
        """
        if not is_meant and time.monotonic() - self._resumed_s < STRAY_ESC_S:
            return
        if self._server_entry.has_focus:
            self._server_entry.close()
        elif self._search.is_open:
            self._search.give_up()
        elif self.is_busy:
            self.conversation.stop()
        else:
            transcript = self._parts.transcript
            transcript.search("")
            transcript.deselect()
            self._parts.prompt.focus()

    def action_stop_later(self, tokens: int | None = None) -> None:
        """Plan the stop: after so many more tokens, or at the end of the paragraph."""
        self.conversation.stop_later(tokens)

    def action_panel(self, panel: PanelName) -> None:
        """Show a panel over the whole screen."""
        from tui.screens.enlarging import enlarge

        enlarge(self, panel, self._backend, self._figures, self._sources, self._glyphs)

    def on_click(self, event: events.Click) -> None:
        """A click on a panel enlarges it."""
        if (panel := panel_of(event.widget)) is not None:
            self.action_panel(panel)

    async def on_conversation_column_chosen(self) -> None:
        await self.run_action("app.history")

    # The server ------------------------------------------------------------------------------

    async def action_connect(self) -> None:
        """The field for the URL of a server."""
        await self._server_entry.open()

    def on_server_line_submitted(self, event: ServerLine.Submitted) -> None:
        self._server_entry.connect(event.url)

    def action_demo(self) -> None:
        """Start the simulated board."""
        self._server_entry.start_demo()

    action_demo_letter = action_demo

    # The conversation ------------------------------------------------------------------------

    def on_prompt_submitted(self, event: Prompt.Submitted) -> None:
        if not self.conversation.ask(event.text):
            self._parts.prompt.refused(event.text)

    def on_prompt_empty_submitted(self) -> None:
        """Enter again: a prompt that waits behind a stopped answer is sent all the same."""
        if self._backend.chat.waiting is not None:
            self._backend.chat.send_anyway()

    def action_regenerate(self) -> None:
        self.conversation.regenerate()

    def action_new_conversation(self) -> None:
        self.conversation.begin_new()

    def action_old_conversation(self) -> None:
        self.conversation.bring_back()

    def action_edit(self) -> None:
        self.conversation.edit_last()

    def action_branch(self, step: int) -> None:
        """The branch beside the one that is shown, at the turn in view."""
        exchange = self.conversation.exchange_in_view
        if exchange is None:
            self.say("there are no branches: nothing was asked yet")
        else:
            self.post_message(self.BranchWanted(exchange, step))

    action_branch_arrow = action_branch

    # The transcript --------------------------------------------------------------------------

    def action_search(self) -> None:
        """The prompt's line takes a pattern."""
        self._search.open()

    on_transcript_search_requested = action_search

    def on_search_line_searched(self, event: SearchLine.Searched) -> None:
        self._parts.transcript.search(event.pattern)

    def on_transcript_search_changed(self, event: Transcript.SearchChanged) -> None:
        self._search.show_matches(event)

    def action_copy_answer(self) -> None:
        self._copying.copy_answer()

    def action_copy_code(self) -> None:
        self._parts.transcript.action_copy_code()

    def on_transcript_copy_requested(self, event: Transcript.CopyRequested) -> None:
        self._copying.copy(event.text, event.what)

    def action_toggle_thinking(self) -> None:
        self._parts.transcript.toggle_thinking()

    def action_toggle_plain(self) -> None:
        self._parts.transcript.toggle_raw()

    def action_jump_turn(self, step: int) -> None:
        self._parts.transcript.jump_turn(step)

    def action_jump_code(self, step: int) -> None:
        self._parts.transcript.jump_code(step)

    def on_prompt_scroll_requested(self, event: Prompt.ScrollRequested) -> None:
        self._parts.scroll_transcript(event.where)

    async def action_turn_timeline(self) -> None:
        number = self._parts.transcript.viewport.turn_number_in_view
        await self.run_action(f"app.timeline({'None' if number is None else number})")

    async def on_key_bar_chosen(self, event: KeyBar.Chosen) -> None:
        await self.run_action(event.action)
