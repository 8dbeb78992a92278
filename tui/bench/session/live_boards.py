"""The state of each board of a running benchmark on many boards, from the run's events."""

from __future__ import annotations

from dataclasses import dataclass, field

import msgspec

from tui.bench.analysis.boards import figures_of
from tui.bench.model.boards import Board
from tui.bench.model.events import BoardSeen, RequestStarted
from tui.bench.model.metrics import ratio
from tui.bench.model.records import Request
from tui.bench.model.screen import BoardNow
from tui.bench.session.sanitized import cleaned

Key = tuple[str, int]


@dataclass(slots=True)
class _Seen:
    """The state of one board. ``is_counted``: the figures in ``board`` include all ``requests``."""

    board: Board
    asked: RequestStarted | None = None
    key: Key | None = None
    """Key of its present request, not sanitised; ``asked`` is sanitised."""
    since_s: float = 0.0
    """Start of that request, in seconds since the start of the run."""
    requests: dict[Key, Request] = field(default_factory=dict)
    lost: int = 0
    is_counted: bool = True
    answered_before: int = 0
    worked_s: float = 0.0
    """Seconds in which it was ready, without the present interval."""
    ready_s: float | None = None
    """Start of the present ready interval, in seconds of the run; None while it is not ready."""

    def rest(self, *, is_lost: bool = False) -> None:
        """Its request has ended; ``is_lost``: another board has to repeat it."""
        self.asked = self.key = None
        self.lost += is_lost
        self.is_counted = self.is_counted and not is_lost


class LiveBoards:
    """The state of each board. Not thread-safe, like :class:`tui.bench.session.live.LiveRun`."""

    def __init__(self) -> None:
        self._boards: dict[str, _Seen] = {}

    @property
    def working(self) -> int:
        """Number of boards that are ready."""
        return sum(one.board.state == "working" for one in self._boards.values())

    def is_working(self, board: str) -> bool:
        """Whether the board with this name or address is ready."""
        every = (one.board for one in self._boards.values())
        return any(one.state == "working" and board in (one.name, one.address) for one in every)

    def seen(self, event: BoardSeen, elapsed_s: float) -> Key | None:
        """Takes a board's new state at ``elapsed_s`` seconds of the run. Returns the key of the
        request that it has lost thereby; None without one."""
        shown = cleaned(event)
        one = self._of(shown.board)
        if event.state == "working" and one.ready_s is None:
            one.ready_s = elapsed_s
        elif event.state != "working" and one.ready_s is not None:
            one.worked_s, one.ready_s = one.worked_s + elapsed_s - one.ready_s, None
        one.board = msgspec.structs.replace(
            one.board,
            state=shown.state,
            sentence=shown.sentence,
            address=shown.address or one.board.address,
            model=shown.model or one.board.model,
        )
        key = one.key
        if event.state == "working" or key is None:
            return None
        one.rest(is_lost=True)
        return key

    def asked(self, key: Key, shown: RequestStarted, elapsed_s: float) -> None:
        """Takes the start of a request at ``elapsed_s`` seconds of the run."""
        for other in self._boards.values():
            if other.key == key and other.board.name != shown.board:
                other.rest(is_lost=True)
        one = self._of(shown.board)
        one.asked, one.key, one.since_s = shown, key, elapsed_s

    def ended(self, key: Key, shown: Request, *, is_of_before: bool = False) -> None:
        """Takes the end of a request. ``is_of_before``: it ended in an earlier part of the run, so
        it does not count for the rate per hour."""
        if not shown.board:
            return
        one = self._of(shown.board)
        one.requests[key] = shown
        one.answered_before += is_of_before
        one.is_counted = False
        if one.key == key:
            one.rest()

    def rows(self, elapsed_s: float) -> tuple[BoardNow, ...]:
        """One row per board at ``elapsed_s`` seconds of the run."""
        return tuple(_row(one, elapsed_s) for one in self._boards.values())

    def close(self) -> None:
        """The run has ended, also if it was killed: no board works any more."""
        for one in self._boards.values():
            one.rest()
            if one.board.state == "working":
                one.board = msgspec.structs.replace(one.board, state="done")

    def _of(self, name: str) -> _Seen:
        known = self._boards.get(name)
        if known is None:
            known = self._boards[name] = _Seen(Board(name=name))
        return known


def _row(one: _Seen, elapsed_s: float) -> BoardNow:
    if not one.is_counted:
        # Computed here, not at each answer: a newly opened screen reads thousands of them at once.
        board = msgspec.structs.replace(one.board, lost=one.lost)
        one.board = figures_of(board, tuple(one.requests.values()))
        one.is_counted = True
    worked_s = one.worked_s + (0.0 if one.ready_s is None else elapsed_s - one.ready_s)
    answered = one.board.answered - one.answered_before
    per_h = ratio(3600 * answered, worked_s or None)
    board = msgspec.structs.replace(one.board, wall_s=worked_s, requests_per_h=per_h)
    if one.asked is None:
        return BoardNow(board)
    return BoardNow(board, one.asked, max(0.0, elapsed_s - one.since_s))
