"""Searching, jumping, selecting and copying."""

from __future__ import annotations

import pytest
from textual.color import Color
from textual.geometry import Offset
from textual.selection import SELECT_ALL, Selection

from tests.widgets.transcript.answers import MIXED, pieces
from tests.widgets.transcript.screen import TranscriptApp, text
from tui.widgets.transcript.transcript import Transcript

CODE = (
    "Look:\n\n```make\nall:\n\techo one\n\n\techo two\n```\n\nand\n\n```sh\nls -l\n```\n\nend " * 1
)


def with_turns(view: Transcript, count: int) -> None:
    for n in range(count):
        view.past_turns.add(f"question {n}", "", f"answer {n}\n\n{MIXED}\n\nneedle{n} here", "nums")
    view.show_end()


def marked(view: Transcript, role: str) -> list[str]:
    """The texts on screen that carry the style of a role."""
    wanted = view._role_styles.style_of(f"text {role}")
    return [
        cells.text
        for y in range(view.size.height)
        for cells in view.painter.line(y)
        if cells.style is not None
        and cells.style.reverse == wanted.reverse
        and bool(cells.style.underline) == bool(wanted.underline)
        and (cells.style.reverse or cells.style.underline)
    ]


async def test_search_counts_marks_and_walks() -> None:
    app = TranscriptApp()
    async with app.run_test(size=(80, 20)) as pilot:
        view = app.transcript
        with_turns(view, 30)
        await pilot.pause()
        assert view.search("NEEDLE") == 0, "a capital letter makes case count"
        assert view.search("needle") == 30
        assert marked(view, "match-current") == ["needle"]
        assert "needle29 here" in "\n".join(app.lines())
        view.search_step(-1)
        assert "needle28 here" in "\n".join(app.lines())
        await pilot.press("N")
        assert "needle27 here" in "\n".join(app.lines())
        await pilot.press("n", "n")
        await pilot.press("n")
        assert "needle0 here" in "\n".join(app.lines()), "around the end"
        await pilot.pause()
        last = app.messages[-1]
        assert isinstance(last, Transcript.SearchChanged)
        assert (last.pattern, last.position, last.count) == ("needle", 1, 30)
        assert view.search("") == 0
        assert marked(view, "match-current") == []


async def test_a_match_that_wraps_over_two_rows_is_marked_in_both() -> None:
    app = TranscriptApp()
    async with app.run_test(size=(40, 12)):
        view = app.transcript
        view.begin("q")
        view.feed(text("word " * 5 + "alpha beta gamma delta"))
        view.end("")
        assert view.search("alpha beta gamma") == 1
        assert marked(view, "match-current") == ["alpha", "beta gamma"]


async def test_a_match_in_folded_thinking_opens_it() -> None:
    app = TranscriptApp()
    async with app.run_test(size=(80, 12)):
        view = app.transcript
        view.past_turns.add("q", "a secret thought", "an answer", "f")
        view.show_end()
        assert "secret" not in "\n".join(app.lines())
        assert view.search("secret") == 1
        assert "secret" in "\n".join(app.lines())


async def test_every_match_can_be_reached_in_formatted_text() -> None:
    app = TranscriptApp()
    async with app.run_test(size=(60, 16)):
        view = app.transcript
        with_turns(view, 4)
        count = view.search("the")
        assert count > 8
        for _ in range(count):
            view.search_step(1)
            assert [word.lower() for word in marked(view, "match-current")] == ["the"]


async def test_search_sees_what_streams_in() -> None:
    app = TranscriptApp()
    async with app.run_test(size=(80, 12)):
        view = app.transcript
        view.begin("q")
        view.feed(text("one fish"))
        assert view.search("fish") == 1
        view.feed(text(" two fish"))
        view.search_step(1)
        assert view._search_jump.search is not None
        assert len(view._search_jump.search.matches) == 2


