"""llama.cpp's server: port 8080, one model.

The last chunk has ``timings``. The role comes with the first token. There is a prefix cache. ``GET
/slots`` says whether a request runs. The run ends when its client leaves.
"""

from __future__ import annotations

import time
from typing import Any

from tui.sim.profiles import Profile
from tui.sim.runtime.runtime import Job, Outcome
from tui.sim.runtime.sampling import sampling_of
from tui.sim.runtime.thinking import ThinkingParser
from tui.sim.runtime.tokens import count_tokens
from tui.sim.server.dialects.dialect import (
    Dialect,
    chatml,
    last_user_text,
    messages_of,
    node_json,
    positive,
    read_object,
)
from tui.sim.server.generation import Generation, Prompt, Refusals
from tui.sim.server.http import Connection, HeadStyle, Request, Response
from tui.sim.server.wire import ERROR_TEXT, ChunkWire

CHAT = "/v1/chat/completions"
CONTEXT_TOKENS = 4096


def _error(code: int, message: str, kind: str) -> Response:
    return node_json({"error": {"code": code, "message": message, "type": kind}}, code)


REFUSALS = Refusals(
    _error(503, "Loading model", "unavailable_error"),
    _error(400, "Missing 'messages' (a simulated fault)", "invalid_request_error"),
)


def _file(profile: Profile) -> str:
    return f"{profile.name}-q8_0.gguf"


class _Wire(ChunkWire):
    opens = "with the first token"
    headers = [(b"Content-Type", b"text/event-stream")]
    is_ascii = False

    def __init__(self, job: Job, answer_id: str, last: dict[str, Any], *, has_usage: bool) -> None:
        """``last``: the numbers of the previous answer, replaced when this one ends."""
        super().__init__(job)
        self._last = last
        self._answer_id = answer_id
        self._created = int(time.time())
        self._has_usage = has_usage
        self._parser = ThinkingParser(is_space_dropped=True)

    def _envelope(self) -> dict[str, Any]:
        return {
            "created": self._created,
            "id": self._answer_id,
            "model": _file(self.job.profile),
            "system_fingerprint": "b6700-simulated",
            "object": "chat.completion.chunk",
        }

    def chunk(self, delta: dict[str, Any], reason: str | None) -> dict[str, Any]:
        choice = {"finish_reason": reason, "index": 0, "delta": delta}
        return {"choices": [choice], **self._envelope()}

    def opening(self) -> list[bytes]:
        return [self.event(self.chunk({"role": "assistant", "content": None}, None))]

    def _pieces(self, pieces: list[tuple[bool, str]]) -> list[bytes]:
        names = {True: "reasoning_content", False: "content"}
        return [self.event(self.chunk({names[is_in]: text}, None)) for is_in, text in pieces]

    def token(self, text: str) -> list[bytes]:
        return self._pieces(self._parser.feed(text))

    def _numbers(self, outcome: Outcome) -> dict[str, Any]:
        if self.job.faults.no_stats:
            return {}
        if self.job.faults.stale_stats and self._last:
            return {**self._last}
        numbers = self._own_numbers(outcome)
        self._last.clear()
        self._last.update(numbers)
        return numbers

    def _own_numbers(self, outcome: Outcome) -> dict[str, Any]:
        stats = outcome.stats
        n_prompt = count_tokens(self.job.prompt)
        n_cached = max(0, n_prompt - stats.prefill_tokens) if stats.prefill_tokens else 0
        prompt_ms, predicted_ms = stats.prefill_ns / 1e6, stats.generate_ns / 1e6
        timings = {
            "cache_n": n_cached,
            "prompt_n": stats.prefill_tokens,
            "prompt_ms": prompt_ms,
            "prompt_per_second": stats.prefill_tokens / prompt_ms * 1e3 if prompt_ms else 0,
            "predicted_n": stats.generated_tokens,
            "predicted_ms": predicted_ms,
            "predicted_per_second": (
                stats.generated_tokens / predicted_ms * 1e3 if predicted_ms else 0
            ),
        }
        if not self._has_usage:
            return {"timings": timings}
        usage = {
            "completion_tokens": stats.generated_tokens,
            "prompt_tokens": stats.prefill_tokens + n_cached,
            "total_tokens": stats.generated_tokens + stats.prefill_tokens + n_cached,
            "prompt_tokens_details": {"cached_tokens": n_cached},
        }
        return {"usage": usage, "timings": timings}

    def ending(self, outcome: Outcome) -> list[bytes]:
        reason = "length" if outcome.reason in ("max_tokens", "context") else "stop"
        last = self.chunk({}, reason)
        numbers = self._numbers(outcome)
        events = self._pieces(self._parser.rest())
        if not self._has_usage or not numbers:
            return [*events, self.event({**last, **numbers})]
        return [*events, self.event(last), self.event({**last, "choices": [], **numbers})]

    def failure(self) -> tuple[list[bytes], bool]:
        error = {"code": 500, "message": ERROR_TEXT, "type": "server_error"}
        return [self.event({"error": error})], True

    def whole(self, outcome: Outcome) -> Response:
        reason = "length" if outcome.reason in ("max_tokens", "context") else "stop"
        message = {"role": "assistant", "content": outcome.text}
        choice = {"finish_reason": reason, "index": 0, "message": message}
        self._has_usage = True
        return node_json(
            {
                "choices": [choice],
                **self._envelope(),
                "object": "chat.completion",
                **self._numbers(outcome),
            }
        )


