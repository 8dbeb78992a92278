"""RockchipLlama: FastAPI, port 8021. The server that is simulated by default.

``usage`` counts words. At ``max_tokens`` one more token is generated and dropped, and the Ollama
routes then report the numbers of the previous answer. Requests are queued without a sign. A run
goes on when its client has left. The loaded model answers, whatever model a request names. Loading
a model over another one hangs the server for good.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tui.sim.runtime.models import LoadError
from tui.sim.runtime.runtime import Job, Outcome
from tui.sim.server.dialects.dialect import Dialect, chatml, word_usage
from tui.sim.server.dialects.rockchipllama_schema import (
    ChatBody,
    InvalidError,
    parse_chat,
    parse_completion,
    parse_load,
    parse_ollama,
)
from tui.sim.server.generation import Generation, Prompt, Refusals
from tui.sim.server.http import (
    HTML_TYPE,
    UVICORN,
    Connection,
    Request,
    Response,
    json_response,
)
from tui.sim.server.wire import ERROR_TEXT, ChunkWire

POLL_MS = (35.0, 51.0)
"""Delay of the finish chunk, as the server polls for the end of a run every 50 ms."""

REFUSALS = Refusals(
    json_response({"detail": "Server is busy (a simulated fault)"}, 503),
    json_response({"detail": "the model could not be run (a simulated fault)"}, 500),
)


@dataclass(frozen=True, slots=True)
class _Route:
    parse: Callable[[str | None, bytes], ChatBody]
    template: Callable[[ChatBody], str]
    prefix: str
    """Prefix of an answer's id."""


def _chatml(body: ChatBody) -> str:
    """The prompt in ChatML; messages with role ``tool`` are dropped, as by the server."""
    return chatml([message for message in body.messages if message[0] != "tool"])


def dialogue(body: ChatBody) -> str:
    """The prompt of the Ollama chat route, which does not use ChatML."""
    names = {"system": "System", "user": "User", "assistant": "Assistant"}
    lines = [f"{names[role]}: {text}" for role, text in body.messages if role in names]
    return "\n".join([*lines, "Assistant:"])


GENERATION_ROUTES: dict[str, _Route] = {
    "/v1/chat/completions": _Route(parse_chat, _chatml, "chatcmpl"),
    "/v1/completions": _Route(parse_completion, lambda body: body.messages[0][1], "cmpl"),
    "/api/chat": _Route(
        lambda kind, data: parse_ollama(kind, data, is_chat=True), dialogue, "ollama-chat"
    ),
    "/api/generate": _Route(
        lambda kind, data: parse_ollama(kind, data, is_chat=False),
        lambda body: body.messages[0][1],
        "ollama",
    ),
}

ENDPOINTS = {
    "openai_chat": "/v1/chat/completions",
    "openai_models": "/v1/models",
    "openai_embeddings": "/v1/embeddings",
    "ollama_generate": "/api/generate",
    "ollama_chat": "/api/chat",
    "ollama_tags": "/api/tags",
    "ollama_embeddings": "/api/embeddings",
    "model_management": {
        "load": "/v1/models/load",
        "unload": "/v1/models/unload",
        "loaded": "/v1/models/loaded",
        "available": "/v1/models/available",
    },
    "health": "/v1/health",
    "docs": "/docs",
}

DOCS_PAGE = (
    b"<!DOCTYPE html>\n<html><head><title>RockchipLlama API - Swagger UI</title></head>"
    b"<body><p>A simulated server: it has no interactive documentation.</p></body></html>\n"
)

GET_ROUTES = (
    "/", "/v1/health", "/v1/models", "/v1/models/available", "/v1/models/loaded", "/api/tags",
    "/docs", "/openapi.json",
)  # fmt: skip
POST_ROUTES = ("/v1/models/load", "/v1/models/unload", *GENERATION_ROUTES)


