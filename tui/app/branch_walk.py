"""Steps between the branches of the open conversation."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tui.core.screen.chat import ANSWER_RUNS
from tui.screens.dashboard import Dashboard

if TYPE_CHECKING:
    from tui.app.backend import Backend

NOT_KEPT = "branches are in the history, and this conversation is not kept there"
ONLY_ONE = "there is one branch up to here; an answer asked again or a prompt edited makes another"


class BranchWalk:
    """Shows an answer's position among its alternatives, and steps to the next. Called in the app's
    thread.
    """

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    async def show_places(self, dashboard: Dashboard) -> None:
        """Write "answer 2 of 3" below each turn that has others beside it."""
        from tui.history.failures import HistoryError

        keeper, history = self._backend.chat.keeper, self._backend.history
        conversation, ids = keeper.conversation_id, keeper.exchange_ids
        if conversation is None:
            return
        try:
            places = await asyncio.to_thread(history.branch_places, ids)
        except HistoryError:
            return  # which cannot be read now; the walk says why
        if keeper.conversation_id == conversation and keeper.exchange_ids == ids:
            dashboard.conversation.show_branches([place.words for place in places])

    async def step(self, dashboard: Dashboard, exchange: int, step: int) -> None:
        """Opens the next (1) or previous (-1) branch at this exchange, or above it."""
        from tui.history.failures import HistoryError

        chat, history = self._backend.chat, self._backend.history
        conversation, ids = chat.keeper.conversation_id, chat.keeper.exchange_ids
        if chat.is_answering:
            dashboard.say(ANSWER_RUNS, "warn")
            return
        if conversation is None:
            dashboard.say(NOT_KEPT)
            return
        try:
            branch = await asyncio.to_thread(history.beside, ids, exchange, step)
            if branch is None:
                dashboard.say(ONLY_ONE)
                return
            found = await asyncio.to_thread(history.resume, conversation, branch.leaf)
        except HistoryError as error:
            dashboard.say(str(error), "warn")
            return
        is_same = chat.keeper.conversation_id == conversation and chat.keeper.exchange_ids == ids
        if not is_same or not chat.resume(found):
            return  # something was asked meanwhile
        dashboard.conversation.show_branch(found.past, branch.exchange)
        await self.show_places(dashboard)
        try:
            await asyncio.to_thread(history.choose_branch, conversation, branch.leaf)
        except HistoryError as error:
            dashboard.say(str(error), "warn")
