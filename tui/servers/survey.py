"""Several servers at once: each with its models, for a list to choose from."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from tui.core.types import ModelInfo
from tui.servers.client import Client, PhaseTimeouts
from tui.servers.connection_state import Server
from tui.servers.models import ModelListError, require_models


@dataclass(frozen=True, slots=True)
class SurveyedServer:
    """A server that answers, and what it has; ``problem`` is why its models are not known, in one
    sentence. Names of models are the server's own."""

    server: Server
    models: tuple[ModelInfo, ...] = ()
    problem: str | None = None


async def survey(servers: Sequence[Server], timeouts: PhaseTimeouts) -> tuple[SurveyedServer, ...]:
    """The models of all of them, asked at the same time."""
    return tuple(await asyncio.gather(*(_surveyed(server, timeouts) for server in servers)))


async def _surveyed(server: Server, timeouts: PhaseTimeouts) -> SurveyedServer:
    async with Client(server.url, server.dialect, timeouts, server.access) as client:
        try:
            return SurveyedServer(server, await require_models(client))
        except ModelListError as error:
            return SurveyedServer(server, problem=str(error))