class _Wire(ChunkWire):
    """One answer of any of the routes; those of Ollama do not stream."""

    is_ascii = False
    poll_ms = POLL_MS

    def __init__(
        self, job: Job, path: str, model: str, answer_id: str, generation: Generation
    ) -> None:
        super().__init__(job)
        self._path = path
        self._is_chat = path == "/v1/chat/completions"
        self._generation = generation
        self._envelope = {
            "id": answer_id,
            "object": "chat.completion.chunk" if self._is_chat else "text_completion",
            "created": int(time.time()),
            "model": model,
        }

    def chunk(self, delta: dict[str, Any], reason: str | None) -> dict[str, Any]:
        if self._is_chat:
            choice: dict[str, Any] = {"index": 0, "delta": delta, "finish_reason": reason}
        else:
            text = delta.get("content", "")
            choice = {"index": 0, "text": text, "logprobs": None, "finish_reason": reason}
        return {**self._envelope, "choices": [choice], "usage": None}

    def ending(self, outcome: Outcome) -> list[bytes]:
        is_cut_off = outcome.reason == "max_tokens"
        reason = "length" if is_cut_off and not self._is_chat else "stop"
        return [self.event({**self.chunk({}, reason), "usage": self._usage(outcome)})]

    def _usage(self, outcome: Outcome) -> dict[str, Any]:
        words = word_usage(self.job.prompt, outcome.text)
        return {**words, "cached_prompts": None, "cache_hit": False}

    def whole(self, outcome: Outcome) -> Response:
        if self._path.startswith("/api/"):
            return json_response(self._ollama(outcome))
        if self._is_chat:
            message = {"role": "assistant", "content": outcome.text, "name": None}
            choice: dict[str, Any] = {"index": 0, "message": message, "finish_reason": "stop"}
        else:
            choice = {"text": outcome.text, "index": 0, "finish_reason": "stop"}
        kind = "chat.completion" if self._is_chat else "text_completion"
        usage = self._usage(outcome)
        return json_response(
            {**self._envelope, "object": kind, "choices": [choice], "usage": usage}
        )

    def whole_failure(self) -> Response:
        return json_response({"detail": ERROR_TEXT}, 500)

    def _ollama(self, outcome: Outcome) -> dict[str, Any]:
        """Correct counts and ns, but of the previous run if ``num_predict`` was reached."""
        stats = self._generation.runtime.stats
        if self._path == "/api/chat":
            message = {"role": "assistant", "content": outcome.text, "name": None}
            content: dict[str, Any] = {"message": message}
        else:
            content = {"response": outcome.text}
        return {
            "model": self._envelope["model"],
            "created_at": datetime.now().isoformat(),  # noqa: DTZ005 - as the server does
            **content,
            "done": True,
            "total_duration": stats.prefill_ns + stats.generate_ns,
            "load_duration": 0,
            "prompt_eval_count": stats.prefill_tokens,
            "prompt_eval_duration": stats.prefill_ns,
            "eval_count": stats.generated_tokens,
            "eval_duration": stats.generate_ns,
        }