async def test_jumping_from_turn_to_turn() -> None:
    app = TranscriptApp()
    async with app.run_test(size=(80, 20)) as pilot:
        view = app.transcript
        with_turns(view, 10)
        await pilot.pause()
        for n in range(9, -1, -1):
            view.jump_turn(-1)
            assert app.lines()[1].startswith(f"  you   question {n}")
        view.jump_turn(-1)
        assert app.lines()[1].startswith("  you   question 0")
        await pilot.press("right_square_bracket")
        assert app.lines()[1].startswith("  you   question 1")
        assert view.copy_text.answer.startswith("answer 1")
        view.scroll_rows(3)
        view.jump_turn(-1)
        assert app.lines()[1].startswith("  you   question 1")
        for _ in range(9):
            view.jump_turn(1)
        assert view.is_following


async def test_jumping_from_code_to_code_and_copying_it() -> None:
    app = TranscriptApp()
    async with app.run_test(size=(80, 12)) as pilot:
        view = app.transcript
        view.past_turns.add("q", "", CODE, "f")
        view.past_turns.add("no code here", "", "nothing " * 300, "f")
        view.past_turns.add("r", "", CODE, "f")
        view.show_end()
        await pilot.pause()
        view.jump_code(-1)
        assert view.copy_text.code == "ls -l"
        view.jump_code(-1)
        assert view.copy_text.code == "all:\n\techo one\n\n\techo two"
        view.jump_code(-1)
        view.jump_code(-1)
        assert view.copy_text.code == "all:\n\techo one\n\n\techo two"
        assert "make" in app.lines()[1]
        view.jump_code(-1)
        assert "make" in app.lines()[1], "the first one stays"
        view.jump_code(1)
        assert view.copy_text.code == "ls -l"
        await pilot.press("c")
        await pilot.pause()
        last = app.messages[-1]
        assert isinstance(last, Transcript.CopyRequested)
        assert (last.text, last.what) == ("ls -l", "the code block")


async def test_code_of_any_length_is_copied_whole() -> None:
    code = "\n".join(f"line_{n} = {n}" for n in range(300))
    app = TranscriptApp()
    async with app.run_test(size=(80, 12)):
        view = app.transcript
        view.past_turns.add("q", "", f"```python\n{code}\n```\nend", "f")
        view.show_end()
        assert view.copy_text.code == code
        view.jump_code(-1)
        assert view.copy_text.code == code


async def test_copying_the_answer() -> None:
    app = TranscriptApp()
    async with app.run_test(size=(80, 12)) as pilot:
        view = app.transcript
        with_turns(view, 3)
        await pilot.press("y")
        await pilot.pause()
        last = app.messages[-1]
        assert isinstance(last, Transcript.CopyRequested)
        assert last.what == "the answer"
        assert last.text == view.copy_text.last_answer == view.copy_text.answer


async def test_selecting_with_the_mouse() -> None:
    app = TranscriptApp(is_emulated=True)
    async with app.run_test(size=(60, 16)) as pilot:
        view = app.transcript
        view.begin("what is it?")
        view.feed(text("Alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu\n\n"))
        view.feed(text("- first **bold** item\n- second\n\n中文字 and more"))
        view.end("f")
        await pilot.pause()
        lines = app.lines()
        top = next(y for y, line in enumerate(lines) if "Alpha" in line)
        await pilot.mouse_down(view, offset=(lines[top].index("beta"), top))
        await pilot.hover(view, offset=(lines[top].index("delta") - 2, top))
        await pilot.mouse_up(view, offset=(lines[top].index("delta") - 2, top))
        assert view.selection_text() == "beta gamma"
        last = next(y for y, line in enumerate(lines) if "second" in line)
        await pilot.mouse_down(view, offset=(lines[top].index("delta"), top))
        await pilot.hover(view, offset=(lines[last].index("second") + 2, last))
        await pilot.mouse_up(view, offset=(lines[last].index("second") + 2, last))
        assert view.selection_text() == (
            "delta epsilon zeta eta theta iota kappa lambda mu\n\n• first bold item\n• sec"
        )
        assert app.screen.get_selected_text() == view.selection_text()
        await app.painted()
        wide = next(y for y, line in enumerate(lines) if "中" in line)
        await pilot.mouse_down(view, offset=(lines[wide].index("中") + 2, wide))
        await pilot.hover(view, offset=(lines[wide].index("中") + 4, wide))
        await pilot.mouse_up(view, offset=(lines[wide].index("中") + 4, wide))
        assert view.selection_text() == "文字"
        await pilot.press("y")
        await pilot.pause()
        message = app.messages[-1]
        assert isinstance(message, Transcript.CopyRequested)
        assert (message.text, message.what) == ("文字", "the selection")


