"""The pictures of the README, from the running app beside a real simulated board.

``./dev shots`` writes ``screenshots/*.svg``: one run at the pace of qwen3-4b on a board, about a
minute, drawn in the middle of its second answer in several sizes and themes.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from textual.pilot import Pilot

from tests.moving_svg import Frame, moving_svg
from tests.screens.clients.prepared import PreparedClients
from tests.screens.fleet.prepared import PreparedFleet
from tests.screens.opened import Opened
from tests.waiting import until
from tui.app.start import build
from tui.bench.model.suite import load_builtin
from tui.cli import dashboard_parser
from tui.core.screen.headline import Headline
from tui.core.text.glyphs import UNICODE
from tui.lab import store
from tui.lab.model.screen import OpenLab
from tui.lab.sets.from_suite import table_of
from tui.lab.sets.starter import as_toml
from tui.screens.clients import ClientsScreen
from tui.screens.fleet import FleetScreen
from tui.sim.server.spawn import spawn
from tui.widgets.chat.message_line import SHOWN_S
from tui.widgets.chat.prompt import Prompt

FOLDER = Path(__file__).resolve().parents[1] / "screenshots"
SEED = "7"
QUESTIONS = ("why is decode memory-bound?", "and what would make it faster on this board?")


@dataclass(frozen=True)
class Shot:
    """One picture: its file, the terminal's size, and the theme."""

    name: str
    size: tuple[int, int]
    theme: str


SHOTS = (
    Shot("dashboard-wide", (120, 40), "npulse-dark"),
    Shot("dashboard-wide-light", (120, 40), "npulse-light"),
    Shot("dashboard-narrow", (80, 24), "npulse-dark"),
    Shot("dashboard-narrow-high-contrast", (80, 24), "npulse-high-contrast"),
)


BOARD = Shot("board-wide", (120, 40), "npulse-dark")
LAB = Shot("lab-matrix-wide", (120, 40), "npulse-dark")


async def take(shots: Sequence[Shot]) -> list[Path]:
    """Ask twice, and draw the screen in the middle of the second answer."""
    with spawn(["--seed", SEED, "--tokens", "130"], has_root=True) as board:
        arguments = ["--url", board.url, "--root", str(board.root)]
        run = build(dashboard_parser().parse_args(arguments))
        try:
            async with run.app.run_test(size=shots[0].size) as pilot:
                await until(lambda: run.backend.state.loaded is not None)
                await ask(pilot, QUESTIONS[0])
                chat = run.backend.chat
                await until(lambda: chat.turn is not None and chat.turn.phase.is_over, 120.0)
                await pilot.pause(3.0)  # the answer is kept, and stands among the last ones
                await ask(pilot, QUESTIONS[1])
                await until(lambda: chat.turn is not None and len(chat.turn.stamps_ns) > 70)
                drawn = [await draw(pilot, shot) for shot in shots]
                pilot.app.theme = shots[0].theme
                await pilot.resize_terminal(*shots[0].size)
                await pilot.press("f5")
                return [*drawn, await draw(pilot, BOARD)]
        finally:
            run.app.close_session()
            run.backend.close()


BRANCHES = Shot("branches-wide", (120, 40), "npulse-dark")
HISTORY = Shot("history-wide", (120, 40), "npulse-dark")
SIDE_BY_SIDE = Shot("answers-wide", (120, 40), "npulse-dark")
EARLIER = (
    "what does w8a8 mean for a model's size?",
    "write a haiku about a small board with a big heat sink",
    "which context fits beside a 4B model in 8 GiB?",
)


