"""Each request gets one last word, whatever boards do."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fleet.boards import numbered
from tui.bench.model.records import Request
from tui.bench.run.plan import Task, ordered
from tui.fleet.kept_answers import KeptAnswers
from tui.fleet.request_queue import MAX_TRIES, RequestQueue

BOARDS = ("a", "b", "c")
MOVES = st.lists(
    st.tuples(st.sampled_from(BOARDS), st.sampled_from(("take", "ok", "lost", "broken", "late")))
)


def answer(task: Task, *, is_ok: bool) -> Request:
    status = "ok" if is_ok else "truncated"
    return Request(id=task.prompt.id, rep=task.rep, order=task.order, status=status)  # type: ignore[arg-type]


@given(MOVES)
def test_each_request_has_one_last_word(moves: list[tuple[str, str]]) -> None:
    queue = RequestQueue(ordered(numbered(5, 8), 1, 1, None))
    running: dict[str, Task] = {}
    last_words: list[tuple[str, int]] = []
    lost: list[Task] = []

    def end(board: str, task: Task, *, is_ok: bool) -> None:
        if queue.is_open(task.key) and queue.ended(
            answer(task, is_ok=is_ok), board, is_lost=not is_ok
        ):
            last_words.append(task.key)

    for board, move in [
        *moves,
        *((b, m) for _ in range(20) for b in BOARDS for m in ("take", "ok")),
    ]:
        if move == "late" and lost:
            end(board, lost.pop(), is_ok=True)
        elif move == "take" and board not in running:
            task = queue.take(board, has_others=len(BOARDS) > 1)
            if task is not None:
                assert queue.is_open(task.key)
                running[board] = task
        elif move in ("ok", "broken", "lost") and board in running:
            task = running.pop(board)
            if move == "lost":
                queue.put_back(task, board, f"{board} was lost")
                lost.append(task)
            else:
                end(board, task, is_ok=move == "ok")
    assert queue.is_over
    assert sorted(last_words) == sorted(task.key for task in queue.plan)


def test_a_request_that_fails_everywhere_is_given_up() -> None:
    queue = RequestQueue(ordered(numbered(1, 8), 1, 1, None))
    for _ in range(MAX_TRIES):
        assert not queue.is_over
        task = queue.take("a", has_others=False)
        assert task is not None
        queue.ended(answer(task, is_ok=False), "a", is_lost=True)
    assert queue.is_over
    assert queue.why_again(queue.plan[0].key) == "on a it ended as truncated"


def test_the_board_that_failed_is_not_asked_again_where_there_is_another() -> None:
    queue = RequestQueue(ordered(numbered(2, 8), 1, 1, None))
    task = queue.take("a", has_others=True)
    assert task is not None
    queue.put_back(task, "a", "a was lost")
    other = queue.take("a", has_others=True)
    assert other is not None
    assert other.key != task.key
    assert queue.take("b", has_others=True) == task


def test_answers_are_kept_until_they_are_had(tmp_path: Path) -> None:
    kept, run = KeptAnswers(tmp_path), "20260101T000000Z-batch-boards-abcd"
    kept.keep(run, ("a/../b", 0), b"one")
    kept.keep(run, ("a", 1), b"two")
    assert sorted(kept.all_of(run)) == [b"one", b"two"]
    kept.forget(run, ("a/../b", 0))
    assert kept.all_of(run) == [b"two"]
    kept.forget(run, ("a", 1))
    assert not (tmp_path / "fleet" / run).exists()
    for wrong in ("..", "../x", "20260101T000000Z-/etc", ""):
        with pytest.raises(ValueError, match="not the id of a run"):
            kept.all_of(wrong)
