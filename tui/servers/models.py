"""Lists, loads and unloads the models of a server."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import httpx

from tui.core.board.headroom import fit_of
from tui.core.text.sanitize import clean_line
from tui.core.types import ModelInfo
from tui.servers import errors
from tui.servers.address import shown_url
from tui.servers.capabilities import why_no_load, why_no_unload
from tui.servers.client import Client
from tui.servers.detect import busy_sentence, is_busy_error
from tui.servers.dialects.dialect import Json
from tui.servers.model_choice import (
    find_model,
    loaded_model,
    shown_name,
    unknown_model,
    with_context_in_use,
)


class ModelListError(Exception):
    """The server did not say what it has; the text is one sentence."""


@dataclass(frozen=True, slots=True)
class ModelChange:
    """How a load or an unload went, in one sentence. ``models`` is the list after it, empty where
    it could not be read. ``is_memory_problem``: not tried, because it would not fit."""

    is_done: bool
    sentence: str
    models: tuple[ModelInfo, ...] = ()
    is_memory_problem: bool = False


async def list_models(client: Client) -> tuple[ModelInfo, ...]:
    """Every model of the server, each with the context that the server gives it.

    The names are the server's own, to be sent back as they are. Raises :exc:`ModelListError`, and
    httpx.TransportError where it does not answer at all.
    """
    routes = client.dialect.models
    if not routes.list_paths:
        # It names no model. Any answer shows that it is there.
        await client.get(client.dialect.chat_path)
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
    listed = routes.parse_list(bodies)
    return tuple(with_context_in_use(model, client.dialect) for model in listed)


async def loaded_name(client: Client) -> str | None:
    """The loaded model, from the route that is made for it. Raises as :func:`list_models`."""
    routes = client.dialect.models
    if routes.loaded_path is None:
        loaded = loaded_model(await list_models(client))
        return loaded.name if loaded else None
    answer = await client.get(routes.loaded_path)
    if not answer.is_ok:
        raise ModelListError(f"{shown_url(client.url)} does not say which model is loaded.")
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


async def unload(
    client: Client, on_step: Callable[[str], None] = lambda _: None, name: str | None = None
) -> ModelChange:
    """Unloads the model ``name``, without it the loaded one. Raises nothing but CancelledError."""
    impossible = why_no_unload(client.dialect)
    if impossible is not None:
        return ModelChange(False, impossible)
    try:
        name = name or await loaded_name(client)
        if name is None:
            return ModelChange(True, "No model is loaded.", await list_models(client))
        problem = await _unload(client, name, on_step)
        if problem is not None:
            return ModelChange(False, problem)
        return ModelChange(True, f"{shown_name(name)} is unloaded.", await list_models(client))
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
        return ModelChange(False, str(why_no_load(client.dialect)))
    models = await list_models(client)
    model = find_model(name, models)
    if model is None:
        return ModelChange(False, unknown_model(name, models), models)
    loaded = loaded_model(models)
    if model.is_loaded:
        return ModelChange(True, f"{shown_name(model.name)} is loaded already.", models)
    if available_bytes is not None:
        found = fit_of(model, models, available_bytes)
        if found.fit == "too large" and not is_forced:
            return ModelChange(False, f"{shown_name(model.name)}: {found.sentence}", models, True)
    if loaded is not None and routes.must_unload_first:
        problem = await _unload(client, loaded.name, on_step)
        if problem is not None:
            return ModelChange(False, problem, models)
    on_step(f"loading {shown_name(model.name)}")
    timeout_s = client.timeouts.load_s
    answer = await client.post(routes.load_path, routes.load_body(model.name), timeout_s)
    problem = routes.parse_load(answer)
    if problem is not None:
        sentence = f"{shown_name(model.name)} was not loaded: {clean_line(problem, 200)}"
        return ModelChange(False, sentence, await list_or_nothing(client))
    now = await list_models(client)
    loaded_now = find_model(model.name, now)
    if loaded_now is None or loaded_now.is_loaded is False:
        other = loaded_model(now)
        sentence = f"The server says that it loaded {shown_name(model.name)}, but has "
        return ModelChange(
            False, sentence + (f"{shown_name(other.name)}." if other else "none."), now
        )
    return ModelChange(True, f"{shown_name(model.name)} is loaded.", now)


async def _unload(client: Client, name: str, on_step: Callable[[str], None]) -> str | None:
    """None once that model is not loaded any more, else one sentence."""
    routes = client.dialect.models
    if routes.unload_path is None:
        return why_no_unload(client.dialect)
    on_step(f"unloading {shown_name(name)}")
    body = routes.unload_body(name)
    answer = await client.post(routes.unload_path, body, client.timeouts.load_s)
    problem = routes.parse_unload(answer)
    if problem is not None:
        return f"{shown_name(name)} was not unloaded: {clean_line(problem, 200)}"
    still = find_model(name, await list_models(client))
    if still is not None and still.is_loaded:
        return f"The server says that it unloaded {shown_name(name)}, but it is loaded."
    return None


async def give_up(client: Client, name: str, within_s: float) -> None:
    """Tells the server to unload a model whose answer nobody reads any more. Raises nothing but
    CancelledError; whether it went well, the next prompt shows."""
    routes = client.dialect.models
    if routes.unload_path is None:
        return
    with suppress(httpx.HTTPError):
        await client.post(routes.unload_path, routes.unload_body(name), within_s)


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


def _sentence(error: httpx.HTTPError | ModelListError, client: Client) -> str:
    if isinstance(error, ModelListError):
        return str(error)
    if is_busy_error(error, client.url):
        return busy_sentence(client.url)
    return errors.transport(error, client.url, client.timeouts.connect_s).sentence
