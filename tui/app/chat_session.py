"""One conversation with one server: the turn in flight, what came before it, and the models.

Called from the screen's thread; every method returns at once. The network, and with it the clock
of the tokens, lives in a loop of its own (:class:`tui.servers.loop.EventLoopThread`), so that
nothing a screen does can delay a time stamp. All of HTTP is imported there too, when the first
paint is over.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from tui.core.board.reading import Snapshot
from tui.core.screen.chat import ANSWER_RUNS, Waiting
from tui.core.screen.models_view import ModelsView
from tui.core.text.sanitize import clean_line
from tui.core.turn.conversation import Conversation
from tui.core.turn.last_usage import LastUsage
from tui.core.turn.turn import Turn
from tui.core.types import ChatRequest, GenerationSettings, ModelInfo, Phase
from tui.servers.connection_state import ConnectionState, Server
from tui.servers.dialects.limits import SettingLimit, problems
from tui.servers.forecast import PrefillForecast
from tui.servers.loop import EventLoopThread
from tui.settings.generation_limits import generation_limits

if TYPE_CHECKING:
    from tui.servers.connection import Connection

BUSY_LOAD_PCT = 10.0
SAMPLE_LAG_NS = 3_000_000_000
"""The driver latches its load once a second, and it is sampled once a second."""
STOPPED_ANSWER_LIMIT_NS = 300_000_000_000
"""A stopped answer is waited for this long at most: a server may never end it, or never say so."""
FAR_BOUND = 1_000_000
"""Nobody comes near: a range that ends there is told by its beginning."""
IDLE_LOAD_PCT = 2.0
IDLE_SAMPLES = 5
"""So many samples in a row without NPU load, and without a piece of text, end the wait for an
answer that was stopped: the server must have given it up."""


class Session:
    """The chat that a screen drives; see :class:`tui.core.screen.chat.ChatSession`."""

    def __init__(
        self,
        loop: EventLoopThread,
        settings: GenerationSettings,
        clock_ns: Callable[[], int] = time.perf_counter_ns,
    ) -> None:
        self.settings = settings
        self.conversation = Conversation()
        self._connection: Connection | None = None
        self._loop = loop
        self._clock_ns = clock_ns
        self._forecast = PrefillForecast()
        self._forecast_model: str | None = None
        self._turn: Turn | None = None
        self._recorded: Turn | None = None
        self._asked_ns = 0
        self._too_long: str | None = None
        """The prompt that was held back last, for its length."""
        self._available_bytes: int | None = None
        self._idle_samples = 0
        self._discarded_before = 0
        self._npu_load_pct: float | None = None
        self._was_busy = False
        self._last_usages: dict[str, LastUsage] = {}
        """By the address of the server."""

    @property
    def state(self) -> ConnectionState:
        """The moment of the connection."""
        connection = self._connection
        return ConnectionState() if connection is None else connection.state

    def connected_by(self, connection: Connection) -> None:
        """Use this connection from now on; it belongs to the loop."""
        self._connection = connection

    def send_anyway(self) -> None:
        """Do not wait for the stopped answer any longer: its connection is closed, and the prompt
        that waits is sent."""
        if self._connection is not None:
            if self.waiting is not None and self._turn is not None:
                self._turn.note_before_prefill("queue")
            self._loop.call(self._connection.abandon)

    # The turn -------------------------------------------------------------------------------

    @property
    def turn(self) -> Turn | None:
        return self._turn

    @property
    def is_answering(self) -> bool:
        return self._turn is not None and not self._turn.phase.is_over

    @property
    def waiting(self) -> Waiting | None:
        """The prompt that waits for the server to finish an answer that nobody reads any more."""
        turn, note = self._turn, self.finishing_note
        if turn is None or turn.phase is not Phase.WAITING or note is None:
            return None
        return Waiting(turn.prompt, f"{note}; Enter sends all the same", self._asked_ns)

    @property
    def finishing_note(self) -> str | None:
        slot = self.state.slot
        if slot.status != "finishing":
            return None
        if self._npu_load_pct is None:
            pieces = "piece" if slot.n_discarded == 1 else "pieces"
            return f"server still finishing, {slot.n_discarded} {pieces} of text discarded"
        return f"server still finishing, NPU {self._npu_load_pct:.0f} %"

    @property
    def was_busy(self) -> bool:
        return self._was_busy

    def ask(self, prompt: str) -> str | None:
        """Send a prompt once the server is free. Returns why not, or None."""
        self._record()
        if self.is_answering:
            return ANSWER_RUNS
        state, connection = self.state, self._connection
        if connection is None or not state.is_connected:
            return state.problem or "no server answers yet; your prompt stays here"
        if state.work is not None:
            return f"{state.work}; your prompt stays here"
        model = state.loaded
        context = self._context_tokens(model)
        overflow = 0
        if context is not None:
            overflow = self.conversation.overflow_tokens(prompt, self.settings, context)
        # The number is a guess, for code it can be off by half: the user has the last word.
        if overflow and prompt != self._too_long:
            self._too_long = prompt
            return (
                f"~{overflow} tokens too long for the context of {context}; "
                "a new conversation has more room, Enter again sends it all the same"
            )
        self._forget_failed_attempt(prompt)
        request = ChatRequest(
            model.name if model is not None else "",
            self.conversation.messages_for(prompt, self.settings),
            self.settings,
        )
        server = state.server
        meaning = server.dialect.chunk_meaning if server is not None else "unknown"
        self._asked_ns = self._clock_ns()
        # Our own stopped answer is told of by `waiting`; this is somebody else's, or that of a
        # run before this one.
        self._was_busy = (
            (self._npu_load_pct or 0.0) >= BUSY_LOAD_PCT
            and state.slot.is_free
            and not self._is_just_done()
        )
        self._turn = Turn(request, self._asked_ns, meaning, context, self._usage_of(server))
        if self._was_busy:
            self._turn.note_before_prefill("queue")
        self._forget_other_models(request.model)
        self._loop.submit(connection.ask(self._turn))
        return None

    def _usage_of(self, server: Server | None) -> LastUsage | None:
        return None if server is None else self._last_usages.setdefault(server.url, LastUsage())

    def stop(self) -> str | None:
        """Stop the answer; a prompt that was not sent yet is returned."""
        turn = self._turn
        if turn is None or turn.phase.is_over:
            return None
        unsent = turn.prompt if self.waiting is not None else None
        turn.stop(self._clock_ns())
        if self._connection is not None:
            self._loop.call(self._connection.stop)
        if unsent is not None:
            self._recorded = turn
        self._record()
        return unsent

    def take_last(self) -> str | None:
        """The last prompt, out of the conversation again."""
        self._record()
        if self.is_answering:
            return None
        last = self.conversation.drop_last()
        return None if last is None else last.prompt

    def clear(self) -> bool:
        if self.is_answering:
            return False
        self.conversation.clear()
        self._turn = self._recorded = None
        return True

    def commit_turn(self) -> None:
        """Keep a turn that is over in the conversation; called when its end was drawn."""
        self._record()

    def _forget_failed_attempt(self, prompt: str) -> None:
        """A prompt that an error ended and that is sent again stands alone, without its first
        attempt."""
        self._too_long = None
        last = self.conversation.last
        if last is not None and last.prompt == prompt and last.result.error is not None:
            self.conversation.drop_last()

    def _record(self) -> None:
        turn = self._turn
        if turn is None or turn is self._recorded or not turn.phase.is_over:
            return
        self._recorded = turn
        server = self.state.server
        result = turn.result(self._clock_ns(), server.name if server is not None else None)
        is_follow_up = self._is_follow_up(turn)
        self.conversation.add(turn.prompt, result)
        if result.ttft_ms is not None and not result.ttft_includes:
            self._forecast.add(_request_chars(turn), result.ttft_ms / 1000, is_follow_up)

    def _forget_other_models(self, model: str) -> None:
        if model != self._forecast_model:
            self._forecast_model = model
            self._forecast.clear()

    def prefill_forecast_s(self) -> float | None:
        turn = self._turn
        if turn is None:
            return None
        forecast = self._forecast.forecast(_request_chars(turn), self._is_follow_up(turn))
        return None if forecast is None or forecast.is_upper_limit else forecast.seconds

    @staticmethod
    def _is_follow_up(turn: Turn) -> bool:
        return any(message.role == "assistant" for message in turn.request.messages)

    def _context_tokens(self, model: ModelInfo | None) -> int | None:
        return None if model is None else self._with_context_in_use(model).context_tokens

    # Models ---------------------------------------------------------------------------------

    def models_view(self) -> ModelsView:
        """What the model screen shows now."""
        state = self.state
        since_ns = state.work_since_ns
        server = state.server
        routes = None if server is None else server.dialect.models
        message = state.message
        if message is None and state.loaded is not None and server is not None:
            from tui.servers.model_choice import context_note

            message = context_note(state.loaded, server)
        return ModelsView(
            models=tuple(self._with_context_in_use(model) for model in state.models),
            server=None if server is None else server.label,
            can_load=routes is not None and routes.load_path is not None,
            work=state.work,
            work_s=0.0 if since_ns is None else (self._clock_ns() - since_ns) / 1e9,
            message=message,
            is_error=state.is_error,
        )

    def _with_context_in_use(self, model: ModelInfo) -> ModelInfo:
        """The context that the server gives, as the top line and the RAM forecast tell it."""
        server = self.state.server
        if server is None:
            return model
        from tui.servers.model_choice import with_context_in_use

        return with_context_in_use(model, server.dialect)

    def fit_note(self, model: ModelInfo) -> str:
        """Whether that model fits into the RAM that is free now, in one sentence."""
        if model.is_loaded:
            return ""
        from tui.core.board.headroom import verdict

        # The server holds one at a time: the loaded one goes first.
        loaded = self.state.loaded
        freed = 0 if loaded is None else loaded.size_bytes or 0
        context = self._context_tokens(model)
        available = self._available_bytes
        return verdict(model.name, model.size_bytes, context, available, freed).sentence

    def load_model(self, name: str, is_forced: bool = False) -> None:
        """Load that model, after unloading the one that is loaded. Asked a second time for one
        that would not fit, it is loaded all the same."""
        if self._connection is not None:
            self._loop.submit(self._connection.load(name, self._available_bytes, is_forced))

    def unload_model(self) -> None:
        if self._connection is not None:
            self._loop.submit(self._connection.unload())

    def cancel_model_work(self) -> bool:
        """Stop waiting for a load or an unload; False where there is none."""
        if self._connection is None or self.state.work is None:
            return False
        self._loop.call(self._connection.cancel_work)
        return True

    # Settings -------------------------------------------------------------------------------

    def check(self, settings: GenerationSettings) -> Sequence[tuple[str, str]]:
        """What the connected server would refuse, or npulse itself: fields and sentences."""
        own = problems(generation_limits(), settings, "npulse")
        server = self.state.server
        if server is None:
            return own
        found = problems(server.dialect.limits, settings, server.name)
        named = {name for name, _ in found}
        return (*found, *(problem for problem in own if problem[0] not in named))

    def setting_notes(self) -> Mapping[str, tuple[str, str]]:
        """Per setting what is allowed, and what the connected server makes of it."""
        server = self.state.server
        limits = generation_limits() if server is None else server.dialect.limits
        return {limit.field: (_range_of(limit), limit.note) for limit in limits}

    # The board ------------------------------------------------------------------------------

    def on_snapshot(self, snapshot: Snapshot) -> None:
        """A new snapshot: free RAM for the models, and evidence of an idle server."""
        available = snapshot.number("ram.available")
        self._available_bytes = None if available is None else int(available)
        loads = [load for load in snapshot.numbers("npu.load") if load is not None]
        self._npu_load_pct = max(loads) if loads else None
        self._watch_idle()

    def _is_just_done(self) -> bool:
        """Whether the load that was sampled last can still be that of our own last answer."""
        turn = self._turn
        latency_ms = None if turn is None else turn.stats(self._asked_ns).latency_ms
        if turn is None or latency_ms is None:
            return False
        return self._asked_ns - turn.t0_ns - latency_ms * 1e6 < SAMPLE_LAG_NS

    def _watch_idle(self) -> None:
        slot = self.state.slot
        is_quiet = self._npu_load_pct is not None and self._npu_load_pct < IDLE_LOAD_PCT
        is_quiet = is_quiet and slot.n_discarded == self._discarded_before
        self._discarded_before = slot.n_discarded
        if slot.status == "finishing" and self._is_stop_overdue():
            self.send_anyway()
        if slot.status != "finishing" or not is_quiet:
            self._idle_samples = 0
            return
        self._idle_samples += 1
        if self._idle_samples >= IDLE_SAMPLES and self._connection is not None:
            self._idle_samples = 0
            self._loop.call(self._connection.abandon)

    def _is_stop_overdue(self) -> bool:
        """Whether a stopped answer has had the time that it gets, whatever the NPU does."""
        since_ns = self.state.slot.since_ns
        return since_ns is not None and self._clock_ns() - since_ns > STOPPED_ANSWER_LIMIT_NS

    def server_label(self) -> str | None:
        """Name and place of the server, for the top line."""
        server = self.state.server
        return None if server is None else clean_line(server.label)


def _range_of(limit: SettingLimit) -> str:
    has_range = limit.low is not None or limit.high is not None
    if limit.low is not None and limit.high is not None and limit.high >= FAR_BOUND:
        limit = replace(limit, high=None)
    return limit.allowed if has_range else ""


def _request_chars(turn: Turn) -> int:
    return sum(len(message.content) for message in turn.request.messages)
