"""Sends one chat request once the server takes it, and reads its stream until it is idle again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack, aclosing
from dataclasses import replace
from time import perf_counter_ns
from typing import Literal

import httpx

from tui.core.turn.read_times import ReadTimes
from tui.core.turn.turn import Turn
from tui.core.types import (
    ChatRequest,
    Delta,
    DoneDelta,
    FailureDelta,
    FinishDelta,
    RefusalDelta,
    TextDelta,
    ThinkingDelta,
    TurnError,
)
from tui.servers import errors
from tui.servers.address import shown_url
from tui.servers.backoff import Backoff, retry_after_s
from tui.servers.busy_light import NO_ANSWER_YET, busy_light, still_lists
from tui.servers.busy_wait import Busy, BusyWait
from tui.servers.client import Client, error_text
from tui.servers.content_coding import compression
from tui.servers.dialects.limits import problems
from tui.servers.loop_lag import LagProbe
from tui.servers.slot import Slot
from tui.servers.stamped_transport import arrival_of, departure_ns_of, has_more, pieces_of
from tui.servers.watchdog import Watchdog

LINGER_S = 1.0
"""How long the connection may stay open after the finish, for usage and an orderly end."""
LATE_HEAD_S = 1.0
"""A server that answers at once and did not within this time is at work on something else."""
TEXT_LINGER_S = 10.0
"""The same after a finish that came with a text: a server may write it into every chunk."""
TRUSTED_CHUNKS = 3
"""A finish that comes with a text after so many without one is no habit."""
MODEL_LOST_LIMIT_NS = 90 * 10**9
"""The server notices within a minute that the process of its model has ended."""
MAX_CONNECT_TRIES = 12
"""A full accept queue looks like a board that is off: it is not waited for any longer than this."""

TEXTS = (TextDelta, ThinkingDelta, RefusalDelta)


async def answer(
    client: Client,
    request: ChatRequest,
    turn: Turn,
    slot: Slot | None = None,
    in_use: Callable[[], str | None] = lambda: None,
) -> None:
    """Drives ``turn`` to its end. Raises nothing but CancelledError, which stops the turn.
    ``in_use`` as in :class:`StreamedRequest`."""
    exchange = StreamedRequest(client, request, turn, slot or Slot(), in_use=in_use)
    await exchange.run()


class StreamedRequest:
    """One answer. :meth:`run` returns when the server is idle again, the turn may end earlier.

    A server that is busy is waited for: where it says so (503, 429), where it does not take a
    connection, where its busy light is on, and while ``in_use`` gives a reason, as a clause, why
    nothing must be sent to it now. See :attr:`~tui.core.turn.turn.Turn.wait`.

    A stop ends the turn at once. Where the server's run would go on after a disconnect, the
    stream stays open and what still arrives is discarded, because its end is the only way to know
    when the server is idle again.
    """

    def __init__(
        self,
        client: Client,
        request: ChatRequest,
        turn: Turn,
        slot: Slot,
        *,
        in_use: Callable[[], str | None] = lambda: None,
        backoff: Backoff | None = None,
    ) -> None:
        self.turn = turn
        turn.note_model(request.model)
        self._in_use = in_use
        self._wait = BusyWait(turn, client.timeouts.busy_s, backoff)
        self._busy: Busy | None = None
        """What the last try ran into."""
        self._n_connect_tries = 0
        self._client = client
        self._request = request
        self._slot = slot
        self._decoder = client.dialect.decoder(request)
        self._times = ReadTimes()
        self._task: asyncio.Task[None] | None = None
        self._sent_ns: int | None = None
        self._stopped = asyncio.Event()
        self._n_chunks = 0
        self._is_accepted = False
        self._has_finish = False
        self._has_false_finish = False
        """Text came after a finish: this server's word for it says nothing."""
        self._has_failed = False
        self._closed_for: Literal["stop", "timeout"] | None = None

    @property
    def sent_ns(self) -> int | None:
        """When the first byte of the request was written; None before that."""
        return self._sent_ns

    async def run(self) -> None:
        """Waits for the slot, sends, reads. Raises nothing but CancelledError."""
        dialect = self._client.dialect
        refusals = problems(dialect.limits, self._request.settings, dialect.name)
        if refusals:
            self._fail(errors.refused_setting(refusals[0][1]))
            return
        try:
            if not await self._took_slot():
                return
            try:
                await self._send_until_taken()
            finally:
                self.close()
                self._slot.release()
        except asyncio.CancelledError:
            self.turn.stop(perf_counter_ns())
            raise

    async def _send_until_taken(self) -> None:
        while not self._is_stopped:
            self._busy = None if self._wait.is_hurried else await self._why_not_now()
            if self._wait.is_hurried:
                self._busy = None  # asked for while it was looked
            if self._busy is None and not self._is_stopped:
                self._decoder = self._client.dialect.decoder(self._request)
                self._task = asyncio.create_task(self._exchange(), name="npulse-exchange")
                # Not awaited directly: a cancellation of ours is a stop, not an error in there.
                await asyncio.wait((self._task,))
            busy = self._busy
            if busy is None or self._is_stopped:
                return
            self._sent_ns = None
            if not await self._wait.pause(busy):
                waited = errors.duration(round(self._wait.waited_s, 1))
                sentence = f"{busy.error.sentence} npulse waited {waited} for it."
                self.turn.fail(perf_counter_ns(), replace(busy.error, sentence=sentence))

    async def _why_not_now(self) -> Busy | None:
        """What says that the server works on something else; None where nothing does."""
        client = self._client
        reason = self._in_use()
        if reason is None and self._slot.model_lost_ns is not None:
            reason = await self._why_model_is_lost(self._slot.model_lost_ns)
        if reason is None:
            reason = await busy_light(client)
        if reason is None:
            return None
        return Busy(reason, TurnError("busy", f"{shown_url(client.url)} is busy: {reason}."))

    async def _why_model_is_lost(self, lost_ns: int) -> str | None:
        """A prompt to a model whose process has ended gets no answer for minutes, until the server
        has noticed it; after that the prompt loads the model again."""
        if perf_counter_ns() - lost_ns < MODEL_LOST_LIMIT_NS:
            name = self._request.model
            if await still_lists(self._client, name):
                return (
                    f"{self._client.dialect.name} lost its model with the answer that was stopped "
                    "and notices it within a minute"
                )
        self._slot.model_lost_ns = None
        self.turn.note_before_prefill("load")
        return None

    def send_now(self) -> None:
        """Do not wait for the server to be free, as far as that is ours to decide."""
        self._wait.hurry()

    def stop(self) -> None:
        """The user's stop: the turn ends now, the server when it can."""
        now_ns = perf_counter_ns()
        self.turn.stop(now_ns)
        self._stopped.set()
        self._wait.cancel()
        if self._client.dialect.is_stopped_by_disconnect or self._sent_ns is None:
            self.close()
        elif self._task is not None and not self._task.done():
            self._slot.finish(now_ns)

    @property
    def _is_stopped(self) -> bool:
        """Whoever made the turn may have stopped it before our :meth:`stop` was called."""
        return self._stopped.is_set() or self.turn.phase.is_over

    async def _took_slot(self) -> bool:
        """True once the slot is ours; False if the turn was stopped before."""
        while not self._is_stopped:
            waits = [
                asyncio.create_task(self._slot.wait_until_free()),
                asyncio.create_task(self._stopped.wait()),
            ]
            try:
                await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for wait in waits:
                    wait.cancel()
            # Another one that waited may have been quicker.
            if self._slot.state.is_free and not self._is_stopped:
                self._slot.take(perf_counter_ns(), self.close)
                return True
        return False

    def close(self) -> None:
        """Closes the connection, whatever the server does then; a turn that runs is stopped."""
        self._stopped.set()
        self._wait.cancel()
        self._cancel("stop")

    def _cancel(self, reason: Literal["stop", "timeout"]) -> None:
        if self._task is not None and not self._task.done():
            self._closed_for = self._closed_for or reason
            self._task.cancel()

    # -- the task that owns the connection -----------------------------------------------------

    async def _exchange(self) -> None:
        watchdog = Watchdog(lambda: self._cancel("timeout"))
        lag = LagProbe(self.turn.note_lag)
        try:
            await self._post(watchdog)
        except asyncio.CancelledError:
            # Nothing to pass on: only _cancel, or the end of the event loop, cancels this task.
            if self._client.dialect.is_model_lost_by_disconnect and self._sent_ns is not None:
                self._slot.model_lost_ns = None if self._has_finish else perf_counter_ns()
            self._was_cancelled()
        except httpx.HTTPError as error:
            self._broke(error)
        except Exception as error:  # noqa: BLE001  a failed answer must not end the dashboard
            self._fail(errors.internal(error))
        finally:
            watchdog.cancel()
            lag.stop()
            self.turn.tell_news()

    async def _post(self, watchdog: Watchdog) -> None:
        client = self._client
        body = client.dialect.chat_body(self._request)
        late: asyncio.TimerHandle | None = None

        def sent(t_ns: int) -> None:
            nonlocal late
            self._sent_ns = t_ns
            self.turn.sent(t_ns)
            watchdog.expire_in(client.timeouts.first_byte_s)
            if client.dialect.is_head_at_once and late is None:
                late = asyncio.get_running_loop().call_later(LATE_HEAD_S, self._head_is_late)

        async with AsyncExitStack() as stack:
            try:
                opened = client.stream(client.dialect.chat_path, body, sent)
                response = await stack.enter_async_context(opened)
            finally:
                if late is not None:
                    late.cancel()
            now_ns = perf_counter_ns()
            if not 200 <= response.status_code < 300:
                await self._refused(response)
                return
            coding = compression(response.headers.get("content-encoding", ""))
            if coding is not None:
                self._fail(errors.nonsense(client.url, f"a compressed answer ({coding})"))
                return
            self._is_accepted = True
            # Nearer to the write than the time taken before it: this thread may have been held up.
            written_ns = departure_ns_of(response)
            if written_ns is not None:
                self.turn.sent(written_ns)
            self.turn.accepted(now_ns)
            async with aclosing(pieces_of(response, lambda: self.turn.look_every_s)) as pieces:
                async for data in pieces:
                    arrival = arrival_of(response)
                    self.turn.note_clock(is_kernel=arrival.is_kernel)
                    self._take(arrival.t_ns, self._decoder.feed(data), watchdog)
                    if self._has_failed:
                        return
                    if not has_more(response):
                        self.turn.tell_news()
            self._ended()

    def _take(self, t_ns: int, deltas: list[Delta], watchdog: Watchdog | None = None) -> None:
        n_chunks = sum(1 for delta in deltas if isinstance(delta, TEXTS) and delta.text)
        self._n_chunks += n_chunks
        if self.turn.phase.is_over:
            self._slot.discard(n_chunks, t_ns)
        else:
            self._times.feed(self.turn, t_ns, deltas)
            self.turn.note_held(self._times.stamped(self._decoder.held()))
            self._has_failed = self._has_failed or self.turn.error is not None
        had_finish = self._has_finish
        is_done = False
        for delta in deltas:
            is_done = is_done or isinstance(delta, DoneDelta)
            self._has_failed = self._has_failed or isinstance(delta, FailureDelta)
            if isinstance(delta, FinishDelta | DoneDelta):
                self._has_finish = True
            elif isinstance(delta, TEXTS) and delta.text.strip() and self._has_finish:
                self._has_finish = False
                self._has_false_finish = True
        if self._decoder.nonsense is not None:
            self._has_failed = True
            self._fail(errors.nonsense(self._client.url, self._decoder.nonsense))
        if watchdog is None:
            return
        if is_done or (self._has_finish and not self._has_false_finish):
            # Once: whatever else arrives now is no reason to wait longer.
            if is_done or not had_finish:
                is_doubtful = bool(n_chunks) and self._n_chunks < TRUSTED_CHUNKS and not is_done
                watchdog.expire_in(TEXT_LINGER_S if is_doubtful else LINGER_S)
        elif self._n_chunks:
            watchdog.expire_in(self._client.timeouts.idle_s)

    def _ended(self, reason: str = "") -> None:
        """The body is over, in good order or not (``reason``)."""
        now_ns = perf_counter_ns()
        self._take(now_ns, self._decoder.close())
        if self._client.dialect.is_finished_by_end and not reason:
            self._take(now_ns, [FinishDelta("end")])
        if self._has_finish:
            self.turn.end_of_stream(now_ns)
        else:
            self._fail(errors.cut(self._client.url, self._n_chunks, reason))

    def _broke(self, error: httpx.HTTPError) -> None:
        if self._is_accepted:
            self._ended(str(error))
            return
        failure = errors.transport(error, self._client.url, self._client.timeouts.connect_s)
        if isinstance(error, httpx.ConnectTimeout):
            self._n_connect_tries += 1
            if self._n_connect_tries < MAX_CONNECT_TRIES:
                self._busy = Busy("the server accepts no connection", failure)
                return
        self._fail(failure)

    def _was_cancelled(self) -> None:
        if self._closed_for != "timeout":
            self.turn.stop(perf_counter_ns())
        elif self._has_finish:
            self.turn.end_of_stream(perf_counter_ns())
        elif self._n_chunks:
            idle_s = self._client.timeouts.idle_s
            self._fail(errors.stalled(self._client.url, self._n_chunks, idle_s))
        else:
            waited_s = self._client.timeouts.first_byte_s
            self._fail(errors.no_first_byte(self._client.url, waited_s))

    def _head_is_late(self) -> None:
        now_ns = perf_counter_ns()
        if "load" not in self.turn.stats(now_ns).ttft_includes:
            self.turn.note_before_prefill("queue")
        self.turn.note_wait(self._sent_ns or now_ns, NO_ANSWER_YET, is_sent=True)

    async def _refused(self, response: httpx.Response) -> None:
        status, kind = response.status_code, response.headers.get("content-type", "")
        said, retry_after = await error_text(response), response.headers.get("retry-after")
        error = errors.http_status(
            self._client.url + self._client.dialect.chat_path,
            status,
            kind,
            said,
            retry_after,
            response.headers.get("location"),
        )
        if status in errors.BUSY_STATUSES:
            reason = errors.busy_reason(status, kind, said)
            self._busy = Busy(reason, error, retry_after_s(retry_after))
            return
        is_refused = 400 <= status < 500
        self.turn.fail(perf_counter_ns(), error, is_refused=is_refused)

    def _fail(self, error: TurnError) -> None:
        self.turn.fail(perf_counter_ns(), error)
