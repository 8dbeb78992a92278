"""The simulated runtime: one NPU, one run at a time, each token at its scheduled time.

A run continues to its end after its client has left. Runs wait for the NPU in the order of arrival,
in a queue without a limit. :class:`Job` holds what differs between servers: whether there is a
prefix cache, whether one more token is generated and dropped at ``max_tokens``, and whether a run
can be aborted. A prompt that does not fit the context gives an empty answer.
"""

from __future__ import annotations

import asyncio
import gc
import math
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Protocol

from tui.sim.board.state import BoardMemo
from tui.sim.faults import SLOWER, Faults
from tui.sim.profiles import Profile, SimOptions
from tui.sim.runtime import answers
from tui.sim.runtime.models import Models
from tui.sim.runtime.sampling import IGNORED, Sampling
from tui.sim.runtime.schedule import Pace, pace_of, sleep_until
from tui.sim.runtime.simple_instructions import obeyed
from tui.sim.runtime.thinking import wrongly_marked
from tui.sim.runtime.tokens import count_tokens
from tui.sim.runtime.tour import Tour
from tui.sim.runtime.truth_log import TruthLog

TIMEOUT_TEXT = "Aborted inference by Timeout (300 seconds). Try again."
PREFILL_CHECK_S = 0.02
"""Interval of the check for an abort during prefill."""


@dataclass(frozen=True, slots=True)
class Job:
    """One request for an answer, as the runtime receives it."""

    number: int
    t_ns: int
    """Monotonic time at which the request had arrived."""
    profile: Profile
    prompt: str
    """The prompt with the marks of the chat template."""
    last_user_text: str
    max_tokens: int
    is_thinking: bool
    context_tokens: int
    faults: Faults
    is_prefix_cached: bool = False
    """Whether prefill skips a beginning that equals the previous prompt and its answer."""
    has_overrun: bool = False
    """Whether at ``max_tokens`` one more token is generated and dropped, and the statistics stay
    those of the previous run."""
    abort: asyncio.Event = field(default_factory=asyncio.Event)
    """Set it to end the run: at the next token, or after prefill."""
    is_prefill_abortable: bool = False
    sampling: Sampling = IGNORED


@dataclass(frozen=True, slots=True)
class Stats:
    """The runtime's statistics of a run."""

    prefill_tokens: int = 0
    prefill_ns: int = 0
    generated_tokens: int = 0
    generate_ns: int = 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended."""

    reason: str
    """stop, max_tokens, context, abort, error (prompt too long, or unloaded), or a fault's name."""
    text: str
    sent: int
    generated: int
    end_ns: int
    stats: Stats = field(default_factory=Stats)
    """The statistics that are reported: of this run unless a fault changes them."""


class Sink(Protocol):
    """Receiver of a run's tokens."""

    def begin(self) -> None:
        """Called when the run gets the NPU."""

    def prepare(self, text: str) -> object:
        """Make the bytes of a token, before the token is due."""

    def write(self, prepared: object) -> None:
        """Send the prepared bytes now."""

    @property
    def gone(self) -> asyncio.Event:
        """Set when the client has left."""