class RockchipLlama:
    """Its routes. Embeddings and prompt caches are not simulated: 404."""

    def __init__(self, generation: Generation) -> None:
        self._models = generation.models
        self._generation = generation

    async def answer(self, connection: Connection, request: Request) -> None:
        """Answer one request, whatever it is."""
        try:
            if request.path in GENERATION_ROUTES and request.method == "POST":
                await self._generate(connection, request)
                return
            response = await self._response(request)
        except InvalidError as error:
            response = json_response({"detail": error.detail}, 422)
        await connection.respond(response)

    async def _generate(self, connection: Connection, request: Request) -> None:
        """Answer a request for generation. Raises InvalidError."""
        route, generation = GENERATION_ROUTES[request.path], self._generation
        body = route.parse(request.content_type, request.body)
        refusal = generation.refusal(generation.faults(body.last_user_text), REFUSALS)
        if refusal is not None:
            return await connection.respond(refusal)
        profile, was_loaded = await self._models.ensure(body.model)
        prompt = Prompt(
            text=route.template(body),
            last_user_text=body.last_user_text,
            max_tokens=body.max_tokens,
            is_stream=body.is_stream,
            is_thinking=body.is_thinking,
            context_tokens=profile.context_tokens,
            is_prefix_cached=True,
            has_overrun=True,
        )
        answer_id = f"{route.prefix}-{generation.rng.getrandbits(48):012x}"
        job = generation.job(request, profile, prompt, answer_id, was_loaded)
        wire = _Wire(job, request.path, body.model, answer_id, generation)
        await generation.serve(connection, wire, is_stream=body.is_stream)
        return None

    async def _response(self, request: Request) -> Response:
        allowed = (
            "GET" if request.path in GET_ROUTES else "POST" if request.path in POST_ROUTES else None
        )
        if allowed is None:
            return json_response({"detail": "Not Found"}, 404)
        if request.method != allowed:
            refusal = json_response({"detail": "Method Not Allowed"}, 405)
            return Response(405, refusal.body, headers=((b"allow", allowed.encode()),))
        if request.path == "/docs":
            return Response(200, DOCS_PAGE, HTML_TYPE)
        if request.path == "/v1/models/load":
            return await self._load(parse_load(request.content_type, request.body))
        if request.path == "/v1/models/unload":
            return self._unload()
        return json_response(self._told(request.path))

    def _told(self, path: str) -> dict[str, Any]:
        loaded = self._models.loaded
        name = loaded.name if loaded else None
        if path == "/":
            return {
                "name": "RockchipLlama API",
                "version": "0.1.0",
                "status": "running",
                "loaded_model": name,
                "endpoints": ENDPOINTS,
                "simulated": True,
            }
        if path == "/openapi.json":
            info = {"title": "RockchipLlama API", "version": "0.1.0"}
            return {"openapi": "3.1.0", "info": info, "paths": {}}
        if path == "/v1/health":
            return {
                "status": "healthy",
                "model_loaded": loaded is not None,
                "loaded_model": name,
                "timestamp": int(time.time()),
            }
        if path == "/v1/models/loaded":
            path_name = loaded.path if loaded else None
            return {"loaded": loaded is not None, "model_name": name, "model_path": path_name}
        return self._listed(path)

    def _listed(self, path: str) -> dict[str, Any]:
        """The list of models in one of its three formats."""
        loaded, available = self._models.loaded, self._models.available
        if path == "/v1/models":
            now = int(time.time())
            data = [
                {"id": model.name, "object": "model", "created": now, "owned_by": "rockchip"}
                for model in available
            ]
            return {"object": "list", "data": data}
        if path == "/api/tags":
            details = {"format": "rkllm", "family": "unknown", "parameter_size": ""}
            tags = [
                {
                    "name": model.name,
                    "modified_at": "2025-10-21T00:00:00Z",
                    "size": 0,
                    "digest": "",
                    "details": details,
                }
                for model in available
            ]
            return {"models": tags}
        models = [
            {
                "name": model.name,
                "filename": model.file_name,
                "path": model.path,
                "size_mb": model.size_mb,
                "loaded": model is loaded,
            }
            for model in available
        ]
        name = loaded.name if loaded else None
        return {"models": models, "total": len(models), "loaded_model": name}

    async def _load(self, name: str) -> Response:
        try:
            profile = await self._models.load(name)
        except LoadError as error:
            return json_response({"detail": str(error)}, 500)
        return json_response(
            {
                "success": True,
                "message": f"Model {name} loaded successfully",
                "model_name": profile.name,
                "loaded": True,
            }
        )

    def _unload(self) -> Response:
        profile = self._models.unload()
        if profile is None:
            message = "No model is currently loaded"
        else:
            message = f"Model {profile.name} unloaded successfully"
        return json_response({"success": profile is not None, "message": message})


DIALECT = Dialect("rockchipllama", UVICORN, RockchipLlama)
