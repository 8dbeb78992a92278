"""RKLLM-API-Server: Flask under gunicorn, port 8000.

The role is sent before prefill, and comments keep the connection alive during prefill. Thinking has
a field of its own; its tags and the white space around it are dropped. Settings are ignored (at
most 2048 tokens). An answer's token count is the runtime's only if the answer ended with ``stop``;
a prompt's count is its characters / 4. ``length`` means that the answer broke off. The run ends
when a write shows that its client has left. A request that waits for the NPU gets no response head,
and a 503 after four minutes.
"""

from __future__ import annotations

import asyncio
import re
import time
from typing import Any

from tui.sim.profiles import PROFILES, Profile
from tui.sim.runtime.runtime import Job, Outcome
from tui.sim.runtime.thinking import ThinkingParser
from tui.sim.server.dialects.dialect import (
    Dialect,
    flask_json,
    flask_page,
    last_user_text,
    messages_of,
    read_object,
    stem,
)
from tui.sim.server.generation import Generation, Prompt, Refusals
from tui.sim.server.http import DATE, FRAMING, TEXT_TYPE, Connection, HeadStyle, Request, Response
from tui.sim.server.wire import DONE, ChunkWire

CHAT = ("/v1/chat/completions", "/chat/completions")
MAX_TOKENS = 2048
QUEUE_S = 240.0
THREADS = 4
WARNING = b"Sampling params ignored (rkllm uses model-compiled values): %s"
_CONTEXT = re.compile(r"-(\d{1,3})k\b")


def _error(message: str, kind: str, code: int) -> Response:
    return flask_json({"error": {"message": message, "type": kind, "code": code}}, code)


def _invalid(message: str) -> Response:
    return _error(message, "invalid_request", 400)


BUSY = _error("Server busy. Request queued for 240.0s but timed out.", "service_unavailable", 503)
REFUSALS = Refusals(BUSY, _invalid("'messages' must contain at least one valid message object"))


def _id(profile: Profile) -> str:
    return stem(profile).lower()


def _context_tokens(profile: Profile) -> int:
    """The context length that the server derives from the file's name."""
    found = _CONTEXT.search(profile.file_name)
    return int(found[1]) * 1024 if found else 4096


def _found(name: object) -> Profile | None:
    names = {alias: p for p in PROFILES for alias in (p.name, _id(p), stem(p))}
    return names.get(name) if isinstance(name, str) else None


