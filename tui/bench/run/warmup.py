"""Runs the stream probe, the warm-up requests and the filler calibration."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from tui.bench.model.conditions import Gate, StreamMode
from tui.bench.model.events import Configured, GateSeen, StageChanged, WarmupEnded
from tui.bench.model.suite import prompt_sha256
from tui.bench.run import preliminary_requests as preliminary
from tui.bench.run.plan import Task
from tui.bench.run.request_runner import RequestResult
from tui.bench.run.run_context import RunContext
from tui.bench.run.sender import RequestSender


class Warming:
    """Warms a server up. ``words``: wanted prompt tokens -> calibrated number of filler words."""

    def __init__(self, context: RunContext, sender: RequestSender) -> None:
        self._s = context
        self._sender = sender
        self.words: dict[int, int] = {}

    async def run(self, tasks: Iterable[Task]) -> bool:
        """Do all of it for these tasks. False if the server did not become idle, or after an
        abort."""
        kept = list(tasks)
        if not kept:
            return True
        self._s.ledger.emit(StageChanged(stage="probe", sentence="Testing if the server streams."))
        asked = await self._ask(preliminary.probe_task())
        if asked is None:
            return False
        await self._found(preliminary.stream_mode(asked))
        if self._s.options.has_warmup and not await self._warm_up():
            return False
        usage = asked.turn.usage
        is_counted = usage is not None and usage.source == "runtime" and bool(usage.tokens_in)
        wishes = dict.fromkeys(task.wanted_in for task in kept if task.wanted_in)
        for wanted in wishes if is_counted else ():
            if not await self._calibrate(wanted):
                return False
        return True

    async def _ask(self, task: Task) -> RequestResult | None:
        """Send a request outside the plan; None if the run has to end."""
        asked = await self._sender.send(
            task,
            task.prompt.text,
            segment=self._s.segment,
            sha=prompt_sha256(task.prompt.text),
            is_measured=False,
        )
        is_idle = await self._sender.is_idle_after(asked)
        return asked if is_idle and not self._s.controls.is_aborted else None

    async def _found(self, word: str) -> None:
        """Set the stream mode in the configuration, and emit it."""
        mode: StreamMode = msgspec.convert(word, StreamMode)
        self._s.is_buffered = mode == "buffered"
        self._s.config = msgspec.structs.replace(self._s.config, stream_mode=mode)
        sentence = {
            "buffered": (
                "The server sends each answer at once at its end: time to first token and gaps "
                "between tokens cannot be measured."
            ),
            "unknown": "The answer to the probe was too short to detect how the server streams.",
        }.get(mode, f"The server streams: one chunk is one {mode}.")
        is_ok = mode != "buffered"
        gate = Gate(
            id="stream",
            ok=is_ok,
            severity="ok" if is_ok else "warn",
            sentence=sentence,
            value=mode,
        )
        self._s.ledger.emit(Configured(config=self._s.config))
        self._s.ledger.emit(GateSeen(gate=gate))
        await self._s.ledger.flush()

    async def _warm_up(self) -> bool:
        """Send warm-up requests until two successive rates agree, at most five."""
        rates: list[float | None] = []
        for number in range(preliminary.WARM_MAX):
            sentence = f"Warm-up {number + 1}, at most {preliminary.WARM_MAX}."
            self._s.ledger.emit(StageChanged(stage="warm-up", sentence=sentence))
            task = preliminary.warm_task(number)
            asked = await self._ask(task)
            if asked is None:
                return False
            sha = prompt_sha256(task.prompt.text)
            request = self._sender.record(task, asked, segment=self._s.segment, sha=sha)
            self._s.speed.learn(request)
            self._s.ledger.emit(WarmupEnded(request=request))
            rates.append(request.m.get("decode_tps_cl") or request.m.get("decode_tps_est"))
            if self._s.is_buffered or not request.is_scored or preliminary.is_warm(rates):
                break
        return True

    async def _calibrate(self, wanted: int) -> bool:
        """Find the number of words for that many prompt tokens, if the server counts them. False:
        abort."""
        calibration = preliminary.Calibration(wanted)
        while not calibration.is_done:
            sentence = f"Finding the number of words for {wanted} tokens."
            self._s.ledger.emit(StageChanged(stage="calibrate", sentence=sentence))
            task = preliminary.calibration_task(wanted, calibration.words, calibration.tries)
            asked = await self._ask(task)
            if asked is None:
                return False
            usage = asked.turn.usage
            if usage is None or usage.source != "runtime" or not usage.tokens_in:
                return True
            calibration.learn(usage.tokens_in)
        self.words[wanted] = calibration.words
        self._s.ledger.note(f"{calibration.words} filler words make {wanted} prompt tokens")
        return True
