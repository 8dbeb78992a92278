"""A server after OpenAI's reference: https://platform.openai.com/docs/api-reference/chat.

It has no defects: counts are correct, settings have an effect, models are chosen by name, a
required tool is called, and the run ends when its client leaves. :data:`FAMILY` is an unknown
server of the RKLLM family: it has ``owned_by: rkllm``, counts words, and runs on when its client
leaves.
"""

from __future__ import annotations

import base64
import json
import struct
import time
from dataclasses import dataclass
from typing import Any

from tui.sim.profiles import PROFILES, Profile
from tui.sim.runtime.runtime import Job, Outcome
from tui.sim.runtime.sampling import sampling_of
from tui.sim.runtime.thinking import ThinkingParser
from tui.sim.runtime.tokens import count_tokens
from tui.sim.runtime.tokens import pieces as pieces_of
from tui.sim.server.dialects.dialect import (
    Dialect,
    RefusedError,
    chatml,
    last_user_text,
    messages_of,
    positive,
    read_object,
    word_usage,
)
from tui.sim.server.generation import Generation, Leaving, Prompt, Refusals
from tui.sim.server.http import UVICORN, Connection, Request, Response, json_response
from tui.sim.server.wire import ERROR_TEXT, ChunkWire

CHAT = "/v1/chat/completions"
EMBEDDINGS = "/v1/embeddings"
VECTOR = (0.6, 0.8)
"""The embedding of every text; its numbers have no meaning."""
CONTEXT_TOKENS = 4096
REASONING = "o3-simulated"
"""Another name of the first model with thinking, which clients take for a reasoning model."""


def _error(status: int, message: str, kind: str, code: str | None = None) -> Response:
    error = {"message": message, "type": kind, "param": None, "code": code}
    return json_response({"error": error}, status)


def _invalid(message: str) -> Response:
    return _error(400, message, "invalid_request_error")


REFUSALS = Refusals(
    _error(503, "The server is overloaded (a simulated fault)", "server_error"),
    _invalid("The request was refused (a simulated fault)"),
)


@dataclass(frozen=True, slots=True)
class Traits:
    """The differences between servers of this kind."""

    owner: str
    names: dict[str, Profile]
    has_word_usage: bool
    leaving: Leaving


