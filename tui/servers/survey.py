"""Searches several servers at once, each with its models."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from tui.servers.client import Client, PhaseTimeouts
from tui.servers.connection_state import Server, SurveyedServer
from tui.servers.model_choice import shown
from tui.servers.models import ModelListError, require_models


async def survey(servers: Sequence[Server], timeouts: PhaseTimeouts) -> tuple[SurveyedServer, ...]:
    """The models of all of them, asked at the same time."""
    return tuple(await asyncio.gather(*(_surveyed(server, timeouts) for server in servers)))


async def _surveyed(server: Server, timeouts: PhaseTimeouts) -> SurveyedServer:
    async with Client(server.url, server.dialect, timeouts, server.access) as client:
        try:
            return SurveyedServer(server, await require_models(client))
        except ModelListError as error:
            return SurveyedServer(server, problem=str(error))


def shown_servers(seen: Sequence[SurveyedServer]) -> tuple[SurveyedServer, ...]:
    """The same with every name of a model made safe for a screen."""
    return tuple(replace(one, models=tuple(shown(model) for model in one.models)) for one in seen)
