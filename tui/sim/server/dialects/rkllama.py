"""rkllama: Flask, port 8080; each model in a worker process of its own.

Counts are the runtime's, but its milliseconds are used as nanoseconds. At ``max_tokens`` and after
an error, the last token appears at the beginning of the next answer. After an error of the runtime,
the counts are those of the previous answer. An answer without a closing thinking tag is sent twice.
When its client leaves, the worker dies but stays listed for a minute. This simulation has one model
in memory at a time; the real server may have several.
"""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any

from tui.sim.profiles import PROFILES, Profile
from tui.sim.runtime.sampling import sampling_of
from tui.sim.server.dialects.dialect import (
    Dialect,
    RefusedError,
    chatml,
    flask_json,
    flask_page,
    last_user_text,
    messages_of,
    positive,
    read_object,
)
from tui.sim.server.dialects.rkllama_answers import Chunks, Leftovers, Lines
from tui.sim.server.generation import Generation, Prompt, Refusals
from tui.sim.server.http import DATE, FRAMING, Connection, HeadStyle, Request, Response

CHAT, OLLAMA = "/v1/chat/completions", ("/api/chat", "/api/generate")
DEFAULT_MAX_TOKENS = 1024
CONTEXT_TOKENS = 4096
LISTED_S = 60.0
"""How long a dead worker stays listed."""
WAIT_S = 300.0
"""How long a request to a dead worker waits."""
REFUSALS = Refusals(
    flask_json({"error": "The server is busy (a simulated fault)"}, 503),
    flask_json({"error": "Failed to load model (a simulated fault)"}, 500),
)


class Rkllama:
    """rkllama's routes for answers and for models."""

    def __init__(self, generation: Generation) -> None:
        self._generation = generation
        self._models = generation.models
        self._leftovers = Leftovers()
        self._dead: asyncio.Task[None] | None = None
        """Task that removes the dead worker from the list after ``LISTED_S``."""

    async def answer(self, connection: Connection, request: Request) -> None:
        """Answer one request."""
        try:
            if request.method == "POST" and request.path in (CHAT, *OLLAMA):
                return await self._generate(connection, request)
            response = await self._response(request)
        except RefusedError as error:
            response = error.response
        return await connection.respond(response)

    async def _response(self, request: Request) -> Response:
        posts = {
            "/load_model": self._load,
            "/unload_model": self._unload,
            "/unload_models": self._pretend,
        }
        gets = {
            "/": self._root,
            "/models": self._names,
            "/v1/models": self._list,
            "/api/tags": self._tags,
            "/api/ps": self._loaded,
            "/current_models": self._loaded,
            "/api/version": self._version,
        }
        path, is_post = request.path, request.method == "POST"
        if path in posts and is_post:
            return await posts[path](read_object(request) or {})
        if path in gets and not is_post:
            return gets[path]()
        name = path.removeprefix("/v1/models/")
        if name != path:
            rows = {profile.name: profile for profile in PROFILES}
            if name in rows:
                return flask_json(_row(rows[name]))
            return flask_json({"error": f"Model '{name}' not found"}, 404)
        if path in posts or path in (CHAT, *OLLAMA):
            return flask_page(405, b"OPTIONS, POST")
        return flask_page(405, b"GET, HEAD, OPTIONS") if path in gets else flask_page(404)

    # -- answers -----------------------------------------------------------------------------------

    async def _generate(self, connection: Connection, request: Request) -> None:
        is_openai, generation = request.path == CHAT, self._generation
        body = read_object(request)
        if body is None:
            words = "The browser (or proxy) sent a request that this server could not understand."
            raise RefusedError(flask_json({"error": f"400 Bad Request: {words}"}, 500))
        is_chat = request.path != "/api/generate"
        text, prompt_text = _prompt(body, is_chat=is_chat)
        name = body.get("model")
        if not is_chat and not body.get("prompt"):
            self._models.unload()
            return await connection.respond(flask_json({"unload": True, "model": name}))
        refusal = generation.refusal(generation.faults(text), REFUSALS)
        if refusal is not None:
            return await connection.respond(refusal)
        profile, was_loaded = await self._ensured(name)
        options = body if is_openai else body.get("options") or {}
        if not isinstance(options, dict):
            kind = type(options).__name__
            words = f"'{kind}' object has no attribute 'get'"
            raise RefusedError(flask_json({"error": words}, 500))
        limit = options.get("max_tokens" if is_openai else "num_predict")
        prompt = Prompt(
            text=prompt_text,
            last_user_text=text,
            max_tokens=positive(limit, DEFAULT_MAX_TOKENS),
            is_stream=body.get("stream", not is_openai) is True,
            is_thinking=not is_openai
            and (body.get("think") or body.get("enable_thinking")) is True,
            context_tokens=CONTEXT_TOKENS,
            sampling=sampling_of(options),
        )
        job = generation.job(request, profile, prompt, "", was_loaded)
        wire: Chunks | Lines
        if is_openai:
            wire = Chunks(job, profile.name, self._make_id, self._leftovers)
        else:
            wire = Lines(job, profile.name, self._leftovers, is_chat=is_chat)
        await generation.serve(connection, wire, is_stream=prompt.is_stream, leaving="aborts")
        if job.abort.is_set():
            self._dead = asyncio.create_task(self._bury())
        return None

    def _make_id(self) -> str:
        return f"chatcmpl-{self._generation.rng.getrandbits(128):032x}"

    async def _bury(self) -> None:
        await asyncio.sleep(LISTED_S / self._generation.options.speed)
        self._models.unload()
        self._dead = None

    async def _ensured(self, name: object) -> tuple[Profile, bool]:
        """Start the worker of that model if needed. Returns the model, and whether it ran
        already. Raises RefusedError."""
        if not isinstance(name, str):
            words = "join() argument must be str, bytes, or os.PathLike object, not 'NoneType'"
            raise RefusedError(flask_json({"error": words}, 500))
        profile = next((p for p in PROFILES if p.name == name), None)
        if profile is None:
            words = f"Failed to load model '{name}': Model directory '{name}' not found."
            raise RefusedError(flask_json({"error": words}, 500))
        was_loaded = self._models.loaded is profile
        if was_loaded and self._dead is not None:
            await asyncio.sleep(WAIT_S / self._generation.options.speed)
            raise RefusedError(flask_page(500))
        if not was_loaded:
            await self._models.switch(profile)
        return profile, was_loaded

    # -- models ------------------------------------------------------------------------------------

    def _root(self) -> Response:
        return flask_json(
            {
                "message": "Welcome to RKLLama with Ollama API compatibility!",
                "github": "https://github.com/notpunhnox/rkllama",
            }
        )

    def _version(self) -> Response:
        return flask_json({"version": "0.0.74"})

    def _names(self) -> Response:
        return flask_json({"models": [profile.name for profile in PROFILES]})

    def _list(self) -> Response:
        return flask_json({"object": "list", "data": [_row(profile) for profile in PROFILES]})

    def _tags(self) -> Response:
        rows = [
            {**_tag(profile), "modified_at": "2025-10-21T00:00:00.000000Z"} for profile in PROFILES
        ]
        return flask_json({"models": rows})

    def _loaded(self) -> Response:
        profile = self._models.loaded
        if profile is None:
            return flask_json({"models": []})
        local = datetime.now().strftime("%Y-%m-%d %H:%M:%S.%f")  # noqa: DTZ005 - as it does
        times = {"expires_at": local, "last_call": local, "loaded_at": local}
        more = {"base_domain_id": [9], "loaded_by": "simulated", "parent_model": ""}
        return flask_json({"models": [{**_tag(profile), **times, **more}]})

    async def _load(self, body: dict[str, Any]) -> Response:
        name = body.get("model_name")
        profile = next((p for p in PROFILES if p.name == name), None)
        if profile is None:
            return flask_json({"error": f"Model directory '{name}' not found."}, 400)
        if self._models.loaded is profile:
            return flask_json({"error": "A model is already loaded. Nothing to do."})
        await self._models.switch(profile)
        return flask_json({"message": f"Model {name} loaded successfully."})

    async def _unload(self, body: dict[str, Any]) -> Response:
        loaded, name = self._models.loaded, body.get("model_name")
        if loaded is None or loaded.name != name:
            return flask_json({"error": "No models are currently loaded."}, 400)
        self._models.unload()
        if self._dead is not None:
            self._dead.cancel()
            self._dead = None
        return flask_json({"message": f"Model {name} successfully unloaded!"})

    async def _pretend(self, body: dict[str, Any]) -> Response:
        return flask_json({"message": "Models successfully unloaded!"})


