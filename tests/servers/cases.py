"""Scripted answers of real servers and proxies: pieces of bytes, and how long each takes to come.

A file holds ``send``: rows of (delay in s, text), text also as ``{"hex": ...}``, and rows
``{"repeat": [n, delay, text]}``; ``end``: end, abort or open; ``framing``: chunked or close;
``headers`` over those of an event stream; ``owned_by`` of the model list.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.servers.raw_server import Script, Wire
from tui.core.turn.read_times import ReadTimes
from tui.core.turn.turn import Turn
from tui.core.types import ChatRequest, GenerationSettings, Message, TurnError
from tui.servers import errors
from tui.servers.dialects import openai, rockchipllama
from tui.servers.dialects.dialect import Dialect

FOLDER = Path(__file__).parent / "data" / "cases"
REQUEST = ChatRequest("qwen3-4b", (Message("user", "hello"),), GenerationSettings())
T0 = 1_000_000_000_000


@dataclass(frozen=True, slots=True)
class Case:
    """One scripted answer; ``pieces`` are (delay in s, bytes)."""

    name: str
    pieces: tuple[tuple[float, bytes], ...]
    end: str
    is_chunked: bool
    headers: dict[str, str]
    dialect: Dialect

    @property
    def body(self) -> bytes:
        return b"".join(data for _, data in self.pieces)


def names() -> list[str]:
    """Every file, as ``folder/file`` without its suffix."""
    return sorted(f"{path.parent.name}/{path.stem}" for path in FOLDER.glob("*/*.json"))


def case(name: str) -> Case:
    """The case of that name."""
    made: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text())
    is_rockchip = made.get("owned_by") == "rockchip"
    return Case(
        name=name,
        pieces=tuple(_pieces(made["send"])),
        end=made.get("end", "end"),
        is_chunked=made.get("framing", "chunked") == "chunked",
        headers=made.get("headers", {}),
        dialect=rockchipllama.DIALECT if is_rockchip else openai.DIALECT,
    )


def _pieces(send: list[Any]) -> Iterator[tuple[float, bytes]]:
    for row in send:
        count, delay_s, text = row["repeat"] if isinstance(row, dict) else (1, *row)
        data = bytes.fromhex(text["hex"]) if isinstance(text, dict) else text.encode()
        yield from ((delay_s, data) for _ in range(count))


def decoded_turn(played: Case, pieces: tuple[tuple[float, bytes], ...] | None = None) -> Turn:
    """The turn that these pieces make, at exactly their times, without a network."""
    turn = Turn(REQUEST, T0, played.dialect.chunk_meaning)
    turn.accepted(T0 + 1)
    decoder, times = played.dialect.decoder(REQUEST), ReadTimes()
    t_s = 0.0
    for delay_s, data in played.pieces if pieces is None else pieces:
        t_s += delay_s
        times.feed(turn, _ns(t_s), decoder.feed(data))
    times.feed(turn, _ns(t_s), decoder.close())
    if decoder.nonsense is not None:
        turn.fail(_ns(t_s), errors.nonsense("http://board", decoder.nonsense))
    if played.end == "abort":
        turn.fail(_ns(t_s), TurnError("cut", "The stream was cut."))
    turn.end_of_stream(_ns(t_s + 9.0))
    return turn


def _ns(t_s: float) -> int:
    return T0 + round(t_s * 1e9)


def script(played: Case, scale: float) -> Script:
    """Plays the case over a socket; delays are multiplied by ``scale``."""

    async def play(wire: Wire) -> None:
        headers = {"Content-Type": "text/event-stream", **played.headers}
        headers |= {"Transfer-Encoding": "chunked"} if played.is_chunked else {}
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        await wire.raw(f"HTTP/1.1 200 X\r\n{lines}\r\n".encode())
        for delay_s, data in played.pieces:
            await asyncio.sleep(delay_s * scale)
            await (wire.part(data) if played.is_chunked else wire.raw(data))
        if played.end == "abort":
            wire.reset()
        elif played.end == "open":
            await wire.until_closed()
        elif played.is_chunked:
            await wire.raw(b"0\r\n\r\n")

    return play


def models_then(play: Script) -> Script:
    """Lists one model, and answers a chat with ``play``."""

    async def serve(wire: Wire) -> None:
        if wire.asked.method == "POST":
            await play(wire)
        elif wire.asked.path == "/v1/models":
            row = {"id": "qwen3-4b", "object": "model", "owned_by": "someone"}
            await wire.json({"object": "list", "data": [row]}, connection="close")
        else:
            await wire.json({"detail": "Not Found"}, 404, connection="close")

    return serve
