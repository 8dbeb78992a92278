"""RockchipLlama: OpenAI-shaped events on port 8021, and its own model routes.

What sets it apart: its usage counts words, so it is never read; sampling settings are validated
and then ignored; it queues silently while busy; a run goes on to its end after a disconnect; any
loaded model answers, whatever ``model`` says, and the wrong name is echoed back; loading over a
loaded model, or a model that it does not have, leaves it hanging or without a model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from tui.core.types import ChatRequest, ModelInfo
from tui.servers.dialects import model_list, openai
from tui.servers.dialects.dialect import Answer, Dialect, Identity, Json, ModelRoutes
from tui.servers.dialects.limits import SettingLimit
from tui.servers.dialects.names import context_field, context_in_name, quantisation_in_name
from tui.servers.dialects.report import refusal_words

NAME = "RockchipLlama"
ROOT_NAME = "RockchipLlama API"
OWNER = "rockchip"
DEFAULT_CONTEXT_TOKENS = 4096
"""What it loads a model with unless the file name holds ``ctx<N>``."""
MIB = 1024 * 1024

_IGNORED = "checked, then ignored by this server"

LIMITS = (
    SettingLimit("temperature", 0.0, 2.0, is_applied=False, note=_IGNORED),
    SettingLimit("top_p", 0.0, 1.0, is_applied=False, note=_IGNORED),
    SettingLimit("top_k", 1, is_applied=False, note=_IGNORED),
    SettingLimit("repeat_penalty", 1.0, 2.0, is_applied=False, note=_IGNORED),
    SettingLimit("max_tokens", 1),
    SettingLimit("is_thinking"),
)
"""The ranges of its request schema (0 or -1 for ``max_tokens`` would silently mean 512)."""


def chat_body(request: ChatRequest) -> dict[str, Json]:
    """A chat request with the fields of its schema."""
    settings = request.settings
    body: dict[str, Json] = {"model": request.model} if request.model else {}
    body["messages"] = [{"role": m.role, "content": m.content} for m in request.messages]
    body["stream"] = True
    body["temperature"] = settings.temperature
    body["top_p"] = settings.top_p
    body["top_k"] = settings.top_k
    body["repeat_penalty"] = settings.repeat_penalty
    body["max_tokens"] = settings.max_tokens
    body["enable_thinking"] = settings.is_thinking
    return body


def decoder(request: ChatRequest) -> openai.ChatDecoder:
    """Its events, without its usage: words are not tokens."""
    return openai.ChatDecoder(request, is_usage_counted=False, is_model_told=False, has_pieces=True)


def identify(answers: Mapping[str, Answer]) -> Identity | None:
    """``GET /`` names it; ``owned_by`` in the model list does too where that one is missing."""
    root = answers.get("/")
    if root is not None and isinstance(root.json, dict) and root.json.get("name") == ROOT_NAME:
        version = root.json.get("version")
        return Identity(NAME, version if isinstance(version, str) else None)
    return Identity(NAME) if model_list.is_owned_by(answers, OWNER) else None


def smallest(models: Sequence[ModelInfo]) -> ModelInfo | None:
    """The model that it loads for a prompt while none is loaded: of its list by size, the first."""
    sized = [(model.size_bytes, model) for model in models if model.size_bytes is not None]
    return min(sized, key=lambda pair: pair[0])[1] if len(sized) == len(models) > 0 else None


def parse_models(bodies: Mapping[str, Json]) -> tuple[ModelInfo, ...]:
    """Its three lists as one: names, then files with sizes, then which one is loaded."""
    models = {
        str(row["id"]): ModelInfo(name=str(row["id"]))
        for row in model_list.model_rows(bodies.get("/v1/models"))
    }
    for row in _available(bodies.get("/v1/models/available")):
        model = _file_model(row)
        models[model.name] = model
    body = bodies.get("/v1/models/loaded")
    loaded = parse_loaded(body)
    if loaded is None and isinstance(body, dict) and isinstance(body.get("loaded"), bool):
        # Its own answer beats the flags in the list, which can be from before an unload.
        return tuple(replace(model, is_loaded=False) for model in models.values())
    if loaded is not None:
        models.setdefault(loaded, ModelInfo(name=loaded))
        return tuple(replace(m, is_loaded=m.name == loaded) for m in models.values())
    return tuple(models.values())


def _available(body: Json) -> list[dict[str, Json]]:
    rows = body.get("models") if isinstance(body, dict) else None
    if not isinstance(rows, list):
        return []
    return [row for row in rows if isinstance(row, dict) and isinstance(row.get("name"), str)]


def _file_model(row: dict[str, Json]) -> ModelInfo:
    name = str(row["name"])
    file_name = row.get("filename")
    file_name = file_name if isinstance(file_name, str) else None
    size_mib = row.get("size_mb")
    size_bytes = None
    if isinstance(size_mib, int | float) and not isinstance(size_mib, bool) and size_mib > 0:
        # It rounds to hundredths of a MiB: 0.0 is a file too small to be a model.
        size_bytes = round(min(size_mib, 1e9) * MIB)
    quantisation = quantisation_in_name(file_name or name)
    context = context_in_name(file_name or name)
    is_loaded = row.get("loaded")
    return ModelInfo(
        name=name,
        file_name=file_name,
        size_bytes=size_bytes,
        is_loaded=is_loaded if isinstance(is_loaded, bool) else None,
        quantisation=quantisation,
        is_quantisation_guessed=quantisation is not None,
        context_tokens=context,
        is_context_guessed=context is not None,
    )


def context_in_use(model: ModelInfo) -> int | None:
    """What it gives a model: the ``ctx<N>`` of the file name, else 4096, whatever is asked.

    A ``16k`` in the name says what the file was made for; this server does not read it.
    """
    return context_field(model.file_name or model.name) or DEFAULT_CONTEXT_TOKENS


def parse_loaded(body: Json) -> str | None:
    """The name of the loaded model, from ``GET /v1/models/loaded``."""
    if not isinstance(body, dict) or body.get("loaded") is not True:
        return None
    name = body.get("model_name")
    return name if isinstance(name, str) and name else None


def parse_load(answer: Answer) -> str | None:
    """None where a load went well, else what the server says."""
    if answer.is_ok and isinstance(answer.json, dict) and answer.json.get("success") is True:
        return None
    return refusal_words(answer)


def parse_unload(answer: Answer) -> str | None:
    """None where nothing is loaded any more, else what the server says.

    A ``success`` of false with status 200 means that nothing was loaded.
    """
    is_answer = isinstance(answer.json, dict) and isinstance(answer.json.get("success"), bool)
    return None if answer.is_ok and is_answer else refusal_words(answer)


DIALECT = Dialect(
    name=NAME,
    identify=identify,
    chat_path="/v1/chat/completions",
    chat_body=chat_body,
    decoder=decoder,
    chunk_meaning="token",
    limits=LIMITS,
    is_stopped_by_disconnect=False,
    is_head_at_once=True,
    models=ModelRoutes(
        list_paths=("/v1/models", "/v1/models/available", "/v1/models/loaded"),
        parse_list=parse_models,
        loaded_path="/v1/models/loaded",
        parse_loaded=parse_loaded,
        load_path="/v1/models/load",
        parse_load=parse_load,
        unload_path="/v1/models/unload",
        parse_unload=parse_unload,
        must_unload_first=True,
        is_name_heeded=False,
        first_choice=smallest,
        context_in_use=context_in_use,
        is_context_known=True,
        context_way="the name holds ctx{tokens}",
    ),
)