async def test_a_selection_stays_with_its_text_while_more_arrives() -> None:
    app = TranscriptApp()
    async with app.run_test(size=(60, 16)) as pilot:
        view = app.transcript
        view.begin("q")
        view.feed(text("Alpha beta gamma"))
        await pilot.pause()
        await pilot.mouse_down(view, offset=(8, 3))
        await pilot.hover(view, offset=(12, 3))
        await pilot.mouse_up(view, offset=(12, 3))
        assert view.selection_text() == "Alpha"
        for piece in pieces(MIXED):
            view.feed(text(piece))
        assert view.selection_text() == "Alpha"


async def test_selecting_with_the_keyboard() -> None:
    app = TranscriptApp()
    async with app.run_test(size=(60, 10)) as pilot:
        view = app.transcript
        view.begin("q")
        view.feed(text("\n\n".join(f"line {n}" for n in range(30))))
        view.end("f")
        await pilot.pause()
        await pilot.press("shift+up", "shift+up", "shift+up")
        assert view.selection_text() == "line 29\n\nf"
        for _ in range(20):
            await pilot.press("shift+up")
        assert view.selection_text().startswith("line 19")
        assert not view.is_following
        for _ in range(19):
            await pilot.press("shift+down")
        assert view.selection_text() == "line 29\n\nf"
        view.deselect()
        await pilot.pause()
        assert view.selection_text() == ""


async def test_selected_text_can_be_read() -> None:
    app = TranscriptApp()
    async with app.run_test(size=(60, 10)):
        style = app.transcript._role_styles.style_of("text selected")
        assert style.color is not None
        assert style.bgcolor is not None
        light, ground = Color.from_rich_color(style.color), Color.from_rich_color(style.bgcolor)
        assert light.brightness - ground.brightness > 0.4


async def test_everything_can_be_selected() -> None:
    app = TranscriptApp()
    async with app.run_test(size=(60, 10)):
        view = app.transcript
        view.begin("the question")
        view.feed(text("one\n\ntwo"))
        view.end("f")
        got = view.get_selection(SELECT_ALL)
        assert got == ("the question\n\none\n\ntwo\n\nf", "\n")
        assert view.get_selection(Selection(Offset(0, 1 << 60), None)) == ("", "\n")


@pytest.mark.parametrize("is_raw", [False, True])
async def test_plain_text_and_back_keeps_the_place(is_raw: bool) -> None:
    app = TranscriptApp()
    async with app.run_test(size=(80, 20)) as pilot:
        view = app.transcript
        if is_raw:
            view.toggle_raw()
        with_turns(view, 8)
        await pilot.pause()
        view.jump_turn(-1)
        view.jump_turn(-1)
        while "1. Set" not in app.lines()[0]:
            view.scroll_rows(1)
        shown = app.lines()
        view.toggle_raw()
        assert view._turn_list.mode.is_raw is not is_raw
        assert app.lines() != shown
        raw = app.lines()
        assert set(raw[0].split()) & set(shown[0].split()), "the same line of the answer"
        view.toggle_raw()
        assert app.lines()[0].strip("│ ") == shown[0].strip("│ ")


async def test_two_clicks_select_a_word_and_three_a_paragraph() -> None:
    app = TranscriptApp()
    async with app.run_test(size=(40, 12)) as pilot:
        view = app.transcript
        view.begin("q")
        view.feed(text("alpha /sys/class/devfreq gamma delta epsilon zeta eta\n\nnext"))
        view.end("f")
        await pilot.pause()
        await pilot.click(view, offset=(18, 3), times=2)
        assert view.selection_text() == "/sys/class/devfreq"
        await pilot.click(view, offset=(18, 3), times=3)
        assert view.selection_text() == "alpha /sys/class/devfreq gamma delta epsilon zeta eta"
