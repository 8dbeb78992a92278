"""A recorder in a folder, and what another process sees of it."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from tests.history.made import ORIGIN, opened
from tui.core.turn.turn import Turn
from tui.history import listing, reading
from tui.history.kept_answer import KeptAnswer, KeptConversation
from tui.history.recorder import Recorder
from tui.history.records import StoredTurn


def stored(folder: Path) -> list[StoredTurn]:
    """All turns of all conversations, as another process sees them."""
    with closing(opened(folder)) as connection:
        numbers = [row.id for row in listing.conversations(connection)]
        found = [reading.conversation(connection, number, is_tree=True) for number in numbers[::-1]]
        return [turn for conversation in found if conversation for turn in conversation.turns]


class Problems(list[str | None]):
    """What the recorder said."""


def begun(kept: Recorder, turn: Turn, **place: KeptAnswer) -> KeptAnswer:
    conversation = next(iter(place.values())).conversation if place else KeptConversation()
    answer = kept.record(turn, ORIGIN, conversation, **place)
    assert answer.is_stored.result(60)
    return answer
