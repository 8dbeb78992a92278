"""A running answer that is being stored, and its place in the conversation tree.

What stores it is :mod:`tui.history.storing`.
"""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future
from dataclasses import dataclass

from tui.core.board.reading import Snapshot
from tui.core.turn.turn import Turn
from tui.history.records import Origin

MAX_WAITING_SAMPLES = 3600
"""Board samples that are held while nothing can be written."""


@dataclass(slots=True, eq=False)
class KeptConversation:
    """A stored conversation; ``id`` is None until its first prompt is stored."""

    id: int | None = None


class KeptAnswer:
    """A prompt with its answer, and how much of it is stored.

    ``after`` is the answer that it follows, None at the beginning. ``again_of`` is another answer
    to the same prompt; then they are branches of one prompt. Only the thread of the
    :class:`~tui.history.recorder.Recorder` stores.
    """

    def __init__(
        self,
        turn: Turn,
        origin: Origin,
        conversation: KeptConversation,
        after: KeptAnswer | None = None,
        again_of: KeptAnswer | None = None,
        created_ms: int = 0,
    ) -> None:
        self.conversation = conversation
        self.prompt_id: int | None = None
        self.answer_id: int | None = None
        self.is_stored: Future[bool] = Future()
        """Done when the prompt is on the disk (True), or could not be stored at first (False)."""
        self.prompt = turn.prompt
        self.turn: Turn | None = turn
        """None once its end is stored."""
        self.origin = origin
        self.after = after
        self.again_of = again_of
        self.created_ms = created_ms
        self.samples: deque[tuple[int, Snapshot]] = deque(maxlen=MAX_WAITING_SAMPLES)
        """Board samples with their times that are not stored yet."""
        self.versions: dict[str, str | None] = {}
        """Versions of driver and runtime, as read last."""
        self.has_terminal = True
        self.is_detached = False
        """Whether the database marks it as detached."""

    @classmethod
    def stored(cls, conversation: KeptConversation, prompt_id: int, answer_id: int) -> KeptAnswer:
        """Whether its prompt is stored, so that other processes can follow it."""
        kept = cls.__new__(cls)
        kept.conversation = conversation
        kept.prompt_id, kept.answer_id = prompt_id, answer_id
        kept.is_stored = Future()
        kept.is_stored.set_result(True)
        kept.turn = None
        kept.versions = {}
        return kept

    def saw(self, snapshot: Snapshot) -> None:
        """A sample of the board while the answer runs. From any thread."""
        turn = self.turn
        if turn is not None and not turn.phase.is_over:
            self.samples.append((snapshot.t_ns, snapshot))
            self.versions = {
                "driver": snapshot.text("npu.driver"),
                "runtime": snapshot.text("npu.runtime"),
            }

    def renewed(self, turn: Turn) -> None:
        """Updates the numbers of the finished answer."""
        self.turn = turn

    def left_terminal(self) -> None:
        """Marks the answer as detached: its process continues without a screen."""
        self.has_terminal = False

    def not_saved(self) -> None:
        """It could not be stored; releases waiters."""
        if not self.is_stored.done():
            self.is_stored.set_result(False)