async def take_history() -> list[Path]:
    """Ask some questions, answer the last one twice, and draw its branches and F4."""
    with spawn(["--seed", SEED, "--tokens", "90"], has_root=True) as board:
        arguments = ["--url", board.url, "--root", str(board.root)]
        run = build(dashboard_parser().parse_args(arguments))
        chat = run.backend.chat

        async def answered(pilot: Pilot[int]) -> None:
            await until(lambda: chat.turn is not None and chat.turn.phase.is_over, 120.0)
            await pilot.pause(1.0)

        try:
            async with run.app.run_test(size=BRANCHES.size) as pilot:
                await until(lambda: run.backend.state.loaded is not None)
                for question in EARLIER:
                    await ask(pilot, question)
                    await answered(pilot)
                    await pilot.press("ctrl+n")
                await ask(pilot, QUESTIONS[0])
                await answered(pilot)
                chat.settings = replace(chat.settings, temperature=0.2, max_tokens=60)
                await pilot.press("ctrl+r")
                await answered(pilot)
                branches = await draw(pilot, BRANCHES)
                await pilot.press("f4", "p")
                await pilot.pause(SHOWN_S + 1)  # what it says gives way to the keys
                history = await draw(pilot, HISTORY)
                await pilot.press("home", "enter")
                await pilot.pause(1.0)
                await pilot.press("v")
                return [branches, history, await draw(pilot, SIDE_BY_SIDE)]
        finally:
            run.app.close_session()
            run.backend.close()


async def take_lab() -> list[Path]:
    """Ten prompts and two variants on a board that obeys, drawn while an answer streams."""
    text = as_toml(table_of(load_builtin("prompts")))
    store.save_set(store.lab_folders().sets / "ten-prompts.toml", text)
    with spawn(
        ["--seed", SEED, "--speed", "8", "--tokens", "90", "--obey", "0.7"], has_root=True
    ) as board:
        arguments = ["--url", board.url, "--root", str(board.root)]
        run = build(dashboard_parser().parse_args(arguments))
        try:
            async with run.app.run_test(size=LAB.size) as pilot:
                await until(lambda: run.backend.state.loaded is not None)
                await pilot.press("f8")
                await pilot.pause(2.0)
                await pilot.press("enter")

                def is_half() -> bool:
                    shown = run.backend.lab.poll()
                    return (
                        shown is not None and shown.done >= 9 and shown.matrix.count("running") > 0
                    )

                await until(is_half, 300.0)
                await pilot.press("down", "down", "down")
                path = await draw(pilot, LAB)
                run.backend.lab.tell("abort")
                await until(lambda: not _is_running(run.backend.lab.poll()), 120.0)
                return [path]
        finally:
            run.app.close_session()
            run.backend.close()


def _is_running(shown: OpenLab | None) -> bool:
    return shown is not None and shown.is_running


async def draw(pilot: Pilot[Any], shot: Shot) -> Path:
    """One picture of the app as it is, in that size and theme."""
    pilot.app.theme = shot.theme
    await pilot.resize_terminal(*shot.size)
    await pilot.pause(1.0)
    path = FOLDER / f"{shot.name}.svg"
    path.write_text(pilot.app.export_screenshot(title="npulse"), "utf-8")
    return path


async def ask(pilot: Pilot[int], question: str) -> None:
    pilot.app.query_one(Prompt).load_text(question)
    await pilot.press("enter")


TIMELINES = (
    Shot("timeline-wide", (120, 40), "npulse-dark"),
    Shot("timeline-narrow", (80, 24), "npulse-dark"),
    Shot("timeline-tall", (200, 60), "npulse-dark"),
)
SLOWED = ("--fault", "throttle=60-85", "--fault", "clock=105-115")


async def take_timeline() -> list[Path]:
    """Ask once while the board is slowed down, and draw the timeline at the first trouble."""
    options = ["--seed", SEED, "--tokens", "140", *SLOWED]
    with spawn(options, has_root=True) as board:
        arguments = ["--url", board.url, "--root", str(board.root)]
        run = build(dashboard_parser().parse_args(arguments))
        chat = run.backend.chat
        try:
            async with run.app.run_test(size=TIMELINES[0].size) as pilot:
                await until(lambda: run.backend.state.loaded is not None)
                await ask(pilot, QUESTIONS[0])
                await until(lambda: chat.turn is not None and chat.turn.phase.is_over, 120.0)
                await pilot.press("alt+t")
                await pilot.pause(0.5)
                await pilot.press("home", "t", *["right"] * 9)
                return [await draw(pilot, shot) for shot in TIMELINES]
        finally:
            run.app.close_session()
            run.backend.close()


