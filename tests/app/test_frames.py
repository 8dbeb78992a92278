"""Frames of a running answer: one follows when its turn tells that something has come."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from tests.app.prepared_app import NothingKept, appearance
from tests.screens.snapshot import picture
from tests.waiting import until
from tui.core.turn.turn import Turn
from tui.core.types import DoneDelta, FinishDelta, TextDelta
from tui.screens.chat import answer


def tell(turn: Turn) -> None:
    """As the network's thread does."""
    thread = threading.Thread(target=turn.tell_news)
    thread.start()
    thread.join()


async def test_words_and_the_end_are_drawn_when_the_turn_tells(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answer, "LOOK_S", 3600.0)
    app = NothingKept(appearance(tmp_path))
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press(*"one", "enter")
        turn = app.prepared.chat.turn
        assert turn is not None
        assert turn.look_every_s == 1 / 15
        turn.feed(app.prepared.chat.now_ns, [TextDelta(" is blue")])
        tell(turn)
        await until(lambda: "So the sky is blue" in picture(app.screen))
        turn.feed(app.prepared.chat.now_ns, [FinishDelta("stop"), DoneDelta()])
        tell(turn)
        (shown,) = app.dashboard._parts.transcript.turns
        await until(lambda: shown.state == "done")


async def test_an_error_in_such_a_frame_ends_the_app(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def divide(drawing: answer.AnswerDrawing) -> None:
        raise ZeroDivisionError(drawing)

    async def run() -> None:
        app = NothingKept(appearance(tmp_path))
        async with app.run_test(size=(120, 40)) as pilot:
            await pilot.press(*"one", "enter")
            monkeypatch.setattr(answer.AnswerDrawing, "draw_frame", divide)
            assert app.prepared.chat.turn is not None
            tell(app.prepared.chat.turn)
            await until(lambda: app._exception)

    monkeypatch.setattr(answer, "LOOK_S", 3600.0)
    with pytest.raises(ZeroDivisionError):
        await run()
