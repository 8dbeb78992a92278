"""A kept history, for every test of a command that reads one."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from tests.commands.histories import EVIL, opened
from tests.history.made import DEAD, add_exchange, begin, end
from tui.core.types import TurnError
from tui.history import writing
from tui.history.database import transaction
from tui.history.records import Origin
from tui.history.token_times import pack_times


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Three conversations: one with branches, one that was cut by a killed npulse, an evil one."""
    with closing(opened(tmp_path)) as connection:
        number, asked, first = add_exchange(connection, "why is decode memory-bound?", "Because")
        add_exchange(connection, "and prefill?", "not", conversation=number, parent=first)
        with transaction(connection):
            again = begin(connection, number, asked)
            cut = TurnError("cut", "The connection was cut.")
            writing.finish_answer(connection, again, end("=SUM(A1)", [], "interrupted", cut, 3))
            number = writing.add_conversation(connection, "cut", 1_700_000_000_000)
            asked = writing.add_turn(connection, number, None, "user", "=cmd()", 0)
            left = begin(connection, number, asked, by=DEAD)
        writing.add_piece(connection, left, "half", "", pack_times(0, [10**9, 2 * 10**9]))
        number, _, _ = add_exchange(connection, EVIL, f"{EVIL} bandwidth", origin=Origin(EVIL))
        # As an older npulse, or another program, may have left it.
        connection.execute("UPDATE conversations SET title = ? WHERE id = ?", (EVIL, number))
        connection.execute(
            "UPDATE bodies SET text = ? WHERE text LIKE '%wid%'", (f"{EVIL} bandwidth",)
        )
    return tmp_path
