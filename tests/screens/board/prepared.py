"""Boards with ten minutes behind them, made up here so that every curve is known."""

from __future__ import annotations

import math
import pickle
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache

from tests.screens.headline import HEADLINE
from tui.board.advice.board_state import BoardView
from tui.board.readers.reasons import NO_DRIVER, NO_PERMISSION
from tui.core.board.board_facts import BoardFacts
from tui.core.board.history import BoardHistory
from tui.core.board.load_facts import LoadFacts
from tui.core.board.reading import Reading, Snapshot
from tui.core.screen.chat import Chat
from tui.core.screen.headline import Headline
from tui.core.turn.turn import Turn
from tui.core.turn.turn_stats import TurnStats
from tui.core.types import ChatRequest, GenerationSettings, Message, ModelInfo, TextDelta

NS = 1_000_000_000
GIB = 2**30
SECONDS = 600
START_NS = 5_000 * NS
END_NS = START_NS + SECONDS * NS
MODEL = ModelInfo(
    "qwen3-4b",
    size_bytes=round(4.6 * GIB),
    is_loaded=True,
    quantisation="w8a8",
    context_tokens=16384,
)
ANSWERS = ((40, 150), (200, 330), (400, 560))
"""Seconds in which an answer was on its way."""
THROTTLED = range(470, 560)


def is_answering(second: int) -> bool:
    return any(start <= second < end for start, end in ANSWERS)


def readings(second: int) -> dict[str, Reading]:
    """A Rockchip board with everything readable; from 470 s on its heat costs clock."""
    busy, slow = is_answering(second), second in THROTTLED
    wave = math.sin(second / 7) * 4
    temp = 52 + (min(second, 500) / 500 * 28 if busy else 6) + wave / 4
    return {
        "board.model": Reading("Orange Pi 5 Max", "", "/proc/device-tree/model"),
        "board.soc": Reading("rk3588", "", "/proc/device-tree/compatible"),
        "board.kernel": Reading("6.1.84-vendor-rk35xx", "", "/proc/version"),
        "npu.load": Reading(
            (86 + wave, 80 + wave, 61 - wave) if busy else (0.0, 0.0, 0.0),
            "%",
            "/sys/kernel/debug/rknpu/load",
        ),
        "npu.freq": Reading(6e8 if slow else 1e9, "Hz", "/sys/class/devfreq/fdab0000.npu/cur_freq"),
        "npu.max_freq": Reading(1e9, "Hz", "/sys/class/devfreq/fdab0000.npu/max_freq"),
        "npu.table": Reading((3e8, 6e8, 1e9), "Hz"),
        "npu.temp": Reading(temp - 4, "°C", "/sys/class/thermal/thermal_zone6/temp"),
        "npu.driver": Reading("0.9.8", "", "/sys/kernel/debug/rknpu/version"),
        "npu.governor": Reading("rknpu_ondemand"),
        "ddr.freq": Reading(
            2.112e9 if busy and not slow else 5.28e8, "Hz", "/sys/class/devfreq/dmc/cur_freq"
        ),
        "ddr.load": Reading(62 + wave if busy else 4, "%", "/sys/class/devfreq/dmc/load"),
        "ddr.governor": Reading("dmc_ondemand", "", "/sys/class/devfreq/dmc/governor"),
        "ddr.table": Reading((5.28e8, 1.32e9, 2.112e9), "Hz"),
        "ddr.peak_bandwidth": Reading(33.8, "GB/s", "64-bit bus", flags=("estimated",)),
        "cpu.freq": Reading((1.8e9, 1.4e9 if slow else 2.256e9, 2.256e9), "Hz"),
        "cpu.max_freq": Reading((1.8e9, 2.256e9, 2.304e9), "Hz"),
        "cpu.cap_freq": Reading((1.8e9, 2.256e9, 2.304e9), "Hz"),
        "cpu.load": Reading((5.0,) * 4 + (90.0,) * 4, "%"),
        "soc.temp": Reading(temp, "°C", "/sys/class/thermal/thermal_zone0/temp"),
        "thermal.trip_passive": Reading(85.0, "°C"),
        "throttle": Reading("none"),
        "ram.total": Reading(15.6 * GIB, "B", "/proc/meminfo"),
        "ram.available": Reading((9.4 - second / 400) * GIB, "B", "/proc/meminfo"),
        "ram.model": Reading(4.9 * GIB, "B", "/proc/meminfo Shmem", flags=("estimated",)),
        "server.pid": Reading(812, "", "port 8021"),
    }


