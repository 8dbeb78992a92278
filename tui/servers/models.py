"""The models of a server: which it has, which one is loaded, and changing that without harm."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import httpx

from tui.core.board.headroom import verdict
from tui.core.text.sanitize import clean_line
from tui.core.types import ModelInfo
from tui.servers import errors
from tui.servers.client import Client
from tui.servers.connection_state import Server
from tui.servers.dialects.dialect import Json

MAX_NAME_CHARS = 120


class ModelListError(Exception):
    """The server did not say what it has; the text is one sentence."""


@dataclass(frozen=True, slots=True)
class Choice:
    """The model to ask for, or in one sentence why the wanted one cannot answer."""

    name: str
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class ModelChange:
    """How a load or an unload went, in one sentence. ``models`` is the list after it, empty where
    it could not be read. ``is_memory_problem``: not tried, because it would not fit."""

    is_done: bool
    sentence: str
    models: tuple[ModelInfo, ...] = ()
    is_memory_problem: bool = False


# -- pure ----------------------------------------------------------------------------------------


def loaded_model(models: Sequence[ModelInfo]) -> ModelInfo | None:
    """The one that is loaded; None where there is none or nobody knows."""
    return next((model for model in models if model.is_loaded), None)


def find_model(name: str, models: Sequence[ModelInfo]) -> ModelInfo | None:
    """The model of that name, or of that file name with or without its ending; case is ignored
    where that leaves one."""
    exact = [model for model in models if model.name == name]
    if exact:
        return exact[0]
    wanted = name.casefold()
    near = [model for model in models if wanted in _names(model)]
    return near[0] if len(near) == 1 else None


def shown(model: ModelInfo) -> ModelInfo:
    """The same model with every string made safe for a screen."""
    return replace(
        model,
        name=_shown(model.name),
        file_name=None if model.file_name is None else clean_line(model.file_name, 240),
        quantisation=None if model.quantisation is None else clean_line(model.quantisation, 24),
    )


def _names(model: ModelInfo) -> set[str]:
    names = {model.name.casefold(), _shown(model.name).casefold()}
    if model.file_name:
        file_name = model.file_name.casefold()
        names |= {file_name, file_name.rpartition(".")[0]}
    return names


def unknown_model(name: str, models: Sequence[ModelInfo]) -> str:
    """One sentence that says that there is no such model, and which one may be meant."""
    asked = clean_line(name, MAX_NAME_CHARS)
    by_lower = {model.name.casefold(): model.name for model in models}
    near = difflib.get_close_matches(name.casefold(), by_lower, n=1, cutoff=0.4)
    inside = [full for lower, full in by_lower.items() if name and name.casefold() in lower]
    if near or inside:
        meant = clean_line(by_lower[near[0]] if near else inside[0], MAX_NAME_CHARS)
        return f"The server has no model {asked!r}; did you mean {meant!r}?"
    if not models:
        return f"The server has no model {asked!r}, nor any other."
    has = ", ".join(clean_line(model.name, 40) for model in models[:5])
    return f"The server has no model {asked!r}; it has {has}."


def chosen_model(models: Sequence[ModelInfo], wanted: str | None, server: Server) -> Choice:
    """The name to ask for.

    Without ``wanted`` it is the loaded one, or none ("") where the server has to choose. A wanted
    one must be in the list; where the server answers with whatever is loaded, it must be loaded,
    or nothing else must be.
    """
    loaded = loaded_model(models)
    if not wanted:
        only = models[0].name if len(models) == 1 else ""
        if loaded is None and not only and server.dialect.is_model_required and models:
            has = ", ".join(clean_line(model.name, 40) for model in models[:5])
            return Choice("", f"{server.name} wants a model by name; choose one: {has}.")
        return Choice(loaded.name if loaded else only if server.dialect.is_model_required else "")
    if not models:
        return Choice(wanted)
    model = find_model(wanted, models)
    if model is None:
        return Choice(wanted, unknown_model(wanted, models))
    is_heeded = server.dialect.models.is_name_heeded
    if is_heeded or loaded is None or loaded.name == model.name:
        return Choice(model.name)
    name, other = (clean_line(m.name, MAX_NAME_CHARS) for m in (model, loaded))
    return Choice(
        model.name,
        f"{name} is not loaded, {other} is, and {server.name} would answer with that one; "
        f"load it first: F2, or npulse models load {name}.",
    )


def has_to_load(models: Sequence[ModelInfo], name: str, server: Server) -> bool:
    """Whether a prompt for the model ``name`` ("" is the server's own choice) makes the server load
    one first. False also where it does not say which one is loaded."""
    routes = server.dialect.models
    has_loaded = any(model.is_loaded for model in models)
    tells = has_loaded or routes.loaded_path is not None or "/api/ps" in routes.list_paths
    if not models or not tells:
        return False
    wanted = find_model(name, models) if name and routes.is_name_heeded else None
    return not (has_loaded if wanted is None else wanted.is_loaded)


def context_tokens(model: ModelInfo, server: Server) -> int | None:
    """The context that an answer really has: what the server gives, not what a name promises."""
    return server.dialect.models.context_in_use(model)


def with_context_in_use(model: ModelInfo, server: Server) -> ModelInfo:
    """The same model with the context that the server gives, which is then no guess."""
    used = context_tokens(model, server)
    if used is None or used == model.context_tokens:
        return model
    return replace(model, context_tokens=used, is_context_guessed=False)


def context_note(model: ModelInfo, server: Server) -> str | None:
    """One sentence where the context in use is smaller than the one the name promises."""
    promised, used = model.context_tokens, context_tokens(model, server)
    if promised is None or used is None or used >= promised:
        return None
    return (
        f"The file name promises {promised} tokens of context, but {server.name} uses {used} "
        f"unless the name holds ctx{promised}."
    )


# -- over the wire -------------------------------------------------------------------------------


async def list_models(client: Client) -> tuple[ModelInfo, ...]:
    """Every model of the server, with sanitised names only where they are shown: the names here
    are the server's own, to be sent back as they are. Raises :exc:`ModelListError`, and
    httpx.TransportError where it does not answer at all."""
    routes = client.dialect.models
    bodies: dict[str, Json] = {}
    for path in routes.list_paths:
        answer = await client.get(path)
        if answer.is_ok and answer.json is not None:
            bodies[path] = answer.json
        elif not bodies:
            error = errors.http_status(
                client.url + path,
                answer.status,
                answer.headers.get("content-type", ""),
                answer.text,
                location=answer.headers.get("location"),
            )
            raise ModelListError(error.sentence)
    return routes.parse_list(bodies)


async def loaded_name(client: Client) -> str | None:
    """The loaded model, from the route that is made for it. Raises as :func:`list_models`."""
    routes = client.dialect.models
    if routes.loaded_path is None:
        loaded = loaded_model(await list_models(client))
        return loaded.name if loaded else None
    answer = await client.get(routes.loaded_path)
    if not answer.is_ok:
        raise ModelListError(f"{client.url} does not say which model is loaded.")
    return routes.parse_loaded(answer.json)


async def load(
    client: Client,
    name: str,
    on_step: Callable[[str], None] = lambda _: None,
    available_bytes: int | None = None,
    is_forced: bool = False,
) -> ModelChange:
    """Loads a model; another one is unloaded first, because some servers hang otherwise.

    The name is checked against the list before anything is sent: a wrong one would cost some
    servers their loaded model. With ``available_bytes`` a model that cannot fit is refused unless
    ``is_forced``. ``on_step`` gets short sentences such as ``loading qwen3-4b``. Raises nothing
    but CancelledError, which leaves the server to itself.
    """
    try:
        return await _load(client, name, on_step, available_bytes, is_forced)
    except (httpx.HTTPError, ModelListError) as error:
        return ModelChange(False, _sentence(error, client))


async def unload(client: Client, on_step: Callable[[str], None] = lambda _: None) -> ModelChange:
    """Unloads the loaded model. Raises nothing but CancelledError."""
    try:
        name = await loaded_name(client)
        if name is None:
            return ModelChange(True, "No model is loaded.", await list_models(client))
        problem = await _unload(client, name, on_step)
        if problem is not None:
            return ModelChange(False, problem)
        return ModelChange(True, f"{_shown(name)} is unloaded.", await list_models(client))
    except (httpx.HTTPError, ModelListError) as error:
        return ModelChange(False, _sentence(error, client))


async def _load(
    client: Client,
    name: str,
    on_step: Callable[[str], None],
    available_bytes: int | None,
    is_forced: bool,
) -> ModelChange:
    routes = client.dialect.models
    if routes.load_path is None:
        return ModelChange(False, f"{client.dialect.name} servers cannot be told to load a model.")
    models = await list_models(client)
    model = find_model(name, models)
    if model is None:
        return ModelChange(False, unknown_model(name, models), models)
    loaded = loaded_model(models)
    if loaded is not None and loaded.name == model.name:
        return ModelChange(True, f"{_shown(model.name)} is loaded already.", models)
    if available_bytes is not None:
        freed = (loaded.size_bytes or 0) if loaded is not None else 0
        context = routes.context_in_use(model)
        found = verdict(model.name, model.size_bytes, context, available_bytes, freed)
        if found.fit == "too large" and not is_forced:
            return ModelChange(False, f"{_shown(model.name)}: {found.sentence}", models, True)
    if loaded is not None and routes.must_unload_first:
        problem = await _unload(client, loaded.name, on_step)
        if problem is not None:
            return ModelChange(False, problem, models)
    on_step(f"loading {_shown(model.name)}")
    timeout_s = client.timeouts.load_s
    answer = await client.post(routes.load_path, routes.load_body(model.name), timeout_s)
    problem = routes.parse_load(answer)
    if problem is not None:
        sentence = f"{_shown(model.name)} was not loaded: {clean_line(problem, 200)}"
        return ModelChange(False, sentence, await list_or_nothing(client))
    now = await loaded_name(client)
    if now != model.name:
        sentence = f"The server says that it loaded {_shown(model.name)}, but has "
        return ModelChange(False, sentence + (f"{_shown(now)}." if now else "none."))
    models = tuple(replace(m, is_loaded=m.name == now) for m in models)
    return ModelChange(True, f"{_shown(model.name)} is loaded.", models)


async def _unload(client: Client, name: str, on_step: Callable[[str], None]) -> str | None:
    """None once nothing is loaded any more, else one sentence."""
    routes = client.dialect.models
    if routes.unload_path is None:
        return f"{client.dialect.name} servers cannot be told to unload a model."
    on_step(f"unloading {_shown(name)}")
    answer = await client.post(routes.unload_path, {}, client.timeouts.load_s)
    problem = routes.parse_unload(answer)
    if problem is not None:
        return f"{_shown(name)} was not unloaded: {clean_line(problem, 200)}"
    still = await loaded_name(client)
    if still is not None:
        return f"The server says that it unloaded {_shown(name)}, but {_shown(still)} is loaded."
    return None


async def list_or_nothing(client: Client) -> tuple[ModelInfo, ...]:
    """:func:`list_models`, or none where the server does not say."""
    try:
        return await list_models(client)
    except (httpx.HTTPError, ModelListError):
        return ()


async def require_models(client: Client) -> tuple[ModelInfo, ...]:
    """:func:`list_models`, where every failure is a :exc:`ModelListError`."""
    try:
        return await list_models(client)
    except httpx.HTTPError as error:
        raise ModelListError(_sentence(error, client)) from error


def _shown(name: str) -> str:
    return clean_line(name, MAX_NAME_CHARS)


def _sentence(error: httpx.HTTPError | ModelListError, client: Client) -> str:
    if isinstance(error, ModelListError):
        return str(error)
    if isinstance(error, httpx.ReadTimeout | httpx.WriteTimeout):
        return f"{client.url} takes connections but does not answer: busy, or loading a model."
    return errors.transport(error, client.url, client.timeouts.connect_s).sentence
