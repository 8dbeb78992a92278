"""Opens the timelines of answers: of the chat, of the history, and of a benchmark."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tui.app.app_pages import AppPages
from tui.core.screen.key_names import key_cap
from tui.screens.timeline import TimelineData, TimelineScreen

if TYPE_CHECKING:
    from tui.app.last_answers import LastAnswers
    from tui.core.screen.last_answers import LastAnswer
    from tui.screens.bench.page import BenchPage
    from tui.screens.history.page import HistoryPage
    from tui.timeline.source import TimelineSource


class TimelinePages(AppPages):
    """A timeline for whoever asks for one; what is refused comes back as one sentence."""

    def open_of_chat(self, at: int | None) -> str | None:
        """Of the answer that runs, or of the last one; of the answer number ``at`` of the
        conversation. Returns why not, or None."""
        chat = self.backend.chat
        past, stored = chat.conversation.exchanges, chat.keeper.answer_ids
        sources = self.backend.timelines.sources(past, stored, chat.turn, chat.keeper.answer_id_of)
        if not sources:
            return "no answer yet; its timeline is shown once a prompt is sent"
        last = len(sources) - 1
        self._open(sources, last if at is None else min(max(at, 0), last))
        return None

    def open_of_answer(self, answer: LastAnswer, latest: LastAnswers) -> str | None:
        """Of one of the last answers, which ``latest`` has read. Returns why not, or None."""
        number = latest.number_of(answer)
        if number is None:
            key = key_cap(self.appearance.keymap["timeline"])
            return f"this answer is not in the history; in the chat {key} shows the last one"
        self._open(self.backend.timelines.stored([number], [answer.prompt]), 0)
        return None

    def open_of_history(self, asked: HistoryPage.OpenTimelines) -> None:
        """Of answers of the history."""
        sources = self.backend.timelines.stored(asked.answers, asked.labels)
        self._open(sources, asked.at, asked.compared)

    def open_of_bench(self, asked: BenchPage.OpenTimelines) -> None:
        """Of a request of a benchmark."""
        sources = self.backend.bench.timelines(asked.run_id)
        if asked.at < len(sources):
            self._open(sources, asked.at)

    def _open(
        self, sources: Sequence[TimelineSource], at: int, compared: int | None = None
    ) -> None:
        data = TimelineData(self.backend.headline, self.copy, sources, at, compared)
        self.push(TimelineScreen(data, self.appearance.glyphs))
