"""State of a running benchmark, accumulated from its events."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import replace

import msgspec

from tui.bench.model.conditions import Gate
from tui.bench.model.events import (
    BoardSeen,
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
from tui.bench.model.screen import LiveAnswer, LiveBoard, LiveText, PlanItem, RunView
from tui.bench.session.live_boards import LiveBoards
from tui.bench.session.sanitized import cleaned
from tui.bench.store.active_run import is_same_machine
from tui.core.text.sanitize import clean

HISTORY = 120
RATES = 240
MAX_TEXT = 24_000
KEPT_TEXT = 16_000
MAX_NOTES = 40


class LiveRun:
    """Accumulates the events of one run. Not thread-safe: its owner holds a lock."""

    def __init__(
        self,
        clock_s: Callable[[], float] = time.monotonic,
        *,
        is_of_boards: bool = False,
    ) -> None:
        self._clock_s = clock_s
        self._view = RunView(is_of_boards=is_of_boards)
        self._boards = LiveBoards()
        self.folder = ""
        """The run's folder, not sanitised; empty until it has one."""
        self.url = ""
        """The server's URL, not sanitised; empty until it is known."""
        self._plan: dict[tuple[str, int], PlanItem] = {}
        self._gates: dict[str, Gate] = {}
        self._notes: deque[str] = deque(maxlen=MAX_NOTES)
        self._temperatures_c: deque[float | None] = deque(maxlen=HISTORY)
        self._ddr_loads_pct: deque[float | None] = deque(maxlen=HISTORY)
        self._rates_tps: deque[float | None] = deque(maxlen=RATES)
        self._text = LiveText()
        self._has_text = False
        self._forecast_at_s = clock_s()

    @property
    def is_over(self) -> bool:
        return self._view.is_over

    @property
    def is_of_boards(self) -> bool:
        """Whether its prompts are distributed to many boards."""
        return self._view.is_of_boards

    def is_at(self, url: str, board: str | None) -> bool:
        """Whether the run uses the machine of the server at ``url``, or one of its boards is
        ``board``, the value of ``--board`` for that machine."""
        if not self.is_of_boards:
            return is_same_machine(self.url, url)
        return board is not None and self._boards.is_working(board)

    def asked_to_pause(self, *, is_asked: bool) -> None:
        """Note that a pause was requested or cancelled; it begins between two requests."""
        self._view = replace(self._view, is_pausing=is_asked and not self._view.is_paused)

    def retries(self, *, is_wanted: bool) -> None:
        self._view = replace(self._view, retries_after=is_wanted)

    def apply(self, event: Event, earlier: Iterable[Request] = ()) -> None:
        """Process the next event. ``earlier``: with :class:`Started` of a resumed run, the
        requests of its folder."""
        if isinstance(event, TokensArrived):
            self._take_text(event)
        elif isinstance(event, Started):
            self._started(event, earlier)
        elif isinstance(event, StageChanged):
            is_pausing = self._view.is_pausing and event.stage != "paused"
            self._view = replace(self._view, stage=cleaned(event), is_pausing=is_pausing)
        elif isinstance(event, GateSeen):
            gate = event.gate
            if self.is_of_boards and event.request is None:
                # Its sentence names the board; before a request there is one for each of them.
                self._gates[f"{gate.id} {gate.sentence}"] = cleaned(gate)
            elif not self.is_of_boards and (event.request is None or not gate.ok):
                self._gates[gate.id] = cleaned(gate)
        elif isinstance(event, Noted):
            self._notes.append(cleaned(event.sentence))
        elif isinstance(event, Sampled):
            self._sampled(event)
        elif isinstance(event, BoardSeen):
            self._board_seen(event)
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
            self._view = replace(self._view, summary=cleaned(event.summary))
        elif isinstance(event, Forecast):
            self._forecast_at_s = self._clock_s()
            self._view = replace(self._view, time=event)

    def _started(self, event: Started, earlier: Iterable[Request]) -> None:
        self.folder, self.url = event.folder, event.url
        self._plan = {(one.id, one.rep): PlanItem(cleaned(one)) for one in event.plan}
        for request in earlier:
            if request.key in self._plan and request.is_scored:
                self._end(request, is_of_before=True)
        expected_s = sum(one.expected_s or 0.0 for one in event.plan)
        left_s = expected_s if event.minutes is None else 60 * event.minutes
        self._forecast_at_s = self._clock_s()
        # The plan is in the items already.
        shown = cleaned(msgspec.structs.replace(event, plan=()))
        self._view = replace(self._view, started=shown, time=_forecast(0.0, left_s))

    def _board_seen(self, event: BoardSeen) -> None:
        lost = self._boards.seen(event, self._elapsed_s())
        item = None if lost is None else self._plan.get(lost)
        if lost is not None and item is not None and item.state == "running":
            self._plan[lost] = replace(item, state="waiting", share=None)

    def _request_started(self, event: RequestStarted) -> None:
        # The prompt is not shown, and may be long.
        shown = cleaned(msgspec.structs.replace(event, prompt="", system=""))
        key = (event.id, event.rep)
        if event.board:
            self._boards.asked(key, shown, self._elapsed_s())
        else:
            self._rates_tps.clear()
            self._text = LiveText(serial=self._text.serial + 1)
            self._has_text = False
            self._view = replace(self._view, answer=LiveAnswer(shown))
        if event.is_warmup:
            return
        known = self._plan.get(key) or PlanItem(
            Planned(
                id=shown.id,
                rep=shown.rep,
                name=shown.name,
                group="",
                max_tokens=shown.max_tokens,
            )
        )
        self._plan[key] = replace(
            known, state="running", share=0.0, request=None, board=shown.board
        )

    def _progressed(self, event: Progressed) -> None:
        answer = self._view.answer
        if answer is None:
            return
        if event.phase in ("thinking", "answering"):
            self._rates_tps.append(event.rate_now_tps)
        self._view = replace(self._view, answer=replace(answer, progress=cleaned(event)))
        key, cap = (event.id, event.rep), answer.started.max_tokens
        item = self._plan.get(key)
        if item is not None and item.state == "running" and not answer.started.is_warmup:
            share = min(1.0, event.tokens / cap) if cap else None
            self._plan[key] = replace(item, share=share)

    def _take_text(self, event: TokensArrived) -> None:
        if self.is_of_boards:
            # It comes with the end of an answer, and several boards answer.
            return
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
        if isinstance(event, RequestEnded):
            self._end(event.request)

    def _end(self, request: Request, *, is_of_before: bool = False) -> None:
        shown = cleaned(request)
        self._boards.ended(request.key, shown, is_of_before=is_of_before)
        known = self._plan.get(request.key)
        planned = known.planned if known is not None else _planned(shown)
        self._plan[request.key] = PlanItem(planned, request.outcome, request=shown)

    def _sampled(self, event: Sampled) -> None:
        self._temperatures_c.append(event.number("temp.max"))
        self._ddr_loads_pct.append(event.number("ddr.load"))
        self._view = replace(self._view, board=LiveBoard(cleaned(event)))

    def _finished(self, event: Finished) -> None:
        for key, item in self._plan.items():
            if item.state == "running":
                self._plan[key] = replace(item, state="skipped")
        self._text = replace(self._text, is_over=True)
        self._boards.close()
        elapsed_s = self._elapsed_s()
        share = 1.0 if event.outcome == "complete" else self._share_done()
        self.folder = self.folder or event.folder
        self._view = replace(
            self._view,
            finished=cleaned(event),
            time=_forecast(elapsed_s, 0.0, share),
            is_pausing=False,
        )

    def _share_done(self) -> float:
        """The completed share of a run that ended early: answered by planned requests, if known."""
        view = self.view()
        if not view.planned:
            return 0.0 if view.time is None else view.time.share
        return view.count("ok") / view.planned

    def _elapsed_s(self) -> float:
        """The elapsed time by the last forecast, plus the time since."""
        told = self._view.time
        if told is None or self._view.is_over:
            return 0.0 if told is None else told.elapsed_s
        return told.elapsed_s + max(0.0, self._clock_s() - self._forecast_at_s)

    def _time(self) -> Forecast | None:
        """The last forecast, advanced by the time since."""
        told = self._view.time
        if told is None or self._view.is_over:
            return told
        passed_s = self._elapsed_s() - told.elapsed_s
        left_s, low_s, high_s, most_s = (
            max(0.0, value - passed_s)
            for value in (told.left_s, told.left_low_s, told.left_high_s, told.left_most_s)
        )
        return msgspec.structs.replace(
            told,
            elapsed_s=told.elapsed_s + passed_s,
            left_s=left_s,
            left_low_s=low_s,
            left_high_s=high_s,
            left_most_s=most_s,
        )

    def _items(self, left_s: float | None) -> tuple[PlanItem, ...]:
        """The plan, with the expected times of waiting requests scaled to the remaining time.

        The plan's times are from before the first answer; the remaining time uses the rates of the
        answers so far.
        """
        items = tuple(self._plan.values())
        if left_s is not None:
            # Boards share the time that is left, not the time of one request.
            left_s *= max(1, self._boards.working)
        priced_s = sum(
            (item.planned.expected_s or 0.0) * (1 - (item.share or 0.0))
            for item in items
            if item.state in ("waiting", "running")
        )
        started = self._view.started
        is_by_time = started is None or started.minutes is not None
        if left_s is None or priced_s <= 0 or is_by_time:
            return items
        return tuple(_priced(item, left_s / priced_s) for item in items)

    def view(self) -> RunView:
        """The present state."""
        view, time_now = self._view, self._time()
        answer, board = view.answer, view.board
        if answer is not None:
            answer = replace(answer, rates_tps=tuple(self._rates_tps))
        if board is not None:
            board = LiveBoard(board.latest, tuple(self._temperatures_c), tuple(self._ddr_loads_pct))
        return replace(
            view,
            time=time_now,
            answer=answer,
            board=board,
            text=self._text,
            plan=self._items(None if time_now is None or view.is_over else time_now.left_s),
            boards=self._boards.rows(self._elapsed_s()),
            gates=tuple(self._gates.values()),
            notes=tuple(self._notes),
        )


def _priced(item: PlanItem, factor: float) -> PlanItem:
    expected_s = item.planned.expected_s
    if item.state != "waiting" or expected_s is None:
        return item
    planned = msgspec.structs.replace(item.planned, expected_s=expected_s * factor)
    return replace(item, planned=planned)


def _planned(request: Request) -> Planned:
    """A plan entry for a request that is not in the plan."""
    return Planned(
        id=request.id,
        rep=request.rep,
        name=request.name,
        group=request.group,
        max_tokens=request.tok.cap or 0,
    )


def _forecast(elapsed_s: float, left_s: float, share: float = 0.0) -> Forecast:
    """A forecast without bounds."""
    return Forecast(
        elapsed_s=elapsed_s,
        left_s=left_s,
        left_low_s=left_s,
        left_high_s=left_s,
        left_most_s=left_s,
        share=share,
    )
