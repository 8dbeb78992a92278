"""Finds a server and chooses the model that answers; used by every command and screen.

Every command, the dashboard and the benchmark go through here, so that they look at the same
places, prefer the same server and say the same where there is none.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import httpx

from tui.core.types import ModelInfo, TurnError
from tui.servers.access import Access
from tui.servers.address import is_explicit, shown_url
from tui.servers.chosen_model import Choice
from tui.servers.client import Client, PhaseTimeouts
from tui.servers.connection_state import Server
from tui.servers.detect import PROBE_TIMEOUTS, Probe, best, search
from tui.servers.model_choice import (
    chosen_model,
    find_model,
    has_to_load,
    loaded_model,
)
from tui.servers.models import ModelListError, list_models


@dataclass(frozen=True, slots=True)
class Located:
    """What was found at the addresses that were looked at: a server, or why there is none.

    ``problem`` is what there is to say beyond "nobody is there", in one sentence. ``looked_at``
    are the addresses as they are shown; at those of ``busy_urls`` something takes connections and
    does not answer. ``servers`` are all that answer. ``note`` says in one sentence why ``server``
    is not simply the one that answers; ``is_arbitrary`` where only the order of the ports chose it.
    """

    server: Server | None
    problem: str | None
    looked_at: tuple[str, ...]
    busy_urls: tuple[str, ...] = ()
    servers: tuple[Server, ...] = ()
    note: str | None = None
    is_arbitrary: bool = False

    @property
    def is_busy(self) -> bool:
        """Whether something is there that did not answer in time."""
        return self.server is None and bool(self.busy_urls)

    @property
    def absence(self) -> str:
        """The one sentence for a server that is not there."""
        return self.problem or no_server_at(self.looked_at)


class NoServerError(Exception):
    """No server was found; the text is one sentence, ``is_busy`` as in :class:`Located`."""

    def __init__(self, sentence: str, *, is_busy: bool) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.is_busy = is_busy

    @property
    def turn_error(self) -> TurnError:
        """The same as the end of a turn that could not begin."""
        return TurnError("busy" if self.is_busy else "refused", self.sentence)


async def look(
    urls: Sequence[str] | None,
    timeouts: PhaseTimeouts = PROBE_TIMEOUTS,
    access: Access | None = None,
    remembered_url: str = "",
) -> Located:
    """One look at ``urls``; None are the default ports. ``remembered_url`` is the server that was
    chosen earlier among several. Raises ValueError for a bad address."""
    named = is_explicit(urls)
    probes = await search(urls, timeouts, access, "" if named else remembered_url)
    return located(probes, is_explicit=named, remembered_url=remembered_url)


def located(probes: Sequence[Probe], *, is_explicit: bool, remembered_url: str = "") -> Located:
    """The server that is taken, and the one sentence where there is none.

    That is the remembered one, else the first of those that are recognised for what they are. One
    that is remembered and busy is waited for.
    """
    looked_at = tuple(probe.url.partition("://")[2] for probe in probes)
    busy = [probe for probe in probes if probe.outcome == "busy"]
    busy_urls = tuple(probe.url for probe in busy)
    servers = tuple(probe.server for probe in probes if probe.server is not None)
    waited_for = next((probe for probe in busy if probe.url == remembered_url), None)
    if servers and waited_for is None:
        server, note, is_arbitrary = _taken(probes, remembered_url)
        return Located(server, None, looked_at, busy_urls, servers, note, is_arbitrary)
    telling = busy or [probe for probe in probes if is_explicit or probe.outcome != "absent"]
    problem = waited_for.sentence if waited_for else telling[0].sentence if telling else None
    return Located(None, problem, looked_at, busy_urls, servers)


def _taken(probes: Sequence[Probe], remembered_url: str) -> tuple[Server, str | None, bool]:
    """The server to take where there is one, what to say about that, and whether only the order of
    the addresses chose it."""
    servers = [probe.server for probe in probes if probe.server is not None]
    for server in servers:
        if server.url == remembered_url:
            return server, None, False
    rivals = best(probes)
    taken = rivals[0]
    if len(rivals) > 1:
        others = " and ".join(_placed(server) for server in rivals[1:])
        note = f"{len(rivals)} servers answer: {_placed(taken)} is used, not {others}"
        return taken, f"{note}; choose with --url, or on the models screen.", True
    if remembered_url in [probe.url for probe in probes]:
        note = f"{shown_url(remembered_url)}, which was chosen earlier, does not answer"
        return taken, f"{note}; {_placed(taken)} is used.", False
    return taken, None, False


def _placed(server: Server) -> str:
    return f"{server.name} at {shown_url(server.url)}"


def no_server_at(looked_at: Sequence[str]) -> str:
    """The one sentence for nobody there."""
    tried = ", ".join(looked_at) or "this machine"
    return f"No rkllm server answers at {tried}; start it, or give its address with --url."


async def find(
    urls: Sequence[str] | None = None, timeouts: PhaseTimeouts = PROBE_TIMEOUTS
) -> Server | None:
    """The first server among ``urls``, by their order; None if there is none."""
    return (await look(urls, timeouts)).server


async def locate(
    urls: Sequence[str] | None,
    timeouts: PhaseTimeouts = PROBE_TIMEOUTS,
    access: Access | None = None,
    remembered_url: str = "",
    *,
    on_note: Callable[[str], None] = lambda note: None,
    must_be_certain: bool = False,
) -> Server:
    """The server to use among ``urls``; ``on_note`` gets what there is to say about the choice.

    ``must_be_certain`` is for what costs much or changes the server: where only the order of the
    ports would choose it, there is none. Raises NoServerError, and ValueError as :func:`look`.
    """
    found = await look(urls, timeouts, access, remembered_url)
    return server_of(found, on_note=on_note, must_be_certain=must_be_certain)


def server_of(
    found: Located, *, on_note: Callable[[str], None], must_be_certain: bool = False
) -> Server:
    """The server of a look, as :func:`locate` gives it. Raises NoServerError."""
    if found.server is None:
        raise NoServerError(found.absence, is_busy=found.is_busy)
    if must_be_certain and found.is_arbitrary:
        raise NoServerError(_which_server(found.servers), is_busy=False)
    if found.note is not None:
        on_note(found.note)
    return found.server


def _which_server(servers: Sequence[Server]) -> str:
    *first, last = (_placed(server) for server in servers)
    return (
        f"{len(servers)} servers answer: {', '.join(first)} and {last}; choose with --url, or on "
        "the models screen."
    )


@dataclass(frozen=True, slots=True)
class ChosenModel:
    """The model that is asked for, and what the server has.

    ``info.name`` is empty where the server chooses. ``choice.problem`` says why the wanted one
    cannot simply be asked.
    """

    choice: Choice
    info: ModelInfo
    models: tuple[ModelInfo, ...]

    has_to_load: bool = False
    """Whether the first prompt makes the server load the model."""

    @property
    def loaded(self) -> ModelInfo | None:
        return loaded_model(self.models)


async def choose_model(
    client: Client, server: Server, wanted: str | None, used_last: str | None = None
) -> ChosenModel:
    """Which model to ask for, see :func:`tui.servers.model_choice.chosen_model`. A server that
    lists nothing is no failure here: a prompt shows what is the matter."""
    try:
        models = await list_models(client)
    except (httpx.HTTPError, ModelListError):
        models = ()
    return chosen(models, server, wanted, used_last)


def chosen(
    models: tuple[ModelInfo, ...],
    server: Server,
    wanted: str | None,
    used_last: str | None = None,
) -> ChosenModel:
    """:func:`choose_model` of a list that was read already."""
    choice = chosen_model(models, wanted, server, used_last)
    if not choice.name and choice.problem is None and loaded_model(models) is None:
        # Asked for by its name, what the server would load anyway is known from the start.
        first = server.dialect.models.first_choice(models)
        choice = choice if first is None else replace(choice, name=first.name)
    info = find_model(choice.name, models) if choice.name else None
    is_known = info or ModelInfo(name=choice.name)
    return ChosenModel(choice, is_known, models, has_to_load(models, choice.name, server))
