"""Ollama: port 11434, its own routes, and a list of models in OpenAI's format.

Counts and times in the last line are correct. Thinking has a field of its own. The run ends when
its client leaves. A request without messages loads the model, or unloads it with ``keep_alive: 0``.
"""

from __future__ import annotations

from typing import Any

from tui.sim.profiles import PROFILES, Profile
from tui.sim.runtime.runtime import Job
from tui.sim.runtime.sampling import sampling_of
from tui.sim.runtime.thinking import ThinkingParser
from tui.sim.server.dialects.dialect import (
    Dialect,
    chatml,
    last_user_text,
    messages_of,
    positive,
    read_object,
)
from tui.sim.server.dialects.ollama_lines import LinesWire, now
from tui.sim.server.generation import Generation, Prompt, Refusals
from tui.sim.server.http import (
    DATE,
    TEXT_TYPE,
    Connection,
    HeadStyle,
    Request,
    Response,
    json_response,
)

CHAT, GENERATE = "/api/chat", "/api/generate"
CONTEXT_TOKENS = 4096
REFUSALS = Refusals(
    json_response(
        {"error": "server busy, please try again.  maximum pending requests exceeded"}, 503
    ),
    json_response({"error": "llama runner process has terminated (a simulated fault)"}, 500),
)


def _name(profile: Profile) -> str:
    family, _, size = profile.name.partition("-")
    return f"{family}:{size}"


def _found(name: object) -> Profile | None:
    names = {alias: p for p in PROFILES for alias in (_name(p), p.name)}
    return names.get(name) if isinstance(name, str) else None


class _Wire(LinesWire):
    def __init__(self, job: Job, model: str, *, is_chat: bool) -> None:
        super().__init__(job, model, is_chat=is_chat)
        self._parser = ThinkingParser(is_space_dropped=True)

    def _pieces(self, pieces: list[tuple[bool, str]]) -> list[bytes]:
        return [
            self.line({"content": "", "thinking": text} if is_in else {"content": text})
            for is_in, text in pieces
        ]

    def token(self, text: str) -> list[bytes]:
        return self._pieces(self._parser.feed(text))

    def ending(self, outcome: Any) -> list[bytes]:
        return [*self._pieces(self._parser.rest()), *super().ending(outcome)]


class Ollama:
    """Ollama's routes for answers and for lists of models."""

    def __init__(self, generation: Generation) -> None:
        self._generation = generation
        self._models = generation.models

    async def answer(self, connection: Connection, request: Request) -> None:
        """Answer one request."""
        if request.method == "POST" and request.path in (CHAT, GENERATE):
            return await self._generate(connection, request)
        return await connection.respond(self._response(request))

    def _response(self, request: Request) -> Response:
        loaded = self._models.loaded
        if request.path == "/":
            return Response(200, b"Ollama is running", TEXT_TYPE)
        if request.path == "/api/version":
            return json_response({"version": "0.12.6"})
        if request.path == "/api/tags":
            return json_response({"models": [_tag(profile) for profile in PROFILES]})
        if request.path == "/api/ps":
            more = {"expires_at": now(), "size_vram": 0, "context_length": CONTEXT_TOKENS}
            rows = [] if loaded is None else [{**_tag(loaded), **more}]
            return json_response({"models": rows})
        if request.path == "/api/show" and request.method == "POST":
            body = read_object(request) or {}
            profile = _found(body.get("model") or body.get("name"))
            if profile is None:
                return _missing(body.get("model"))
            return json_response(
                {"details": _tag(profile)["details"], "model_info": {}, "capabilities": []}
            )
        if request.path == "/v1/models":
            data = [
                {"id": _name(p), "object": "model", "created": 1795215251, "owned_by": "library"}
                for p in PROFILES
            ]
            return json_response({"object": "list", "data": data})
        return Response(404, b"404 page not found", TEXT_TYPE)

    async def _generate(self, connection: Connection, request: Request) -> None:
        body, generation = read_object(request), self._generation
        if body is None:
            return await connection.respond(json_response({"error": "invalid JSON"}, 400))
        profile = _found(body.get("model"))
        if profile is None:
            return await connection.respond(_missing(body.get("model")))
        is_chat = request.path == CHAT
        messages = messages_of(body) if is_chat else [("user", str(body.get("prompt") or ""))]
        text = last_user_text(messages)
        if not messages or not messages[-1][1]:
            return await connection.respond(await self._load(profile, body, is_chat=is_chat))
        refusal = generation.refusal(generation.faults(text), REFUSALS)
        if refusal is not None:
            return await connection.respond(refusal)
        was_loaded = self._models.loaded is profile
        await self._models.switch(profile)
        options = body.get("options")
        limit = options.get("num_predict") if isinstance(options, dict) else None
        prompt = Prompt(
            text=chatml(messages),
            last_user_text=text,
            max_tokens=positive(limit, CONTEXT_TOKENS),
            is_stream=body.get("stream", True) is True,
            is_thinking=body.get("think") is True,
            context_tokens=CONTEXT_TOKENS,
            is_prefill_abortable=True,
            sampling=sampling_of(options),
        )
        job = generation.job(request, profile, prompt, "", was_loaded)
        wire = _Wire(job, str(body["model"]), is_chat=is_chat)
        await generation.serve(
            connection, wire, is_stream=prompt.is_stream, leaving="aborts at once"
        )
        return None

    async def _load(self, profile: Profile, body: dict[str, Any], *, is_chat: bool) -> Response:
        is_unload = body.get("keep_alive") == 0
        if is_unload:
            self._models.unload()
        else:
            await self._models.switch(profile)
        part = {"message": {"role": "assistant", "content": ""}} if is_chat else {"response": ""}
        reason = "unload" if is_unload else "load"
        head = {"model": body["model"], "created_at": now()}
        return json_response({**head, **part, "done_reason": reason, "done": True})


def _missing(name: object) -> Response:
    return json_response({"error": f"model '{name}' not found"}, 404)


def _tag(profile: Profile) -> dict[str, Any]:
    family, _, size = _name(profile).partition(":")
    return {
        "name": _name(profile),
        "model": _name(profile),
        "modified_at": "2025-10-21T00:00:00Z",
        "size": round(profile.size_mb * 2**20),
        "digest": "0" * 64,
        "details": {
            "parent_model": "",
            "format": "gguf",
            "family": family,
            "families": [family],
            "parameter_size": size.upper(),
            "quantization_level": "Q8_0",
        },
    }


DIALECT = Dialect("ollama", HeadStyle(((b"Date", DATE),), has_capitals=False), Ollama)