class Runtime:
    """The NPU with its queue."""

    def __init__(
        self, options: SimOptions, models: Models, memo: BoardMemo, truth: TruthLog
    ) -> None:
        self.stats = Stats()
        """Statistics of the last run; with ``has_overrun``, of the last that did not reach its
        ``max_tokens``."""
        self._options = options
        self._models = models
        self._memo = memo
        self._truth = truth
        self._npu = asyncio.Lock()
        self._tour = Tour() if options.has_tour else None
        self._cached = ""
        self._waiting = 0
        self._free_ns = 0
        """When the last run ended: a waiting run starts at this time."""

    async def run(self, job: Job, sink: Sink) -> Outcome:
        """Wait for the NPU, then generate. Returns after the last decode step."""
        unloads = self._models.unloads
        self._waiting += 1
        try:
            async with self._npu:
                start_ns = max(job.t_ns, self._free_ns)
                gc.disable()
                try:
                    return await self._generate(job, sink, start_ns, unloads)
                finally:
                    gc.enable()
                    self._memo.set_troubles(frozenset())
                    self._free_ns = time.perf_counter_ns()
                    if self._waiting == 1:
                        self._memo.set_activity("idle")
        finally:
            self._waiting -= 1

    async def _generate(self, job: Job, sink: Sink, start_ns: int, unloads: int) -> Outcome:
        options, faults = self._options, job.faults
        sink.begin()
        pace = pace_of(
            job.profile,
            speed=options.speed,
            decode_tps=options.decode_tps,
            prefill_tps=options.prefill_tps,
        )
        tokens = self._tokens(job)
        prompt_tokens = count_tokens(job.prompt)
        if prompt_tokens >= job.context_tokens or self._models.unloads != unloads:
            return Outcome("error", "", 0, 0, start_ns)
        is_cached = (
            job.is_prefix_cached and bool(self._cached) and job.prompt.startswith(self._cached)
        )
        fresh = job.prompt[len(self._cached) :] if is_cached else job.prompt
        prefill_tokens = max(1, count_tokens(fresh))
        self._memo.set_activity("prefill")
        now = self._memo.now
        factor = now.choices.prefill_factor * now.prefill_factor
        prefill_ns = pace.prefill_ns(prefill_tokens) * factor
        await self._prefill(job, round(start_ns + prefill_ns))
        if job.abort.is_set():
            return Outcome("abort", "", 0, 0, time.perf_counter_ns())
        self._truth.add(
            time.perf_counter_ns(),
            "prefill_end",
            job.number,
            prompt_tokens=prompt_tokens,
            prefill_tokens=prefill_tokens,
            start_ns=start_ns,
        )
        decode_ns = start_ns + prefill_ns + faults.slow_first * 1e9
        outcome = await self._decode(job, sink, tokens, pace, (decode_ns, prompt_tokens, unloads))
        self._cached = job.prompt + outcome.text
        generate_ns = outcome.end_ns - round(decode_ns)
        stats = Stats(prefill_tokens, round(prefill_ns), outcome.generated, generate_ns)
        told = Stats() if faults.zero_stats else self.stats if faults.stale_stats else stats
        if outcome.reason != "max_tokens" or not job.has_overrun:
            self.stats = stats
        return replace(outcome, stats=told)

    async def _prefill(self, job: Job, end_ns: int) -> None:
        """Wait for the end of prefill, or for an abort."""
        while job.is_prefill_abortable and not job.abort.is_set():
            left_s = (end_ns - time.perf_counter_ns()) / 1e9
            if left_s <= 2 * PREFILL_CHECK_S:
                break
            await asyncio.sleep(PREFILL_CHECK_S)
        if not (job.is_prefill_abortable and job.abort.is_set()):
            await sleep_until(end_ns)

    async def _decode(
        self,
        job: Job,
        sink: Sink,
        tokens: Iterator[str],
        pace: Pace,
        begin: tuple[float, int, int],
    ) -> Outcome:
        deadline_ns, context, unloads = begin
        sent: list[str] = []
        reason = "stop"
        for text in tokens:
            if fault := job.faults.ending_after(len(sent)):
                if fault == "stall":
                    await sink.gone.wait()
                return Outcome(fault, "".join(sent), len(sent), len(sent), time.perf_counter_ns())
            if len(sent) >= job.max_tokens:
                reason = "max_tokens"
                break
            if context >= job.context_tokens:
                reason = "context"
                break
            if job.abort.is_set():
                reason = "abort"
                break
            if self._models.unloads != unloads:
                reason = "error"
                break
            troubles = job.faults.troubles_at(len(sent))
            if troubles != self._memo.now.request_troubles:
                self._truth.add(
                    time.perf_counter_ns(), "trouble", job.number, names=sorted(troubles)
                )
                self._memo.set_troubles(troubles)
            prepared = sink.prepare(text)
            await sleep_until(round(deadline_ns))
            t_ns = time.perf_counter_ns()
            sink.write(prepared)
            written_ns = time.perf_counter_ns()
            sent.append(text)
            self._truth.add(
                t_ns, "token", job.number, n=len(sent), text=text, written_ns=written_ns
            )
            if len(sent) == 1:
                self._memo.set_activity("decode")
            context += 1
            slower = math.prod(SLOWER[name] for name in job.faults.troubles_at(len(sent)))
            slower *= self._memo.now.choices.decode_factor * self._memo.now.lasting_factor
            deadline_ns += pace.step_ns(context) * slower
        if reason in ("stop", "max_tokens"):  # one more step: the end mark, or the dropped token
            await sleep_until(round(deadline_ns))
        generated = len(sent) + (reason == "max_tokens" and job.has_overrun)
        return Outcome(reason, "".join(sent), len(sent), generated, time.perf_counter_ns())

    def _tokens(self, job: Job) -> Iterator[str]:
        if job.faults.empty:
            return iter(())
        if job.faults.timeout_text:
            return iter((TIMEOUT_TEXT,))
        wishes = answers.wishes_of(
            job.last_user_text,
            tokens=self._options.tokens,
            is_thinking=job.is_thinking or job.faults.think is not None,
        )
        seed, varied = self._options.seed, job.sampling.seed_of(job.number)
        # Without settings, the request number alone varies the answer; with them, so must the
        # model.
        model = f":{job.profile.name}" if job.sampling.values else ""
        rng = random.Random(f"{seed}:{varied}{model}:{job.prompt}")
        form = self._asked_form(job, rng) or self._tour_text(job, wishes)
        if form is not None:
            tokens = answers.in_form(rng, wishes, form)
        elif job.profile.is_looping:
            tokens = answers.loop_forever(rng, wishes)
        else:
            tokens = answers.compose(rng, wishes)
        return tokens if job.faults.think is None else wrongly_marked(tokens, job.faults.think)

    def _tour_text(self, job: Job, wishes: answers.Wishes) -> str | None:
        """The next text of the tour, for a prompt that asks for nothing else."""
        if self._tour is None or wishes.tokens is not None or wishes.shape != "mixed":
            return None
        now = self._memo.now
        is_slow = now.choices.decode_factor * now.lasting_factor > 1
        return self._tour.next_text(is_slow=is_slow, max_tokens=job.max_tokens)

    def _asked_form(self, job: Job, rng: random.Random) -> str | None:
        """An answer in the form that the prompt asks for, with the probability ``obey``; else
        None."""
        share = self._options.obey
        if share is None or rng.random() >= share:
            return None
        return obeyed(rng, job.prompt)
