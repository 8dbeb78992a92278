"""Following, scrolling, resizing and painting, on an emulated terminal."""

from __future__ import annotations

import pytest
from textual.pilot import Pilot

from tests.waiting import until
from tests.widgets.transcript.answers import MIXED, pieces
from tests.widgets.transcript.screen import TranscriptApp, text, thinking
from tui.widgets.transcript.transcript import Transcript

LONG = "\n\n".join(f"paragraph {n} " + "word " * 30 for n in range(40))


def all_rows(view: Transcript) -> list[str]:
    """Every row of the column, wherever the view is."""
    turn_list = view._turn_list
    for turn in range(len(turn_list.turns)):
        for part in range(len(turn_list.open(turn).parts)):
            turn_list.lay_out(turn, part)
    return [view.painter.strip(row).text.rstrip() for row in range(turn_list.rows)]


async def settle(pilot: Pilot[None]) -> None:
    await pilot.pause()
    assert isinstance(pilot.app, TranscriptApp)
    if pilot.app.is_emulated:
        await pilot.app.painted()


async def scroll_up(pilot: Pilot[None], view: Transcript) -> None:
    """A long answer, which is then left by a page."""
    view.begin("q")
    view.feed(text(LONG))
    await settle(pilot)
    await pilot.press("pageup")
    await settle(pilot)


@pytest.mark.slow
async def test_an_answer_is_followed_and_what_is_painted_is_what_is_there() -> None:
    app = TranscriptApp(is_emulated=True)
    async with app.run_test(size=(80, 20)) as pilot:
        view = app.transcript
        view.begin("tell me")
        await settle(pilot)
        assert app.seen()[1] == "  you   tell me"
        words = pieces(MIXED)
        for start in range(0, len(words), 3):
            view.feed(text(*words[start : start + 3]))
            await pilot.pause(0.005)
        await settle(pilot)
        assert view.is_following
        assert app.seen()[-1].strip() or app.seen()[-6:] != [""] * 6
        view.end("12 tokens")
        await settle(pilot)
        assert app.seen()[-1] == "        12 tokens"


@pytest.mark.parametrize("width", [40, 80, 120])
@pytest.mark.parametrize("is_raw", [False, True])
async def test_a_streamed_answer_has_the_rows_of_one_that_was_there_at_once(
    width: int, is_raw: bool
) -> None:
    app = TranscriptApp()
    async with app.run_test(size=(width, 24)):
        view = app.transcript
        if is_raw:
            view.toggle_raw()
        view.begin("q")
        for piece in pieces(MIXED):
            view.feed(text(piece))
        view.end("f")
        streamed = all_rows(view)
        view.clear()
        view.past_turns.add("q", "", MIXED, "f")
        assert all_rows(view) == streamed


@pytest.mark.parametrize("is_raw", [False, True])
@pytest.mark.parametrize(
    "answer",
    [
        "\n\n\nshort\n\n\n \n",
        "- item\n\n\n",
        "```python\nx = 1\n\n\n" + "\n" * 40,
        "so:\n\n    x\n\n",
    ],
)
async def test_no_empty_rows_before_the_end_of_a_turn(answer: str, is_raw: bool) -> None:
    app = TranscriptApp()
    async with app.run_test(size=(60, 20)) as pilot:
        view = app.transcript
        if is_raw:
            view.toggle_raw()
        view.begin("q")
        for char in answer:
            view.feed(text(char))
            await pilot.pause()
        view.end("the numbers")
        streamed = all_rows(view)
        assert streamed[-1].endswith("the numbers")
        assert streamed[-2] == ""
        assert streamed[-3] != ""
        assert streamed[:2] == ["", "  you   q"]
        assert streamed[3] != ""
        view.clear()
        view.past_turns.add("q", "", answer, "the numbers")
        assert all_rows(view) == streamed


async def test_thinking_is_shown_without_empty_rows_around_it() -> None:
    app = TranscriptApp()
    async with app.run_test(size=(60, 20)):
        view = app.transcript
        view.begin("q")
        view.feed(thinking("\n\n", "hm", "\n", "\n", "\n"))
        view.feed(text("so"))
        view.toggle_thinking()
        rows = [row.strip(" ▎▌") for row in all_rows(view)]
        assert rows[3:] == ["▾ thought", "hm", "", "so"]


async def test_the_way_to_the_end_is_told_by_the_key_that_works() -> None:
    app = TranscriptApp(is_emulated=True)
    async with app.run_test(size=(80, 20)) as pilot:
        app.set_keymap({"transcript.end": "ctrl+g"})
        view = app.transcript
        await scroll_up(pilot, view)
        assert app.seen()[-1].endswith("↓ ^G")
        app.screen.set_focus(None)
        await until(lambda: app.seen()[-1].endswith("↓ End"), shown=app.seen)
        app.screen.set_focus(view)
        await until(lambda: app.seen()[-1].endswith("↓ ^G"), shown=app.seen)
        await pilot.press("ctrl+g")
        await settle(pilot)
        assert view.is_following


