"""The open requests of a run on many boards, and which one a board gets next."""

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
"""How often a request is sent if the connection to the server breaks off each time."""


def check_suite(suite: Suite, names: Sequence[str]) -> None:
    """Raises RunError for a suite whose prompts cannot be distributed. ``names``: the boards, for
    the advice to measure each by itself."""
    if is_of_one_board(suite):
        each = (
            f"npulse bench run {suite.id} --board {names[0]}"
            if names
            else f"npulse bench run {suite.id} on the board itself"
        )
        raise RunError(
            f"the suite {suite.id} measures a single board, and --boards distributes the prompts; "
            f"measure each board by itself: {each}, then npulse bench compare A B"
        )


def begun_before(resume: Earlier | None) -> frozenset[Key]:
    """Requests in progress when the run was ended; their boards may have answered them since."""
    if resume is None:
        return frozenset()
    requests = resume.loaded.document.requests
    return frozenset(r.key for r in requests if r.board and r.status == "cancelled")


class RequestQueue:
    """``plan``: every request of the run. ``done``: those answered before. ``last``: requests sent
    last, as a board that joins later may have their answers already."""

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
        """The board that failed with a request last: another board gets it, if there is one."""
        self._again: dict[Key, str] = {}

    @property
    def unanswered(self) -> list[Task]:
        """Requests without a final result, in the order of the plan."""
        return [task for task in self.plan if task.key in self._open]

    @property
    def is_over(self) -> bool:
        """Whether every request has its final result."""
        return not self._open

    def is_open(self, key: Key) -> bool:
        """Whether this request has no final result yet."""
        return key in self._open

    def is_known(self, key: Key) -> bool:
        """Whether this is a request of this run."""
        return key in self._number

    def number(self, task: Task) -> int:
        """The request's number in the plan, from 1."""
        return self._number[task.key]

    def why_again(self, key: Key) -> str:
        """Why the request was repeated; empty if it was not."""
        return self._again.get(key, "")

    def take(self, board: str, *, has_others: bool) -> Task | None:
        """Removes and returns the next request for a board; with other boards ready, not one that
        this board just failed with. None without any."""
        for at, task in enumerate(self._left):
            if not has_others or self._failed_on.get(task.key) != board:
                del self._left[at]
                return task
        return None

    def put_back(self, task: Task, board: str, why: str) -> None:
        """Makes a request the next one to be sent. ``why`` is a clause."""
        if task.key not in self._open or task in self._left:
            return
        self._again[task.key] = why
        self._failed_on[task.key] = board
        self._left.appendleft(task)

    def ended(self, request: Request, board: str, *, is_lost: bool) -> bool:
        """Records an answer; returns whether it is the final result. It is not if the board or its
        server was lost (``is_lost``) and tries are left: the request is then repeated."""
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
