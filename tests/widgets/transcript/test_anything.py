"""Random use of everything: what is on screen is what is there, and nothing that is read moves."""

from __future__ import annotations

import random
from collections.abc import Callable
from time import monotonic

import pytest
from textual.pilot import Pilot

from tests.widgets.transcript.answers import MIXED, pieces
from tests.widgets.transcript.screen import TranscriptApp, text, thinking
from tui.widgets.transcript.transcript import Transcript

pytestmark = pytest.mark.slow

SETTLING_SECONDS = 10


class Monkey:
    """Everything that can be done with a transcript, at random."""

    def __init__(self, app: TranscriptApp, pilot: Pilot[None], rng: random.Random) -> None:
        self.view = view = app.transcript
        self.pilot = pilot
        self.rng = rng
        self.queue: list[str] = []
        self.steps: dict[str, Callable[[], object]] = {
            "begin": self.begin,
            "feed": self.feed,
            "think": lambda: view.feed(thinking("some thought " * rng.randint(1, 40))),
            "mixed": lambda: view.feed(thinking("a b") + text("c d") + thinking("e")),
            "status": lambda: view.live_turn.set_status(
                rng.choice(["prefill 1 s", None, "x" * 200])
            ),
            "end": self.end,
            "error": lambda: view.end("", state="error", error="bad " * 40),
            "note": lambda: view.live_turn.set_thinking_note("thought for 1 s"),
            "up": lambda: view.scroll_rows(-rng.randint(1, 60)),
            "down": lambda: view.scroll_rows(rng.randint(1, 60)),
            "first": lambda: view.show_row(0),
            "some": lambda: view.show_row(rng.randint(0, view._turn_list.rows)),
            "last": view.show_end,
            "home": lambda: view.scroll_home(animate=False),
            "thinking": view.toggle_thinking,
            "raw": view.toggle_raw,
            "reclassify": view.live_turn.reclassify,
            "turn": lambda: view.jump_turn(rng.choice([-1, 1])),
            "code": lambda: view.jump_code(rng.choice([-1, 1])),
            "search": lambda: view.search(rng.choice(["the", "memory", "x", "", " "])),
            "match": lambda: view.search_step(1),
            "match before": lambda: view.search_step(-1),
            "select": lambda: view.select_rows(rng.choice([-1, 1])),
            "copy": lambda: (view.copy_text.answer, view.copy_text.code, view.selection_text()),
            "finished": self.finished,
            "clear": lambda: view.clear() if rng.random() < 0.2 else None,
        }
        self.begin()

    def begin(self) -> None:
        self.view.begin("prompt " * self.rng.randint(0, 30))
        self.queue += pieces(MIXED)

    def feed(self) -> None:
        count = min(self.rng.randint(1, 60), len(self.queue))
        self.view.feed(text(*[self.queue.pop(0) for _ in range(count)]))

    def end(self) -> None:
        self.queue.clear()
        self.view.end("the end " * self.rng.randint(0, 20), thinking_note="thought for 2 s")

    def finished(self) -> None:
        if self.view.live_turn.turn is None:
            for _ in range(self.rng.randint(1, 30)):
                self.view.past_turns.add("q", "t", MIXED * self.rng.randint(0, 3), "f")

    async def drag(self) -> None:
        width, height = self.view.size
        points = [(self.rng.randrange(width), self.rng.randrange(height)) for _ in range(2)]
        await self.pilot.mouse_down(self.view, offset=points[0])
        await self.pilot.hover(self.view, offset=points[1])
        await self.pilot.mouse_up(self.view, offset=points[1])

    async def resize(self) -> None:
        widths, heights = [80, 41, 120, 20, 9], [24, 10, 40, 3]
        await self.pilot.resize_terminal(self.rng.choice(widths), self.rng.choice(heights))

    async def step(self) -> str:
        names = [*self.steps, *["feed"] * 14, *["up"] * 2]
        name = self.rng.choice(names)
        self.steps[name]()
        return name


@pytest.mark.parametrize("seed", range(6))
async def test_the_terminal_shows_what_is_there(seed: int) -> None:
    rng = random.Random(seed)
    app = TranscriptApp(is_emulated=True)
    async with app.run_test(size=(rng.choice([80, 50, 100]), rng.choice([24, 12]))) as pilot:
        monkey = Monkey(app, pilot, rng)
        for _ in range(60):
            name = await monkey.step()
            await pilot.pause()
            await app.painted(name)


@pytest.mark.parametrize("seed", range(6))
async def test_rows_and_place_agree(seed: int) -> None:
    rng = random.Random(1000 + seed)
    app = TranscriptApp()
    async with app.run_test(size=(rng.choice([80, 50, 100]), rng.choice([24, 12, 5]))) as pilot:
        monkey = Monkey(app, pilot, rng)
        view = app.transcript
        deadline_s = monotonic() + SETTLING_SECONDS
        for _ in range(90):
            chance = rng.random()
            if chance < 0.05:
                await monkey.resize()
            elif chance < 0.1 and view.display:
                await monkey.drag()
            elif chance < 0.13:
                view.display = not view.display
            name = await monkey.step()
            await pilot.pause()
            while view.display and (at := stale_row(view)) is not None:
                # A pause ends early where other processes have the processor: a resize may not
                # have been heard of yet. What stays stale is a row that nobody painted again.
                assert monotonic() < deadline_s, f"row {at} after {name}"
                await pilot.pause(0.01)
            deadline_s = monotonic() + SETTLING_SECONDS
            if view.display:
                check(view, name)


def stale_row(view: Transcript) -> int | None:
    """A row that is painted otherwise than a fresh rendering gives it."""
    view.render_lines(view.size.region)
    view.painter._strips.clear()
    for y in range(view.size.height):
        if view.painter._painted[y].text != view.painter.line(y).text:
            return y
    return None


def check(view: Transcript, name: str) -> None:
    """Every row in view is as wide as the view and exact, and the numbers are consistent."""
    turn_list = view._turn_list
    rows, height = turn_list.rows, view.viewport.height
    for y in range(view.size.height):
        assert view.painter.line(y).cell_length == view.size.width
        view.render_line(y)
        place = turn_list.place(view.viewport.top_row + y)
        assert place is None or turn_list.part(place).is_exact, name
    assert turn_list.rows == rows, "nothing in view was an estimate"
    if not view.is_following:
        assert view.viewport.top_row + height <= max(rows, height)
        assert view.viewport.new_lines <= max(0, rows - view.viewport.top_row - height)


@pytest.mark.parametrize("seed", range(4))
async def test_what_is_read_never_moves(seed: int) -> None:
    """While an answer streams, turns are opened far away and rows are measured, the view stays."""
    rng = random.Random(2000 + seed)
    app = TranscriptApp()
    async with app.run_test(size=(80, 16)) as pilot:
        monkey = Monkey(app, pilot, rng)
        view = app.transcript
        monkey.end()
        for _ in range(40):
            view.past_turns.add("q", "t", MIXED * rng.randint(0, 3), "f")
        await pilot.pause()
        monkey.begin()
        for _ in range(20):
            monkey.feed()
        view.show_row(rng.randint(0, view._turn_list.rows - 40))
        for _ in range(60):
            before = [view.painter.line(y).text[:-2] for y in range(15)]
            name = rng.choice(["feed", "feed", "feed", "copy", "status", "think"])
            monkey.steps[name]()
            await pilot.pause()
            assert [view.painter.line(y).text[:-2] for y in range(15)] == before, name