async def test_scrolling_up_stays_put_and_counts_the_new_lines() -> None:
    app = TranscriptApp(is_emulated=True)
    async with app.run_test(size=(80, 20)) as pilot:
        view = app.transcript
        await scroll_up(pilot, view)
        assert not view.is_following
        before = app.seen()
        assert before[-1].endswith("↓ End")
        assert "new" not in before[-1]
        rows = view._turn_list.rows
        view.feed(text("\n\nnew one\n\nnew two\n\nnew three\n\nlast"))
        await settle(pilot)
        assert [line.rstrip(" │") for line in app.seen()[:-1]] == [
            line.rstrip(" │") for line in before[:-1]
        ], "nothing that is read moves"
        added = view._turn_list.rows - rows
        assert view.viewport.new_lines == added == 8
        assert app.seen()[-1].endswith("8 new lines ↓ End")
        view.scroll_rows(view.viewport.rows_below - 3)
        await settle(pilot)
        assert view.viewport.new_lines == 3
        await pilot.press("end")
        await settle(pilot)
        assert (view.is_following, view.viewport.new_lines) == (True, 0)
        assert "End" not in app.seen()[-1]
        changes = [m for m in app.messages if isinstance(m, Transcript.FollowChanged)]
        assert changes == app.messages
        assert [(m.is_following, m.new_lines) for m in changes] == [
            (False, 0),
            (False, 8),
            (False, 3),
            (True, 0),
        ]


async def test_the_wheel_leaves_the_end_and_comes_back_to_it() -> None:
    app = TranscriptApp()
    async with app.run_test(size=(80, 20)) as pilot:
        view = app.transcript
        view.begin("q")
        view.feed(text(LONG))
        await settle(pilot)
        await pilot._post_mouse_events(
            [__import__("textual.events", fromlist=["x"]).MouseScrollUp], view
        )
        await settle(pilot)
        assert not view.is_following
        view.feed(text(" more" * 200))
        assert not view.is_following
        for _ in range(40):
            view.scroll_rows(3)
        assert view.is_following


async def test_a_resize_keeps_what_is_read_and_loses_nothing() -> None:
    app = TranscriptApp()
    async with app.run_test(size=(80, 20)) as pilot:
        view = app.transcript
        view.begin("q")
        view.feed(text(LONG))
        await settle(pilot)
        view.show_row(60)
        await settle(pilot)
        first_words = view.painter.line(0).text.strip() or view.painter.line(1).text.strip()
        for size in ((50, 12), (120, 30), (41, 8), (80, 20)):
            await pilot.resize_terminal(*size)
            await settle(pilot)
            view.feed(text(" and more"))
            shown = "\n".join(app.lines()[:3])
            assert " ".join(first_words.split()[:2]) in shown
        text_of_all = " ".join(" ".join(all_rows(view)).split())
        for n in range(40):
            assert f"paragraph {n} word" in text_of_all


async def test_the_count_of_new_lines_survives_a_resize() -> None:
    app = TranscriptApp()
    async with app.run_test(size=(80, 20)) as pilot:
        view = app.transcript
        view.begin("q")
        view.feed(text(LONG))
        view.show_row(30)
        view.feed(text("\n\n" + "new words " * 40))
        await settle(pilot)
        assert view.viewport.new_lines == 7
        await pilot.resize_terminal(40, 20)
        await settle(pilot)
        end = all_rows(view)
        first = next(i for i, row in enumerate(end) if "new words" in row)
        assert view.viewport.new_lines == len(end) - first + 1


async def test_thinking_folds_when_the_answer_begins_and_opens_on_a_key() -> None:
    app = TranscriptApp(is_emulated=True)
    async with app.run_test(size=(80, 20)) as pilot:
        view = app.transcript
        view.begin("q")
        view.feed(thinking("let me think about this"))
        await settle(pilot)
        assert app.seen()[3:5] == ["        ▾ thinking", "      ▎ let me think about this▌"]
        view.feed(text("It is so."))
        await settle(pilot)
        assert app.seen()[3:5] == ["        ▸ thought", "      ▎ It is so.▌"]
        view.end("nums", thinking_note="thought for 2 s, 5 tokens")
        await settle(pilot)
        assert app.seen()[3:7] == [
            "        ▸ thought for 2 s, 5 tokens", "        It is so.", "", "        nums",
        ]  # fmt: skip
        await pilot.press("t")
        await settle(pilot)
        assert app.seen()[3:7] == [
            "        ▾ thought for 2 s, 5 tokens", "        let me think about this", "",
            "        It is so.",
        ]  # fmt: skip
        await pilot.click(view, offset=(12, 3))
        await settle(pilot)
        assert app.seen()[4] == "        It is so."


