"""Opens the history screens, and carries out their requests to the chat."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

from tui.app.app_pages import AppPages
from tui.app.branch_walk import BranchWalk
from tui.app.unseen_answers import show_followed
from tui.core.screen.chat import ANSWER_RUNS
from tui.history.failures import HistoryError
from tui.history.records import AttachTarget
from tui.history.resuming import ResumedConversation, StillRunningError
from tui.history.unseen_answers import UnseenAnswer
from tui.screens.history.page import HistoryData, HistoryPage

if TYPE_CHECKING:
    from tui.recording.reading import Recording
    from tui.screens.timeline import TimelineScreen

Asked = (
    HistoryPage.OpenConversation
    | HistoryPage.OpenAnswers
    | HistoryPage.Replay
    | HistoryPage.Continue
)
"""The messages of a page that :meth:`HistoryPages.do` takes."""


class HistoryPages(AppPages):
    """The list of conversations, and what its pages ask for."""

    @property
    def _data(self) -> HistoryData:
        return HistoryData(self.backend.history, self.backend.headline, self.copy)

    def open_list(self) -> None:
        """The conversations."""
        from tui.screens.history.list import HistoryScreen

        self.push(HistoryScreen(self._data, self.appearance.glyphs))

    async def do(self, asked: Asked) -> None:
        """Carries out a page's request."""
        if isinstance(asked, HistoryPage.OpenConversation):
            from tui.screens.history.conversation import ConversationScreen

            glyphs = self.appearance.glyphs
            self.push(ConversationScreen(self._data, glyphs, asked.conversation, asked.turn))
        elif isinstance(asked, HistoryPage.OpenAnswers):
            from tui.screens.history.answers import AnswersScreen

            self.push(AnswersScreen(self._data, self.appearance.glyphs, asked.turns))
        elif isinstance(asked, HistoryPage.Replay):
            await self._replay(asked)
        else:
            await self._continue(asked)

    async def _replay(self, asked: HistoryPage.Replay) -> None:
        """A stored answer plays again over the history; the chat goes on below."""
        history = self.backend.history
        found = await asked.page.ask(lambda: history.recording(asked.conversation, asked.answer))
        if found is not None:
            self._open_replay(found)

    async def replay_timeline(self, asked: TimelineScreen.Replay) -> None:
        """The answer of a timeline plays again over it."""
        read, answer = asked.read, asked.answer
        if read is None and answer is not None:
            read = partial(self.backend.history.answer_recording, answer)
        if read is None:
            return
        try:
            found = await asyncio.to_thread(read)
        except (HistoryError, ValueError) as error:
            asked.page.say(str(error), "warn")
            return
        if asked.page.is_current:
            self._open_replay(found)

    def _open_replay(self, found: Recording) -> None:
        from tui.app.replay_backend import ReplayBackend
        from tui.screens.replay import ReplayScreen

        appearance = self.appearance
        screen = ReplayScreen(
            ReplayBackend(found),
            appearance.glyphs,
            appearance.keymap,
            self.copy,
            appearance.frames_per_s,
        )
        self.push(screen)

    async def _continue(self, asked: HistoryPage.Continue) -> None:
        """A stored conversation goes on in the chat; one that another npulse goes on with is shown
        as it grows."""
        chat = self.backend.chat
        is_own = chat.keeper.conversation_id == asked.conversation and not asked.prompt
        if is_own and chat.is_answering:
            asked.page.action_leave()
            return
        found = await asked.page.ask(lambda: self._goes_on(asked))
        if isinstance(found, UnseenAnswer):
            if found.followed is not None and not chat.is_answering:
                asked.page.action_leave()
                show_followed(self.backend, self.dashboard, found.followed)
                return
            found = found.ended
            if found is None:
                asked.page.say(ANSWER_RUNS, "warn")
        if found is None:
            return
        if not chat.resume(found):
            asked.page.say(ANSWER_RUNS, "warn")
            return
        asked.page.action_leave()
        said = f"continuing: {found.title}"
        self.dashboard.conversation.show(found.past, asked.prompt, said)
        await BranchWalk(self.backend).show_places(self.dashboard)

    def _goes_on(self, asked: HistoryPage.Continue) -> ResumedConversation | UnseenAnswer | None:
        """What is stored, or an answer of it that still runs. Raises HistoryError."""
        try:
            return self.backend.history.resume(
                asked.conversation, asked.leaf, from_start=asked.is_from_start
            )
        except StillRunningError as still:
            target = AttachTarget(asked.conversation, still.answer)
            return self.backend.elsewhere.at_start(target)
