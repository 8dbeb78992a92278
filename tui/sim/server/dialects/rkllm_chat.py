"""Rockchip's older demo server (here 1.2.3): ``POST /rkllm_chat``, port 8080.

The stream has one line of plain JSON per character, each with all deltas so far. Only the end of
the body marks the end of the answer. All settings are ignored, and the first message is the prompt.
A second request gets a 503, or during prefill of the first an empty answer.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

from tui.sim.runtime.runtime import Job, Outcome
from tui.sim.server.dialects.dialect import (
    WERKZEUG,
    Dialect,
    flask_json,
    flask_page,
    messages_of,
    read_object,
)
from tui.sim.server.generation import Generation, Prompt, Refusals
from tui.sim.server.http import FRAMING, Connection, HeadStyle, Request, Response
from tui.sim.server.wire import ERROR_TEXT, Wire

CHAT = "/rkllm_chat"
CONTEXT_TOKENS = 4096
_NO_USAGE = {"prompt_tokens": None, "completion_tokens": None, "total_tokens": None}

BUSY = flask_json(
    {"status": "error", "message": "RKLLM_Server is busy! Maybe you can try again later."}, 503
)
INVALID = flask_json({"status": "error", "message": "Invalid JSON data!"}, 400)
REFUSALS = Refusals(BUSY, INVALID)


class _Wire(Wire):
    opens = "with the first token"
    headers = [(b"Content-Type", b"text/plain")]
    comment = b"\n"

    def __init__(self, job: Job) -> None:
        super().__init__(job)
        self._deltas: list[str] = []
        self.has_begun = asyncio.Event()

    def _line(self, more: list[str]) -> bytes:
        choices = ", ".join(self._deltas + more)
        usage = json.dumps(_NO_USAGE)
        return (
            '{"id": "rkllm_chat", "object": "rkllm_chat", "created": null, '
            f'"choices": [{choices}], "usage": {usage}}}\n\n'
        ).encode()

    def empty(self) -> list[bytes]:
        return [self._line([_choice(content)]) for content in (None, "")]

    def token(self, text: str) -> list[bytes]:
        self.has_begun.set()
        lines = []
        for character in text:
            self._deltas.append(_choice(character))
            lines.append(self._line([]))
        return lines

    def ending(self, outcome: Outcome) -> list[bytes]:
        return []

    def failure(self) -> tuple[list[bytes], bool]:
        return [json.dumps({"status": "error", "message": ERROR_TEXT}).encode() + b"\n\n"], True

    def whole(self, outcome: Outcome) -> Response:
        message = {"role": "assistant", "content": outcome.text}
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
        return flask_json(
            {
                "id": "rkllm_chat",
                "object": "rkllm_chat",
                "created": None,
                "choices": [choice],
                "usage": _NO_USAGE,
            }
        )

    def whole_failure(self) -> Response:
        return flask_json({"status": "error", "message": ERROR_TEXT}, 500)


def _choice(content: str | None) -> str:
    delta: dict[str, Any] = {"role": "assistant", "content": content}
    return json.dumps({"index": 0, "delta": delta, "logprobs": None, "finish_reason": None})


class RkllmChat:
    """The server's single route."""

    def __init__(self, generation: Generation) -> None:
        self._generation = generation
        profile = generation.models.loaded
        assert profile is not None
        self._profile = profile
        self._running: _Wire | None = None

    async def answer(self, connection: Connection, request: Request) -> None:
        """Answer one request."""
        if request.path != CHAT:
            return await connection.respond(flask_page(404))
        if request.method != "POST":
            return await connection.respond(flask_page(405, b"OPTIONS, POST"))
        return await self._chat(connection, request)

    async def _chat(self, connection: Connection, request: Request) -> None:
        running, generation = self._running, self._generation
        if running is not None and running.has_begun.is_set():
            return await connection.respond(BUSY)
        body = read_object(request)
        if body is None:
            return await connection.respond(flask_page(400))
        if "messages" not in body:
            return await connection.respond(INVALID)
        messages, is_stream = messages_of(body), body.get("stream") is True
        if not messages or messages[0][0] != "user":
            nothing = {"id": "rkllm_chat", "object": "rkllm_chat", "choices": []}
            answer = flask_page(500) if is_stream else flask_json(nothing)
            return await connection.respond(answer)
        if running is not None:
            # During its prefill, the real server starts a second run, which has no output.
            return await connection.respond(Response(200, b"", b"text/plain"))
        text = messages[0][1]
        refusal = generation.refusal(generation.faults(text), REFUSALS)
        if refusal is not None:
            return await connection.respond(refusal)
        prompt = Prompt(
            text=text,
            last_user_text=text,
            max_tokens=CONTEXT_TOKENS,
            is_stream=is_stream,
            is_thinking=body.get("enable_thinking") is True,
            context_tokens=CONTEXT_TOKENS,
        )
        wire = _Wire(generation.job(request, self._profile, prompt, "rkllm_chat", was_loaded=True))
        self._running = wire
        run = await generation.serve(connection, wire, is_stream=is_stream, leaving="is left alone")
        if run.done():
            self._running = None
        else:
            run.add_done_callback(lambda _: self._forget(wire))
        return None

    def _forget(self, wire: _Wire) -> None:
        if self._running is wire:
            self._running = None


DIALECT = Dialect(
    "rkllm-chat",
    HeadStyle(WERKZEUG.before, ((b"Transfer-Encoding", FRAMING), *WERKZEUG.after), is_closing=True),
    RkllmChat,
)
