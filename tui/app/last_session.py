"""Restores conversation, position and draft of the last run, and saves them while npulse runs."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tui.core.text import format as fmt
from tui.screens.dashboard import Dashboard
from tui.settings.session_record import SessionFile, SessionRecord

if TYPE_CHECKING:
    from tui.app.backend import Backend
    from tui.history.resuming import ResumedConversation

HELD_S = 0.05
"""Time between two checks for an early prompt to be sent."""
KEEP_EVERY_S = 2.0
"""Time between two saves: the most of a draft that is lost when npulse is killed."""
TAKEN = "another npulse is open and has the last conversation; this one begins a new one"
HAS_BEGUN = "the last conversation is in the history; what you have written here stays"


@dataclass(frozen=True, slots=True)
class LastRun:
    """What an earlier run left: read off the app's thread."""

    record: SessionRecord
    conversation: ResumedConversation | None
    prompts: list[str]
    problems: tuple[str, ...]
    is_taken: bool


class LastSession:
    """Reads and writes the session file.

    Everything is called in the app's thread; the disk is waited for in one of its own.
    """

    def __init__(self, backend: Backend, file: SessionFile) -> None:
        self._backend = backend
        self._file = file
        self._disk = ThreadPoolExecutor(1, thread_name_prefix="npulse-session")
        self._has_come_back = False
        self._kept: SessionRecord | None = None
        self._unread: SessionRecord | None = None
        """Where the last run was, while its conversation cannot be read: it is not forgotten."""

    async def bring_back(self, dashboard: Dashboard, hint: str) -> None:
        """Show the last conversation and the draft; what was written meanwhile stays as it is.

        ``hint`` follows the note about the conversation.
        """
        found = await asyncio.get_running_loop().run_in_executor(self._disk, self._read)
        for problem in found.problems:
            dashboard.say(problem, "warn")
        dashboard.place.remember_prompts(found.prompts)
        chat, last, record = self._backend.chat, found.conversation, found.record
        while chat.is_held_ahead:  # noqa: ASYNC110 - a prompt that may yet come back
            await asyncio.sleep(HELD_S)
        if found.is_taken:
            dashboard.say(TAKEN)
        elif last is not None and chat.is_new and chat.resume(last):
            note = f"conversation of {when(last.updated_ms)}{hint}"
            dashboard.conversation.show(last.past, "", "", note)
            if record.turn is not None:
                dashboard.place.show_position(record.turn, record.row)
        elif last is not None:
            dashboard.say(HAS_BEGUN)
        if last is None and found.problems:
            self._unread = record
        if record.draft:
            dashboard.place.take_draft(record.draft)
        self._has_come_back = True

    def _read(self) -> LastRun:
        from tui.history.failures import HistoryError
        from tui.history.resuming import StillRunningError

        record, problem = self._file.load()
        problems = [] if problem is None else [problem]
        prompts: list[str] = []
        conversation = None
        history = self._backend.history
        if history.is_there:
            try:
                prompts = history.recent_prompts()
                if record.conversation is not None:
                    conversation = history.resume_last(record.conversation, record.leaf)
            except StillRunningError:
                pass  # the dashboard attaches to it
            except HistoryError as error:
                problems.append(str(error))
        return LastRun(record, conversation, prompts, tuple(problems), self._file.is_taken)

    def place(self, dashboard: Dashboard, *, is_left_running: bool = False) -> SessionRecord:
        """Where the user is now. ``is_left_running``: what was asked goes on without a screen."""
        chat = self._backend.chat
        conversation = chat.keeper.conversation_id
        leaf = turn = None
        row = 0
        if self._unread is not None and chat.is_new:
            conversation, leaf = self._unread.conversation, self._unread.leaf
        elif conversation is not None:
            leaf = chat.leaf_id(is_unsent_counted=is_left_running)
            turn, row = dashboard.place.position or (None, 0)
        drafts = [] if is_left_running or chat.waiting is None else [chat.waiting.prompt]
        drafts += [dashboard.place.draft] if dashboard.place.draft else []
        return SessionRecord(
            conversation=conversation, leaf=leaf, draft="\n".join(drafts), turn=turn, row=row
        )

    def keep(self, record: SessionRecord, tell: Callable[[str], None]) -> None:
        """Writes it soon, if it has changed. ``tell`` gets a sentence, from another thread, where
        that fails."""
        file = self._file
        if not self._has_come_back or record == self._kept:
            return
        self._kept = record

        def write() -> None:
            problem = file.keep(record)
            if problem is not None:
                tell(problem)

        self._disk.submit(write)

    def close(self) -> None:
        """Writes what is still to be written, and lets another npulse have the session. Blocks."""
        self._disk.shutdown(wait=True)
        self._file.close()


def when(ms: int) -> str:
    """``26 Nov, 14:05`` in local time, with the year where it is another one; a time that no
    calendar has is unknown."""
    try:
        then = time.localtime(ms / 1000)
        year = "" if then.tm_year == time.localtime().tm_year else f" {then.tm_year}"
        return f"{then.tm_mday} {time.strftime('%b', then)}{year}, {time.strftime('%H:%M', then)}"
    except (OverflowError, ValueError, OSError):
        return fmt.UNKNOWN
