"""Which model of a server answers, and what is known of it. Pure: lists in, choices out."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from tui.core.text.model_name import spoken_name
from tui.core.text.sanitize import clean_line
from tui.core.types import ModelInfo
from tui.servers.chosen_model import Choice
from tui.servers.connection_state import Server
from tui.servers.dialects.dialect import Dialect

MAX_NAME_CHARS = 120
MAX_NEAR = 3
MAX_LISTED = 5
MAX_LISTED_CHARS = 60


def chosen_model(
    models: Sequence[ModelInfo], wanted: str | None, server: Server, used_last: str | None = None
) -> Choice:
    """The model to ask for: the wanted one, else the loaded one, else the only one, else the one
    that was used last with this server.

    A wanted one must be in the list; where the server answers with whatever is loaded, it must be
    loaded, or nothing else must be. A server that wants a name never gets an empty one.
    """
    if wanted:
        return _wanted(models, wanted, server)
    loaded = [model for model in models if model.is_loaded]
    last = find_model(used_last, models) if used_last else None
    if loaded:
        return Choice((last if last in loaded and last else loaded[0]).name, reason="loaded")
    routes = server.dialect.models
    if len(models) == 1 and (server.dialect.is_model_required or routes.is_name_heeded):
        return Choice(models[0].name, reason="the only one")
    if last is not None and len(models) > 1:
        return Choice(last.name, reason="used last")
    if not models and used_last and server.dialect.is_model_required:
        # The list could not be read; what the server had before is the best that is known.
        return Choice(used_last, reason="used last")
    needs_name = server.dialect.is_model_required or (routes.is_name_heeded and len(models) > 1)
    return Choice("", _which(models, server) if needs_name else None)


def _wanted(models: Sequence[ModelInfo], wanted: str, server: Server) -> Choice:
    if not models:
        return Choice(wanted, reason="asked for")
    model = find_model(wanted, models)
    if model is None:
        return Choice(wanted, unknown_model(wanted, models))
    loaded = loaded_model(models)
    is_heeded = server.dialect.models.is_name_heeded
    if is_heeded or loaded is None or loaded.name == model.name:
        return Choice(model.name, reason="asked for")
    name, other = shown_name(model.name), shown_name(loaded.name)
    if server.dialect.models.load_path is None:
        return Choice(model.name, f"{server.name} answers with {other} only, not with {name}.")
    return Choice(
        model.name,
        f"{name} is not loaded, {other} is, and {server.name} would answer with that one; "
        f"load it first: on the models screen, or with npulse models load {name}.",
    )


def _which(models: Sequence[ModelInfo], server: Server) -> str:
    """One sentence that asks for a choice."""
    if not models:
        return f"{server.name} wants a model by name and lists none: name one with --model NAME."
    return (
        f"{server.name} has {len(models)} models and wants one by name: choose it on the models "
        f"screen or with --model NAME among {_names_of(models)}."
    )


def find_model(name: str, models: Sequence[ModelInfo]) -> ModelInfo | None:
    """The model of that name, or of that file name with or without its folder and its ending; case
    is ignored where that leaves one."""
    exact = [model for model in models if model.name == name]
    if exact:
        return exact[0]
    wanted = name.casefold()
    near = [model for model in models if wanted in _names(model)]
    return near[0] if len(near) == 1 else None


def _names(model: ModelInfo) -> set[str]:
    names = {model.name.casefold(), shown_name(model.name).casefold()}
    is_path = "/" in model.name
    for path in (model.file_name, model.name if is_path else None):
        if path:
            file_name = path.casefold().rpartition("/")[2]
            names |= {path.casefold(), file_name, file_name.rpartition(".")[0]}
    return names


def unknown_model(name: str, models: Sequence[ModelInfo]) -> str:
    """One sentence that says that there is no such model, and which ones may be meant."""
    asked = shown_name(name)
    if not models:
        return f"The server has no model {asked!r}, nor any other."
    near = _near(name, models)
    if not near:
        return f"The server has no model {asked!r}; it has {_names_of(models)}."
    *first, last = (repr(shown_name(model)) for model in near)
    meant = f"{', '.join(first)} or {last}" if first else last
    return f"The server has no model {asked!r}; did you mean {meant}?"


def _near(name: str, models: Sequence[ModelInfo]) -> list[str]:
    """The names that are like this one, best first; those that hold it come after."""
    by_lower = {model.name.casefold(): model.name for model in models}
    lower = name.casefold()
    close = difflib.get_close_matches(lower, by_lower, n=MAX_NEAR, cutoff=0.4)
    best = difflib.SequenceMatcher(None, lower, close[0]).ratio() if close else 0.0
    # Beside one that is nearly it, the far ones only distract.
    floor = best - 0.15
    close = [one for one in close if difflib.SequenceMatcher(None, lower, one).ratio() >= floor]
    inside = [full for full in by_lower if lower and lower in full and full not in close]
    return [by_lower[one] for one in [*close, *inside][:MAX_NEAR]]


def _names_of(models: Sequence[ModelInfo]) -> str:
    shown = ", ".join(_short_name(model) for model in models[:MAX_LISTED])
    more = len(models) - MAX_LISTED
    return f"{shown} and {more} more" if more > 0 else shown


def _short_name(model: ModelInfo) -> str:
    """A name that :func:`find_model` understands."""
    return clean_line(spoken_name(model.name), MAX_LISTED_CHARS)


def loaded_model(models: Sequence[ModelInfo]) -> ModelInfo | None:
    """The first one that is loaded; None where there is none or nobody knows."""
    return next((model for model in models if model.is_loaded), None)


def has_to_load(models: Sequence[ModelInfo], name: str, server: Server) -> bool:
    """Whether a prompt for the model ``name`` ("" is the server's own choice) makes the server load
    one first. False also where it does not say which one is loaded."""
    if all(model.is_loaded is None for model in models):
        return False
    wanted = find_model(name, models) if name and server.dialect.models.is_name_heeded else None
    return not (loaded_model(models) is not None if wanted is None else wanted.is_loaded)


def shown(model: ModelInfo) -> ModelInfo:
    """The same model with every string made safe for a screen."""
    return replace(
        model,
        name=shown_name(model.name),
        file_name=None if model.file_name is None else clean_line(model.file_name, 240),
        quantisation=None if model.quantisation is None else clean_line(model.quantisation, 24),
    )


def shown_name(name: str) -> str:
    """The name of a model as it may be shown."""
    return clean_line(name, MAX_NAME_CHARS)


def with_context_in_use(model: ModelInfo, dialect: Dialect) -> ModelInfo:
    """The same model with the context that an answer really has: what the server gives, which is
    then no guess, and not what a name promises."""
    routes = dialect.models
    used = routes.context_in_use(model)
    if used is None or used == model.context_tokens:
        is_guess = model.is_context_guessed and not routes.is_context_known
        return replace(model, is_context_guessed=is_guess)
    promised = model.promised_context_tokens or model.context_tokens
    return replace(
        model,
        context_tokens=used,
        is_context_guessed=not routes.is_context_known,
        promised_context_tokens=promised,
    )


def context_note(model: ModelInfo, server: Server) -> str | None:
    """One sentence where the context in use is smaller than the one the name promises."""
    promised, used = model.promised_context_tokens, model.context_tokens
    if promised is None or used is None or used >= promised:
        return None
    way = server.dialect.models.context_way
    unless = f" unless {way.format(tokens=promised)}" if way else ""
    return (
        f"The file name promises {promised} tokens of context, but {server.name} uses {used}"
        f"{unless}."
    )


LoadWord = Literal["loaded", "not loaded", "listed"]


def load_word(model: ModelInfo) -> LoadWord:
    """What is known of it in one word: ``listed`` where the server does not say what is loaded."""
    if model.is_loaded is None:
        return "listed"
    return "loaded" if model.is_loaded else "not loaded"
