"""Every key of every screen: bound anew by config.toml, it works, and it is told everywhere."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from textual.binding import Binding
from textual.dom import DOMNode
from textual.pilot import Pilot
from textual.screen import Screen

import tui
from tests.app.prepared_app import PreparedApp, appearance
from tests.screens.bench.prepared import RUN, VIEW
from tests.screens.bench.prepared_results import PAST
from tests.screens.snapshot import picture
from tests.screens.timeline.made import sources, timeline
from tests.widgets.rows_text import rows_text
from tui.bench.model.screen import BenchView
from tui.core.screen.key_names import key_cap, shown_key
from tui.core.screen.keymap import key_clashes
from tui.core.screen.keys.table import ACTIONS, SCOPES, default_keys
from tui.core.text.glyphs import UNICODE
from tui.screens.bench.page import BenchPage
from tui.screens.fix import FixScreen
from tui.screens.help import HelpScreen
from tui.screens.lab.page import LabPage
from tui.screens.timeline import TimelineData, TimelineScreen
from tui.settings.config import ConfigPaths, load
from tui.settings.data_files import default_config
from tui.widgets.chat.key_bar import KeyBar

MODIFIERS = (
    "",
    "ctrl+",
    "alt+",
    "shift+",
    "ctrl+shift+",
    "alt+shift+",
    "alt+ctrl+",
    "super+",
    "meta+",
    "hyper+",
    "alt+super+",
    "ctrl+super+",
    "alt+hyper+",
    "ctrl+hyper+",
    "alt+meta+",
    "ctrl+meta+",
    "hyper+super+",
)


def new_keys() -> dict[str, str]:
    """A key of its own for each action, which nothing else has."""
    names = (f"{modifier}f{number}" for modifier in MODIFIERS for number in range(9, 25))
    found = {action.action_id: name for action, name in zip(ACTIONS, names, strict=False)}
    assert len(found) == len(ACTIONS)
    return found


@dataclass(frozen=True)
class Place:
    """How a screen is opened, and what its actions are in the table."""

    scope: str
    open: Callable[[PreparedApp, Pilot[int]], Any]
    bench: BenchView = VIEW


async def _nothing(app: PreparedApp, pilot: Pilot[int]) -> None:
    pass


def _opens(action: str) -> Callable[[PreparedApp, Pilot[int]], Any]:
    async def opens(app: PreparedApp, pilot: Pilot[int]) -> None:
        await app.run_action(action if action == "connect" else f"app.{action}", app.screen)

    return opens


async def _transcript(app: PreparedApp, pilot: Pilot[int]) -> None:
    app.prepared.has_server = False
    app.dashboard.show_server()
    app.dashboard.query_one("#transcript").focus()


async def _calculator(app: PreparedApp, pilot: Pilot[int]) -> None:
    await app.run_action("app.board")
    await pilot.pause()
    await app.run_action("calculator", app.screen)


async def _explained(app: PreparedApp, pilot: Pilot[int]) -> None:
    await app.run_action("app.board")
    await pilot.pause()
    await app.run_action("explain", app.screen)


async def _fix(app: PreparedApp, pilot: Pilot[int]) -> None:
    app.push_screen(FixScreen(app.prepared.fixes, UNICODE))


async def _toggle(app: PreparedApp, pilot: Pilot[int]) -> None:
    await app.run_action("app.settings")
    await pilot.pause()
    app.screen.query_one("#is_thinking").focus()


def _bench(message: Callable[[BenchPage], BenchPage.Open]) -> Callable[..., Any]:
    async def opens(app: PreparedApp, pilot: Pilot[int]) -> None:
        await app.run_action("app.bench")
        await pilot.pause()
        page = app.screen
        assert isinstance(page, BenchPage)
        page.post_message(message(page))

    return opens


def _lab(message: Callable[[LabPage], LabPage.Open]) -> Callable[..., Any]:
    async def opens(app: PreparedApp, pilot: Pilot[int]) -> None:
        await app.run_action("app.lab")
        await pilot.pause()
        page = app.screen
        assert isinstance(page, LabPage)
        page.post_message(message(page))

    return opens


CELL = ("why/memory", "plain")


async def _timeline(app: PreparedApp, pilot: Pilot[int]) -> None:
    data = TimelineData(app.prepared.headline, lambda text, what: what, sources(timeline()))
    app.push_screen(TimelineScreen(data, UNICODE))


PLACES = {
    "prompt": Place("the prompt", _nothing),
    "transcript": Place("the transcript", _transcript),
    "server line": Place("the server line", _opens("connect")),
    "board": Place("the board", _opens("board")),
    "ram": Place("the RAM calculator", _calculator),
    "fix": Place("a fix of the board", _fix),
    "timeline": Place("a timeline", _timeline),
    "clients": Place("the clients", _opens("clients")),
    "fleet": Place("the fleet", _opens("fleet")),
    "models": Place("the models", _opens("models")),
    "settings": Place("the settings", _toggle),
    "palette": Place("a list of commands or themes", _opens("command_palette")),
    "themes": Place("a list of commands or themes", _opens("choose_theme")),
    "explained": Place("figures that are explained", _explained),
    "help": Place("the help", _opens("help")),
    "chooser": Place("the benchmarks", _opens("bench")),
    "live": Place("a running benchmark", _opens("bench"), replace(VIEW, run=RUN)),
    "result": Place(
        "the results of a benchmark", _bench(lambda page: page.OpenResult(page, PAST[0].id))
    ),
    "request": Place(
        "a request of a benchmark", _bench(lambda page: page.OpenRequest(page, PAST[0].id, 0))
    ),
    "lab": Place("the prompt lab", _opens("lab")),
    "matrix": Place("a matrix of the lab", _lab(lambda page: page.OpenMatrix(page))),
    "lab answer": Place("an answer of the lab", _lab(lambda page: page.OpenAnswer(page, CELL))),
    "lab sides": Place("answers of the lab", _lab(lambda page: page.OpenSides(page, [CELL, CELL]))),
    "judging": Place("judging", _lab(lambda page: page.OpenJudging(page))),
    "set text": Place("the text of a set", _lab(lambda page: page.OpenText(page, "why"))),
    "compare": Place(
        "a comparison", _bench(lambda page: page.OpenComparison(page, PAST[1].id, PAST[0].id))
    ),
}


def configured(folder: Path, keys: dict[str, str]) -> tuple[dict[str, str], tuple[str, ...]]:
    """What npulse makes of these lines in config.toml: the keymap, and its warnings."""
    path = folder / "config.toml"
    lines = [f'"{action_id}" = "{names}"' for action_id, names in keys.items()]
    path.write_text("\n".join(["[keys]", *lines]), encoding="utf-8")
    loaded = load(ConfigPaths(default_config(), path), {})
    return dict(loaded.settings.keys), loaded.warnings


async def opened(app: PreparedApp, pilot: Pilot[int], place: Place) -> Screen[Any]:
    await pilot.pause()
    await place.open(app, pilot)
    for _ in range(3):
        await pilot.pause()
    return app.screen


def told_in_palette(app: PreparedApp) -> list[str]:
    return [command.keys for command in app.commands]


async def told_in_help(app: PreparedApp, pilot: Pilot[int]) -> str:
    app.action_help()
    await pilot.pause()
    rows = app.screen.query_one("HelpRows").build(100)  # type: ignore[attr-defined]
    text = rows_text(rows)
    app.action_help()
    await pilot.pause()
    return text


def has_method(node: object, action: str, app: PreparedApp) -> bool:
    front, _, name = action.partition("(")[0].rpartition(".")
    return hasattr(app if front == "app" else node, f"action_{name}")


@pytest.mark.slow
@pytest.mark.parametrize("name", PLACES)
async def test_every_key_can_be_bound_anew(name: str, tmp_path: Path) -> None:
    place = PLACES[name]
    keys = new_keys()
    keymap, warnings = configured(tmp_path, keys)
    assert warnings == ()
    app = PreparedApp(appearance(tmp_path, keymap), place.bench)
    app.prepared.chat.has_old_conversation = True
    async with app.run_test(size=(250, 60)) as pilot:
        screen = await opened(app, pilot, place)
        actions = SCOPES[place.scope]

        caps = {key_cap(keys[action.action_id]) for action in actions}
        hints = screen.query_one(KeyBar)._hints
        assert hints
        assert {part for hint in hints for part in hint.cap.split()} <= caps

        palette = told_in_palette(app)
        for action in actions:
            if action.action_id != "palette":
                assert shown_key(keys[action.action_id]) in palette, action

        if name != "help":
            told = await told_in_help(app, pilot)
            for action in actions:
                assert re.search(rf"(?<!\S){re.escape(shown_key(keys[action.action_id]))}\b", told)

        app.is_listening = True
        done: list[tuple[str, object]] = []
        for action in actions:
            app.asked.clear()
            await pilot.press(keys[action.action_id])
            await pilot.pause()
            assert [asked for asked, _ in app.asked] == [action.action], action
            done += app.asked
            assert has_method(app.asked[0][1], action.action, app), action

        for action, asked in zip(actions, done, strict=True):
            app.asked.clear()
            await pilot.press(*action.keys.split(","))
            assert asked not in app.asked, action


def test_no_key_has_two_meanings_on_one_screen() -> None:
    assert key_clashes(default_keys()) == []


@pytest.mark.parametrize(
    ("keys", "clashes"),
    [
        ({"board.copy": "f1"}, ["f1 is given to both board.copy and help"]),
        (
            {"help": "c"},
            [
                "c is given to both transcript.copy_code and help",
                "c is given to both board.calculator and help",
                "c is given to both fix.card and help",
                "c is given to both bench.compare and help",
                "c is given to both history.continue and help",
                "c is given to both timeline.compare and help",
            ],
        ),
        (
            {"board": "y"},
            [
                "y is given to both board and transcript.copy",
                "y is given to both board and board.copy",
            ],
        ),
        ({"models.unload": "y"}, []),
        ({"stop": "y", "transcript.copy": "f12"}, []),
        ({"bench.pause": "w"}, []),
        ({"bench.retry": "w"}, []),
        ({"bench.retry": "e"}, ["e is given to both bench.retry and bench.export"]),
        ({"prompt.send": "ctrl+r"}, ["ctrl+r is given to both regenerate and prompt.send"]),
        ({"settings.save": "f6"}, ["f6 is given to both settings and settings.save"]),
    ],
)
def test_a_key_with_two_meanings_is_told_once_and_loses_nothing(
    keys: dict[str, str], clashes: list[str], tmp_path: Path
) -> None:
    keymap, warnings = configured(tmp_path, keys)
    assert keymap == {**default_keys(), **keys}
    assert [warning.removeprefix("[keys]: ") for warning in warnings] == clashes


def owners() -> Iterator[type[DOMNode]]:
    """Every screen, widget and app of npulse that binds keys."""
    for room in ("screens", "widgets", "app"):
        for found in pkgutil.walk_packages([f"{tui.__path__[0]}/{room}"], f"tui.{room}."):
            module = importlib.import_module(found.name)
            for item in vars(module).values():
                is_own = isinstance(item, type) and item.__module__ == module.__name__
                if is_own and issubclass(item, DOMNode) and "BINDINGS" in vars(item):
                    yield item


def test_every_binding_is_one_of_the_table() -> None:
    table = default_keys()
    bound: set[str] = set()
    for owner in owners():
        for binding in owner.BINDINGS:
            assert isinstance(binding, Binding), owner
            assert binding.id is not None, (owner, binding)
            assert binding.key == table[binding.id], (owner, binding)
            bound.add(binding.id)
    assert bound == set(table)


def test_what_works_at_the_same_time_is_what_a_screen_binds() -> None:
    """The table of scopes names every action, so that no clash can hide."""
    assert {action.action_id for scope in SCOPES.values() for action in scope} == set(
        default_keys()
    )


async def choose(pilot: Pilot[int], words: str) -> None:
    """Runs the first command that the palette finds for these words."""
    await pilot.press("ctrl+p")
    await pilot.pause()
    keys = ["space" if char == " " else char for char in words]
    await pilot.press(*keys, "enter")
    await pilot.pause()
    await pilot.pause()


async def test_the_palette_stops_an_answer(tmp_path: Path) -> None:
    app = PreparedApp(appearance(tmp_path))
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("h", "i", "enter")
        await pilot.pause()
        assert app.dashboard.is_busy
        await choose(pilot, "stop the answer")
        assert app.prepared.chat.stopped == 1


@pytest.mark.slow
async def test_the_palette_works_on_the_screen_below(tmp_path: Path) -> None:
    app = PreparedApp(appearance(tmp_path))
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("f5")
        await pilot.pause()
        await choose(pilot, "every reading")
        assert app.screen.has_class("-readings")


@pytest.mark.slow
async def test_help_opens_over_every_screen_and_closes_with_its_key(tmp_path: Path) -> None:
    app = PreparedApp(appearance(tmp_path))
    async with app.run_test(size=(120, 40)) as pilot:
        for key in ("f2", "f3", "f5", "f6"):
            await pilot.press(key)
            await pilot.pause()
            below = app.screen
            await pilot.press("f1")
            await pilot.pause()
            assert isinstance(app.screen, HelpScreen)
            await pilot.press("f1")
            await pilot.pause()
            assert app.screen is below
            await pilot.press("escape")
            await pilot.pause()
            assert app.screen is app.dashboard


@pytest.mark.parametrize("key", ["f2", "f3", "f5", "f6"])
async def test_ctrl_c_twice_quits_from_every_screen(key: str, tmp_path: Path) -> None:
    app = PreparedApp(appearance(tmp_path))
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press(key)
        await pilot.pause()
        await pilot.press("end", "ctrl+c")  # a field that is entered has its text selected
        await pilot.pause()
        assert "Ctrl+C again quits" in picture(app.screen)
        await pilot.press("ctrl+c")
        await pilot.pause()
        assert app._exit