class LlamaCpp:
    """One model in one slot; a request's ``model`` is ignored."""

    def __init__(self, generation: Generation) -> None:
        self._generation = generation
        profile = generation.models.loaded
        assert profile is not None
        self._profile = profile
        self._n_running = 0
        self._last: dict[str, Any] = {}

    async def answer(self, connection: Connection, request: Request) -> None:
        """Answer one request."""
        if request.path == CHAT and request.method == "POST":
            return await self._chat(connection, request)
        return await connection.respond(self._response(request))

    def _response(self, request: Request) -> Response:
        name = _file(self._profile)
        if request.path == "/v1/models":
            meta = {
                "n_ctx": CONTEXT_TOKENS,
                "n_ctx_train": 32768,
                "n_params": 4_022_468_096,
                "size": round(self._profile.size_mb * 2**20),
            }
            row = {"id": name, "object": "model", "created": int(time.time())}
            data = [{**row, "owned_by": "llamacpp", "meta": meta}]
            return node_json({"object": "list", "data": data})
        if request.path == "/health":
            return node_json({"status": "ok"})
        if request.path == "/slots":
            is_processing = self._n_running > 0
            slot = {"id": 0, "n_ctx": CONTEXT_TOKENS, "is_processing": is_processing}
            return node_json([slot])
        if request.path == "/props":
            return node_json({"model_path": name, "total_slots": 1})
        return _error(404, "File Not Found", "not_found_error")

    async def _chat(self, connection: Connection, request: Request) -> None:
        body, generation = read_object(request), self._generation
        if body is None or not isinstance(body.get("messages"), list):
            return await connection.respond(REFUSALS.error)
        messages = messages_of(body)
        text = last_user_text(messages)
        refusal = generation.refusal(generation.faults(text), REFUSALS)
        if refusal is not None:
            return await connection.respond(refusal)
        options, template = body.get("stream_options"), body.get("chat_template_kwargs")
        has_usage = isinstance(options, dict) and options.get("include_usage") is True
        thinks = isinstance(template, dict) and template.get("enable_thinking") is True
        prompt = Prompt(
            text=chatml(messages),
            last_user_text=text,
            max_tokens=positive(body.get("max_tokens"), CONTEXT_TOKENS),
            is_stream=body.get("stream") is True,
            is_thinking=thinks,
            context_tokens=CONTEXT_TOKENS,
            is_prefix_cached=True,
            is_prefill_abortable=True,
            sampling=sampling_of(body),
        )
        answer_id = f"chatcmpl-{generation.rng.getrandbits(160):040x}"
        job = generation.job(request, self._profile, prompt, answer_id, was_loaded=True)
        wire = _Wire(job, answer_id, self._last, has_usage=has_usage)
        self._n_running += 1
        try:
            await generation.serve(
                connection, wire, is_stream=prompt.is_stream, leaving="aborts at once"
            )
        finally:
            self._n_running -= 1
        return None


DIALECT = Dialect(
    "llama.cpp",
    HeadStyle(
        ((b"Server", b"llama.cpp"),),
        ((b"Access-Control-Allow-Origin", b"*"),),
        has_capitals=False,
    ),
    LlamaCpp,
)
