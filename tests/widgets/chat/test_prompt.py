"""The prompt: sending, new lines, earlier prompts, and pastes that stay light."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual import events
from textual.app import App, ComposeResult
from textual.pilot import Pilot

from tui.widgets.chat.prompt import FOLD_CHARS, Pasted, Prompt, PromptHistory


class PromptApp(App[None]):
    """A prompt that takes what is sent, unless it is told to refuse."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[str] = []
        self.is_refusing = False

    def compose(self) -> ComposeResult:
        yield Prompt(placeholder="ask")

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return dict.fromkeys(("soft", "dim", "live"), "#888888")

    def on_prompt_submitted(self, event: Prompt.Submitted) -> None:
        if not self.is_refusing:
            self.sent.append(event.text)
            self.query_one(Prompt).accepted(event.text)
        else:
            self.query_one(Prompt).refused(event.text)

    @property
    def prompt(self) -> Prompt:
        return self.query_one(Prompt)


async def write(pilot: Pilot[None], text: str) -> None:
    await pilot.press(*("space" if char == " " else char for char in text))


async def test_enter_sends_and_new_line_keys_do_not() -> None:
    app = PromptApp()
    async with app.run_test() as pilot:
        await write(pilot, "one")
        await pilot.press("ctrl+j")
        await write(pilot, "two")
        await pilot.press("shift+enter")
        await write(pilot, "three")
        await pilot.press("alt+enter", "x", "enter")
        assert app.sent == ["one\ntwo\nthree\nx"]
        assert app.prompt.text == ""


async def test_blank_text_is_not_sent() -> None:
    app = PromptApp()
    async with app.run_test() as pilot:
        await pilot.press("space", "ctrl+j", "enter")
        assert app.sent == []


async def test_up_and_down_walk_earlier_prompts_and_back_to_the_draft() -> None:
    app = PromptApp()
    async with app.run_test() as pilot:
        for text in ("first", "second"):
            await write(pilot, text)
            await pilot.press("enter")
        await write(pilot, "draft")
        shown = []
        for key in ("up", "up", "up", "down", "down", "down"):
            await pilot.press(key)
            shown.append(app.prompt.text)
        assert shown == ["second", "first", "first", "second", "draft", "draft"]


async def test_a_refused_prompt_stays() -> None:
    app = PromptApp()
    app.is_refusing = True
    async with app.run_test() as pilot:
        await write(pilot, "keep me")
        await pilot.press("enter")
        assert app.prompt.text == "keep me"


async def test_a_long_paste_is_a_mark_and_is_sent_whole() -> None:
    app = PromptApp()
    pasted = "\n".join(f"line {n} \x1b[31m" for n in range(8000))
    async with app.run_test() as pilot:
        await write(pilot, "see ")
        app.prompt.post_message(events.Paste(pasted))
        await pilot.pause()
        assert app.prompt.text == "see [pasted 8000 lines #1]"
        await pilot.press("enter")
        (sent,) = app.sent
        assert len(sent) > 90_000
        assert "\x1b" not in sent
        assert sent.startswith("see line 0 ")
        app.prompt.restore(sent)
        assert app.prompt.text == "see [pasted 8000 lines #1]"
        await pilot.press("up")
        assert app.prompt.text == "see [pasted 8000 lines #1]"


async def test_restore_does_not_overwrite_a_new_prompt() -> None:
    app = PromptApp()
    async with app.run_test() as pilot:
        await write(pilot, "new")
        app.prompt.restore("old")
        assert app.prompt.text == "new"


@given(st.lists(st.text(max_size=3 * FOLD_CHARS), max_size=4), st.text(max_size=20))
def test_unfolding_gives_back_what_was_folded(texts: list[str], between: str) -> None:
    pasted = Pasted()
    shown = between.join(pasted.fold(text) for text in texts)
    if not any("[pasted" in part for part in (*texts, between)):
        assert pasted.unfold(shown) == between.join(texts)


@pytest.mark.parametrize(
    ("prompts", "walked"),
    [([], []), (["a"], ["a"]), (["a", "a"], ["a"]), (["a", "b", "a"], ["a", "b", "a"])],
)
def test_history_keeps_the_same_prompt_twice_in_a_row_once(
    prompts: list[str], walked: list[str]
) -> None:
    history = PromptHistory()
    for prompt in prompts:
        history.add(prompt)
    seen = []
    while (older := history.older("")) is not None:
        seen.append(older)
    assert seen == walked


def key(name: str, time_s: float) -> events.Key:
    """A key that was pressed at that time."""
    made = events.Key(name, name if len(name) == 1 else None)
    made.time = time_s
    return made


@pytest.mark.parametrize(
    ("keys", "text"),
    [
        (["w", "o"], "keep me\nwo"),
        (["w", "backspace", "backspace", "o"], "keep me\no"),
        (["backspace", "ctrl+u", "left", "o"], "keep me\no"),
        (["up", "w", "left", "left", "o"], "keep me\now"),
        (["enter"], "keep me"),
        (["w", "enter", "o"], "keep me\nwo"),
        (["ctrl+j", "w"], "keep me\nw"),
    ],
)
async def test_keys_from_before_a_prompt_came_back_touch_nothing_of_it(
    keys: list[str], text: str
) -> None:
    app = PromptApp()
    async with app.run_test() as pilot:
        before_s = events.Key("x", "x").time
        app.prompt.refused("keep me")
        for name in keys:
            app.prompt.post_message(key(name, before_s))
            await pilot.pause()
        assert app.prompt.text == text
        assert app.sent == []
        await pilot.press("enter")
        assert app.sent == [text]


@pytest.mark.parametrize(
    ("keys", "text"),
    [
        (["w"], "keep me\nw"),
        (["backspace", "w"], "keep mw"),
        (["left", "w"], "keep mwe"),
        (["end", "w"], "keep mew"),
    ],
)
async def test_a_prompt_that_came_back_can_be_edited(keys: list[str], text: str) -> None:
    app = PromptApp()
    async with app.run_test() as pilot:
        app.prompt.restore("keep me")
        await pilot.press(*keys)
        assert app.prompt.text == text


async def test_a_paste_is_not_glued_to_a_prompt_that_came_back() -> None:
    app = PromptApp()
    async with app.run_test() as pilot:
        app.prompt.restore("keep me")
        app.prompt.post_message(events.Paste("pasted"))
        await pilot.pause()
        assert app.prompt.text == "keep me\npasted"
        await pilot.press("enter")
        assert app.sent == ["keep me\npasted"]


async def test_a_prompt_that_is_sent_again_stands_alone() -> None:
    app = PromptApp()
    async with app.run_test() as pilot:
        app.prompt.restore("keep me")
        await pilot.press("enter", "n", "e", "w", "enter")
        assert app.sent == ["keep me", "new"]
