"""Servers that refuse a prompt, each in its own way, and the client that waits for them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from tests.servers.raw_server import Wire
from tests.servers.requests import new_turn, request
from tui.servers.backoff import Backoff
from tui.servers.client import Client, PhaseTimeouts
from tui.servers.exchange import StreamedRequest
from tui.servers.slot import Slot

SOON = Backoff(first_s=0.02, max_s=0.05, max_asked_s=0.05)
FULL = PhaseTimeouts(busy_s=3600.0)


Refusal = Callable[[Wire], Awaitable[None]]
"""Answers one request by saying that it is busy."""


def sending(client: Client, in_use: Callable[[], str | None] = lambda: None) -> StreamedRequest:
    asked = request()
    return StreamedRequest(client, asked, new_turn(asked), Slot(), in_use=in_use, backoff=SOON)


async def answered(wire: Wire) -> None:
    await wire.head()
    for text in ("one ", "two ", "three"):
        await wire.token(text)
    await wire.done()


def refusing(times: int, refuse: Refusal) -> Refusal:
    """A script that refuses the first prompts and answers the next."""
    left = [times]

    async def script(wire: Wire) -> None:
        left[0] -= 1
        await (refuse(wire) if left[0] >= 0 else answered(wire))

    return script