async def test_thinking_that_is_being_read_does_not_fold() -> None:
    app = TranscriptApp()
    async with app.run_test(size=(80, 12)) as pilot:
        view = app.transcript
        view.begin("q")
        view.feed(thinking("a long thought " * 100))
        view.show_row(5)
        await settle(pilot)
        before = [line.rstrip(" │") for line in app.lines()[:-1]]
        view.feed(text("answer"))
        assert [line.rstrip(" │") for line in app.lines()[:-1]] == before
        view.show_end()
        assert any("▸ thought" in line for line in app.lines())


async def test_reclassified_text_becomes_thinking() -> None:
    app = TranscriptApp()
    async with app.run_test(size=(80, 12)) as pilot:
        view = app.transcript
        view.begin("q")
        view.feed(text("all of this was thought"))
        view.live_turn.reclassify()
        view.feed(text("Answer."))
        await settle(pilot)
        assert app.lines()[3:5] == ["        ▸ thought", "      ▎ Answer.▌"]
        assert view.copy_text.last_answer == "Answer."


async def test_status_and_error_and_notice() -> None:
    app = TranscriptApp(is_emulated=True)
    async with app.run_test(size=(80, 12)) as pilot:
        view = app.transcript
        view.set_notice(["No server yet.", "", [("npulse --demo", "live")]])
        await settle(pilot)
        assert app.seen()[1:4] == ["        No server yet.", "", "        npulse --demo"]
        view.begin("q")
        view.live_turn.set_status("prefill 3 s of about 40 s")
        await settle(pilot)
        assert app.seen()[3] == "      ▎ prefill 3 s of about 40 s"
        cells = view.painter.refreshed_cells
        view.live_turn.set_status("prefill 4 s of about 40 s")
        await settle(pilot)
        assert app.seen()[3] == "      ▎ prefill 4 s of about 40 s"
        assert view.painter.refreshed_cells - cells == 1
        view.live_turn.set_status(None)
        view.end("", state="error", error="RockchipLlama answered 503; it is busy")
        await settle(pilot)
        assert app.seen()[3] == "        ! RockchipLlama answered 503; it is busy"
        view.clear()
        await settle(pilot)
        assert app.seen()[1] == "        No server yet."


async def test_another_model_is_named() -> None:
    app = TranscriptApp()
    async with app.run_test(size=(80, 20)):
        view = app.transcript
        view.past_turns.add("q", "", "a", "f", model="qwen3-4b")
        view.begin("q", model="qwen3-4b")
        view.feed(text("b"))
        view.end("")
        assert "qwen3-4b" not in "\n".join(app.lines())
        view.begin("q", model="gemma3-1b")
        view.feed(text("c"))
        assert "        gemma3-1b" in app.lines()


async def test_plain_ascii_where_the_terminal_has_nothing_else() -> None:
    app = TranscriptApp(is_ascii=True)
    async with app.run_test(size=(80, 40)) as pilot:
        view = app.transcript
        view.begin("q")
        view.feed(thinking("hm"))
        view.feed(text("- a\n  - b\n> q\n\n---\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\nend"))
        view.show_row(0)
        await settle(pilot)
        assert "\n".join(app.lines()).isascii()


async def test_two_hundred_turns_open_without_being_rendered() -> None:
    app = TranscriptApp()
    async with app.run_test(size=(80, 30)) as pilot:
        view = app.transcript
        for n in range(200):
            view.past_turns.add(f"question {n}", "thought " * 50, LONG, "numbers")
        await settle(pilot)
        assert view.is_following
        assert app.lines()[-1] == "        numbers"
        assert sum(turn.is_open for turn in view._turn_list.turns) <= 3
        assert view._turn_list.laid_out_parts < 200
        view.show_row(0)
        assert app.lines()[1] == "  you   question 0"
        rows = view._turn_list.rows
        view.show_row(rows // 2)
        for _ in range(200):
            view.scroll_rows(-20)
        assert sum(turn.is_open for turn in view._turn_list.turns) <= 30
        layouts = [p for t in view._turn_list.turns for p in t.parts if p.layout is not None]
        assert len(layouts) <= 200
        assert not view.is_following


async def test_scrolling_by_rows_shows_every_row_once() -> None:
    """Estimated heights above and below never make a row appear twice or not at all."""
    app = TranscriptApp()
    async with app.run_test(size=(60, 12)) as pilot:
        view = app.transcript
        for n in range(12):
            view.past_turns.add(f"question {n} " * 9, "", f"turn {n}\n\n{MIXED}", "numbers")
        await settle(pilot)
        up = [view.painter.line(y).text.rstrip() for y in range(view.viewport.height)]
        while view.viewport.top_row > 0:
            before = view.painter.line(0).text
            view.scroll_rows(-1)
            assert view.painter.line(1).text[:-1] == before[:-1]
            up.insert(0, view.painter.line(0).text.rstrip(" │"))
        rows = [row.rstrip(" │") for row in all_rows(view)]
        assert [row.rstrip(" │") for row in up] == rows
