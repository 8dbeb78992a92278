"""The routes that generate: OpenAI chat and text completions, Ollama chat and generate."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from typing import Any

from tui.sim.runtime.models import Models
from tui.sim.runtime.profiles import SimOptions
from tui.sim.runtime.runtime import Job, Outcome, Runtime
from tui.sim.runtime.schedule import sleep_until
from tui.sim.runtime.tokens import count_tokens
from tui.sim.runtime.truth import TruthLog
from tui.sim.server.http import HTML_TYPE, Connection, Request, Response, json_response
from tui.sim.server.schema import ChatBody, parse_chat, parse_completion, parse_ollama
from tui.sim.server.stream import EventStream, Silence

POLL_MS = (35.0, 51.0)
"""The server looks for the end of a run every 50 ms: its finish chunk comes this much later."""

ERROR_PAGE = (
    b"<!DOCTYPE html>\n<html><head><title>500 Internal Server Error</title></head>"
    b"<body><h1>Internal Server Error</h1><p>A simulated fault.</p></body></html>\n"
)


@dataclass(frozen=True, slots=True)
class _Route:
    parse: Callable[[str | None, bytes], ChatBody]
    template: Callable[[ChatBody], str]
    prefix: str
    """Of the identifier of an answer."""


def chatml(body: ChatBody) -> str:
    """The prompt as the model gets it; messages of the role ``tool`` are dropped silently."""
    turns = "".join(
        f"<|im_start|>{role}\n{text}<|im_end|>\n" for role, text in body.messages if role != "tool"
    )
    return turns + "<|im_start|>assistant\n"


def dialogue(body: ChatBody) -> str:
    """The prompt of the Ollama chat route, which knows no ChatML."""
    names = {"system": "System", "user": "User", "assistant": "Assistant"}
    lines = [f"{names[role]}: {text}" for role, text in body.messages if role in names]
    return "\n".join([*lines, "Assistant:"])


ROUTES: dict[str, _Route] = {
    "/v1/chat/completions": _Route(parse_chat, chatml, "chatcmpl"),
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


class Generation:
    """Answers requests for answers."""

    def __init__(
        self, options: SimOptions, models: Models, runtime: Runtime, truth: TruthLog
    ) -> None:
        self._options = options
        self._models = models
        self._runtime = runtime
        self._truth = truth
        self._numbers = count(1)
        self._rng = random.Random(f"{options.seed}:server")
        self._runs: set[asyncio.Task[Outcome]] = set()

    async def answer(self, connection: Connection, request: Request) -> None:
        """Generate. Raises :class:`tui.sim.server.schema.InvalidError`."""
        route = ROUTES[request.path]
        body = route.parse(request.content_type, request.body)
        faults = self._options.faults
        if faults.busy:
            detail = {"detail": "Server is busy (a simulated fault)"}
            return await connection.respond(json_response(detail, 503))
        if faults.html_error:
            return await connection.respond(Response(500, ERROR_PAGE, HTML_TYPE))
        profile, was_loaded = await self._models.ensure(body.model)
        prompt = route.template(body)
        job = Job(
            number=next(self._numbers),
            t_ns=request.t_ns if was_loaded else time.perf_counter_ns(),
            profile=profile,
            prompt=prompt,
            last_user_text=body.last_user_text,
            max_tokens=body.max_tokens,
            is_thinking=body.is_thinking and profile.has_thinking,
        )
        answer_id = f"{route.prefix}-{self._rng.getrandbits(48):012x}"
        self._truth.add(
            request.t_ns,
            "request",
            job.number,
            route=request.path,
            id=answer_id,
            prompt_tokens=count_tokens(prompt),
            max_tokens=body.max_tokens,
            stream=body.is_stream,
        )
        watch = asyncio.create_task(self._watch(connection, job.number))
        try:
            if body.is_stream:
                await self._stream(connection, request.path, body, job, answer_id)
            else:
                await self._whole(connection, request.path, body, job, answer_id)
        finally:
            watch.cancel()
        return None

    async def _watch(self, connection: Connection, number: int) -> None:
        await connection.gone.wait()
        self._truth.add(time.perf_counter_ns(), "disconnect", number)

    def _start(self, job: Job, sink: EventStream | Silence) -> asyncio.Task[Outcome]:
        """Start a run of its own, which lives on when its client has left."""
        run = asyncio.create_task(self._runtime.run(job, sink))
        self._runs.add(run)
        run.add_done_callback(self._runs.discard)
        return run

    async def _stream(
        self, connection: Connection, path: str, body: ChatBody, job: Job, answer_id: str
    ) -> None:
        is_chat = path == "/v1/chat/completions"
        envelope = {
            "id": answer_id,
            "object": "chat.completion.chunk" if is_chat else "text_completion",
            "created": int(time.time()),
            "model": body.model,
        }
        sink = EventStream(
            connection, envelope, is_chat=is_chat, faults=self._options.faults, rng=self._rng
        )
        connection.open_stream()
        outcome = await self._start(job, sink)
        if outcome.reason in ("cut", "stall"):
            sink.release()
            self._note_finish(job, outcome)
            await connection.close()
            return
        if outcome.reason == "error" and self._options.faults.error is not None:
            ending = sink.fail("the simulated runtime reported an error (a simulated fault)")
            sink.release()
            self._note_finish(job, outcome)
            sink.write(ending)
            sink.release()
            return
        is_cut_off = outcome.reason == "max_tokens"
        reason = "length" if is_cut_off and not is_chat else "stop"
        usage = {**_words(job.prompt, outcome.text), "cached_prompts": None, "cache_hit": False}
        ending = sink.finish(reason, usage)
        poll_ns = self._rng.uniform(*POLL_MS) * 1e6 / self._options.speed
        await sleep_until(outcome.end_ns + round(poll_ns))
        t_ns = time.perf_counter_ns()
        sink.write(ending)
        self._note_finish(job, outcome, t_ns)
        sink.write(sink.done())
        sink.release()

    async def _whole(
        self, connection: Connection, path: str, body: ChatBody, job: Job, answer_id: str
    ) -> None:
        outcome = await self._start(job, Silence(connection))
        if outcome.reason in ("cut", "stall"):
            self._note_finish(job, outcome)
            await connection.close()
            return
        if path.startswith("/api/"):
            value = self._ollama(path, body, outcome)
        else:
            value = _openai(path, body, job, outcome, answer_id)
        if outcome.reason == "error" and self._options.faults.error is not None:
            detail = {"detail": "the simulated runtime reported an error (a simulated fault)"}
            response = json_response(detail, 500)
        else:
            response = json_response(value)
        self._note_finish(job, outcome)
        await connection.respond(response)

    def _note_finish(self, job: Job, outcome: Outcome, t_ns: int | None = None) -> None:
        """Note the end and write the truth out: what the client sees next is the end."""
        self._truth.add(
            t_ns or time.perf_counter_ns(),
            "finish",
            job.number,
            reason=outcome.reason,
            tokens=outcome.sent,
            generated=outcome.generated,
            end_ns=outcome.end_ns,
        )
        self._truth.flush()

    def _ollama(self, path: str, body: ChatBody, outcome: Outcome) -> dict[str, Any]:
        """True counts and nanoseconds, but of the run before when ``num_predict`` was hit."""
        stats = self._runtime.stats
        if path == "/api/chat":
            message = {"role": "assistant", "content": outcome.text, "name": None}
            content: dict[str, Any] = {"message": message}
        else:
            content = {"response": outcome.text}
        return {
            "model": body.model,
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


def _openai(
    path: str, body: ChatBody, job: Job, outcome: Outcome, answer_id: str
) -> dict[str, Any]:
    is_chat = path == "/v1/chat/completions"
    if is_chat:
        message = {"role": "assistant", "content": outcome.text, "name": None}
        choice: dict[str, Any] = {"index": 0, "message": message, "finish_reason": "stop"}
    else:
        choice = {"text": outcome.text, "index": 0, "finish_reason": "stop"}
    return {
        "id": answer_id,
        "object": "chat.completion" if is_chat else "text_completion",
        "created": int(time.time()),
        "model": body.model,
        "choices": [choice],
        "usage": {**_words(job.prompt, outcome.text), "cached_prompts": None, "cache_hit": False},
    }


def _words(prompt: str, text: str) -> dict[str, int]:
    """The server's usage: words between white space, called tokens."""
    words_in, words_out = len(prompt.split()), len(text.split())
    return {
        "prompt_tokens": words_in,
        "completion_tokens": words_out,
        "total_tokens": words_in + words_out,
    }