class _Wire(ChunkWire):
    headers = [(b"content-type", b"text/event-stream; charset=utf-8")]
    opens = "with the NPU"
    is_ascii = False

    def __init__(
        self, job: Job, answer_id: str, body: dict[str, Any], *, has_usage: bool, is_words: bool
    ) -> None:
        super().__init__(job)
        self._model = body["model"]
        self._reasoning = ThinkingParser(is_space_dropped=True) if job.is_thinking else None
        self._n_reasoned = 0
        """Number of reasoning tokens, which are counted but not sent."""
        self._answer_id = answer_id
        self._created = int(time.time())
        self._tool = _tool(body)
        self._has_usage = has_usage
        self._is_words = is_words or job.faults.word_usage

    def _envelope(self) -> dict[str, Any]:
        return {
            "id": self._answer_id,
            "object": "chat.completion.chunk",
            "created": self._created,
            "model": self._model,
            "system_fingerprint": "fp_simulated",
        }

    def chunk(self, delta: dict[str, Any], reason: str | None) -> dict[str, Any]:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
        usage = {"usage": None} if self._has_usage else {}
        return {**self._envelope(), "choices": [choice], **usage}

    def opening(self) -> list[bytes]:
        return [self.event(self.chunk({"role": "assistant", "content": ""}, None))]

    def token(self, text: str) -> list[bytes]:
        if self._reasoning is None:
            return super().token(text)
        said = "".join(piece for is_in, piece in self._reasoning.feed(text) if not is_in)
        self._n_reasoned += not said
        return super().token(said) if said else []

    def _usage(self, outcome: Outcome) -> dict[str, Any]:
        if self._is_words:
            return word_usage(self.job.prompt, outcome.text)
        n_in, n_out = count_tokens(self.job.prompt), outcome.generated
        if self.job.faults.stale_stats or self.job.faults.zero_stats:
            n_in, n_out = outcome.stats.prefill_tokens, outcome.stats.generated_tokens
        return {
            "prompt_tokens": n_in,
            "completion_tokens": n_out,
            "total_tokens": n_in + n_out,
            "completion_tokens_details": {"reasoning_tokens": self._n_reasoned},
        }

    def _reason(self, outcome: Outcome) -> str:
        if self._tool is not None:
            return "tool_calls"
        return "length" if outcome.reason in ("max_tokens", "context") else "stop"

    def ending(self, outcome: Outcome) -> list[bytes]:
        events = [self.event(self.chunk({}, self._reason(outcome)))]
        if self._has_usage and not self.job.faults.no_stats:
            usage = {**self._envelope(), "choices": [], "usage": self._usage(outcome)}
            events.append(self.event(usage))
        return events

    def failure(self) -> tuple[list[bytes], bool]:
        error = {"message": ERROR_TEXT, "type": "server_error", "param": None, "code": None}
        return [self.event({"error": error})], True

    def whole(self, outcome: Outcome) -> Response:
        text = outcome.text
        if self._reasoning is not None:
            pieces = [self._reasoning.feed(token) for token in pieces_of(text)]
            self._n_reasoned = sum(1 for found in pieces if not any(not i for i, _ in found))
            text = "".join(said for found in pieces for is_in, said in found if not is_in)
        message: dict[str, Any] = {
            "role": "assistant",
            "content": text,
            "refusal": None,
            "annotations": [],
        }
        if self._tool is not None:
            call = {"name": self._tool, "arguments": json.dumps({"simulated": "yes"})}
            message["content"] = None
            message["tool_calls"] = [{"id": "call_0", "type": "function", "function": call}]
        choice = {
            "index": 0,
            "message": message,
            "logprobs": None,
            "finish_reason": self._reason(outcome),
        }
        return json_response(
            {
                **self._envelope(),
                "object": "chat.completion",
                "choices": [choice],
                "usage": self._usage(outcome),
            }
        )

    def whole_failure(self) -> Response:
        return _error(500, ERROR_TEXT, "server_error")


