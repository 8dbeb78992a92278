"""Which path is answered by what."""

from __future__ import annotations

import time
from typing import Any

from tui.sim.runtime.models import LoadError, Models
from tui.sim.server.generation import ROUTES as GENERATION_ROUTES
from tui.sim.server.generation import Generation
from tui.sim.server.http import HTML_TYPE, Connection, Request, Response, json_response
from tui.sim.server.schema import InvalidError, parse_load

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


class Routes:
    """Answers every request. Embeddings and prompt caches are not simulated: 404."""

    def __init__(self, models: Models, generation: Generation) -> None:
        self._models = models
        self._generation = generation

    async def answer(self, connection: Connection, request: Request) -> None:
        """Answer one request, whatever it is."""
        try:
            if request.path in GENERATION_ROUTES and request.method == "POST":
                await self._generation.answer(connection, request)
                return
            response = await self._response(request)
        except InvalidError as error:
            response = json_response({"detail": error.detail}, 422)
        await connection.respond(response)

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
        """The three lists of models."""
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
