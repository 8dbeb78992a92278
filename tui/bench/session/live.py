"""Folds the events of a run into what the bench screen shows of it."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import replace

from tui.bench.analysis.hardware import number
from tui.bench.model.conditions import Gate
from tui.bench.model.events import (
    Event,
    Finished,
    Forecast,
    GateSeen,
    Noted,
    Planned,
    Progressed,
    RequestEnded,
    RequestStarted,
    Sampled,
    StageChanged,
    Started,
    Summarised,
    TokensArrived,
    WarmupEnded,
)
from tui.bench.model.records import Request
from tui.bench.model.screen import (
    HardwareNow,
    LiveAnswer,
    LiveText,
    PlanRow,
    RunView,
    TimeLeft,
)
from tui.bench.session.rows import clean_gate, plan_row, stat_rows
from tui.core.text.sanitize import clean, clean_line

HISTORY = 120
RATES = 240
MAX_TEXT = 24_000
KEPT_TEXT = 16_000
MAX_NOTES = 40


class LiveRun:
    """One run as its events tell it. Not thread-safe: its owner holds a lock."""

    def __init__(
        self,
        earlier: Callable[[str], Iterable[Request]] = lambda folder: (),
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._earlier = earlier
        self._clock_s = clock_s
        self._view = RunView(stats=stat_rows({}))
        self._url = ""
        self._rows: dict[tuple[str, int], PlanRow] = {}
        self._gates: dict[str, Gate] = {}
        self._notes: deque[str] = deque(maxlen=MAX_NOTES)
        self._heat: deque[float | None] = deque(maxlen=HISTORY)
        self._ddr: deque[float | None] = deque(maxlen=HISTORY)
        self._rates: deque[float | None] = deque(maxlen=RATES)
        self._text = LiveText()
        self._has_text = False
        self._forecast_at_s: float | None = None
        self.has_failed = False

    @property
    def is_over(self) -> bool:
        return self._view.is_over

    @property
    def run_id(self) -> str:
        return self._view.run_id

    @property
    def folder(self) -> str:
        return self._view.folder

    @property
    def url(self) -> str:
        """Of the server; empty until it is found."""
        return self._url

    def asked_to_pause(self, *, is_asked: bool) -> None:
        """The pause that the user wants; the run obeys between two requests."""
        self._view = replace(self._view, is_pausing=is_asked and not self._view.is_paused)

    def retries(self, *, is_wanted: bool) -> None:
        self._view = replace(self._view, retries_after=is_wanted)

    def apply(self, event: Event) -> None:
        """Takes the next event."""
        if isinstance(event, Started):
            self._started(event)
        elif isinstance(event, TokensArrived):
            self._take_text(event)
        elif isinstance(event, StageChanged):
            self._stage(event)
        elif isinstance(event, GateSeen):
            gate = event.gate
            if event.request is not None and gate.ok:
                return
            self._gates[gate.id] = clean_gate(gate)
        elif isinstance(event, Noted):
            self._notes.append(clean_line(event.sentence, 300))
        elif isinstance(event, Sampled):
            self._sampled(event)
        elif isinstance(event, Finished):
            self._finished(event)
        else:
            self._request(event)

    def _request(self, event: Event) -> None:
        if isinstance(event, RequestStarted):
            self._request_started(event)
        elif isinstance(event, Progressed):
            self._progressed(event)
        elif isinstance(event, RequestEnded | WarmupEnded):
            self._request_ended(event)
        elif isinstance(event, Summarised):
            self._view = replace(self._view, stats=stat_rows(event.summary))
        elif isinstance(event, Forecast):
            self._forecast_at_s = self._clock_s()
            left = TimeLeft(
                event.elapsed_s, event.left_s, event.left_low_s, event.left_high_s, event.share
            )
            self._view = replace(self._view, time=left)

    def _started(self, event: Started) -> None:
        self._url = event.url
        self._rows = {(one.id, one.rep): _planned(one) for one in event.plan}
        if event.done:
            for request in self._earlier(event.folder):
                known = self._rows.get(request.key)
                if known is not None and request.is_scored:
                    self._rows[request.key] = plan_row(request, before=known)
        expected = [one.expected_s or 0.0 for one in event.plan]
        left = TimeLeft(0.0, sum(expected) if event.minutes is None else 60 * event.minutes)
        self._forecast_at_s = self._clock_s()
        self._view = replace(
            self._view,
            run_id=clean_line(event.run_id),
            folder=event.folder,
            suite=clean_line(event.suite, 60),
            title=clean_line(event.title, 80),
            model=clean_line(event.model, 60),
            server=clean_line(event.server, 60),
            is_simulated=event.is_simulated,
            seed=event.seed,
            planned=0 if event.minutes is not None else len(event.plan),
            time=left,
        )

    def _stage(self, event: StageChanged) -> None:
        is_paused = event.stage == "paused"
        self._view = replace(
            self._view,
            stage=event.stage,
            sentence=clean_line(event.sentence, 300),
            is_paused=is_paused,
            is_pausing=self._view.is_pausing and not is_paused,
        )

    def _request_started(self, event: RequestStarted) -> None:
        key = (event.id, event.rep)
        self._rates.clear()
        self._text = LiveText(serial=self._text.serial + 1)
        self._has_text = False
        name = clean_line(event.name or event.id, 80)
        self._view = replace(
            self._view,
            answer=LiveAnswer(
                name=name,
                number=event.number,
                planned=event.planned,
                is_warmup=event.is_warmup,
                phase="waiting",
                elapsed_s=0.0,
                tokens=0,
                is_estimated=False,
                cap=event.max_tokens,
            ),
        )
        if not event.is_warmup:
            known = self._rows.get(key) or PlanRow(
                clean_line(event.id, 80), event.rep, name, "running"
            )
            self._rows[key] = replace(known, state="running", word="", share=0.0)

    def _progressed(self, event: Progressed) -> None:
        answer = self._view.answer
        if answer is None:
            return
        if event.phase in ("thinking", "answering"):
            self._rates.append(event.rate_now_tps)
        self._view = replace(
            self._view,
            answer=replace(
                answer,
                phase=clean_line(event.phase, 20),
                elapsed_s=event.elapsed_s,
                tokens=event.tokens,
                is_estimated=event.tokens_source == "estimated",
                rate_now_tps=event.rate_now_tps,
                rate_tps=event.rate_tps,
                ttft_ms=event.ttft_ms,
                itl_p50_ms=event.itl_p50_ms,
                itl_p99_ms=event.itl_p99_ms,
                idle_s=event.idle_s,
                idle_limit_s=event.idle_limit_s,
                context_used=event.context_used,
                context_tokens=event.context_tokens,
            ),
        )
        key = (event.id, event.rep)
        row = self._rows.get(key)
        if row is not None and row.state == "running" and not answer.is_warmup:
            share = min(1.0, event.tokens / answer.cap) if answer.cap else None
            self._rows[key] = replace(row, share=share, tokens=event.tokens)

    def _take_text(self, event: TokensArrived) -> None:
        if event.text and not self._has_text:
            self._has_text = True
            if self._text.is_thinking:
                self._text = LiveText(serial=self._text.serial + 1)
        new = event.text if self._has_text else event.thinking
        if not new:
            return
        text, dropped = self._text.text + clean(new), self._text.dropped
        if len(text) > MAX_TEXT:
            dropped += len(text) - KEPT_TEXT
            text = text[-KEPT_TEXT:]
        self._text = LiveText(self._text.serial, text, dropped, not self._has_text)

    def _request_ended(self, event: RequestEnded | WarmupEnded) -> None:
        self._text = replace(self._text, is_over=True)
        if isinstance(event, WarmupEnded):
            return
        key = event.request.key
        self._rows[key] = plan_row(event.request, before=self._rows.get(key))

    def _sampled(self, event: Sampled) -> None:
        values = event.values
        loads: list[float | None] = []
        while f"npu.load.{len(loads)}" in values:
            loads.append(number(values, f"npu.load.{len(loads)}"))
        heat, ddr = number(values, "temp.max"), number(values, "ddr.load")
        self._heat.append(heat)
        self._ddr.append(ddr)
        throttle = values.get("throttle")
        self._view = replace(
            self._view,
            hardware=HardwareNow(
                npu_hz=number(values, "npu.freq"),
                npu_load_pct=tuple(loads),
                ddr_hz=number(values, "ddr.freq"),
                ddr_load_pct=ddr,
                temperature_c=heat,
                available_bytes=number(values, "ram.available"),
                server_bytes=number(values, "server.rss"),
                swap_bytes=number(values, "swap.used"),
                throttle=clean_line(throttle, 20) if isinstance(throttle, str) else None,
                power_w=number(values, "power.w"),
                own_cpu_pct=number(values, "npulse.cpu"),
            ),
        )

    def _finished(self, event: Finished) -> None:
        for key, row in self._rows.items():
            if row.state == "running":
                self._rows[key] = replace(row, state="skipped", word="cancelled")
        self._text = replace(self._text, is_over=True)
        share = 1.0 if event.outcome == "complete" else self._share_done()
        left = replace(self._view.time, elapsed_s=self._elapsed_s(), left_s=None, share=share)
        self._view = replace(
            self._view,
            outcome=event.outcome,
            outcome_sentence=clean_line(event.sentence, 400),
            run_id=self._view.run_id or clean_line(event.run_id),
            folder=self._view.folder or event.folder,
            time=left,
            is_paused=False,
            is_pausing=False,
        )

    def _share_done(self) -> float | None:
        """Of a run that ended early: by the requests that were answered, where they are counted."""
        if not self._view.planned:
            return self._view.time.share
        done = sum(row.state == "ok" for row in self._rows.values())
        return done / self._view.planned

    def _elapsed_s(self) -> float:
        """As the run told it last, and the time since."""
        told = self._view.time.elapsed_s
        if self._forecast_at_s is None or self._view.is_over:
            return told
        return told + max(0.0, self._clock_s() - self._forecast_at_s)

    def _plan(self, left_s: float | None) -> tuple[PlanRow, ...]:
        """The plan; what waits takes its share of the time that is left.

        The plan was priced before the first answer, the time left is priced with what the answers
        so far have taught.
        """
        rows = tuple(self._rows.values())
        priced = sum(
            (row.expected_s or 0.0) * (1 - (row.share or 0.0))
            for row in rows
            if row.state in ("waiting", "running")
        )
        if left_s is None or priced <= 0 or self._view.planned == 0:
            return rows
        factor = left_s / priced
        return tuple(
            replace(row, expected_s=row.expected_s * factor)
            if row.state == "waiting" and row.expected_s is not None
            else row
            for row in rows
        )

    def view(self) -> RunView:
        """The moment as it is now."""
        view = self._view
        passed = self._elapsed_s() - view.time.elapsed_s
        left = view.time
        if left.left_s is not None and passed > 0 and not view.is_over:
            left = replace(
                left,
                elapsed_s=left.elapsed_s + passed,
                left_s=max(0.0, left.left_s - passed),
                low_s=None if left.low_s is None else max(0.0, left.low_s - passed),
                high_s=None if left.high_s is None else max(0.0, left.high_s - passed),
            )
        answer, hardware = view.answer, view.hardware
        if answer is not None:
            answer = replace(answer, rates_tps=tuple(self._rates))
        if hardware is not None:
            hardware = replace(
                hardware,
                temperatures_c=tuple(self._heat),
                ddr_loads_pct=tuple(self._ddr),
            )
        return replace(
            view,
            time=left,
            answer=answer,
            hardware=hardware,
            text=self._text,
            plan=self._plan(left.left_s),
            gates=tuple(self._gates.values()),
            notes=tuple(self._notes),
        )


def _planned(one: Planned) -> PlanRow:
    return PlanRow(
        id=clean_line(one.id, 80),
        rep=one.rep,
        name=clean_line(one.name or one.id, 80),
        state="waiting",
        expected_s=one.expected_s,
    )
