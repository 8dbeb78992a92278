"""A history with a few conversations, in a real database, and the app that shows it."""

from __future__ import annotations

from pathlib import Path

from tests.history.made import ORIGIN, SETTINGS, add_exchange, end, opened
from tests.screens.headline import HEADLINE
from tests.screens.opened import Opened
from tui.core.text.glyphs import UNICODE
from tui.history import writers, writing
from tui.history.browser import HistoryBrowser
from tui.history.database import FILE_NAME, transaction
from tui.history.writer_process import this_process
from tui.screens.history.answers import AnswersScreen
from tui.screens.history.conversation import ConversationScreen
from tui.screens.history.list import HistoryScreen
from tui.screens.history.page import HistoryData, HistoryPage

DAY_MS = 86_400_000
FIRST_MS = 1_700_000_000_000


def fill(folder: Path) -> HistoryBrowser:
    """Three conversations; the first has two answers to its prompt, and a second prompt."""
    connection = opened(folder)
    number, asked, first = add_exchange(connection, "Why is DDR slow?", "It is **narrow**.")
    add_exchange(connection, "And on RK3588?", "Four channels.", conversation=number, parent=first)
    with transaction(connection):
        other = writing.begin_answer(
            connection,
            number,
            asked,
            writers.register_writer(connection, this_process()),
            ORIGIN,
            SETTINGS,
            FIRST_MS + 60_000,
        )
        writing.finish_answer(connection, other, end("It has to refresh.", tokens=24))
    add_exchange(connection, "Write a haiku", "Leaves fall.", created_ms=FIRST_MS + DAY_MS)
    add_exchange(connection, "Count to five", "1 2 3 4 5", created_ms=FIRST_MS + 2 * DAY_MS)
    connection.close()
    return HistoryBrowser(folder / FILE_NAME)


class HistoryApp(Opened):
    """Does what the pages ask for; ``continued`` has what should go on in the chat."""

    def __init__(self, history: HistoryBrowser) -> None:
        self.data = HistoryData(history, lambda: HEADLINE, lambda text, what: f"copied {what}")
        self.continued: list[HistoryPage.Continue] = []
        super().__init__(lambda: HistoryScreen(self.data, UNICODE))

    def on_history_page_open_conversation(self, event: HistoryPage.OpenConversation) -> None:
        self.push_screen(ConversationScreen(self.data, UNICODE, event.conversation, event.turn))

    def on_history_page_open_answers(self, event: HistoryPage.OpenAnswers) -> None:
        self.push_screen(AnswersScreen(self.data, UNICODE, event.turns))

    def on_history_page_continue(self, event: HistoryPage.Continue) -> None:
        self.continued.append(event)