MOVING = Shot("npulse-moving", (120, 36), "npulse-dark")
STREAMED_S, STREAM_STEP_S, CROSSHAIR_S = 9.0, 0.6, 0.45
SETTLED_S = 2.0


async def take_moving() -> list[Path]:
    """An answer as it streams, then its timeline with the crosshair on its way, as one picture."""
    options = ["--seed", SEED, "--tokens", "75", "--fault", "throttle=30-48"]
    frames: list[Frame] = []
    with spawn(options, has_root=True) as board:
        arguments = ["--url", board.url, "--root", str(board.root)]
        run = build(dashboard_parser().parse_args(arguments))
        chat = run.backend.chat
        try:
            async with run.app.run_test(size=MOVING.size) as pilot:
                pilot.app.theme = MOVING.theme

                def keep(seconds: float) -> None:
                    frames.append(Frame(pilot.app.export_screenshot(title="npulse"), seconds))

                await until(lambda: run.backend.state.loaded is not None)
                await ask(pilot, QUESTIONS[0])
                await until(lambda: chat.turn is not None and len(chat.turn.stamps_ns) > 20)
                for _ in range(round(STREAMED_S / STREAM_STEP_S)):
                    keep(STREAM_STEP_S)
                    await pilot.pause(STREAM_STEP_S)
                await until(lambda: chat.turn is not None and chat.turn.phase.is_over, 120.0)
                await pilot.pause(1.0)
                keep(SETTLED_S)
                await pilot.press("alt+t")
                await pilot.pause(1.0)
                await pilot.press("home")
                for _ in range(14):
                    await pilot.press(*["right"] * 4)
                    await pilot.pause(0.3)
                    keep(CROSSHAIR_S)
                frames[-1] = replace(frames[-1], seconds=SETTLED_S)
        finally:
            run.app.close_session()
            run.backend.close()
    path = FOLDER / f"{MOVING.name}.svg"
    path.write_text(moving_svg(frames), "utf-8")
    return [path]


CLIENTS = Shot("clients-wide", (120, 40), "npulse-dark")
FLEET = Shot("fleet-wide", (120, 24), "npulse-dark")


async def take_others() -> list[Path]:
    """Clients and boards that nobody has here: prepared ones, on the screens themselves."""
    top = Headline(board="Orange Pi 5 Max", soc="rk3588", time_of_day="14:02:11")
    drawn = []
    for shot, make in (
        (CLIENTS, lambda: ClientsScreen(PreparedClients(), lambda: top, UNICODE)),
        (FLEET, lambda: FleetScreen(PreparedFleet(), lambda: top, UNICODE)),
    ):
        async with Opened(make).run_test(size=shot.size) as pilot:
            await pilot.pause(1.5)
            drawn.append(await draw(pilot, shot))
    return drawn


def main() -> None:
    """Take every picture, or those of the scenes that are named, each with a home of its own: no
    config of the one who runs this."""
    os.environ.pop("NO_COLOR", None)
    os.environ["NPULSE_GENERATION__THINKING"] = "on"
    os.environ |= {"LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", "TERM": "xterm-256color"}
    os.environ["COLORTERM"] = "truecolor"
    FOLDER.mkdir(exist_ok=True)
    scenes = {
        "dashboard": lambda: take(SHOTS),
        "history": take_history,
        "lab": take_lab,
        "timeline": take_timeline,
        "moving": take_moving,
        "others": take_others,
    }
    for scene in sys.argv[1:] or scenes:
        with tempfile.TemporaryDirectory() as home:
            for name in ("CONFIG", "STATE", "DATA", "CACHE"):
                os.environ[f"XDG_{name}_HOME"] = home
            for path in asyncio.run(scenes[scene]()):
                print(path.relative_to(FOLDER.parent))


if __name__ == "__main__":
    main()
