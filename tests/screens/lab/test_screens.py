"""The lab's screens by their keys: list, matrix, answers, judging, the text of a set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.screen import Screen

from tests.app.prepared_app import PreparedApp, appearance
from tests.screens.lab.prepared import OPEN, PLAIN, PreparedLab, answered
from tests.screens.snapshot import picture
from tests.waiting import until
from tui.core.text.glyphs import ASCII
from tui.core.types import GenerationSettings
from tui.lab.model.judgement import Pair
from tui.lab.model.matrix import LabAnswer
from tui.screens.history.page import HistoryPage
from tui.screens.lab.answer import LabAnswerScreen
from tui.screens.lab.chooser import LabScreen
from tui.screens.lab.judge import LabJudgeScreen
from tui.screens.lab.matrix import LabMatrixScreen
from tui.screens.lab.sides import LabSidesScreen
from tui.screens.lab.text import LabTextScreen
from tui.widgets.chat.prompt import Prompt
from tui.widgets.kit.fields import TextField
from tui.widgets.lab.sides import number_rows

pytestmark = pytest.mark.slow

SIZES = [(120, 40), (80, 24), (200, 50)]


def shown(app: PreparedApp) -> str:
    return picture(app.screen).split("\n--\n")[0]


async def shows(app: PreparedApp, words: str) -> None:
    await until(lambda: words in shown(app), shown=lambda: shown(app))


async def on(app: PreparedApp, kind: type[Screen[Any]], words: str) -> None:
    await until(lambda: isinstance(app.screen, kind), shown=lambda: shown(app))
    await shows(app, words)


def prepared_app(folder: Path, lab: PreparedLab | None = None) -> PreparedApp:
    app = PreparedApp(appearance(folder))
    app.prepared.lab = lab or PreparedLab()
    return app


async def open_matrix(app: PreparedApp, pilot: Pilot[int], text: str) -> None:
    """From the dashboard to the run of the set, until its matrix shows a text."""
    await pilot.press("f8")
    await on(app, LabScreen, "why")
    await pilot.press("enter")
    await on(app, LabMatrixScreen, text)


@pytest.mark.parametrize("size", SIZES)
async def test_from_the_list_to_an_answer_and_back(tmp_path: Path, size: tuple[int, int]) -> None:
    app = prepared_app(tmp_path)
    async with app.run_test(size=size) as pilot:
        await pilot.press("f8")
        await on(app, LabScreen, "12 requests, ~4 min 10 s")
        assert "repeats is 0" in shown(app)
        await pilot.press("enter")
        await on(app, LabMatrixScreen, "running 6/12 answers")
        assert app.prepared.lab.told == ["start why"]
        assert "1/2" in shown(app)
        await pilot.press("enter")
        await on(app, LabAnswerScreen, "✗ words (21 words")
        # As in the chat: Markdown is drawn, not written.
        assert "*slow*" not in shown(app)
        assert "slow" in shown(app)
        await pilot.press("right")
        await shows(app, "It reads every weight")
        await pilot.press("escape")
        await on(app, LabMatrixScreen, "answers")
        await pilot.press("f8")
        assert app.screen is app.dashboard


@pytest.mark.parametrize(
    ("answer", "words", "role"),
    [
        (answered(PLAIN), "checks 2/2", "text"),
        (answered(PLAIN, passed=(False, True)), "checks 1/2", "bad"),
        (answered(PLAIN, status="timeout_idle", passed=(True,)), "timeout idle  checks 1/1", "bad"),
        (answered(PLAIN, status="timeout_idle", passed=()), "timeout idle", "bad"),
    ],
)
def test_checks_do_not_hide_that_an_answer_failed(answer: LabAnswer, words: str, role: str) -> None:
    assert number_rows(answer, 40)[-1] == ((words, role),)


async def test_a_narrow_matrix_is_one_column_with_a_switcher(tmp_path: Path) -> None:
    app = prepared_app(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await open_matrix(app, pilot, "1 of 3")
        assert "terse" not in shown(app).split("temperature")[0]
        await pilot.press("right")
        await shows(app, "2 of 3")
        assert "timeout idle" in shown(app)
        await pilot.resize_terminal(140, 40)
        await shows(app, "cold")
        assert "2 of 3" not in shown(app)


async def test_rows_are_left_out_and_sorted(tmp_path: Path) -> None:
    app = prepared_app(tmp_path)
    async with app.run_test(size=(120, 40)) as pilot:
        await open_matrix(app, pilot, "json/governor")
        await pilot.press("f")
        await shows(app, "only failed")
        assert "json/governor" not in shown(app)
        assert "why/heat" in shown(app)
        await pilot.press("f", "t")
        await shows(app, "only plain")
        assert "terse" not in shown(app).split("side by side")[0]
        await pilot.press("o", "o")
        await shows(app, "sorted by tokens")
        rows = shown(app)
        assert rows.index("why/heat") < rows.index("json/fan") < rows.index("why/memory")


@pytest.mark.parametrize(("size", "count"), [((120, 40), 3), ((80, 24), 2), ((60, 20), 1)])
async def test_answers_stand_side_by_side_with_their_differences(
    tmp_path: Path, size: tuple[int, int], count: int
) -> None:
    app = prepared_app(tmp_path)
    async with app.run_test(size=size) as pilot:
        await open_matrix(app, pilot, "why/memory")
        await pilot.press("v")
        await on(app, LabSidesScreen, "tok/s")
        assert shown(app).count("checks ") == count
        cells = app.screen.query_one("#word-rows").build(size[0])  # type: ignore[attr-defined]
        marked = " ".join(text for row in cells for text, role in row if role == "live")
        assert "board" in marked
        assert "every weight" not in marked
        if count < 3:
            await pilot.press("right")
            await shows(app, "2 of 3")


async def test_a_run_is_paused_skipped_and_stopped_with_a_second_key(tmp_path: Path) -> None:
    app = prepared_app(tmp_path)
    async with app.run_test(size=(120, 40)) as pilot:
        await open_matrix(app, pilot, "running")
        await pilot.press("p")
        await shows(app, "told pause")
        await pilot.press("s", "x")
        await shows(app, "again stops it")
        assert app.prepared.lab.told == ["start why", "pause", "skip"]
        await pilot.press("x")
        await shows(app, "told abort")


async def test_a_refusal_is_told_and_opens_nothing(tmp_path: Path) -> None:
    app = prepared_app(tmp_path, PreparedLab(refusal="another benchmark is running: mine"))
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("f8")
        await on(app, LabScreen, "why")
        await pilot.press("enter")
        await shows(app, "another benchmark is running")
        assert isinstance(app.screen, LabScreen)


@pytest.mark.parametrize("size", [(120, 40), (70, 24)])
async def test_names_are_hidden_until_a_pair_is_judged(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    lab = PreparedLab()
    app = prepared_app(tmp_path, lab)
    async with app.run_test(size=size) as pilot:
        await open_matrix(app, pilot, "running")
        await pilot.press("g")
        await on(app, LabJudgeScreen, "pair 1 of 3")
        for name in ("plain", "terse", "cold"):
            assert name not in shown(app)
        await pilot.press("n")
        await until(lambda: app.focused is not None)
        await pilot.press(*"b12", "enter")
        await shows(app, "note: b12")
        assert lab.kept == []
        await pilot.press("1")
        await shows(app, "pair 2 of 3")
        assert f"kept: {lab.kept[0].pair.left} is better than" in shown(app)
        await pilot.press("0")
        await shows(app, "pair 3 of 3")
        await pilot.press("b", "2")
        await shows(app, "every pair is judged")
        assert [(j.verdict, j.is_blind, j.note) for j in lab.kept] == [
            ("better", True, "b12"), ("same", True, ""), ("worse", False, ""),
        ]  # fmt: skip


class WithoutPairs(PreparedLab):
    """A run that was stopped before two answers to one case."""

    def pairs(self, run_id: str) -> tuple[Sequence[Pair], int]:
        return (), 1


async def test_without_a_pair_none_is_said_to_be_judged(tmp_path: Path) -> None:
    app = prepared_app(tmp_path, WithoutPairs())
    async with app.run_test(size=(80, 24)) as pilot:
        await open_matrix(app, pilot, "running")
        await pilot.press("g")
        await on(app, LabJudgeScreen, "no case has answers of two variants  Esc goes back")


async def test_a_set_is_checked_as_it_is_saved_and_nothing_is_dropped_at_once(
    tmp_path: Path,
) -> None:
    lab = PreparedLab()
    app = prepared_app(tmp_path, lab)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("f8")
        await on(app, LabScreen, "why")
        await pilot.press("e")
        await on(app, LabTextScreen, "[[prompt]]")
        app.screen.query_one(TextField).text = "no"
        await pilot.press("escape")
        await shows(app, "not saved")
        await pilot.press("ctrl+s")
        await shows(app, "why.toml: the set has no prompt.")
        assert "saved with 1 mistake" in shown(app)
        assert "no" in lab.texts["why"]
        await pilot.press("escape")
        await on(app, LabScreen, "why")


async def test_a_variant_becomes_the_chat_s_settings(tmp_path: Path) -> None:
    app = prepared_app(tmp_path)
    async with app.run_test(size=(120, 40)) as pilot:
        await open_matrix(app, pilot, "running")
        await pilot.press("right", "u")
        await shows(app, "the chat now uses the settings of terse")
        assert app.prepared.chat.settings == GenerationSettings(
            temperature=0.25, system_prompt="as terse"
        )


async def test_the_typed_prompt_goes_to_the_lab(tmp_path: Path) -> None:
    lab = PreparedLab()
    app = prepared_app(tmp_path, lab)
    async with app.run_test(size=(120, 40)) as pilot:
        app.dashboard.query_one(Prompt).text = "why?"
        await pilot.press("alt+l")
        await on(app, LabScreen, "why")
        assert lab.told == ["set of why? at 0.6"]


async def test_an_answer_of_the_history_goes_to_the_lab_with_its_settings(tmp_path: Path) -> None:
    lab = PreparedLab()
    app = prepared_app(tmp_path, lab)
    async with app.run_test(size=(120, 40)):
        app.post_message(HistoryPage.ToLab("how?", GenerationSettings(temperature=0.15)))
        await on(app, LabScreen, "why")
        assert lab.told == ["set of how? at 0.15"]


async def test_a_run_that_is_over_tells_how_it_ended(tmp_path: Path) -> None:
    over = replace(OPEN, is_running=False, outcome="interrupted", sentence="It was killed.")
    app = prepared_app(tmp_path, PreparedLab(over))
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("f8")
        await on(app, LabScreen, "running")
        await pilot.press("tab", "enter")
        await on(app, LabMatrixScreen, "It was killed.")
        assert PLAIN[:20] in shown(app)
        await pilot.press("w")
        await shows(app, "report.md is in")
        await pilot.press("r")
        await shows(app, "the run continues")


async def test_a_plain_terminal_gets_plain_characters(tmp_path: Path) -> None:
    made = replace(appearance(tmp_path), glyphs=ASCII)
    app = PreparedApp(made)
    app.prepared.lab = PreparedLab()
    async with app.run_test(size=(120, 40)) as pilot:
        for key, kind, words in (
            ("f8", LabScreen, "why"),
            ("enter", LabMatrixScreen, "x 1/2"),
            ("v", LabSidesScreen, "in all"),
        ):
            await pilot.press(key)
            await on(app, kind, words)
            assert shown(app).isascii(), shown(app)
