"""Generation of an answer, common to all simulated servers: start, stream, end."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from itertools import count
from typing import Literal

from tui.sim.faults import Faults, with_marks
from tui.sim.profiles import Profile, SimOptions
from tui.sim.runtime.models import Models
from tui.sim.runtime.runtime import Job, Outcome, Runtime
from tui.sim.runtime.sampling import IGNORED, Sampling
from tui.sim.runtime.schedule import sleep_until
from tui.sim.runtime.tokens import count_tokens
from tui.sim.runtime.truth_log import TruthLog
from tui.sim.server.http import HTML_TYPE, Connection, Request, Response
from tui.sim.server.stream import AnswerStream, Silence
from tui.sim.server.wire import Wire

ERROR_PAGE = (
    b"<!DOCTYPE html>\n<html><head><title>500 Internal Server Error</title></head>"
    b"<body><h1>Internal Server Error</h1><p>A simulated fault.</p></body></html>\n"
)
START_PAGE = (
    b"<!DOCTYPE html>\n<html><head><title>A simulated web page</title></head>"
    b'<body><div id="root"></div></body></html>\n'
)

Leaving = Literal["runs on", "aborts", "aborts at once", "is left alone"]
"""A server's reaction to a client that has left: the run goes on; it is aborted at the next write;
it is aborted at once; it goes on, and the server takes the next request once it has noticed."""


@dataclass(frozen=True, slots=True)
class Refusals:
    """A server's responses for the faults ``busy`` and ``json-error``."""

    busy: Response
    error: Response


@dataclass(frozen=True, slots=True)
class Prompt:
    """A request for an answer, after the server has parsed it. Fields as in :class:`Job`."""

    text: str
    """The prompt as the model gets it."""
    last_user_text: str
    max_tokens: int
    is_stream: bool
    is_thinking: bool
    context_tokens: int
    is_prefix_cached: bool = False
    has_overrun: bool = False
    is_prefill_abortable: bool = False
    sampling: Sampling = IGNORED


