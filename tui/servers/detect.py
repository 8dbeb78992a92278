"""Detects the kind of server at an address, by a few cheap GETs."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import httpx

from tui.core.text.sanitize import clean_line
from tui.servers import errors
from tui.servers.access import Access
from tui.servers.address import (
    CandidateUrls,
    is_explicit,
    is_local,
    loopback_urls,
    normalised_url,
    shown_url,
)
from tui.servers.client import Client, PhaseTimeouts
from tui.servers.connection_state import Server
from tui.servers.dialects import (
    llama_cpp,
    ollama,
    openai,
    orkllm,
    rkllama,
    rkllm_api_server,
    rkllm_chat,
    rkllm_demo,
    rkllm_family,
    rockchipllama,
)
from tui.servers.dialects.dialect import Answer, Dialect, Identity

KINDS: dict[str, Dialect] = {
    "rockchipllama": rockchipllama.DIALECT,
    "rkllama": rkllama.DIALECT,
    "orkllm": orkllm.DIALECT,
    "rkllm-api-server": rkllm_api_server.DIALECT,
    "rkllm-demo": rkllm_demo.DIALECT,
    "rkllm-chat": rkllm_chat.DIALECT,
    "llama.cpp": llama_cpp.DIALECT,
    "ollama": ollama.DIALECT,
    "rkllm": rkllm_family.DIALECT,
    "openai": openai.DIALECT,
}
"""Every dialect by its name in the settings. The first that recognises a server has it; plain
OpenAI is the last resort."""

DIALECTS: tuple[Dialect, ...] = tuple(KINDS.values())
FALLBACK = openai.DIALECT
GENERIC = (openai.NAME, rkllm_family.NAME)
"""Recognised by a shape that many servers share."""
PORTS = (8021, 8080, 8000, 3000, 11434)
"""Where the known servers listen unless they are told otherwise, best first."""
FIRST_PATHS = ("/v1/models", "/")
EMPTY_LIST_PATH = "/health"
"""Asked where a list of models is empty, so that nothing in it says whose it is."""
SIMULATED_HEADER = "x-npulse-simulated"
GRACE_S = 0.5
PROBE_TIMEOUTS = PhaseTimeouts(connect_s=3.0, query_s=3.0)

Outcome = Literal["server", "busy", "absent", "unknown"]
"""busy: takes connections and does not answer in time, so it is there and works on something.
absent: nothing there. unknown: something answers, and it is no server that we know."""


@dataclass(frozen=True, slots=True)
class Probe:
    """What was found at one address. ``sentence`` says it for every outcome but ``server``."""

    url: str
    outcome: Outcome
    server: Server | None = None
    sentence: str = ""


def default_urls() -> CandidateUrls:
    """The addresses on this machine where the known servers listen, best first."""
    return CandidateUrls(loopback_urls(PORTS))


def best(probes: Sequence[Probe]) -> tuple[Server, ...]:
    """The servers that may be taken: those that are recognised for what they are, else all."""
    servers = [probe.server for probe in probes if probe.server is not None]
    return tuple(server for server in servers if not is_generic(server)) or tuple(servers)


def kind_of(dialect: Dialect) -> str:
    """Its name in the settings."""
    return next((kind for kind, row in KINDS.items() if row.name == dialect.name), "")


def is_generic(server: Server) -> bool:
    """Whether it was recognised only by a shape that many servers share."""
    return server.dialect.name in GENERIC


async def search(
    urls: Sequence[str] | None = None,
    timeouts: PhaseTimeouts = PROBE_TIMEOUTS,
    access: Access | None = None,
    awaited_url: str = "",
) -> tuple[Probe, ...]:
    """One :class:`Probe` per address, all tried at once; None are the default ports of this
    machine.

    Once a server is found, addresses that do not answer are waited for :data:`GRACE_S` only, and
    then count as busy; ``awaited_url`` gets all the time that it needs. The key of ``access`` goes
    to explicit addresses only: whatever listens on a port of this machine must not get it.
    """
    is_pinned = is_explicit(urls)
    if not is_pinned and access is not None:
        access = Access(kind=access.kind)
    wanted = default_urls() if urls is None else tuple(normalised_url(url) for url in urls)
    tasks = [asyncio.create_task(probe(url, is_pinned, timeouts, access)) for url in wanted]
    try:
        awaited = [task for url, task in zip(wanted, tasks, strict=True) if url == awaited_url]
        await _enough(tasks, awaited)
    finally:
        late = [task for task in tasks if not task.done()]
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late)
    return tuple(
        _busy(url) if task.cancelled() else task.result()
        for url, task in zip(wanted, tasks, strict=True)
    )


async def _enough(tasks: list[asyncio.Task[Probe]], awaited: list[asyncio.Task[Probe]]) -> None:
    """Returns when all are done, or had their time after the first server."""
    waiting = set(tasks)
    while waiting and not any(task.done() and task.result().server for task in tasks):
        _, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    if waiting:
        _, waiting = await asyncio.wait(waiting, timeout=GRACE_S)
    late = [task for task in awaited if task in waiting]
    if late:
        await asyncio.wait(late)


async def probe(
    url: str,
    is_pinned: bool,
    timeouts: PhaseTimeouts = PROBE_TIMEOUTS,
    access: Access | None = None,
) -> Probe:
    """What is at this one address, by three GETs at most."""
    answers: dict[str, Answer] = {}
    kind = KINDS.get(access.kind) if access is not None else None
    async with Client(url, kind or FALLBACK, timeouts, access) as client:
        try:
            await _ask(client, FIRST_PATHS, answers)
            found = _recognised(answers, kind, is_pinned)
            if found is None or (found[0] is FALLBACK and _is_empty_list(answers)):
                third = EMPTY_LIST_PATH if _is_empty_list(answers) else rkllm_chat.PATH
                await _ask(client, (third,), answers)
                found = _recognised(answers, kind, is_pinned)
            if found is not None:
                return Probe(url, "server", _server(url, *found, answers, access))
        except httpx.HTTPError as error:
            if is_busy_error(error, url):
                return _busy(url)
            failure = errors.transport(error, url, timeouts.connect_s)
            outcome: Outcome = "unknown" if failure.kind == "protocol" else "absent"
            return Probe(url, outcome, None, failure.sentence)
    if is_pinned and kind is None:
        identity = Identity(FALLBACK.name)
        return Probe(url, "server", _server(url, FALLBACK, identity, answers, access))
    return Probe(
        url,
        "unknown",
        None,
        f"What answers at {shown_url(url)} is not an LLM server that npulse knows.",
    )


def _busy(url: str) -> Probe:
    return Probe(url, "busy", None, busy_sentence(url))


def is_busy_error(error: httpx.HTTPError, url: str) -> bool:
    """Whether a request failed because the server works on something: it takes connections and is
    silent, or its queue of connections is full. Far away that last one may be a host that is off.
    """
    if isinstance(error, httpx.ConnectTimeout):
        return is_local(url)
    return isinstance(error, httpx.ReadTimeout | httpx.WriteTimeout)


def busy_sentence(url: str) -> str:
    """The sentence about a server that accepts connections but does not answer in time."""
    return f"{shown_url(url)} accepts connections but does not answer: busy, or loading a model."


def _recognised(
    answers: dict[str, Answer], kind: Dialect | None, is_pinned: bool
) -> tuple[Dialect, Identity] | None:
    """The dialect of these answers. A kind that was named is all that counts at a port that is only
    a candidate, and is believed whatever the answers say at an address that was named too."""
    if kind is not None:
        named = kind.identify(answers) or (Identity(kind.name) if is_pinned else None)
        return None if named is None else (kind, named)
    for dialect in DIALECTS:
        identity = dialect.identify(answers)
        if identity is not None:
            return dialect, identity
    return None


def _is_empty_list(answers: dict[str, Answer]) -> bool:
    models = answers.get("/v1/models")
    body = models.json if models is not None and models.is_ok else None
    return isinstance(body, dict) and body.get("data") == []


async def _ask(client: Client, paths: Sequence[str], answers: dict[str, Answer]) -> None:
    """Adds the answers to these GETs, which are sent at the same time.

    Only the first one decides whether the server is there at all: one that then fails on another
    path is still that server.
    """
    got = await asyncio.gather(*(client.get(path) for path in paths), return_exceptions=True)
    for path, answer in zip(paths, got, strict=True):
        if isinstance(answer, Answer):
            answers[path] = answer
        elif not isinstance(answer, httpx.HTTPError):
            raise answer
    if not answers:
        raise next(error for error in got if isinstance(error, httpx.HTTPError))


def _server(
    url: str,
    dialect: Dialect,
    identity: Identity,
    answers: dict[str, Answer],
    access: Access | None,
) -> Server:
    version = None if identity.version is None else clean_line(identity.version, 40)
    return Server(
        url=url,
        dialect=dialect,
        name=clean_line(identity.name, 40),
        version=version,
        is_simulated=any(_is_simulated(answer) for answer in answers.values()),
        access=access or Access(),
    )


def _is_simulated(answer: Answer) -> bool:
    says_so = isinstance(answer.json, dict) and answer.json.get("simulated") is True
    return says_so or answer.headers.get(SIMULATED_HEADER) == "1"
