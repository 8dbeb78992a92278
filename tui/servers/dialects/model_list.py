"""Parses the list of models of ``GET /v1/models``; no I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from tui.core.types import ModelInfo
from tui.servers.dialects.dialect import Answer, Json
from tui.servers.dialects.names import context_in_name, quantisation_in_name


def model_rows(body: Json) -> list[dict[str, Json]]:
    """The rows of an answer to ``GET /v1/models`` that name a model."""
    data = body.get("data") if isinstance(body, dict) else None
    rows = data if isinstance(data, list) else []
    return [row for row in rows if isinstance(row, dict) and isinstance(row.get("id"), str)]


def answered_rows(answers: Mapping[str, Answer]) -> list[dict[str, Json]]:
    """These rows of a server's answers; none where it was not asked or has no such route."""
    answer = answers.get("/v1/models")
    return [] if answer is None else model_rows(answer.json)


def is_owned_by(answers: Mapping[str, Answer], owner: str) -> bool:
    """Whether the first row of ``GET /v1/models`` says ``owned_by: owner``."""
    rows = answered_rows(answers)
    return bool(rows) and rows[0].get("owned_by") == owner


def parse_models(bodies: Mapping[str, Json]) -> tuple[ModelInfo, ...]:
    """The listed models. Which one is loaded is not said: many servers load and unload by
    themselves."""
    models = []
    for row in model_rows(bodies.get("/v1/models")):
        name = str(row["id"])
        context, is_guessed = _context(row), False
        if context is None:
            context, is_guessed = context_in_name(name), True
        quantisation = quantisation_in_name(name)
        models.append(
            ModelInfo(
                name=name,
                quantisation=quantisation,
                is_quantisation_guessed=quantisation is not None,
                context_tokens=context,
                is_context_guessed=is_guessed and context is not None,
            )
        )
    return tuple(models)


def parse_resident(bodies: Mapping[str, Json]) -> tuple[ModelInfo, ...]:
    """The list of a server that is started with a model and keeps it: a single one is loaded."""
    models = parse_models(bodies)
    return tuple(replace(model, is_loaded=True) for model in models) if len(models) == 1 else models


def _context(row: Mapping[str, Json]) -> int | None:
    for name in ("context_length", "max_model_len"):
        value = row.get(name)
        if isinstance(value, int) and not isinstance(value, bool) and value > 0:
            return value
    return None