class OpenAi:
    """Routes for chat, embeddings, the list of models, and each model."""

    def __init__(self, generation: Generation, traits: Traits) -> None:
        self._generation = generation
        self._models = generation.models
        self._traits = traits

    async def answer(self, connection: Connection, request: Request) -> None:
        """Answer one request."""
        try:
            if request.path == CHAT and request.method == "POST":
                return await self._chat(connection, request)
            if request.path == EMBEDDINGS and request.method == "POST":
                response = self._embeddings(request)
            else:
                response = self._response(request)
        except RefusedError as error:
            response = error.response
        return await connection.respond(response)

    def _response(self, request: Request) -> Response:
        if request.path == "/v1/models":
            rows = [self._row(name) for name in self._traits.names]
            return json_response({"object": "list", "data": rows})
        if request.path.startswith("/v1/models/"):
            name = request.path.removeprefix("/v1/models/")
            self._known(name)
            return json_response(self._row(name))
        url = f"Invalid URL ({request.method} {request.path})"
        return _error(404, url, "invalid_request_error")

    def _embeddings(self, request: Request) -> Response:
        """Embeddings, answered at once without the NPU. Raises RefusedError."""
        body = _read_object(request)
        self._known(body["model"])
        given = body.get("input")
        texts = [given] if isinstance(given, str) else given
        if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
            raise RefusedError(_invalid("Invalid 'input': it must be a text, or a list of texts."))
        packed = base64.b64encode(struct.pack("<2f", *VECTOR)).decode()
        vector = packed if body.get("encoding_format") == "base64" else list(VECTOR)
        rows = [{"object": "embedding", "index": n, "embedding": vector} for n in range(len(texts))]
        tokens = sum(count_tokens(text) for text in texts)
        usage = {"prompt_tokens": tokens, "total_tokens": tokens}
        found = {"object": "list", "data": rows, "model": body["model"], "usage": usage}
        return json_response(found)

    def _known(self, name: str) -> Profile:
        """The model with this name. Raises RefusedError."""
        if name in self._traits.names:
            return self._traits.names[name]
        message = f"The model `{name}` does not exist or you do not have access to it."
        raise RefusedError(_error(404, message, "invalid_request_error", "model_not_found"))

    def _row(self, name: str) -> dict[str, Any]:
        row = {"id": name, "object": "model", "created": 1795215251}
        return {**row, "owned_by": self._traits.owner}

    async def _chat(self, connection: Connection, request: Request) -> None:
        """Answer a chat request. Raises RefusedError."""
        generation, traits = self._generation, self._traits
        body = _read(request)
        messages = messages_of(body)
        text = last_user_text(messages)
        refusal = generation.refusal(generation.faults(text), REFUSALS)
        if refusal is not None:
            raise RefusedError(refusal)
        profile = self._known(body["model"])
        was_loaded = self._models.loaded is profile
        await self._models.switch(profile)
        options = body.get("stream_options")
        has_usage = isinstance(options, dict) and options.get("include_usage") is True
        is_reasoning = body.get("reasoning_effort") not in (None, "none")
        limit = body.get("max_completion_tokens", body.get("max_tokens"))
        prompt = Prompt(
            text=chatml(messages),
            last_user_text=text,
            max_tokens=positive(limit, CONTEXT_TOKENS),
            is_stream=body.get("stream") is True,
            is_thinking=is_reasoning,
            context_tokens=CONTEXT_TOKENS,
            is_prefill_abortable=True,
            sampling=sampling_of(body),
        )
        answer_id = f"chatcmpl-{generation.rng.getrandbits(96):024x}"
        job = generation.job(request, profile, prompt, answer_id, was_loaded)
        wire = _Wire(job, answer_id, body, has_usage=has_usage, is_words=traits.has_word_usage)
        await generation.serve(connection, wire, is_stream=prompt.is_stream, leaving=traits.leaving)


def _read_object(request: Request) -> dict[str, Any]:
    """The body of a request, with its ``model`` checked. Raises RefusedError."""
    body = read_object(request)
    if body is None:
        raise RefusedError(_invalid("We could not parse the JSON body of your request."))
    if not isinstance(body.get("model"), str) or not body["model"]:
        raise RefusedError(_invalid("you must provide a model parameter"))
    return body


def _read(request: Request) -> dict[str, Any]:
    """The body of a chat request, with model, messages and settings checked. Raises
    RefusedError."""
    body = _read_object(request)
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages:
        raise RefusedError(_invalid("Missing required parameter: 'messages'."))
    for name, low, high in (("temperature", 0, 2), ("top_p", 0, 1)):
        value = body.get(name)
        if value is not None and not (isinstance(value, int | float) and low <= value <= high):
            raise RefusedError(_invalid(f"Invalid '{name}': it must be from {low} to {high}."))
    return body


def _tool(body: dict[str, Any]) -> str | None:
    """The name of the tool that the request requires to be called, if any."""
    tools, choice = body.get("tools"), body.get("tool_choice")
    is_required = choice == "required" or isinstance(choice, dict)
    if not is_required or not isinstance(tools, list) or not tools:
        return None
    function = tools[0].get("function") if isinstance(tools[0], dict) else None
    name = function.get("name") if isinstance(function, dict) else None
    return name if isinstance(name, str) else None


_NAMES = {profile.name: profile for profile in PROFILES}
_REASONING = {REASONING: next(profile for profile in PROFILES if profile.has_thinking)}
_PLAIN = Traits("simulated", _NAMES | _REASONING, has_word_usage=False, leaving="aborts at once")
_FAMILY = Traits("rkllm", _NAMES, has_word_usage=True, leaving="runs on")

DIALECT = Dialect("openai", UVICORN, lambda generation: OpenAi(generation, _PLAIN))
FAMILY = Dialect("rkllm", UVICORN, lambda generation: OpenAi(generation, _FAMILY))