def without_permission(second: int) -> dict[str, Reading]:
    """The same board, as a user who may not read debugfs."""
    absent = Reading.absent(NO_PERMISSION, "%", "/sys/kernel/debug/rknpu/load")
    return readings(second) | {"npu.load": absent}


def without_driver(second: int) -> dict[str, Reading]:
    """Any laptop: memory is all there is."""
    absent = Reading.absent(NO_DRIVER)
    kept = {name: item for name, item in readings(second).items() if name.startswith("ram.")}
    names = [name for name in readings(0) if name.startswith(("npu.", "ddr.", "soc.", "cpu."))]
    return {"board.soc": Reading("AMD EPYC", "", "host")} | dict.fromkeys(names, absent) | kept


def simulated(second: int) -> dict[str, Reading]:
    return readings(second) | {"board.simulated": Reading("rk3588", flags=("simulated",))}


BOARDS = {
    "whole": readings,
    "no permission": without_permission,
    "no driver": without_driver,
    "simulated": simulated,
}


@dataclass
class Prepared:
    """A history and a view that saw it, up to :data:`END_NS`."""

    history: BoardHistory
    view: BoardView
    now_ns: int = END_NS
    load: LoadFacts | None = None

    @property
    def facts(self) -> BoardFacts:
        return self.view.facts

    def headline(self) -> Headline:
        snapshot = self.history.latest
        return replace(
            HEADLINE,
            driver="0.9.8",
            temperature_c=None if snapshot is None else snapshot.number("soc.temp"),
            is_simulated=snapshot is not None and snapshot.text("board.simulated") is not None,
        )

    def sees(self, second: int, values: dict[str, Reading], turn: Turn | None) -> None:
        """One more sample."""
        snapshot = Snapshot(START_NS + second * NS, 1_750_000_000.0 + second, values)
        self.history.add(snapshot)
        stats: TurnStats | None = None if turn is None else turn.stats(snapshot.t_ns)
        t0_ns = None if turn is None else turn.t0_ns
        self.view.saw(snapshot, stats, MODEL, False, t0_ns=t0_ns)


class PreparedBackend:
    """What the board screen asks of the application, beside a prepared board."""

    def __init__(self, board: Prepared) -> None:
        self.board = board

    @property
    def chat(self) -> Chat:
        raise AssertionError("the board screen has no chat")

    def headline(self) -> Headline:
        return self.board.headline()

    def notice(self, keymap: Mapping[str, str]) -> list[str]:
        return []

    def connect(self, url: str) -> str | None:
        return None

    def start_demo(self) -> str | None:
        return None

    def clock_ns(self) -> int:
        return self.board.now_ns


def prepared(name: str = "whole", seconds: int = SECONDS) -> Prepared:
    """The board of that name after so many seconds with three answers; each call's is its own."""
    made: Prepared = pickle.loads(_pickled(name, seconds))
    return made


@cache
def _pickled(name: str, seconds: int) -> bytes:
    board = Prepared(BoardHistory(), BoardView())
    turns = _turns()
    turn: Turn | None = None
    for second in range(seconds):
        turn = next(turns) if second in [start for start, _ in ANSWERS] else turn
        if turn is not None and not turn.phase.is_over:
            _advance(turn, second)
        board.sees(second, BOARDS[name](second), turn)
    return pickle.dumps(board)


def _turns() -> Iterator[Turn]:
    for start, _ in ANSWERS:
        request = ChatRequest("qwen3-4b", (Message("user", "why?"),), GenerationSettings())
        turn = Turn(request, START_NS + start * NS, "token", 16384)
        turn.accepted(START_NS + start * NS + 1_000_000)
        yield turn


def _advance(turn: Turn, second: int) -> None:
    """The tokens of that second; half as many while the board is too hot."""
    start = (turn.t0_ns - START_NS) // NS
    if second - start < 3:
        return
    count = 2 if second in THROTTLED else 4
    for number in range(count):
        turn.feed(START_NS + second * NS - NS + number * NS // count, [TextDelta("word ")])
    if not is_answering(second + 1):
        turn.end_of_stream(START_NS + second * NS)
