"""Rockchip's demo server of 1.3.0: Flask on HTTP/1.0, port 8080, one connection at a time.

The role is sent before prefill, then one event per character, each with an id of its own. The model
gets the last message only. A run goes on when its client has left; until it ends, requests get a
503. At ``max_tokens`` the last token is lost.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

from tui.sim.runtime.runtime import Job, Outcome
from tui.sim.runtime.sampling import sampling_of
from tui.sim.server.dialects.dialect import (
    WERKZEUG,
    Dialect,
    flask_json,
    flask_page,
    last_user_text,
    messages_of,
    positive,
    read_object,
    stem,
    word_usage,
)
from tui.sim.server.generation import Generation, Prompt, Refusals
from tui.sim.server.http import Connection, HeadStyle, Request, Response
from tui.sim.server.wire import ChunkWire

CHAT = "/v1/chat/completions"
CONTEXT_TOKENS = 4096


def _error(message: str, kind: str, status: int) -> Response:
    error = {"message": message, "type": kind, "param": None, "code": None}
    return flask_json({"error": error}, status)


BUSY = _error("RKLLM_Server is busy! Maybe you can try again later.", "server_error", 503)
MISSING = _error("Missing 'messages' in request body.", "invalid_request_error", 400)
REFUSALS = Refusals(BUSY, MISSING)


class _Wire(ChunkWire):
    headers = [
        (b"Cache-Control", b"no-cache"),
        (b"Connection", b"keep-alive"),
        (b"X-Accel-Buffering", b"no"),
        (b"Content-Type", b"text/event-stream"),
    ]

    def __init__(self, job: Job, model: str, generation: Generation) -> None:
        super().__init__(job)
        self._model = model
        self._rng = generation.rng
        self._n_tokens = 0

    def _id(self) -> str:
        return f"chatcmpl-{self._rng.getrandbits(96):024x}"

    def chunk(self, delta: dict[str, Any], reason: str | None) -> dict[str, Any]:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
        return {
            "id": self._id(),
            "object": "chat.completion.chunk",
            "created": int(time.time()),
            "model": self._model,
            "choices": [choice],
        }

    def opening(self) -> list[bytes]:
        return [self.event(self.chunk({"role": "assistant"}, None))]

    def token(self, text: str) -> list[bytes]:
        self._n_tokens += 1
        if self._n_tokens == self.job.max_tokens:
            return []
        return [self.event(self.chunk({"content": character}, None)) for character in text]

    def ending(self, outcome: Outcome) -> list[bytes]:
        return [self.event(self.chunk({"content": ""}, "stop"))]

    def whole(self, outcome: Outcome) -> Response:
        message = {"role": "assistant", "content": outcome.text}
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
        return flask_json(
            {
                "id": self._id(),
                "object": "chat.completion",
                "created": int(time.time()),
                "model": self._model,
                "choices": [choice],
                "usage": word_usage(self.job.prompt, outcome.text),
            }
        )


class RkllmDemo:
    """Its two routes, for one fixed model."""

    def __init__(self, generation: Generation) -> None:
        self._generation = generation
        profile = generation.models.loaded
        assert profile is not None
        self._profile = profile
        self._thread = asyncio.Lock()
        """The server's single thread; further connections wait in the kernel's backlog."""
        self._run: asyncio.Task[Outcome] | None = None

    async def answer(self, connection: Connection, request: Request) -> None:
        """Answer one request, after the earlier ones."""
        async with self._thread:
            if request.path == CHAT and request.method == "POST":
                await self._chat(connection, request)
                return
            await connection.respond(self._response(request))

    def _response(self, request: Request) -> Response:
        if request.path == "/v1/models" and request.method in ("GET", "HEAD"):
            row = {"id": stem(self._profile), "object": "model", "created": int(time.time())}
            return flask_json({"object": "list", "data": [{**row, "owned_by": "rkllm"}]})
        if request.path in (CHAT, "/v1/models"):
            allowed = b"OPTIONS, POST" if request.path == CHAT else b"GET, HEAD, OPTIONS"
            return flask_page(405, allowed)
        return flask_page(404)

    async def _chat(self, connection: Connection, request: Request) -> None:
        if "json" not in (request.content_type or ""):
            return await connection.respond(flask_page(415))
        body = read_object(request)
        if body is None:
            return await connection.respond(flask_page(400))
        if self._run is not None and not self._run.done():
            return await connection.respond(BUSY)
        if "messages" not in body:
            return await connection.respond(MISSING)
        if any(value is None for name, value in body.items() if name in _NUMBERS):
            return await connection.respond(flask_page(500))
        messages = [m for m in messages_of(body) if m[0] in ("user", "tool")]
        text = messages[-1][1] if messages else ""
        generation = self._generation
        refusal = generation.refusal(generation.faults(text), REFUSALS)
        if refusal is not None:
            return await connection.respond(refusal)
        prompt = Prompt(
            text=text,
            last_user_text=text or last_user_text(messages),
            max_tokens=positive(body.get("max_tokens"), CONTEXT_TOKENS),
            is_stream=body.get("stream") is True,
            is_thinking=body.get("enable_thinking") is True,
            context_tokens=CONTEXT_TOKENS,
            sampling=sampling_of(body),
        )
        job = generation.job(request, self._profile, prompt, "", was_loaded=True)
        wire = _Wire(job, str(body.get("model", "")), generation)
        self._run = await generation.serve(
            connection, wire, is_stream=prompt.is_stream, leaving="is left alone"
        )
        return None


_NUMBERS = (
    "temperature", "top_p", "top_k", "max_tokens", "repeat_penalty", "frequency_penalty",
    "presence_penalty",
)  # fmt: skip

DIALECT = Dialect(
    "rkllm-demo",
    HeadStyle(WERKZEUG.before, WERKZEUG.after, is_closing=True, is_http_1_0=True),
    RkllmDemo,
)