def _prompt(body: dict[str, Any], *, is_chat: bool) -> tuple[str, str]:
    """The user's last text, and the prompt. Raises RefusedError."""
    if not is_chat:
        text = str(body.get("prompt") or "")
        return text, chatml([("user", text)])
    given = body.get("messages")
    if given == []:
        raise RefusedError(flask_json({"error": "list index out of range"}, 500))
    for message in given if isinstance(given, list) else []:
        if not isinstance(message, dict) or "content" not in message:
            words = "'dict object' has no attribute 'content'"
            raise RefusedError(flask_json({"error": words}, 500))
        if isinstance(message["content"], list):
            words = 'can only concatenate str (not "list") to str'
            raise RefusedError(flask_json({"error": words}, 500))
    messages = messages_of(body)
    return last_user_text(messages), chatml(messages)


def _row(profile: Profile) -> dict[str, Any]:
    return {"id": profile.name, "object": "model", "created": 1795215597, "owned_by": "rkllama"}


def _tag(profile: Profile) -> dict[str, Any]:
    details = {
        "family": "llama",
        "format": "rkllm",
        "parameter_size": profile.name.partition("-")[2].upper(),
        "quantization_level": "Q8_0",
    }
    return {
        "name": profile.name,
        "model": profile.name,
        "size": round(profile.size_mb * 2**20),
        "digest": "",
        "details": details,
    }


DIALECT = Dialect(
    "rkllama",
    HeadStyle(
        ((b"Server", b"Werkzeug/3.1.9 Python/3.11.7"), (b"Date", DATE)),
        (
            (b"Access-Control-Allow-Origin", b"*"),
            (b"Transfer-Encoding", FRAMING),
            (b"Connection", b"close"),
        ),
        is_closing=True,
    ),
    Rkllama,
)
