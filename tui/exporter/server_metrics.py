"""Servers and their models as metric families; servers are asked periodically, never during a
scrape.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from prometheus_client.metrics_core import GaugeMetricFamily, Metric

from tui.core.text.sanitize import clean_line
from tui.servers.access import Access
from tui.servers.address import masked
from tui.servers.client import PhaseTimeouts
from tui.servers.connection_state import SurveyedServer
from tui.servers.locate import look
from tui.servers.survey import shown_servers, survey

TIMEOUTS = PhaseTimeouts(query_s=5.0)
MAX_LABEL_CHARS = 120


@dataclass(frozen=True, slots=True)
class SeenServers:
    """Servers that answer, servers that accept connections but do not answer, and every address
    where one was seen since the start.
    """

    answering: tuple[SurveyedServer, ...] = ()
    busy_urls: tuple[str, ...] = ()
    known_urls: tuple[str, ...] = ()


def look_at_servers(
    urls: Sequence[str] | None, access: Access, before: SeenServers = SeenServers()
) -> SeenServers:
    """Sends a few cheap requests to each address; None is the usual ports. Blocks for seconds."""
    return asyncio.run(_look(urls, access, before))


async def _look(urls: Sequence[str] | None, access: Access, before: SeenServers) -> SeenServers:
    found = await look(urls, access=access)
    answering = shown_servers(await survey(found.servers, TIMEOUTS))
    seen = [*before.known_urls, *(one.server.url for one in answering), *found.busy_urls]
    # One that was named is missed from the start.
    return SeenServers(answering, found.busy_urls, tuple(dict.fromkeys([*(urls or ()), *seen])))


def server_families(seen: SeenServers) -> Iterator[Metric]:
    """``npulse_server_up``, ``npulse_server_busy`` and what is known of servers and models."""
    up = GaugeMetricFamily("npulse_server_up", "Whether a server is there.", labels=["url"])
    busy = GaugeMetricFamily(
        "npulse_server_busy", "Whether it accepts connections but does not answer.", labels=["url"]
    )
    answering = {one.server.url for one in seen.answering}
    for url in seen.known_urls:
        up.add_metric([_label(url)], float(url in answering or url in seen.busy_urls))
        busy.add_metric([_label(url)], float(url in seen.busy_urls))
    yield from (family for family in (up, busy) if family.samples)
    server_info = GaugeMetricFamily(
        "npulse_server_info", "What server this is.", labels=["url", "server", "name", "version"]
    )
    model_info = GaugeMetricFamily(
        "npulse_model_info",
        "A model of a server that is loaded, or the only one that it has.",
        labels=["url", "model", "quantisation"],
    )
    context = GaugeMetricFamily(
        "npulse_model_context_tokens", "Context of that model.", labels=["url", "model"]
    )
    for one in seen.answering:
        server = one.server
        url = _label(server.url)
        server_info.add_metric(
            [url, server.dialect.name, _label(server.name), _label(server.version or "")], 1.0
        )
        for model in one.models:
            if model.is_loaded or (model.is_loaded is None and len(one.models) == 1):
                name = _label(model.name)
                model_info.add_metric([url, name, _label(model.quantisation or "")], 1.0)
                if model.context_tokens is not None and not model.is_context_guessed:
                    context.add_metric([url, name], float(model.context_tokens))
    yield from (family for family in (server_info, model_info, context) if family.samples)


def _label(text: str) -> str:
    return clean_line(masked(text), MAX_LABEL_CHARS)