class _Wire(ChunkWire):
    opens = "with the NPU"
    heartbeat_s = 3.0
    comment = b": heartbeat prefill 3s\n\n"

    def __init__(
        self, job: Job, *, has_usage: bool, answer_id: str, ignored: dict[str, Any]
    ) -> None:
        super().__init__(job)
        self._model = _id(job.profile)
        self._answer_id = answer_id
        self._created = int(time.time())
        self._has_usage = has_usage
        self._parser = ThinkingParser(is_space_dropped=True)
        context = b"%d" % _context_tokens(job.profile)
        self.headers = [
            (b"Cache-Control", b"no-cache"),
            (b"X-Accel-Buffering", b"no"),
            (b"x-ratelimit-limit-requests", b"1"),
            (b"x-ratelimit-limit-tokens", context),
            (b"x-ratelimit-remaining-requests", b"0"),
            (b"x-ratelimit-remaining-tokens", context),
            (b"x-ratelimit-reset-requests", b"1s"),
            (b"Content-Type", b"text/event-stream; charset=utf-8"),
        ]
        if ignored:
            words = ", ".join(f"{name}={value}" for name, value in ignored.items())
            self.headers.append((b"X-RKLLM-Warning", WARNING % words.encode()))

    def _envelope(self) -> dict[str, Any]:
        return {
            "id": self._answer_id,
            "object": "chat.completion.chunk",
            "created": self._created,
            "model": self._model,
            "system_fingerprint": "rkllm-v2.0.0-ctypes",
        }

    def chunk(self, delta: dict[str, Any], reason: str | None) -> dict[str, Any]:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
        return {**self._envelope(), "choices": [choice]}

    def opening(self) -> list[bytes]:
        return [self.event(self.chunk({"role": "assistant"}, None))]

    def _pieces(self, pieces: list[tuple[bool, str]]) -> list[bytes]:
        names = {True: "reasoning_content", False: "content"}
        return [self.event(self.chunk({names[is_in]: text}, None)) for is_in, text in pieces]

    def token(self, text: str) -> list[bytes]:
        return self._pieces(self._parser.feed(text))

    def _usage(self, outcome: Outcome) -> dict[str, int]:
        """The runtime's count only if the runtime reported a normal end."""
        n_in = len(self.job.prompt) // 4
        is_clean = outcome.reason in ("stop", "max_tokens") and not self.job.faults.no_stats
        n_out = outcome.stats.generated_tokens if is_clean else len(outcome.text) // 4
        return {"prompt_tokens": n_in, "completion_tokens": n_out, "total_tokens": n_in + n_out}

    def ending(self, outcome: Outcome) -> list[bytes]:
        reason = "stop" if outcome.reason in ("stop", "max_tokens") else "length"
        events = [*self._pieces(self._parser.rest()), self.event(self.chunk({}, reason))]
        if self._has_usage:
            usage = {**self._envelope(), "choices": [], "usage": self._usage(outcome)}
            events.append(self.event(usage))
        return events

    def failure(self) -> tuple[list[bytes], bool]:
        return [self.event(self.chunk({}, "length")), DONE], True

    def whole(self, outcome: Outcome) -> Response:
        parser = ThinkingParser(is_space_dropped=True)
        pieces = [*parser.feed(outcome.text), *parser.rest()]
        thinking = "".join(text for is_in, text in pieces if is_in).strip()
        message = {"role": "assistant", "content": "".join(t for is_in, t in pieces if not is_in)}
        if thinking:
            message["reasoning_content"] = thinking
        return flask_json(
            {
                **self._envelope(),
                "object": "chat.completion",
                "choices": [
                    {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
                ],
                "usage": self._usage(outcome),
            }
        )

    def whole_failure(self) -> Response:
        return _error("Generation failed (a simulated fault)", "server_error", 500)


class RkllmApiServer:
    """Its routes, served by four threads, of which one can use the NPU."""

    def __init__(self, generation: Generation) -> None:
        self._generation = generation
        self._models = generation.models
        self._threads = asyncio.Semaphore(THREADS)
        self._active: dict[str, Any] | None = None
        self._known: tuple[str, str, list[str]] | None = None
        """Model, system prompt and user messages that the KV cache holds."""
        self._metrics = dict.fromkeys(
            (
                "rkllm_tokens_generated_total",
                "rkllm_prefill_duration_seconds_sum",
                "rkllm_prefill_duration_seconds_count",
                "rkllm_decode_duration_seconds_sum",
                "rkllm_decode_duration_seconds_count",
            ),
            0.0,
        )

    async def answer(self, connection: Connection, request: Request) -> None:
        """Answer one request, once a thread is free."""
        async with self._threads:
            if request.path in CHAT and request.method == "POST":
                return await self._chat(connection, request)
            return await connection.respond(await self._response(request))

    async def _response(self, request: Request) -> Response:
        path, loaded = request.path, self._models.loaded
        if request.method == "POST":
            if path == "/v1/models/select":
                return await self._select(read_object(request) or {})
            if path == "/v1/models/unload":
                self._models.unload()
                return flask_json({"status": "ok", "message": "Model unloaded"})
            return flask_page(404)
        if path in CHAT:
            return flask_page(405, b"OPTIONS, POST")
        if path == "/v1/models":
            return flask_json({"object": "list", "data": [_row(profile) for profile in PROFILES]})
        if path.startswith("/v1/models/"):
            name = path.removeprefix("/v1/models/")
            profile = _found(name)
            missing = _error(f"Model '{name}' not found", "not_found", 404)
            return missing if profile is None else flask_json(_row(profile))
        if path == "/health":
            return flask_json(
                {
                    "status": "ok",
                    "current_model": _id(loaded) if loaded else None,
                    "model_loaded": loaded is not None,
                    "vl_model": None,
                    "active_request": self._active,
                    "models_available": len(PROFILES),
                }
            )
        if path == "/ready":
            if loaded is not None:
                return flask_json({"status": "ready"})
            return flask_json({"status": "not_ready", "reason": "no model loaded"}, 503)
        if path == "/api/version":
            return flask_json({"version": "0.3.0-rkllm"})
        if path == "/metrics":
            lines = [f"{name} {value}" for name, value in self._metrics.items()]
            return Response(200, "\n".join([*lines, ""]).encode(), TEXT_TYPE)
        return flask_page(404)

    async def _select(self, body: dict[str, Any]) -> Response:
        profile = _found(body.get("model"))
        if profile is None:
            return _error(f"Model '{body.get('model')}' not found", "not_found", 404)
        if self._active is not None:
            return _error("A generation is running", "service_unavailable", 503)
        await self._models.switch(profile)
        return flask_json({"status": "ok", "model": _id(profile)})

    async def _chat(self, connection: Connection, request: Request) -> None:
        body, generation = read_object(request), self._generation
        if body is None:
            return await connection.respond(_invalid("Request body must be a JSON object"))
        messages, text = messages_of(body), last_user_text(messages_of(body))
        if not messages:
            return await connection.respond(REFUSALS.error)
        refusal = generation.refusal(generation.faults(text), REFUSALS)
        if refusal is not None:
            return await connection.respond(refusal)
        profile = _found(body.get("model"))
        if profile is None:
            missing = _error(f"Model '{body.get('model')}' not found", "not_found", 404)
            return await connection.respond(missing)
        answer_id = f"chatcmpl-{generation.rng.getrandbits(128):032x}"
        if not text:
            return await connection.respond(_nothing(profile, answer_id))
        was_loaded = self._models.loaded is profile
        await self._models.switch(profile)
        options = body.get("stream_options")
        has_usage = isinstance(options, dict) and options.get("include_usage") is True
        is_off = text.lstrip().startswith("/no_think")
        prompt = Prompt(
            text=self._prompt(profile, messages),
            last_user_text=text,
            max_tokens=MAX_TOKENS,
            is_stream=body.get("stream") is True,
            is_thinking=profile.has_thinking and not is_off,
            context_tokens=_context_tokens(profile),
        )
        job = generation.job(request, profile, prompt, answer_id, was_loaded)
        wire = _Wire(job, has_usage=has_usage, answer_id=answer_id, ignored=_ignored(body))
        active = {"id": answer_id, "model": _id(profile), "elapsed": 0.0, "idle": 0.0}
        self._active = self._active or active
        try:
            run = await generation.serve(
                connection,
                wire,
                is_stream=prompt.is_stream,
                leaving="aborts",
                queue_s=QUEUE_S,
                too_late=lambda: connection.respond(BUSY),
            )
        finally:
            self._active = None if self._active is active else self._active
        if run.done() and not run.cancelled():
            self._measure(run.result())
        return None

    def _prompt(self, profile: Profile, messages: list[tuple[str, str]]) -> str:
        """The user's last message alone if the KV cache holds the rest; answers are not
        compared."""
        system = "".join(text for role, text in messages if role == "system")
        users = [text for role, text in messages if role == "user"]
        known, self._known = self._known, (profile.name, system, users)
        if len(users) > 1 and known == (profile.name, system, users[:-1]):
            return users[-1]
        if len(messages) == 1:
            return users[-1]
        names = {"system": "System", "user": "User", "assistant": "Assistant"}
        lines = [f"{names.get(role, role)}: {text}" for role, text in messages]
        return "\n".join([*lines, "Assistant:"])

    def _measure(self, outcome: Outcome) -> None:
        metrics, stats = self._metrics, outcome.stats
        metrics["rkllm_tokens_generated_total"] += stats.generated_tokens
        metrics["rkllm_prefill_duration_seconds_sum"] += stats.prefill_ns / 1e9
        metrics["rkllm_prefill_duration_seconds_count"] += 1
        metrics["rkllm_decode_duration_seconds_sum"] += stats.generate_ns / 1e9
        metrics["rkllm_decode_duration_seconds_count"] += 1


def _row(profile: Profile) -> dict[str, Any]:
    thinking = ["thinking"] if profile.has_thinking else []
    return {
        "id": _id(profile),
        "object": "model",
        "created": 1795215251,
        "owned_by": "rkllm",
        "capabilities": ["instruct", *thinking],
        "context_length": _context_tokens(profile),
    }


def _ignored(body: dict[str, Any]) -> dict[str, Any]:
    """Settings of a request that are not the default: the server ignores them with a warning."""
    defaults = {"temperature": 1.0, "top_p": 1.0, "presence_penalty": 0, "frequency_penalty": 0}
    return {
        name: body[name]
        for name, default in defaults.items()
        if isinstance(body.get(name), int | float) and body[name] != default
    }


def _nothing(profile: Profile, answer_id: str) -> Response:
    """The response to an empty prompt: made without the NPU, and never a stream."""
    message = {"role": "assistant", "content": ""}
    return flask_json(
        {
            "id": answer_id,
            "object": "chat.completion",
            "created": int(time.time()),
            "model": _id(profile),
            "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0},
        }
    )


DIALECT = Dialect(
    "rkllm-api-server",
    HeadStyle(
        (
            (b"Server", b"gunicorn"),
            (b"Date", DATE),
            (b"Connection", b"keep-alive"),
            (b"Transfer-Encoding", FRAMING),
        ),
        ((b"Access-Control-Allow-Origin", b"*"),),
    ),
    RkllmApiServer,
)
