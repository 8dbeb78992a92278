"""Busy state of a server as its status route reports it."""

from __future__ import annotations

import asyncio

import httpx

from tui.servers.client import Client
from tui.servers.dialects.dialect import BusyLight
from tui.servers.models import ModelListError, list_models

SETTLE_S = 0.1
NO_ANSWER_YET = "the server accepted the prompt but does not answer: busy, or loading"


class NotAnsweringError(Exception):
    """The server accepted the request but does not answer."""


async def working(client: Client) -> BusyLight | None:
    """The server's reported activity; None where it reports none. Raises NotAnsweringError."""
    path = client.dialect.busy_path
    if path is None:
        return None
    try:
        answer = await client.get(path)
    except (httpx.ReadTimeout, httpx.WriteTimeout):
        raise NotAnsweringError from None
    except httpx.HTTPError:
        # A prompt will show what is the matter.
        return None
    return client.dialect.parse_busy(answer.json) if answer.is_ok else None


async def busy_light(client: Client) -> str | None:
    """Why the server would let a prompt wait, as a clause; None where nothing says so.

    It is looked at twice: right after an answer a server may still count it as running.
    """
    for is_second in (False, True):
        if is_second:
            await asyncio.sleep(SETTLE_S)
        try:
            light = await working(client)
        except NotAnsweringError:
            return "the server accepts requests but does not answer: busy, or loading"
        if light is None or not light.is_full:
            return None
    return "the server is working on another answer"


async def still_lists(client: Client, name: str) -> bool:
    """Whether the server still calls that model loaded ("": any). True where it does not answer."""
    try:
        models = await list_models(client)
    except (httpx.ReadTimeout, httpx.WriteTimeout):
        return True
    except (httpx.HTTPError, ModelListError):
        return False
    return any(model.is_loaded and name in ("", model.name) for model in models)