class Generation:
    """Runs the requests for answers of one simulated server."""

    def __init__(
        self, options: SimOptions, models: Models, runtime: Runtime, truth: TruthLog
    ) -> None:
        self.options = options
        self.models = models
        self.rng = random.Random(f"{options.seed}:server")
        self.runtime = runtime
        self._truth = truth
        self._numbers = count(1)
        self._runs: set[asyncio.Task[Outcome]] = set()

    def faults(self, last_user_text: str) -> Faults:
        """The faults for the answer to this message."""
        return with_marks(self.options.faults, last_user_text)

    def refusal(self, faults: Faults, refusals: Refusals) -> Response | None:
        """The response of a fault that prevents generation; None without one."""
        if faults.busy:
            return refusals.busy
        if faults.json_error:
            return refusals.error
        if faults.html_error:
            return Response(500, ERROR_PAGE, HTML_TYPE)
        return Response(200, START_PAGE, HTML_TYPE) if faults.html_page else None

    def job(
        self, request: Request, profile: Profile, prompt: Prompt, answer_id: str, was_loaded: bool
    ) -> Job:
        """Make the job of a request, and write the request to the truth log."""
        number = next(self._numbers)
        self._truth.add(
            request.t_ns,
            "request",
            number,
            route=request.path,
            id=answer_id,
            prompt=prompt.text,
            prompt_tokens=count_tokens(prompt.text),
            max_tokens=prompt.max_tokens,
            stream=prompt.is_stream,
        )
        return Job(
            number=number,
            t_ns=request.t_ns if was_loaded else time.perf_counter_ns(),
            profile=profile,
            prompt=prompt.text,
            last_user_text=prompt.last_user_text,
            max_tokens=prompt.max_tokens,
            is_thinking=prompt.is_thinking and profile.has_thinking,
            context_tokens=prompt.context_tokens,
            faults=self.faults(prompt.last_user_text),
            is_prefix_cached=prompt.is_prefix_cached,
            has_overrun=prompt.has_overrun,
            is_prefill_abortable=prompt.is_prefill_abortable,
            sampling=prompt.sampling,
        )

    async def serve(
        self,
        connection: Connection,
        wire: Wire,
        *,
        is_stream: bool,
        leaving: Leaving = "runs on",
        queue_s: float | None = None,
        too_late: Callable[[], Awaitable[None]] | None = None,
    ) -> asyncio.Task[Outcome]:
        """Answer in the format of ``wire``. Returns the run, which may go on after its client left.

        ``too_late`` sends the answer instead if the NPU was not free within ``queue_s``.
        """
        watch = asyncio.create_task(self._watch(connection, wire.job.number))
        sink: AnswerStream | Silence
        if is_stream and not wire.job.faults.whole:
            sink = AnswerStream(connection, wire, self.rng, self.options.speed)
        else:
            sink = Silence(connection)
        run = self._start(wire.job, sink)
        tasks = [watch]
        if leaving in ("aborts", "aborts at once"):
            gone = connection.gone if leaving == "aborts at once" else sink.left
            tasks.append(asyncio.create_task(_abort_after(gone, wire.job)))
        try:
            if queue_s is not None and too_late is not None:
                begun = asyncio.create_task(sink.begun.wait())
                await asyncio.wait((begun, run), timeout=queue_s / self.options.speed)
                begun.cancel()
                if not sink.begun.is_set() and not run.done():
                    run.cancel()
                    await too_late()
                    return run
            if leaving == "is left alone":
                left = asyncio.create_task(sink.left.wait())
                await asyncio.wait((left, run), return_when=asyncio.FIRST_COMPLETED)
                left.cancel()
                if not run.done():
                    run.add_done_callback(lambda ended: self._note_alone(wire.job, ended))
                    return run
            outcome = await run
            if isinstance(sink, AnswerStream):
                await self._end_stream(connection, sink, wire, outcome)
            else:
                await self._end_whole(connection, wire, outcome)
        finally:
            if isinstance(sink, AnswerStream):
                sink.close()
            for task in tasks:
                task.cancel()
        return run

    def _note_alone(self, job: Job, ended: asyncio.Task[Outcome]) -> None:
        if not ended.cancelled():
            self._note_finish(job, ended.result())

    async def _watch(self, connection: Connection, number: int) -> None:
        await connection.gone.wait()
        self._truth.add(time.perf_counter_ns(), "disconnect", number)

    def _start(self, job: Job, sink: AnswerStream | Silence) -> asyncio.Task[Outcome]:
        """Start the run as a task of its own, which continues when its client has left."""
        run = asyncio.create_task(self.runtime.run(job, sink))
        self._runs.add(run)
        run.add_done_callback(self._runs.discard)
        return run

    async def _end_stream(
        self, connection: Connection, sink: AnswerStream, wire: Wire, outcome: Outcome
    ) -> None:
        sink.open()
        sink.close()
        if outcome.reason in ("cut", "stall"):
            sink.release()
            self._note_finish(wire.job, outcome)
            await connection.close()
            return
        if outcome.reason in ("eof", "error") and wire.job.faults.ending_after(outcome.sent):
            frames, is_orderly = wire.failure() if outcome.reason == "error" else ([], True)
            sink.add(frames)
            self._note_finish(wire.job, outcome)
            if is_orderly:
                sink.finish()
            else:
                sink.release()
                await connection.close()
            return
        for frame in wire.replay(outcome):
            await asyncio.sleep(wire.replay_pause_s / self.options.speed)
            sink.add([frame])
        low_ms, high_ms = wire.poll_ms
        ending = wire.ending(outcome)
        poll_ns = self.rng.uniform(low_ms, high_ms) * 1e6 / self.options.speed
        if poll_ns:
            await sleep_until(outcome.end_ns + round(poll_ns))
        self._note_finish(wire.job, outcome, time.perf_counter_ns())
        sink.add(ending)
        if not wire.job.faults.no_done:
            sink.add(wire.done())
        sink.finish()

    async def _end_whole(self, connection: Connection, wire: Wire, outcome: Outcome) -> None:
        if outcome.reason in ("cut", "stall"):
            self._note_finish(wire.job, outcome)
            await connection.close()
            return
        has_failed = outcome.reason == "error" and wire.job.faults.error is not None
        response = wire.whole_failure() if has_failed else wire.whole(outcome)
        self._note_finish(wire.job, outcome)
        await connection.respond(response)

    def _note_finish(self, job: Job, outcome: Outcome, t_ns: int | None = None) -> None:
        """Write the end to the truth log and flush it, before the client sees the end."""
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


async def _abort_after(event: asyncio.Event, job: Job) -> None:
    await event.wait()
    job.abort.set()
