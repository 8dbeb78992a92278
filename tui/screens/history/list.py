"""F4: the conversations that are kept, and the search through all of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import ClassVar, Literal

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.widgets import Input, Static

from tui.core.screen.keys.history import HISTORY_KEYS
from tui.core.text.glyphs import Glyphs
from tui.history.records import ConversationRow, SearchHit
from tui.screens.history.page import HistoryData, HistoryPage
from tui.widgets.chat.key_bar import HintOf, KeyHint, key_hints
from tui.widgets.chat.message_line import MessageBar
from tui.widgets.history.list import HistoryList
from tui.widgets.history.rows import Entry, conversation_of, detail_rows, head_row, title_row
from tui.widgets.kit.bindings import bindings
from tui.widgets.kit.fields import LineField
from tui.widgets.kit.rows import Row, Rows
from tui.widgets.kit.rows_panel import RowsPanel

FIELD_LABELS = {"search": " search  ", "rename": " name  ", "tag": " tags  "}
FIELD_ENTERS = {"search": "to the list", "rename": "keep the name", "tag": "keep the tags"}
FIELD_HINTS = (HintOf("back", "history.back"), HintOf("help", "help"))
PLACEHOLDERS = {
    "search": 'words, or "words in a row"',
    "rename": "",
    "tag": "words, separated by spaces",
}
MAX_MARKED = 3
NEAR_END = 20
"""Distance from the end of the list at which the next page is read."""


class HistoryScreen(HistoryPage):
    """A list and a field: for the search, or for the name or the tags of the chosen one."""

    BINDINGS: ClassVar[list[BindingType]] = bindings(HISTORY_KEYS, has_priority=False)
    HINTS = (
        HintOf("read", "history.open"),
        HintOf("continue", "history.continue"),
        HintOf("replay", "history.replay"),
        HintOf("search", "history.search"),
        HintOf("compare", "history.mark", "history.compare"),
        HintOf("pin", "history.pin"),
        HintOf("rename", "history.rename"),
        HintOf("tag", "history.tag"),
        HintOf("delete", "history.delete"),
        HintOf("undo", "history.undo"),
        HintOf("back", "history.back"),
        HintOf("help", "help"),
    )
    DEFAULT_CSS = """
    HistoryScreen #title { height: 2; }
    HistoryScreen #details { height: 3; }
    HistoryScreen #field-line { height: 1; display: none; }
    HistoryScreen #field-label { width: auto; color: $soft; }
    HistoryScreen #field {
        width: 1fr; height: 1; border: none; padding: 0;
        background: $background; color: $foreground;
    }
    """

    def __init__(self, data: HistoryData, glyphs: Glyphs) -> None:
        super().__init__(data, glyphs)
        self.list = HistoryList(glyphs, id="list")
        self._field_is: Literal["search", "rename", "tag"] = "search"
        self._words = ""
        """What is searched for; empty: all conversations are listed."""
        self._total = 0
        self._is_whole = False
        """There is no page after the last one that was read."""
        self._deleted: list[int] = []
        self._has_read = False

    def compose(self) -> ComposeResult:
        yield from self.compose_header()
        yield RowsPanel(self._title, self.glyphs, id="title")
        yield self.list
        yield RowsPanel(self._details, self.glyphs, id="details", classes="ruled")
        with Horizontal(id="field-line"):
            yield Static("", id="field-label", markup=False)
            yield LineField(compact=True, id="field")
        yield from self.compose_keys()

    def on_mount(self) -> None:
        self.list.focus()
        self._read_again()

    def on_screen_resume(self) -> None:
        if self._has_read:
            self._read_again()

    def _title(self, width: int, _: int) -> list[Row]:
        """How many there are, and the heads of the columns."""
        return [title_row("history", self._count_words(), width), head_row(width)]

    def _details(self, width: int, _: int) -> Sequence[Row]:
        """More of the chosen one."""
        return detail_rows(self.list.entry, width)

    def _count_words(self) -> str:
        shown = len(self.list.entries)
        if self._words:
            return f"{shown} found for: {self._words}"
        if not self._has_read:
            return "reading"
        return f"{self._total} conversation{'' if self._total == 1 else 's'}"

    # Reading --------------------------------------------------------------------------------

    def _read_again(self) -> None:
        self.run_worker(self._read(), group="read", exclusive=True)

    async def _read(self) -> None:
        words, history = self._words, self.history
        before = self.list.entry
        found: list[Entry] | None
        if words:
            found = await self.ask(lambda: [*history.titled(words), *history.search(words)])
            self._is_whole = True
        else:
            page = await self.ask(history.newest)
            found = None if page is None else list(page)
            self._is_whole = False
            self._total = 0 if found is None else await self.ask(history.count) or 0
        self._has_read = True
        entries = found or []
        self.list.set_entries(entries, _place_of(before, entries))
        if found == [] and not words and not self._deleted:
            self.say("no conversation is kept yet: ask something in the chat")

    async def _read_on(self) -> None:
        last = self.list.entries[-1] if self.list.entries else None
        if self._is_whole or not isinstance(last, ConversationRow):
            return
        page = await self.ask(lambda: self.history.newest(after=last.id))
        if self.list.entries[-1:] != [last]:
            return  # another reader was faster, or the list is another one by now
        if not page:
            self._is_whole = True
            return
        self.list.entries += page
        self.list.refresh_rows()

    def on_history_list_chosen(self) -> None:
        for panel in ("#title", "#details"):
            self.query_one(panel, Rows).refresh_rows()
        if self.list.chosen >= len(self.list.entries) - NEAR_END:
            self.run_worker(self._read_on(), group="read")

    # The field ------------------------------------------------------------------------------

    def on_descendant_focus(self) -> None:
        """In the field a letter is a letter: the bottom line tells other keys there."""
        if not self.query_one("#field", LineField).has_focus:
            self.show_hints(self.HINTS)
            return
        enter = KeyHint("Enter", FIELD_ENTERS[self._field_is], "focused.submit")
        self.query_one(MessageBar).set_hints([enter, *key_hints(self, FIELD_HINTS, is_typing=True)])

    def _show_field(self, what: Literal["search", "rename", "tag"], text: str) -> None:
        self._field_is = what
        self.query_one("#field-label", Static).update(FIELD_LABELS[what])
        field = self.query_one("#field", LineField)
        self.query_one("#field-line").display = True
        with self.prevent(Input.Changed):
            field.value = text
        field.placeholder = PLACEHOLDERS[what]
        field.cursor_position = len(text)
        field.focus()

    def _hide_field(self) -> None:
        self.query_one("#field-line").display = bool(self._words) and self._field_is == "search"
        self.set_focus(self.list)

    @on(Input.Changed, "#field")
    def _typed(self, event: Input.Changed) -> None:
        if self._field_is == "search":
            self._words = event.value.strip()
            self.list.chosen = 0
            self._read_again()

    @on(Input.Submitted, "#field")
    def _entered(self, event: Input.Submitted) -> None:
        what, text, entry = self._field_is, event.value, self.list.entry
        self._hide_field()
        if what != "search":
            self._search_line_again()
            if entry is not None:
                self._change(what, conversation_of(entry), text)

    def _search_line_again(self) -> None:
        """After another use of the field, the words of the search stand there again."""
        if self._words:
            self._show_field("search", self._words)
            self.set_focus(self.list)

    def _change(self, what: str, conversation: int, text: str) -> None:
        history = self.history
        if what == "rename":
            self._do(lambda: history.rename(conversation, text), "renamed")
        else:
            words = text.replace(",", " ").replace("#", " ").split()
            self._do(lambda: history.tag(conversation, words), "tags kept")

    def _do(self, work: Callable[[], object], said: str) -> None:
        async def run() -> None:
            if await self.ask(lambda: (work(), True)) is not None:
                self.say(said)
                await self._read()

        self.run_worker(run(), group="change")

    # Keys -----------------------------------------------------------------------------------

    def action_choose(self, step: int) -> None:
        self.list.choose(self.list.chosen + step)

    def action_page(self, pages: int) -> None:
        self.list.choose(self.list.chosen + pages * max(1, self.list.size.height - 1))

    def action_ends(self, end: int) -> None:
        self.list.choose(0 if end < 0 else len(self.list.entries) - 1)

    def action_search(self) -> None:
        self._show_field("search", self._words)

    def on_history_list_opened(self) -> None:
        self.action_open()

    def action_open(self) -> None:
        entry = self.list.entry
        if entry is not None:
            turn = None if isinstance(entry, ConversationRow) else entry.turn
            self.post_message(self.OpenConversation(conversation_of(entry), turn))

    def action_continue(self) -> None:
        entry = self.list.entry
        if entry is not None:
            self.post_message(self.Continue(self, conversation_of(entry), None))

    def action_replay(self) -> None:
        entry = self.list.entry
        if entry is not None:
            is_answer = isinstance(entry, SearchHit) and entry.role == "assistant"
            answer = entry.turn if isinstance(entry, SearchHit) and is_answer else None
            self.post_message(self.Replay(self, conversation_of(entry), answer))

    def action_pin(self) -> None:
        entry = self.list.entry
        if isinstance(entry, ConversationRow):
            is_pinned = not entry.is_pinned
            said = "pinned: it stays at the top and is never pruned" if is_pinned else "not pinned"
            self._do(lambda: self.history.pin(entry.id, is_pinned), said)

    def action_rename(self) -> None:
        entry = self.list.entry
        if entry is not None:
            self._show_field("rename", entry.title)

    def action_tag(self) -> None:
        entry = self.list.entry
        if isinstance(entry, ConversationRow):
            self._show_field("tag", " ".join(entry.tags))

    def action_delete(self) -> None:
        entry = self.list.entry
        if entry is not None:
            conversation = conversation_of(entry)
            self._deleted.append(conversation)
            said = f"deleted; {self.key('history.undo')} brings it back"
            self._do(lambda: self.history.delete(conversation), said)

    def action_undo(self) -> None:
        if not self._deleted:
            self.say("nothing was deleted here", "warn")
            return
        conversation = self._deleted.pop()
        self._do(lambda: self.history.undelete(conversation), "it is back")

    def action_mark(self) -> None:
        entry = self.list.entry
        if entry is None:
            return
        conversation, marked = conversation_of(entry), self.list.marked
        if conversation in marked:
            self.list.marked = marked - {conversation}
        elif len(marked) >= MAX_MARKED:
            self.say(f"at most {MAX_MARKED} answers are shown side by side", "warn")
            return
        else:
            self.list.marked = marked | {conversation}
        self.action_choose(1)

    def action_compare(self) -> None:
        entry = self.list.entry
        if entry is None:
            return
        wanted = sorted({*self.list.marked, conversation_of(entry)})[:MAX_MARKED]

        async def run() -> None:
            found = [await self.ask(partial(self.history.last_answer, one)) for one in wanted]
            answers = [turn for turn in found if turn is not None]
            if len(answers) < 2:
                self.say("mark another conversation with an answer first", "warn")
            else:
                self.post_message(self.OpenAnswers(answers))

        self.run_worker(run(), group="change")

    def action_back(self) -> None:
        """Out of the field, out of the search, out of the screen."""
        field = self.query_one("#field", LineField)
        if field.has_focus and self._field_is != "search":
            self._hide_field()
            self._search_line_again()
        elif self._words or field.has_focus:
            self._words = ""
            with self.prevent(Input.Changed):
                field.value = ""
            self._hide_field()
            self._read_again()
        else:
            super().action_back()


def _place_of(entry: Entry | None, entries: Sequence[Entry]) -> int:
    """Where the entry that was chosen stands now."""
    if entry is None:
        return 0
    conversation, kind = conversation_of(entry), type(entry)
    for number, other in enumerate(entries):
        if conversation_of(other) == conversation and type(other) is kind:
            return number
    return 0
