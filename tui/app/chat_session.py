"""One conversation with one server: the turn in flight, and what came before it.

Called from the screen's thread; every method returns at once. The network, and with it the clock
of the tokens, lives in a loop of its own (:class:`tui.servers.loop.EventLoopThread`), so that
nothing a screen does can delay a time stamp. All of HTTP is imported there too, when the first
paint is over.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable
from typing import TYPE_CHECKING

from tui.app.answers_elsewhere import AnswersElsewhere, OtherAnswers
from tui.app.chat_keeper import ChatKeeper, ask_when_stored
from tui.app.chat_notes import ChatNotes
from tui.app.exchanges import Exchanges
from tui.app.held_prompt import HeldPrompt
from tui.app.npu_watch import NpuWatch, end_ns
from tui.core.screen.chat import ANSWER_RUNS, Waiting
from tui.core.turn.last_usage import LastUsage
from tui.core.turn.result import result_of
from tui.core.types import ChatRequest, GenerationSettings, Phase, TurnError
from tui.expect.expectations import Expectations

if TYPE_CHECKING:
    from tui.app.server_link import ServerLink
    from tui.core.board.reading import Snapshot
    from tui.core.expect.outlook import Outlook
    from tui.core.turn.turn import Turn
    from tui.core.turn.turn_stats import TurnStats
    from tui.history.followed_answer import FollowedAnswer
    from tui.history.resuming import ResumedConversation

SEND_ANYWAY = "; the send key sends it now"


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
        self._exchanges = Exchanges(keeper or ChatKeeper())
        self.conversation, self.keeper = self._exchanges.conversation, self._exchanges.keeper
        self._others = OtherAnswers(elsewhere)
        self._link = link
        self._clock_ns = clock_ns
        self._why_wait = why_wait
        self._on_asked = on_asked
        self.expectations = expectations or Expectations()
        self._npu = NpuWatch(clock_ns)
        self._turn: Turn | None = None
        self._recorded: Turn | None = None
        self._asked_ns = 0
        self._was_busy = False
        self._held: HeldPrompt | None = None
        self._unsent: tuple[str, str] | None = None
        self._notes = ChatNotes()
        self._last_usages: defaultdict[str, LastUsage] = defaultdict(LastUsage)
        """By the address of the server."""

    def send_anyway(self) -> None:
        """Stops waiting: closes the connection of a stopped answer, and sends the waiting
        prompt.
        """
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
        """The waiting prompt, and what it waits for: the end of a stopped answer, or a busy
        server.
        """
        if self._held is not None:
            return self._held.waiting(self._link.state)
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
        self._exchanges.follow(followed.before, followed.kept)
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
        """Stops following other processes."""
        self._others.leave()

    @property
    def finishing_note(self) -> str | None:
        return self._npu.finishing_note(self._link.state.slot)

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
            if not state.may_answer_soon:
                return self._why_no_server()
            self._asked_ns = self._clock_ns()
            is_ahead = state.status != "busy"
            self._held = HeldPrompt(prompt, self._asked_ns, is_ahead)
            return None
        # While a model is loaded, which one answers is known only after that.
        is_settled = state.work is None
        if is_settled and state.choice.problem is not None:
            return state.choice.problem
        model = state.answering if is_settled else None
        context = None if model is None else model.context_tokens
        refusal = self._exchanges.why_too_long(prompt, self.settings, context)
        if refusal is not None:
            return refusal
        self._exchanges.drop_failed(prompt)
        request = ChatRequest(
            state.choice.name if is_settled else "",
            self.conversation.messages_for(prompt, self.settings),
            self.settings,
        )
        server = state.server
        self._notes.asks(server, has_past=len(self.conversation) > 0)
        meaning = server.dialect.chunk_meaning if server is not None else "unknown"
        self._asked_ns = self._clock_ns()
        # Our own stopped answer is told of by `waiting`; this is somebody else's, or that of a
        # run before this one.
        last_end_ns = self._last_end_ns()
        in_use = self._npu.overlap_guard(server, last_end_ns)
        self._was_busy = in_use() is None and (
            state.slot.is_free and self._npu.is_busy_for_others(last_end_ns)
        )
        usage = None if server is None else self._last_usages[server.url]
        turn = self.keeper.new_turn(request, self._asked_ns, meaning, context, usage)
        self._turn = turn
        self._exchanges.forget_old()
        self._npu.begin_turn()
        if self._was_busy:
            turn.note_before_prefill("queue")
        stored = self.keeper.begin(turn, server, model)
        guard = self._others.guard(server, lambda: self.keeper.running_id, in_use)
        self._link.submit(lambda connection: ask_when_stored(connection, turn, stored, guard))
        self._on_asked(turn)
        return None

    def _why_no_server(self) -> str:
        return self._link.state.problem or "no server answers yet; your prompt stays here"

    def on_server_change(self) -> None:
        """The connection state changed, so a held prompt may be sent."""
        self._send_held()

    def take_unsent(self) -> tuple[str, str] | None:
        unsent, self._unsent = self._unsent, None
        return unsent

    @property
    def is_held_ahead(self) -> bool:
        """Whether a prompt waits for the first search for a server."""
        return self._held is not None and self._held.is_ahead

    def _send_held(self) -> None:
        """The prompt that was held back, once the server says what it is, or is gone."""
        held = self._held
        if held is None or held.must_wait(self._link.state, self._clock_ns()):
            return
        self._held, prompt = None, held.prompt
        refusal = self.ask(prompt)
        if refusal is None:
            return
        if held.is_ahead:
            self._unsent = prompt, refusal
        else:
            from tui.core.turn.turn import Turn

            messages = self.conversation.messages_for(prompt, self.settings)
            now_ns = self._clock_ns()
            self._turn = turn = Turn(ChatRequest("", messages, self.settings), now_ns)
            turn.fail(now_ns, TurnError("validation", refusal))

    def take_note(self) -> str | None:
        return self._notes.take()

    def foreign_work(self) -> str | None:
        """Evidence that the server answers another client, as a clause; None where there is
        none.
        """
        if self.is_answering or not self._link.state.slot.is_free:
            return None
        return self._npu.foreign_work(self._last_end_ns())

    def stop(self) -> str | None:
        """Stop the answer; a prompt that was not sent yet is returned."""
        held, self._held = self._held, None
        if held is not None:
            return held.prompt
        turn = self._turn
        if turn is None or turn.phase.is_over:
            return None
        if self.followed is not None:
            self._notes.say(self._others.stop())
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
        """Removes and returns the last prompt."""
        self._record()
        if self.is_answering:
            return None
        return self._exchanges.take_last()

    def give_back_last(self) -> None:
        self._exchanges.give_back_last()

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
        self._exchanges.set_aside(self._turn)
        self._turn = self._recorded = None
        return True

    @property
    def has_old_conversation(self) -> bool:
        return self._exchanges.has_old

    def bring_back(self) -> bool:
        old = None if self.is_answering else self._exchanges.bring_back()
        if old is None:
            return False
        self._turn = self._recorded = old.turn
        return True

    def resume(self, found: ResumedConversation) -> bool:
        """Go on with a stored conversation; False while an answer runs."""
        if not self.clear():
            return False
        self._exchanges.resume(found)
        return True

    @property
    def is_new(self) -> bool:
        """Whether the conversation is empty."""
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

    def _record(self) -> None:
        turn = self._turn
        if turn is None or turn is self._recorded or not turn.phase.is_over:
            return
        self._recorded = turn
        if self.followed is not None and (stored := self.followed.result) is not None:
            self._exchanges.add(turn.prompt, stored)
            return
        server = self._link.state.server
        result = result_of(turn, self._clock_ns(), server.name if server is not None else None)
        self._exchanges.add(turn.prompt, result)
        self._notes.ended(turn, server)

    def stop_later(self, tokens: int | None = None) -> str | None:
        turn = self._turn
        if turn is None or turn.phase.is_over:
            return None
        return self.expectations.stop_later(turn, tokens, self._clock_ns())

    @property
    def remark(self) -> str | None:
        watch = None if self._turn is None else self.expectations.watch(self._turn)
        return None if watch is None else watch.remark

    def outlook(self, stats: TurnStats) -> Outlook | None:
        turn = self._turn
        if turn is None or stats.phase.is_over:
            return None
        return self.expectations.outlook(turn, stats, self._npu.seen, self._clock_ns())

    # The board ------------------------------------------------------------------------------

    def on_snapshot(self, snapshot: Snapshot) -> None:
        """Takes a new snapshot, for the NPU's load."""
        self._npu.on_snapshot(snapshot)
        if self._turn is not None and not self._was_busy:
            self._npu.watch_begin(self._turn, snapshot.t_ns)
        slot = self._link.state.slot
        is_given_up = self._npu.is_given_up(slot)
        if self._npu.is_overdue(slot):
            self.send_anyway()
        if is_given_up:
            self._link.call(lambda connection: connection.abandon())
        self._send_held()
        if self.waiting is None:
            self._others.leave_ahead()

    def _last_end_ns(self) -> int | None:
        """End of the last answer of this process."""
        return end_ns(self._turn, self._asked_ns)
