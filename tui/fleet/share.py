"""The requests of a run and who is asked next: boards pull, and what one loses another one gets."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from tui.bench.model.records import Request
from tui.bench.model.suite import Suite, is_of_one_board
from tui.bench.run.plan import Task
from tui.bench.store.resume import Earlier
from tui.bench.store.runs import RunError

Key = tuple[str, int]
MAX_TRIES = 3
"""Of a request whose server went away each time."""


def check_suite(suite: Suite, names: Sequence[str]) -> None:
    """Raises RunError for a suite whose prompts cannot be shared out. ``names`` are the boards that
    can be measured one by one instead."""
    if is_of_one_board(suite):
        each = (
            f"npulse bench run {suite.id} --board {names[0]}"
            if names
            else f"npulse bench run {suite.id} on the board itself"
        )
        raise RunError(
            f"the suite {suite.id} measures one board by itself, and --boards shares prompts out; "
            f"measure each board on its own: {each}, then npulse bench compare A B"
        )


def begun_before(resume: Earlier | None) -> frozenset[Key]:
    """Requests that boards were asked when the run was ended, and may have answered since."""
    if resume is None:
        return frozenset()
    requests = resume.loaded.document.requests
    return frozenset(r.key for r in requests if r.board and r.status == "cancelled")


class Share:
    """``plan`` is every request of the run, ``done`` those that were answered before; ``last`` are
    asked last, since a board may come that has their answers."""

    def __init__(
        self,
        plan: Sequence[Task],
        done: frozenset[Key] = frozenset(),
        last: frozenset[Key] = frozenset(),
    ) -> None:
        self.plan = tuple(plan)
        self._number = {task.key: at for at, task in enumerate(plan, 1)}
        left = [task for task in plan if task.key not in done]
        self._left = deque(sorted(left, key=lambda task: task.key in last))
        self._open = {task.key for task in self._left}
        self._tries: dict[Key, int] = {}
        self._failed_on: dict[Key, str] = {}
        """The board that had a request last: another one is asked, where there is one."""
        self._again: dict[Key, str] = {}

    @property
    def unanswered(self) -> list[Task]:
        """Requests without a last word, in the order of the plan."""
        return [task for task in self.plan if task.key in self._open]

    @property
    def is_over(self) -> bool:
        """Whether each request has its last word."""
        return not self._open

    def is_open(self, key: Key) -> bool:
        """Whether this request still wants an answer."""
        return key in self._open

    def is_known(self, key: Key) -> bool:
        """Whether it is one of this run."""
        return key in self._number

    def number(self, task: Task) -> int:
        """Which one it is, from 1."""
        return self._number[task.key]

    def why_again(self, key: Key) -> str:
        """Why it was asked more than once; empty where it was not."""
        return self._again.get(key, "")

    def take(self, board: str, *, has_others: bool) -> Task | None:
        """The next request for a board; with others there, none that this one just failed with."""
        for at, task in enumerate(self._left):
            if not has_others or self._failed_on.get(task.key) != board:
                del self._left[at]
                return task
        return None

    def put_back(self, task: Task, board: str, why: str) -> None:
        """It has to be asked again, as the next one. ``why`` is a clause."""
        if task.key not in self._open or task in self._left:
            return
        self._again[task.key] = why
        self._failed_on[task.key] = board
        self._left.appendleft(task)

    def ended(self, request: Request, board: str, *, is_lost: bool) -> bool:
        """An answer has come. Whether it is the last word: not where the board was lost
        (``is_lost``) and another one may do better."""
        key = request.key
        tries = self._tries[key] = self._tries.get(key, 0) + 1
        if request.is_scored or not is_lost or tries >= MAX_TRIES:
            self._open.discard(key)
            self._left = deque(task for task in self._left if task.key != key)
            return True
        self.put_back(
            self.plan[self._number[key] - 1], board, f"on {board} it ended as {request.status_word}"
        )
        return False
