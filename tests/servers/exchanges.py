"""One answer over a real socket, asked of a script that plays the server."""

from __future__ import annotations

import asyncio

from tests.servers.raw_server import RawServer, Script, Wire, raw_server
from tests.servers.requests import new_turn, request
from tui.core.turn.turn import Turn
from tui.core.types import ChatRequest
from tui.servers.client import Client, PhaseTimeouts
from tui.servers.dialects import openai, rockchipllama
from tui.servers.dialects.dialect import Dialect
from tui.servers.exchange import answer

ROCKCHIP, OPENAI = rockchipllama.DIALECT, openai.DIALECT
QUICK = PhaseTimeouts(connect_s=2.0, first_byte_s=0.3, idle_s=0.3)


async def ask(
    url: str,
    dialect: Dialect = OPENAI,
    timeouts: PhaseTimeouts | None = None,
    asked: ChatRequest | None = None,
) -> Turn:
    asked = asked or request()
    turn = new_turn(asked)
    async with Client(url, dialect, timeouts) as client:
        await asyncio.wait_for(answer(client, asked, turn), 30)
    return turn


async def ask_script(
    script: Script,
    dialect: Dialect = OPENAI,
    timeouts: PhaseTimeouts | None = None,
    asked: ChatRequest | None = None,
) -> tuple[Turn, RawServer]:
    async with raw_server(script) as server:
        return await ask(server.url, dialect, timeouts, asked), server


async def three_tokens(wire: Wire) -> None:
    await wire.head()
    for text in ("one ", "two ", "three"):
        await wire.token(text)
        await asyncio.sleep(0.02)
    await wire.done()


async def one_token(wire: Wire) -> None:
    """The answer never ends: it waits until the client closes."""
    await wire.head()
    await wire.token("one")
    await wire.until_closed()
