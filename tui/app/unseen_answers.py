"""Shows at the start what other npulse processes left, or still receive."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tui.history.records import AttachTarget
from tui.screens.dashboard import Dashboard

if TYPE_CHECKING:
    from tui.app.backend import Backend
    from tui.history.followed_answer import FollowedAnswer


async def show_unseen_answer(
    backend: Backend, dashboard: Dashboard, target: AttachTarget | None
) -> None:
    """Attaches to ``target``, else to an answer that runs without a terminal, or shows one that has
    ended since. A conversation that was begun meanwhile stays.
    """
    # The first look imports SQLite.
    looking = asyncio.to_thread(backend.elsewhere.at_start, target)
    try:
        found = await looking
    except Exception as error:
        from tui.history.failures import HistoryError

        if not isinstance(error, HistoryError):
            raise
        dashboard.say(str(error), "warn")
        return
    if found is None or backend.chat.is_answering:
        return
    if found.followed is not None:
        show_followed(backend, dashboard, found.followed)
        return
    ended = found.ended
    if ended is None:
        dashboard.say(found.sentence)
        return
    is_shown = backend.chat.keeper.conversation_id == ended.conversation.id
    is_shown = is_shown and len(backend.chat.conversation) == len(ended.past)
    if not is_shown and backend.chat.resume(ended):
        dashboard.conversation.show(ended.past, "", "")
    dashboard.say(found.sentence)


def show_followed(backend: Backend, dashboard: Dashboard, followed: FollowedAnswer) -> bool:
    """Attach the dashboard to an answer of another npulse; False while one of its own runs."""
    if not backend.follow(followed):
        return False
    dashboard.conversation.show_followed(followed.before.past)
    dashboard.say(f"this answer is running in another {followed.where}")
    return True
