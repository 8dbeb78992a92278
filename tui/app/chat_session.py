"""One conversation with one server: the turn in flight, and what came before it.

Called from the screen's thread; every method returns at once. The network, and with it the clock
of the tokens, lives in a loop of its own (:class:`tui.servers.loop.EventLoopThread`), so that
nothing a screen does can delay a time stamp. All of HTTP is imported there too, when the first
paint is over.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tui.app.chat_keeper import ChatKeeper, KeptSoFar, until_stored
from tui.app.elsewhere import AnswersElsewhere, OtherAnswers
from tui.app.server_link import ServerLink
from tui.core.board.npu_busy import is_busy_for_others
from tui.core.board.reading import Snapshot
from tui.core.expect.outlook import BUSY_PCT, NpuSeen, Outlook, outlook
from tui.core.screen.chat import ANSWER_RUNS, Waiting
from tui.core.turn.conversation import Conversation, PastTurn
from tui.core.turn.last_usage import LastUsage
from tui.core.turn.stop_plan import StopPlan
from tui.core.turn.turn import Turn
from tui.core.turn.turn_stats import TurnStats
from tui.core.types import ChatRequest, GenerationSettings, Phase, TurnError
from tui.expect.expectations import Expectations
from tui.servers.capabilities import flattening_note
from tui.servers.connection_state import Server

if TYPE_CHECKING:
    from tui.history.followed import FollowedAnswer
    from tui.history.kept_answer import KeptAnswer
    from tui.history.resuming import ResumedConversation
    from tui.servers.connection import Connection

STOPPED_ANSWER_LIMIT_NS = 300_000_000_000
"""A stopped answer is waited for this long after its last text: a server may never end it, or never
say so. One that still sends is at work, and would not begin with another prompt."""
SEND_ANYWAY = "; the send key sends it now"
IDLE_LOAD_PCT = 2.0
IDLE_SAMPLES = 5
"""So many samples in a row without NPU load, and without a piece of text, end the wait for an
answer that was stopped: the server must have given it up."""


@dataclass(frozen=True, slots=True)
class OldConversation:
    """A conversation that was set aside for a new one."""

    past: tuple[PastTurn, ...]
    kept: KeptSoFar
    turn: Turn | None


class ChatSession:
    """The chat that a screen drives; see :class:`tui.core.screen.chat.Chat`.

    ``keeper`` keeps what is said. ``why_wait`` is one sentence why the server must be left alone
    now, or None; ``on_asked`` is called with every turn that was sent.
    """

    def __init__(
        self,
        link: ServerLink,
        settings: GenerationSettings,
        clock_ns: Callable[[], int] = time.perf_counter_ns,
        *,
        keeper: ChatKeeper | None = None,
        expectations: Expectations | None = None,
        elsewhere: AnswersElsewhere | None = None,
        why_wait: Callable[[], str | None] = lambda: None,
        on_asked: Callable[[Turn], None] = lambda turn: None,
    ) -> None:
        self.settings = settings
        self.conversation = Conversation()
        self.keeper = keeper or ChatKeeper()
        self._others = OtherAnswers(elsewhere)
        self._link = link
        self._clock_ns = clock_ns
        self._why_wait = why_wait
        self._on_asked = on_asked
        self.expectations = expectations or Expectations()
        self._npu_seen = NpuSeen()
        self._turn: Turn | None = None
        self._recorded: Turn | None = None
        self._old: OldConversation | None = None
        self._taken: tuple[PastTurn, KeptAnswer | None] | None = None
        """The exchange that was taken out of the conversation last."""
        self._asked_ns = 0
        self._too_long: str | None = None
        """The prompt that was held back last, for its length."""
        self._idle_samples = 0
        self._discarded_before = 0
        self._npu_load_pct: float | None = None
        self._was_busy = False
        self._held: str | None = None
        """A prompt for a server that is there and does not say yet what it is."""
        self._note: str | None = None
        self._noted_urls: set[str] = set()
        """Servers whose way with a conversation was told."""
        self._last_usages: dict[str, LastUsage] = {}
        """By the address of the server."""

    def send_anyway(self) -> None:
        """Do not wait any longer: the connection of a stopped answer is closed, and the prompt that
        waits is sent."""
        if self.waiting is not None and self._turn is not None:
            self._turn.note_before_prefill("queue")
        self._link.call(lambda connection: connection.send_now())

    # The turn -------------------------------------------------------------------------------

    @property
    def turn(self) -> Turn | None:
        return self._turn

    @property
    def is_answering(self) -> bool:
        is_running = self._turn is not None and not self._turn.phase.is_over
        return is_running or self._held is not None

    @property
    def waiting(self) -> Waiting | None:
        """The prompt that waits: for the end of an answer that nobody reads any more, or for a
        server that is busy."""
        if self._held is not None:
            return Waiting(self._held, self._why_no_server().removesuffix("."), self._asked_ns)
        turn, note = self._turn, self.finishing_note
        if turn is None or turn.phase is not Phase.WAITING or self.followed is not None:
            return None
        if note is not None:
            return Waiting(turn.prompt, f"{note}{SEND_ANYWAY}", self._asked_ns)
        wait = turn.wait
        if wait is None:
            return None
        # What the server has already cannot be sent once more.
        way = "" if wait.is_sent or self._link.state.work is not None else SEND_ANYWAY
        return Waiting(turn.prompt, f"{wait.reason}{way}", wait.since_ns)

    # Answers of other processes --------------------------------------------------------------

    @property
    def followed(self) -> FollowedAnswer | None:
        return self._others.followed

    @property
    def ahead(self) -> FollowedAnswer | None:
        return self._others.ahead if self.waiting is not None else None

    def follow(self, followed: FollowedAnswer) -> bool:
        """Go on with the conversation of an answer that another npulse receives; False while one of
        this npulse runs."""
        if not self.clear():
            return False
        self._old = None
        for exchange in followed.before.past:
            self.conversation.add(exchange.prompt, exchange.result)
        self.keeper.follow(followed.before, followed.kept)
        self._turn, self._others.followed = followed.turn, followed
        return True

    def look_ahead(self) -> None:
        """Find the answer that a waiting prompt waits for, where another npulse receives it. Called
        in the sampling thread, for it may block for a moment."""
        if self.waiting is not None:
            state = self._link.state
            urls = state.looked_at if state.server is None else (state.server.url,)
            self._others.look(urls, self.keeper.running_id)

    def close(self) -> None:
        """Follow no other process any longer."""
        self._others.leave()

    @property
    def finishing_note(self) -> str | None:
        slot = self._link.state.slot
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
        refusal = self._why_wait()
        if refusal is not None:
            return refusal
        self._record()
        if self.is_answering:
            return ANSWER_RUNS if self.followed is None else self._others.refusal
        self._others.leave()
        state = self._link.state
        if not state.is_connected:
            if state.status != "busy":
                return self._why_no_server()
            # It is there and too busy to say what it is.
            self._held, self._asked_ns = prompt, self._clock_ns()
            return None
        # While a model is loaded, which one answers is known only after that.
        is_settled = state.work is None
        if is_settled and state.choice.problem is not None:
            return state.choice.problem
        model = state.answering if is_settled else None
        context = None if model is None else model.context_tokens
        overflow = 0
        if context is not None:
            overflow = self.conversation.overflow_tokens(prompt, self.settings, context)
        # The number is a guess, for code it can be off by half: the user has the last word.
        if overflow and prompt != self._too_long:
            self._too_long = prompt
            return (
                f"~{overflow} tokens too long for the context of {context}; "
                "a new conversation has more room; send it again to send it anyway"
            )
        self._forget_failed_attempt(prompt)
        request = ChatRequest(
            state.choice.name if is_settled else "",
            self.conversation.messages_for(prompt, self.settings),
            self.settings,
        )
        server = state.server
        self._note_flattening(server)
        meaning = server.dialect.chunk_meaning if server is not None else "unknown"
        self._asked_ns = self._clock_ns()
        # Our own stopped answer is told of by `waiting`; this is somebody else's, or that of a
        # run before this one.
        in_use = self._overlap_guard(server)
        self._was_busy = in_use() is None and (
            state.slot.is_free
            and is_busy_for_others(self._npu_load_pct, self._asked_ns, self._last_end_ns())
        )
        turn = self.keeper.new_turn(
            request, self._asked_ns, meaning, context, self._usage_of(server)
        )
        self._turn, self._old = turn, None
        self._npu_seen = NpuSeen()
        if self._was_busy:
            turn.note_before_prefill("queue")
        stored = self.keeper.begin(turn, server, model)
        guard = self._others.guard(server, lambda: self.keeper.running_id, in_use)
        self._link.submit(lambda connection: _send(connection, turn, stored, guard))
        self._on_asked(turn)
        return None

    def _why_no_server(self) -> str:
        return self._link.state.problem or "no server answers yet; your prompt stays here"

    def _send_held(self) -> None:
        """The prompt that was held back, once the server says what it is, or is gone."""
        prompt, state = self._held, self._link.state
        if prompt is None or (state.status == "busy" and not state.is_connected):
            return
        self._held = None
        refusal = self.ask(prompt)
        if refusal is not None:
            messages = self.conversation.messages_for(prompt, self.settings)
            now_ns = self._clock_ns()
            self._turn = turn = Turn(ChatRequest("", messages, self.settings), now_ns)
            turn.fail(now_ns, TurnError("validation", refusal))

    def take_note(self) -> str | None:
        note, self._note = self._note, None
        return note

    def _note_flattening(self, server: Server | None) -> None:
        """Told once for each server, with the first prompt that has something before it."""
        if server is None or server.url in self._noted_urls or len(self.conversation) == 0:
            return
        self._noted_urls.add(server.url)
        self._note = flattening_note(server.dialect)

    def foreign_work(self) -> str | None:
        """What shows that the server answers somebody else, as a clause; None: nothing does."""
        load_pct = self._npu_load_pct
        if self.is_answering or not self._link.state.slot.is_free:
            return None
        if not is_busy_for_others(load_pct, self._clock_ns(), self._last_end_ns()):
            return None
        return f"the NPU works at {load_pct:.0f} %, and no answer of this npulse runs"

    def _overlap_guard(self, server: Server | None) -> Callable[[], str | None]:
        """Why a prompt must not be sent now: where a second one ends the answer that runs, while
        the NPU works for somebody else."""
        last_end_ns = self._last_end_ns()
        name = "" if server is None else server.name

        def reason() -> str | None:
            load_pct = self._npu_load_pct
            if not is_busy_for_others(load_pct, self._clock_ns(), last_end_ns):
                return None
            return f"NPU at {load_pct:.0f} %: a prompt would end the answer that {name} gives now"

        is_harmful = server is not None and server.dialect.is_overlap_fatal
        return reason if is_harmful else (lambda: None)

    def _usage_of(self, server: Server | None) -> LastUsage | None:
        return None if server is None else self._last_usages.setdefault(server.url, LastUsage())

    def stop(self) -> str | None:
        """Stop the answer; a prompt that was not sent yet is returned."""
        held, self._held = self._held, None
        if held is not None:
            return held
        turn = self._turn
        if turn is None or turn.phase.is_over:
            return None
        if self.followed is not None:
            self._note = self._others.stop()
            return None
        unsent = turn.prompt if self.waiting is not None else None
        turn.stop(self._clock_ns())
        self._link.call(lambda connection: connection.stop())
        if unsent is not None:
            self._recorded = turn
            self.keeper.take_back(unsent)
        self._record()
        return unsent

    def take_last(self) -> str | None:
        """The last prompt, out of the conversation again."""
        self._record()
        if self.is_answering:
            return None
        last = self.conversation.drop_last()
        if last is None:
            return None
        self._taken = last, self.keeper.drop_last(last.prompt)
        return last.prompt

    def give_back_last(self) -> None:
        taken, self._taken = self._taken, None
        if taken is not None:
            exchange, answer = taken
            self.conversation.add(exchange.prompt, exchange.result)
            self.keeper.put_back(answer)

    @property
    def exchange_count(self) -> int:
        return len(self.conversation)

    @property
    def is_kept(self) -> bool:
        return self.keeper.conversation_id is not None and self.keeper.unsaved is None

    def clear(self) -> bool:
        if self.is_answering and self.followed is None:
            return False
        self._record()
        self._others.leave()
        past, kept = self.conversation.exchanges, self.keeper.clear()
        if past:
            self._old = OldConversation(past, kept, self._turn)
        self.conversation.clear()
        self._turn = self._recorded = None
        return True

    @property
    def has_old_conversation(self) -> bool:
        return self._old is not None

    def bring_back(self) -> bool:
        old = self._old
        if old is None or self.is_answering:
            return False
        self._old = None
        self.conversation.clear()
        for exchange in old.past:
            self.conversation.add(exchange.prompt, exchange.result)
        self.keeper.bring_back(old.kept)
        self._turn = self._recorded = old.turn
        return True

    def resume(self, found: ResumedConversation) -> bool:
        """Go on with a stored conversation; False while an answer runs."""
        if not self.clear():
            return False
        self._old = None
        for exchange in found.past:
            self.conversation.add(exchange.prompt, exchange.result)
        self.keeper.resume(found)
        return True

    @property
    def is_new(self) -> bool:
        """Whether nothing was said or asked yet."""
        return self._turn is None and self._held is None and len(self.conversation) == 0

    def leaf_id(self, *, is_unsent_counted: bool) -> int | None:
        """The last turn of this conversation in the history; None where there is none.

        A prompt that was not sent yet counts where it will be sent even without a screen."""
        turn = self._turn
        is_open = turn is not None and turn is not self._recorded
        if self.waiting is not None and not is_unsent_counted:
            is_open = False
        return self.keeper.leaf_id(is_open=is_open)

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
            self.keeper.drop_last(prompt)

    def _record(self) -> None:
        turn = self._turn
        if turn is None or turn is self._recorded or not turn.phase.is_over:
            return
        self._recorded = turn
        if self.followed is not None and (stored := self.followed.result) is not None:
            self.conversation.add(turn.prompt, stored)
            self.keeper.commit()
            return
        server = self._link.state.server
        result = turn.result(self._clock_ns(), server.name if server is not None else None)
        self.conversation.add(turn.prompt, result)
        self.keeper.commit()

    def stop_later(self, tokens: int | None = None) -> str | None:
        turn = self._turn
        watch = None if turn is None else self.expectations.watch(turn)
        if turn is None or watch is None or turn.phase.is_over:
            return None
        plan, so_far = watch.plan, turn.stats(self._clock_ns()).tokens
        if tokens is None:
            watch.plan = StopPlan() if plan is None else None
        else:
            begin = so_far if plan is None or plan.at_tokens is None else plan.at_tokens
            watch.plan = StopPlan(begin + tokens)
        return "it goes on" if watch.plan is None else watch.plan.words(so_far)

    @property
    def remark(self) -> str | None:
        turn = self._turn
        watch = None if turn is None else self.expectations.watch(turn)
        return None if watch is None else watch.remark

    def outlook(self, stats: TurnStats) -> Outlook | None:
        turn = self._turn
        if turn is None or stats.phase.is_over:
            return None
        watch = self.expectations.watch(turn)
        view = outlook(
            stats,
            self.expectations.known(turn),
            self._npu_seen,
            t0_ns=turn.t0_ns,
            now_ns=self._clock_ns(),
            is_first=not turn.request.is_follow_up,
        )
        if watch is None:
            return view
        planned = () if watch.plan is None else (watch.plan.words(stats.tokens),)
        return replace(view, warnings=watch.warnings, notes=(*planned, *watch.notes))

    # The board ------------------------------------------------------------------------------

    def on_snapshot(self, snapshot: Snapshot) -> None:
        """A new snapshot: evidence of a busy or an idle server."""
        loads = [load for load in snapshot.numbers("npu.load") if load is not None]
        self._npu_load_pct = max(loads) if loads else None
        self._watch_begin(snapshot.t_ns)
        self._watch_idle()
        self._send_held()
        if self.waiting is None:
            self._others.leave_ahead()

    def _watch_begin(self, t_ns: int) -> None:
        """Whether the NPU has begun with the prompt; what it did before tells nothing about it."""
        turn, load_pct = self._turn, self._npu_load_pct
        if turn is None or load_pct is None or self._was_busy or t_ns <= turn.t0_ns:
            return
        seen = self._npu_seen
        if load_pct < BUSY_PCT:
            self._npu_seen = replace(seen, idle_samples=seen.idle_samples + 1)
        elif seen.busy_ns is None:
            self._npu_seen = NpuSeen(busy_ns=t_ns)

    def _last_end_ns(self) -> int | None:
        """When our own last answer ended."""
        turn = self._turn
        latency_ms = None if turn is None else turn.stats(self._asked_ns).latency_ms
        return None if turn is None or latency_ms is None else turn.t0_ns + round(latency_ms * 1e6)

    def _watch_idle(self) -> None:
        slot = self._link.state.slot
        is_quiet = self._npu_load_pct is not None and self._npu_load_pct < IDLE_LOAD_PCT
        is_quiet = is_quiet and slot.n_discarded == self._discarded_before
        self._discarded_before = slot.n_discarded
        if slot.status == "finishing" and self._is_stop_overdue():
            self.send_anyway()
        if slot.status != "finishing" or not is_quiet:
            self._idle_samples = 0
            return
        self._idle_samples += 1
        if self._idle_samples >= IDLE_SAMPLES:
            self._idle_samples = 0
            self._link.call(lambda connection: connection.abandon())

    def _is_stop_overdue(self) -> bool:
        """Whether nothing of a stopped answer has come for too long, whatever the NPU does."""
        heard_ns = self._link.state.slot.heard_ns
        return heard_ns is not None and self._clock_ns() - heard_ns > STOPPED_ANSWER_LIMIT_NS


async def _send(
    connection: Connection,
    turn: Turn,
    stored: Future[bool],
    in_use: Callable[[], str | None],
) -> None:
    """Ask, once the prompt is stored; not where it was stopped by then."""
    await until_stored(stored)
    if not turn.phase.is_over:
        await connection.ask(turn, in_use)
