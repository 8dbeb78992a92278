"""Answers that other npulse processes receive: found in the history, and followed."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING

from tui.servers.address import shown_url
from tui.settings.history_options import history_file

if TYPE_CHECKING:
    from tui.history.followed_answer import FollowedAnswer
    from tui.history.records import AttachTarget
    from tui.history.unseen_answers import UnseenAnswer
    from tui.servers.connection_state import Server


class AnswersElsewhere:
    """Looks into the history of this user. SQLite is imported, and the file opened, only where
    there is one; nothing is made.

    Every call may block for a moment.
    """

    def reason(self, url: str, own: int | None) -> str | None:
        """Why a prompt to the server at ``url`` should wait, as a clause: another npulse is
        answered there, or waits there for longer than the answer ``own`` of this one."""
        if not self._has_history:
            return None
        from tui.history.running_answers import first_in_line

        first = first_in_line(history_file(), (url,), own)
        return None if first is None else f"the server answers {first.where} first"

    def follow_first(self, urls: Collection[str], own: int | None) -> FollowedAnswer | None:
        """The answer that :meth:`reason` tells of, followed; None where there is none, or it ended
        just now. ``urls`` are those that the server may have."""
        if not self._has_history:
            return None
        from tui.history.failures import HistoryError
        from tui.history.followed_answer import FollowedAnswer
        from tui.history.running_answers import first_in_line

        first = first_in_line(history_file(), urls, own)
        if first is None:
            return None
        try:
            followed = FollowedAnswer(history_file(), first.turn)
        except HistoryError:
            return None
        followed.start()
        return followed

    def at_start(self, target: AttachTarget | None) -> UnseenAnswer | None:
        """What a dashboard begins with: what it was told to attach to, else what went on without a
        terminal. Raises HistoryError."""
        if not self._has_history:
            return None
        from tui.history import unseen_answers

        if target is None:
            return unseen_answers.unseen_answer(history_file())
        return unseen_answers.opened(history_file(), target.conversation, target.answer)

    @property
    def _has_history(self) -> bool:
        try:
            return history_file().exists()
        except OSError:
            return False


class OtherAnswers:
    """Answers of other processes that concern one chat.

    ``followed`` is the chat's own last turn, received by another npulse; ``ahead`` what its prompt
    may wait for. Called in the app's thread, but :meth:`look` and what :meth:`guard` gives.
    """

    def __init__(self, elsewhere: AnswersElsewhere | None) -> None:
        self._elsewhere = elsewhere
        self.followed: FollowedAnswer | None = None
        self.ahead: FollowedAnswer | None = None

    @property
    def refusal(self) -> str:
        """Why a prompt is not taken while ``followed`` runs."""
        where = "another npulse" if self.followed is None else self.followed.where
        return f"an answer runs in {where}; your prompt stays here until it ends"

    def stop(self) -> str | None:
        """Asks for the end of ``followed``. Returns the sentence that says so; None where there is
        none."""
        if self.followed is None:
            return None
        self.followed.ask_to_stop()
        return f"{self.followed.where} is asked to stop this answer"

    def look(self, urls: Collection[str], own: int | None) -> None:
        """Find what a waiting prompt waits for. Called in the sampling thread: it may block."""
        ahead = self.ahead
        if self._elsewhere is None or (ahead is not None and not ahead.turn.phase.is_over):
            return
        found = self._elsewhere.follow_first({shown_url(url) for url in urls}, own)
        self.ahead = found or ahead

    def guard(
        self,
        server: Server | None,
        own: Callable[[], int | None],
        in_use: Callable[[], str | None],
    ) -> Callable[[], str | None]:
        """``in_use``, or why another npulse comes first at a server that works on one answer.
        ``own`` is the answer of this process in the database. May block for a moment."""
        from tui.servers.capabilities import is_one_at_a_time

        elsewhere = self._elsewhere
        if elsewhere is None or server is None or not is_one_at_a_time(server.dialect):
            return in_use
        url = shown_url(server.url)
        return lambda: elsewhere.reason(url, own()) or in_use()

    def leave_ahead(self) -> None:
        """No prompt is waiting any more."""
        if self.ahead is not None:
            self.ahead.close()
        self.ahead = None

    def leave(self) -> None:
        """Follow none any longer."""
        self.leave_ahead()
        if self.followed is not None:
            self.followed.close()
        self.followed = None
