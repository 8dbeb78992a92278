"""F4 on a real database: list, search, changes, branches, answers side by side."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.pilot import Pilot

from tests.history.made import add_exchange, end, opened
from tests.screens.history.kept import HistoryApp, fill
from tests.screens.snapshot import picture
from tests.waiting import until
from tui.history import writing
from tui.history.browser import PAGE, HistoryBrowser
from tui.history.database import FILE_NAME, transaction
from tui.screens.history.conversation import ConversationScreen
from tui.screens.history.list import HistoryScreen
from tui.widgets.transcript.transcript import Transcript


async def shows(pilot: Pilot[None], *wanted: str) -> str:
    """Waits until the screen shows all of these; returns its text."""
    text = ""

    def is_so() -> bool:
        nonlocal text
        text = picture(pilot.app.screen)
        return all(word in text for word in wanted)

    await until(is_so, shown=lambda: f"no {wanted} in:\n{text}")
    return text


async def lacks(pilot: Pilot[None], word: str) -> str:
    await until(lambda: word not in picture(pilot.app.screen), shown=f"still {word}")
    return picture(pilot.app.screen)


@pytest.fixture
def history(tmp_path: Path) -> HistoryBrowser:
    return fill(tmp_path)


@pytest.mark.parametrize("size", [(120, 40), (80, 24)])
async def test_the_newest_stands_first(history: HistoryBrowser, size: tuple[int, int]) -> None:
    async with HistoryApp(history).run_test(size=size) as pilot:
        text = await shows(pilot, "3 conversations", "Count to five")
        assert text.index("Count to five") < text.index("Write a haiku") < text.index("Why is DDR")


async def test_search_finds_words_of_answers_and_opens_there(history: HistoryBrowser) -> None:
    async with HistoryApp(history).run_test(size=(120, 40)) as pilot:
        await shows(pilot, "3 conversations")
        await shows(pilot, "c continue")
        await pilot.press("slash", *"refresh")
        text = await shows(pilot, "1 found for: refresh", "It has to refresh.")
        assert "Enter to the list" in text
        assert "c continue" not in text, "a letter is typed there"
        await pilot.press("enter")
        await shows(pilot, "c continue")
        await pilot.press("enter")
        await shows(pilot, "answer 2 of 2", "It has to refresh.")
        await pilot.press("left")
        await shows(pilot, "answer 1 of 2", "It is narrow.", "Four channels.")
        await pilot.press("escape")
        await shows(pilot, "1 found for: refresh")
        await pilot.press("escape")
        await shows(pilot, "3 conversations")


async def test_a_letter_is_no_way_out_of_the_search(history: HistoryBrowser) -> None:
    app = HistoryApp(history)
    async with app.run_test(size=(120, 40)) as pilot:
        app.set_keymap({"history.back": "q,escape"})
        await shows(pilot, "3 conversations")
        await pilot.press("slash", *"q")
        await shows(pilot, "search  q", "Esc back")
        await pilot.press("escape")
        await shows(pilot, "3 conversations", "c continue")


async def test_a_deletion_is_taken_back(history: HistoryBrowser) -> None:
    async with HistoryApp(history).run_test(size=(120, 40)) as pilot:
        await shows(pilot, "3 conversations")
        await pilot.press("down", "d")
        await shows(pilot, "2 conversations", "u brings it back")
        await lacks(pilot, "Write a haiku")
        await pilot.press("u")
        await shows(pilot, "3 conversations", "Write a haiku", "it is back")


async def test_pin_rename_and_tag(history: HistoryBrowser) -> None:
    async with HistoryApp(history).run_test(size=(120, 40)) as pilot:
        await shows(pilot, "3 conversations")
        await pilot.press("end", "p")
        text = await shows(pilot, "pinned", "* 20")
        assert text.index("Why is DDR") < text.index("Count to five")
        await pilot.press("r", *["backspace"] * 20, *"memory", "enter")
        await shows(pilot, "renamed", "memory")
        await pilot.press("t", *"ddr", "space", *"slow", "enter")
        await shows(pilot, "#ddr #slow")
    row = next(row for row in history.newest() if row.is_pinned)
    assert (row.title, row.tags) == ("memory", ("ddr", "slow"))


async def test_esc_leaves_a_name_as_it_was(history: HistoryBrowser) -> None:
    async with HistoryApp(history).run_test(size=(120, 40)) as pilot:
        await shows(pilot, "3 conversations")
        await pilot.press("r", "x", "escape")
        await pilot.press("down")
        await shows(pilot, "Count to five")
    assert {row.title for row in history.newest()} >= {"Count to five"}


async def test_a_branch_is_continued_and_a_prompt_edited(history: HistoryBrowser) -> None:
    app = HistoryApp(history)
    async with app.run_test(size=(120, 40)) as pilot:
        await shows(pilot, "3 conversations")
        await pilot.press("end", "enter")
        await shows(pilot, "answer 2 of 2")
        await pilot.press("right")
        await shows(pilot, "Four channels.")
        await pilot.press("enter", "e")
        assert isinstance(app.screen, ConversationScreen)
        await pilot.pause()
    goes_on, edit = app.continued
    found = history.resume(goes_on.conversation, goes_on.leaf)
    assert [past.prompt for past in found.past] == ["Why is DDR slow?", "And on RK3588?"]
    before = history.resume(edit.conversation, edit.leaf, from_start=edit.is_from_start)
    assert edit.prompt == "And on RK3588?"
    assert [past.result.text for past in before.past] == ["It is **narrow**."]


async def test_answers_side_by_side(history: HistoryBrowser) -> None:
    async with HistoryApp(history).run_test(size=(120, 40)) as pilot:
        await shows(pilot, "3 conversations")
        await pilot.press("end", "enter")
        await shows(pilot, "answer 2 of 2")
        await pilot.press("v")
        await shows(pilot, "1 to 2 of 2", "It is narrow.", "It has to refresh.", "+100 %")


async def test_answers_of_two_conversations_at_80_columns(history: HistoryBrowser) -> None:
    async with HistoryApp(history).run_test(size=(80, 24)) as pilot:
        await shows(pilot, "3 conversations")
        await pilot.press("v")
        await shows(pilot, "mark another conversation")
        await pilot.press("space", "v")
        await shows(pilot, "1 to 2 of 2", "Leaves fall.", "1 2 3 4 5")
        await shows(pilot, "Write a haiku", "Count to five")


async def test_a_long_list_is_read_by_pages(tmp_path: Path) -> None:
    connection = opened(tmp_path)
    for number in range(PAGE + 40):
        add_exchange(
            connection, f"prompt {number:03}", "yes", created_ms=1_700_000_000_000 + number
        )
    connection.close()
    app = HistoryApp(HistoryBrowser(tmp_path / FILE_NAME))
    async with app.run_test(size=(120, 40)) as pilot:
        await shows(pilot, f"{PAGE + 40} conversations")
        await pilot.press("end")
        await shows(pilot, "prompt 040")
        screen = app.screen
        assert isinstance(screen, HistoryScreen)
        await until(lambda: len(screen.list.entries) >= PAGE + 40)
        await pilot.press("end")
        await shows(pilot, "prompt 000")


async def test_no_history_is_a_sentence(tmp_path: Path) -> None:
    async with HistoryApp(HistoryBrowser(tmp_path / FILE_NAME)).run_test(size=(80, 24)) as pilot:
        await shows(pilot, "nothing is kept yet", "0 conversations")
        await pilot.press("enter", "c", "d", "v", "space", "p", "r", "t", "u")
        await shows(pilot, "nothing was deleted here")


async def test_a_damaged_history_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_bytes(b"no database at all" * 400)
    async with HistoryApp(HistoryBrowser(tmp_path / FILE_NAME)).run_test(size=(120, 24)) as pilot:
        await shows(pilot, FILE_NAME)


async def test_an_answer_that_was_stopped_is_shown_as_stopped(tmp_path: Path) -> None:
    connection = opened(tmp_path)
    _, _, first = add_exchange(connection, "Count to ten", "1 2 3")
    with transaction(connection):
        writing.finish_answer(connection, first, end("1 2 3", status="stopped", tokens=3))
    connection.close()
    history = HistoryBrowser(tmp_path / FILE_NAME)
    async with HistoryApp(history).run_test(size=(80, 24)) as pilot:
        await shows(pilot, "1 conversation", "Count to ten", "stopped")
        await pilot.press("enter")
        await shows(pilot, "1 2 3", "stopped  ")
        transcript = pilot.app.screen.query_one(Transcript)
        assert [turn.state for turn in transcript.turns] == ["stopped"]
