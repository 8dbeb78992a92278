"""oRKLLM: Fastify, port 8000.

The finish chunk has the runtime's numbers as ``perf``. A new stream ends the running one, which
gets a regular ``stop``. A client that leaves is not noticed. The request that loads a model fixes
``max_tokens``. An unknown model gives an error inside a stream with status 200, and unloads the
loaded model. With ``conversation_id``, every answer ends after 15 s.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

from tui.sim.profiles import PROFILES, Profile
from tui.sim.runtime.runtime import Job, Outcome
from tui.sim.server.dialects.dialect import (
    Dialect,
    chatml,
    last_user_text,
    messages_of,
    node_json,
    positive,
    read_object,
    stem,
)
from tui.sim.server.generation import START_PAGE, Generation, Prompt, Refusals
from tui.sim.server.http import (
    DATE,
    FRAMING,
    HTML_TYPE,
    Connection,
    HeadStyle,
    Request,
    Response,
)
from tui.sim.server.wire import ERROR_TEXT, ChunkWire, sse

CHAT = "/v1/chat/completions"
DEFAULT_MAX_TOKENS = 512
CONTEXT_TOKENS = 4096
CONVERSATION_S = 15.0
HEARTBEAT_S = 15.0
STREAM_HEADERS = [
    (b"Content-Type", b"text/event-stream"),
    (b"Cache-Control", b"no-cache"),
    (b"X-Accel-Buffering", b"no"),
]
INVALID_JSON = node_json(
    {
        "statusCode": 400,
        "code": "FST_ERR_CTP_INVALID_JSON_BODY",
        "error": "Bad Request",
        "message": "Body is not valid JSON but content-type is set to 'application/json'",
    },
    400,
)
REFUSALS = Refusals(
    node_json({"error": "The server is busy (a simulated fault)"}, 503), INVALID_JSON
)


def _model_id(profile: Profile) -> str:
    return f"{stem(profile)}/{profile.file_name}"


class _Wire(ChunkWire):
    headers = STREAM_HEADERS
    is_ascii = False
    heartbeat_s = HEARTBEAT_S

    def __init__(self, job: Job, model: str, answer_id: str) -> None:
        super().__init__(job)
        self._envelope = {
            "id": answer_id,
            "object": "chat.completion.chunk",
            "created": int(time.time()),
            "model": model,
        }

    def chunk(self, delta: dict[str, Any], reason: str | None) -> dict[str, Any]:
        choice = {"index": 0, "delta": delta, "finish_reason": reason}
        return {**self._envelope, "choices": [choice]}

    def ending(self, outcome: Outcome) -> list[bytes]:
        last = {**self.chunk({}, "stop")}
        if outcome.reason not in ("error", "npu_error"):
            last["perf"] = self._perf(outcome)
        last["specDecode"] = {"enabled": False, "strategy": "none", "hardware": None}
        return [self.event(last)]

    def _perf(self, outcome: Outcome) -> dict[str, Any]:
        if self.job.faults.no_stats:
            return {}
        stats = outcome.stats
        return {
            "prefill_time_ms": stats.prefill_ns / 1e6,
            "prefill_tokens": stats.prefill_tokens,
            "generate_time_ms": stats.generate_ns / 1e6,
            "generate_tokens": stats.generated_tokens,
        }

    def failure(self) -> tuple[list[bytes], bool]:
        error = {"message": ERROR_TEXT, "type": "invalid_request_error"}
        return [self.event({"error": error})], True

    def whole(self, outcome: Outcome) -> Response:
        message = {"role": "assistant", "content": outcome.text}
        n_in, n_out = outcome.stats.prefill_tokens, outcome.stats.generated_tokens
        usage = {"prompt_tokens": n_in, "completion_tokens": n_out, "total_tokens": n_in + n_out}
        return node_json(
            {
                **self._envelope,
                "object": "chat.completion",
                "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
                "usage": usage,
                "perf": self._perf(outcome),
            }
        )

    def whole_failure(self) -> Response:
        return node_json({"error": "Worker process exited unexpectedly during generation"}, 500)


class Orkllm:
    """Its routes. As in a production build, every unknown GET returns the web page."""

    def __init__(self, generation: Generation) -> None:
        self._generation = generation
        self._models = generation.models
        self._running: Job | None = None
        self._max_tokens = DEFAULT_MAX_TOKENS

    async def answer(self, connection: Connection, request: Request) -> None:
        """Answer one request."""
        if request.path == CHAT and request.method == "POST":
            return await self._chat(connection, request)
        return await connection.respond(self._response(request))

    def _response(self, request: Request) -> Response:
        path = request.path
        if request.method == "POST":
            message = f"Route POST:{path} not found"
            return node_json({"message": message, "error": "Not Found", "statusCode": 404}, 404)
        if path == "/v1/models":
            data = [
                {
                    "id": _model_id(profile),
                    "object": "model",
                    "created": 1795215248,
                    "owned_by": "orkllm",
                    "size": round(profile.size_mb * 2**20),
                    "runtime": "rkllm",
                    "runtimeVersion": None,
                }
                for profile in PROFILES
            ]
            return node_json({"object": "list", "data": data})
        if path == "/api/version":
            return node_json({"version": "0.9.0"})
        if path == "/api/admin/auth-status":
            return node_json({"status": "need_login", "username": None})
        if path.startswith("/api/admin/"):
            return node_json({"error": "Unauthorized. Please login."}, 401)
        return Response(200, START_PAGE, HTML_TYPE)

    async def _chat(self, connection: Connection, request: Request) -> None:
        body, generation = read_object(request), self._generation
        if body is None:
            return await connection.respond(INVALID_JSON)
        for name, kind in (("model", str), ("messages", list)):
            if not isinstance(body.get(name), kind):
                error = {"error": f"Missing required field '{name}'"}
                return await connection.respond(node_json(error, 400))
        messages, is_stream = messages_of(body), body.get("stream") is True
        text = last_user_text(messages)
        refusal = generation.refusal(generation.faults(text), REFUSALS)
        if refusal is not None:
            return await connection.respond(refusal)
        if is_stream and self._running is not None:
            self._running.abort.set()
        name = str(body["model"])
        wanted = next((p for p in PROFILES if name in (_model_id(p), p.file_name)), None)
        if wanted is None:
            return await self._unknown(connection, name, is_stream=is_stream)
        was_loaded = self._models.loaded is wanted
        if not was_loaded:
            self._max_tokens = positive(body.get("max_tokens"), DEFAULT_MAX_TOKENS)
            await self._models.switch(wanted)
        prompt = Prompt(
            text=chatml(messages),
            last_user_text=text,
            max_tokens=self._max_tokens,
            is_stream=is_stream,
            is_thinking=False,
            context_tokens=CONTEXT_TOKENS,
        )
        answer_id = f"chatcmpl-{generation.rng.getrandbits(52):011x}"
        job = generation.job(request, wanted, prompt, answer_id, was_loaded)
        self._running = job
        cutter = None
        if "conversation_id" in body:
            cutter = asyncio.create_task(self._cut(job))
        try:
            await generation.serve(connection, _Wire(job, name, answer_id), is_stream=is_stream)
        finally:
            if cutter is not None:
                cutter.cancel()
            if self._running is job:
                self._running = None
        return None

    async def _cut(self, job: Job) -> None:
        await asyncio.sleep(CONVERSATION_S / self._generation.options.speed)
        job.abort.set()

    async def _unknown(self, connection: Connection, name: str, *, is_stream: bool) -> None:
        self._models.unload()
        message = f"Model file not found: /srv/models/{name}"
        if not is_stream:
            return await connection.respond(node_json({"error": message}, 500))
        event = {"error": {"message": message, "type": "invalid_request_error"}}
        connection.write(
            connection.stream_head(STREAM_HEADERS)
            + connection.encode(sse(event, is_ascii=False))
            + connection.end_stream()
        )
        return None


DIALECT = Dialect(
    "orkllm",
    HeadStyle(
        (),
        (
            (b"Date", DATE),
            (b"Connection", b"keep-alive"),
            (b"Keep-Alive", b"timeout=72"),
            (b"Transfer-Encoding", FRAMING),
        ),
        has_capitals=False,
    ),
    Orkllm,
)
