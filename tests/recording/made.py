"""Answers recorded without a server: what a connection would give a turn, at made-up times."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tui.core.board.reading import Reading, Snapshot
from tui.core.turn.result import NOT_NUMBERS, result_of
from tui.core.turn.turn import Turn
from tui.core.types import (
    ChatRequest,
    Delta,
    DoneDelta,
    FinishDelta,
    GenerationSettings,
    Message,
    TextDelta,
    ThinkingDelta,
    UsageDelta,
)
from tui.recording.recorder import RecordingSession, request_line
from tui.recording.samples import Sample
from tui.recording.scrub import Scrubber
from tui.recording.told_turn import ToldTurn

MS = 1_000_000
T0 = 5_000_000_000_000
VERSION_1 = Path(__file__).parent / "data" / "version_1.jsonl"
"""Written by the first npulse that recorded; every later one must open it."""


def session(path: Path, said: list[str], *, scrubber: Scrubber | None = None,
            has_text: bool = True) -> RecordingSession:  # fmt: skip
    def numbers(turn: Turn, now_ns: int) -> dict[str, object]:
        values = result_of(turn, now_ns).to_json_dict()
        return {k: v for k, v in values.items() if k not in NOT_NUMBERS}

    return RecordingSession(path, numbers, said.append, scrubber=scrubber, has_text=has_text)


def snapshot(t_ns: int, load_pct: float = 80.0, **more: Reading) -> Snapshot:
    readings = {
        "npu.load": Reading((load_pct, 70.0, None), "%", "/sys/kernel/debug/rknpu/load"),
        "soc.temp": Reading(61.5, "°C", "/sys/class/thermal/thermal_zone0/temp"),
        "fan.rpm": Reading.absent("no sensor", "rpm"),
        "board.model": Reading("Orange Pi 5 Max", source="/proc/device-tree/model"),
        **more,
    }
    return Snapshot(t_ns, 1_795_000_000 + t_ns / 1e9, readings)


def record(
    into: RecordingSession,
    deltas: Sequence[Delta] = (),
    *,
    t0_ns: int = T0,
    n_tokens: int = 30,
    prompt: str = "why?",
    is_ended: bool = True,
) -> ToldTurn:
    """An answer of ``n_tokens`` every 20 ms, or of ``deltas``, with a sample every 200 ms."""
    messages = (Message("system", "short"), Message("user", prompt))
    settings = GenerationSettings(max_tokens=64, system_prompt="short")
    turn = ToldTurn(ChatRequest("qwen3-4b", messages, settings), t0_ns, "token", 4096)
    into.on_snapshot(Sample(snapshot(t0_ns - 500 * MS, 0.0)))
    request = request_line(turn, time_s=1_795_000_000.0, server="Server :8021", context_tokens=4096)
    into.begin(turn, request)
    turn.note_model("qwen3-4b")
    turn.sent(t0_ns + 3 * MS)
    turn.accepted(t0_ns + 5 * MS)
    turn.note_clock(is_kernel=True)
    given: list[Delta] = [*deltas]
    if not given:
        given = [ThinkingDelta(f"t{n} ") for n in range(n_tokens // 3)]
        given += [TextDelta(f"word{n} ") for n in range(n_tokens - len(given))]
    t_ns = t0_ns + 400 * MS
    for number, delta in enumerate(given):
        t_ns += 20 * MS
        turn.feed(t_ns, (delta,))
        if number % 10 == 0:
            into.on_snapshot(Sample(snapshot(t_ns + 7, 80.0 + number)))
    if is_ended:
        usage = UsageDelta(tokens_in=12, tokens_out=len(given), prefill_ms=380.0)
        turn.feed(t_ns + MS, (usage, FinishDelta("stop"), DoneDelta()))
    return turn
