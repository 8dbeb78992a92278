"""Which boards and findings the screen offers a fix for, and what it says where it does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.board import tree_files, trees
from tui.app.board_fixes import ELSEWHERE, NO_BOARD, NO_FINDING, NO_FIX, Fixes
from tui.app.board_source import BoardLine, BoardReader
from tui.core.board.finding import Finding
from tui.core.board.fix import FileWrite, Fix
from tui.servers.connection_state import ConnectionState

DDR = "/sys/class/devfreq/dmc/governor"
FIX = Fix("ddr-clock", "keep it high", (FileWrite(DDR, "performance"),), measured_by="decode_tps")
FINDING = Finding("ddr-clock", "the memory runs at a low clock", "534 MHz", "slow", fix=FIX)


class RemoteBoard(BoardReader):
    """A board that is somewhere else, whose files are fetched to here."""

    @property
    def line(self) -> BoardLine | None:
        return BoardLine("ssh kitchen")


@pytest.fixture
def board(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> BoardReader:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    tree_files.write(trees.mistuned(), tmp_path / "board")
    return BoardReader(tmp_path / "board", 1.0)


def fixes(board: BoardReader) -> Fixes:
    return Fixes(board, ConnectionState, lambda: None)


def done(made: Fixes) -> None:
    assert made._worker is not None
    made._worker.join(60)
    assert not made._worker.is_alive()


def test_a_board_somewhere_else_is_never_changed(board: BoardReader) -> None:
    assert fixes(RemoteBoard(board.root, 1.0)).open(FINDING) == ELSEWHERE
    assert fixes(BoardReader(None, 1.0)).open(FINDING) == NO_BOARD
    assert fixes(RemoteBoard(board.root, 1.0)).in_force_sentence() is None


def test_without_a_server_it_is_done_and_undone_later(board: BoardReader) -> None:
    made = fixes(board)
    assert made.open(FINDING) is None
    view = made.view()
    assert view.plan[0] == ("writes", f"{DDR}: dmc_ondemand -> performance")
    assert view.notes[-1] == "Answers are not compared: no server answers."
    made.undo()
    assert made.view().stage == "asking"
    made.confirm()
    done(made)
    assert made.view().stage == "in force"
    assert not made.view().has_card
    assert made.write_card() == "there is no result for a card yet"
    assert board.root is not None
    governor = board.root / DDR.lstrip("/")
    assert governor.read_text() == "performance\n"
    # Another npulse, which has not done it.
    later = fixes(board)
    assert "npulse doctor --undo puts it back" in (later.in_force_sentence() or "")
    assert later.open(None) is None
    assert "is in force since" in later.view().notes[0]
    later.undo()
    done(later)
    assert later.view().stage == "undone"
    assert governor.read_text() == "dmc_ondemand\n"
    assert later.in_force_sentence() is None
    # The first one finds that it is undone already.
    made.undo()
    done(made)
    assert made.view().notes == ("Nothing was to be put back.",)


def test_a_finding_without_a_fix(board: BoardReader) -> None:
    made = fixes(board)
    assert made.open(None) == NO_FINDING
    assert made.open(Finding("heat", "hot", "90 °C", "slow")) == NO_FIX


def test_what_cannot_be_written_is_told(board: BoardReader) -> None:
    assert board.root is not None
    (board.root / DDR.lstrip("/")).unlink()
    made = fixes(board)
    made.open(FINDING)
    made.confirm()
    done(made)
    view = made.view()
    assert view.stage == "failed"
    assert view.result == f"{DDR} cannot be read, so it could not be restored."
