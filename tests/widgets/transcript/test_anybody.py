"""The transcript in somebody else's app: ten lines, no theme of ours, raw text from anywhere."""

from __future__ import annotations

import pytest
from textual.app import App, ComposeResult
from textual.widgets import Input

from tests.widgets.transcript.screen import TranscriptApp, text
from tui.core.types import CleanText, Segment, SegmentKind
from tui.widgets.transcript.streamed_text import StreamedText
from tui.widgets.transcript.transcript import Transcript


class ForeignApp(App[None]):
    def compose(self) -> ComposeResult:
        yield Transcript()
        yield Input()

    def on_mount(self) -> None:
        self.query_one(Input).focus()
        transcript = self.query_one(Transcript)
        transcript.begin("what is it?")
        transcript.append("It is **bold**, `code` and \x1b[31mnot red\x1b]52;c;x\x07.\n\n> quoted")


@pytest.mark.parametrize("theme", ["textual-dark", "textual-light", "ansi-dark", "dracula"])
async def test_ten_lines_of_foreign_code_show_an_answer(theme: str) -> None:
    app = ForeignApp()
    async with app.run_test(size=(60, 14)) as pilot:
        if theme in app.available_themes:
            app.theme = theme
        view = app.query_one(Transcript)
        view.append(" text")
        view.end("12 tokens")
        await pilot.pause()
        rows = [strip.text.rstrip() for strip in view.render_lines(view.size.region)]
        shown = "\n".join(rows)
        assert rows[1] == "  you   what is it?"
        assert "It is bold, code and ␛[31mnot red␛]52;c;x␇." in " ".join(shown.split())
        assert "│ quoted text" in shown
        assert "12 tokens" in shown
        assert not any(ord(char) < 32 for row in rows for char in row)
        colours = {view._role_styles.style_of(role).color for role in ("text", "live", "dim")}
        assert len(colours) == 3 or theme == "ansi-dark"


async def test_a_click_leaves_the_focus_where_it_is_typed() -> None:
    app = ForeignApp()
    async with app.run_test(size=(60, 14)) as pilot:
        await pilot.click(Transcript, offset=(12, 2))
        await pilot.press("y", "c", "r")
        assert app.query_one(Input).value == "ycr"
        await pilot.press("tab")
        assert isinstance(app.focused, Transcript)


async def test_half_a_character_at_the_end_is_shown_as_one_that_is_broken() -> None:
    app = ForeignApp()
    async with app.run_test(size=(60, 14)):
        view = app.query_one(Transcript)
        for piece in (" 1 \ud83d", "\ude00 2 ", "\ud83d"):
            view.append(piece)
        view.end("12 tokens")
        assert view.copy_text.last_answer.endswith(" 1 \U0001f600 2 \ufffd")


class Kept:
    """Keeps text as the caller of a transcript does."""

    def __init__(self) -> None:
        self.texts: dict[SegmentKind, str] = {"text": "", "thinking": ""}
        self.reads = 0

    def joined(self, kind: SegmentKind) -> CleanText:
        self.reads += 1
        return CleanText(self.texts[kind])

    def give(self, *pieces: str) -> list[Segment]:
        self.texts["text"] += "".join(pieces)
        return text(*pieces)


async def test_text_that_the_caller_keeps_is_not_kept_again() -> None:
    app, kept = TranscriptApp(), Kept()
    async with app.run_test(size=(60, 14)):
        view = app.transcript
        view.begin("q")
        view.live_turn.attach(kept)
        for n in range(200):
            view.feed(kept.give(f"word{n} "))
        answer = view._turn_list.turns[-1].answer
        assert kept.reads == 0
        assert not answer._pieces
        assert view.copy_text.last_answer == kept.texts["text"]
        view.end("f")
        assert view.copy_text.last_answer is kept.texts["text"]
        assert view.search("word199") == 1


async def test_a_turn_that_was_thinking_all_along_is_shown_from_its_source() -> None:
    app, kept = TranscriptApp(), Kept()
    async with app.run_test(size=(60, 14)):
        view = app.transcript
        view.begin("q")
        view.live_turn.attach(kept)
        view.feed(kept.give("so it was "))
        kept.texts = {"thinking": kept.texts["text"] + "a thought", "text": "the answer"}
        view.live_turn.reclassify()
        view.feed(
            [Segment("thinking", CleanText("a thought")), Segment("text", CleanText("the answer"))]
        )
        turn = view._turn_list.turns[-1]
        assert (turn.thinking.text, turn.answer.text) == ("so it was a thought", "the answer")
        assert turn.thinking.blocks[0].lines == ["so it was a thought"]
        view.toggle_raw()
        view.toggle_raw()
        assert turn.answer.blocks[0].lines == ["the answer"]


def test_a_caller_s_text_is_cleaned_once_and_kept_once(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []

    def counted(raw: str) -> str:
        calls.append(raw)
        return raw.replace("\x1b", "␛")

    monkeypatch.setattr("tui.widgets.transcript.streamed_text.clean", counted)
    one = StreamedText(len, "a\x1bb", is_finished=True)
    assert calls == []
    for _ in range(3):
        one.open(is_plain=True)
        assert one.text == "a␛b"
        one.close()
    assert len(calls) == 1
    assert one._pieces == ["a␛b"]
