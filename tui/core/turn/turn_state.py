"""State of one answer, readable from any thread; nothing here changes it."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from threading import Lock

from tui.core.text.sanitize import clean_line
from tui.core.turn import finish
from tui.core.turn.answer_text import AnswerText, chars_limit
from tui.core.turn.chunk_log import ChunkMeaning
from tui.core.turn.chunk_words import ChunkEnds, ChunkWords
from tui.core.turn.estimate import message_tokens
from tui.core.turn.finish_seen import FinishSeen
from tui.core.turn.last_usage import LastUsage
from tui.core.turn.meter import Meter
from tui.core.turn.runtime_numbers import RuntimeNumbers, with_runtime
from tui.core.turn.server_wait import ServerWait
from tui.core.turn.turn_note import turn_note
from tui.core.turn.turn_piece import TurnMark, TurnPiece, piece_since
from tui.core.turn.turn_stats import TurnStats
from tui.core.turn.unread_events import UnreadEvents
from tui.core.types import (
    ArrivalClockName,
    ChatRequest,
    CleanText,
    Delta,
    Phase,
    Segment,
    SegmentKind,
    TurnError,
    TurnStatus,
)

MAX_MODEL_CHARS = 120


class TurnState:
    """One answer from the request on; :class:`tui.core.turn.turn.Turn` is the one that grows."""

    def __init__(
        self,
        request: ChatRequest,
        t0_ns: int,
        chunk_meaning: ChunkMeaning = "token",
        context_tokens: int | None = None,
        last_usage: LastUsage | None = None,
    ) -> None:
        self.request = request
        self.t0_ns = t0_ns
        self.chunk_meaning = chunk_meaning
        self._runtime: RuntimeNumbers | None = None
        self._last_usage = last_usage
        self.is_usage_stale = False
        """The server reported the numbers of the answer before; they were dropped."""
        self._meter = Meter(
            t0_ns,
            chunk_meaning,
            max_tokens=request.settings.max_tokens if request.settings.max_tokens > 0 else None,
            context_tokens=context_tokens,
            prompt_tokens=message_tokens(request.messages),
            new_prompt_tokens=message_tokens(request.messages[-1:]),
            is_prompt_new=all(message.role != "assistant" for message in request.messages),
        )
        self._lock = Lock()
        self._words = AnswerText()
        self._chunk_words = ChunkWords()
        self._n_reads = [0, 0]
        self._phase = Phase.WAITING
        self._status: TurnStatus | None = None
        self._error: TurnError | None = None
        self._wait: ServerWait | None = None
        self._finish = FinishSeen()
        self._asked_model = request.model
        self._told_model = ""
        self._has_refusal = False
        self.is_cumulative = False
        """Every event of the stream held the whole text so far."""
        self.unread = UnreadEvents()
        """The events of the stream that could not be understood."""
        self._held: Sequence[tuple[int, Delta]] = ()
        self.look_every_s = 0.0
        """How often somebody looks at it at most: what comes faster may be taken together."""
        self._on_news: Callable[[], None] | None = None
        self._n_chars = 0
        self._max_chars = chars_limit(request.settings.max_tokens)
        self._prepare()

    def _prepare(self) -> None:
        """Called once, when the turn is made: a subclass begins its own records here."""

    @property
    def clock(self) -> ArrivalClockName:
        """Who stamped the tokens: ``kernel`` where it stamped every read, else ``read``."""
        n_late, n_exact = self._n_reads
        return "kernel" if n_exact and not n_late else "read"

    def call_on_news(self, on_news: Callable[[], None], every_s: float) -> None:
        """Have ``on_news`` called, in the thread that feeds this turn, when words or the end have
        come. Whoever is told looks at it every ``every_s`` at most."""
        self._on_news, self.look_every_s = on_news, every_s

    def tell_news(self) -> None:
        """Called by whoever feeds this turn, once for all that came together."""
        if self._on_news is not None:
            self._on_news()

    def take_pending(self) -> list[Segment]:
        """What is new since the last call: see :meth:`AnswerText.take_pending`."""
        with self._lock:
            return self._words.take_pending()

    @property
    def prompt(self) -> str:
        """The words of the user that this turn answers, as they were written."""
        return self.request.prompt

    @property
    def model(self) -> str:
        """The model that answers: what the server says in its stream, else the one it was asked
        for; sanitised, empty where neither is known."""
        return clean_line(self._told_model or self._asked_model, MAX_MODEL_CHARS)

    @property
    def has_pending(self) -> bool:
        """Whether :meth:`take_pending` would return anything."""
        return self._words.has_pending

    @property
    def n_chars(self) -> int:
        """How many characters came, before they were cleaned."""
        return self._n_chars

    def parts(self, kind: SegmentKind) -> Iterator[str]:
        """All segments of a kind so far, in pieces: for a text that must not be held twice. Blanks
        at the end of the thinking are none of it (:func:`without_end_blanks`)."""
        with self._lock:
            return self._words.parts(kind)

    def joined(self, kind: SegmentKind) -> CleanText:
        """All segments of a kind so far as one text. Joins it: not for every frame."""
        with self._lock:
            return self._words.joined(kind)

    @property
    def text(self) -> CleanText:
        """The whole answer so far. Joins it: not for every frame."""
        return self.joined("text")

    @property
    def thinking(self) -> str:
        """The whole thinking so far, without white space at its end."""
        return self.joined("thinking").rstrip()

    @property
    def stamps_ns(self) -> array[int]:
        """When each chunk of text or thinking arrived, for a report."""
        with self._lock:
            return self._meter.stamps_ns

    def piece_since(self, mark: TurnMark) -> TurnPiece:
        """What is new for a reader who has the answer up to that mark; only that is copied."""
        with self._lock:
            return piece_since(mark, self._words, self._meter, self._chunk_words)

    @property
    def chunk_ends(self) -> ChunkEnds:
        """Which words each chunk brought."""
        with self._lock:
            return self._chunk_words.ends()

    @property
    def phase(self) -> Phase:
        return self._phase

    @property
    def wait(self) -> ServerWait | None:
        """What the prompt waits for; None where the server has taken it, and at the end."""
        return self._wait if self._phase is Phase.WAITING else None

    @property
    def status(self) -> TurnStatus | None:
        """How it ended; None while it runs."""
        return self._status

    @property
    def error(self) -> TurnError | None:
        return self._error

    @property
    def finish_reason(self) -> str | None:
        """The server's own word for the end."""
        return self._finish.reason

    @property
    def response_id(self) -> str | None:
        """The server's own name of the answer, where its log has it."""
        return self._finish.response_id

    @property
    def note(self) -> str | None:
        """One sentence about an answer that did not fail and is not whole: one that reached the
        token limit, has no text, lost events, or came as whole texts."""
        unread = self.unread.note if self._error is None else ""
        has_thought = self._words.has_words("thinking")
        return turn_note(
            self._status,
            self._finish.reason,
            has_thought=has_thought,
            unread=unread,
            is_cumulative=self.is_cumulative,
        )

    @property
    def runtime(self) -> RuntimeNumbers | None:
        """The runtime's own numbers; None where nobody could read them."""
        return self._runtime

    @property
    def has_late_numbers(self) -> bool:
        """Whether numbers came after the end of the answer."""
        return self._runtime is not None or self._meter.is_counted

    @property
    def is_reclassified(self) -> bool:
        """A closing tag without an opening one has turned earlier text into thinking."""
        return self._words.is_reclassified

    def stats(self, now_ns: int) -> TurnStats:
        """Every number as of ``now_ns``; microseconds of work, meant for 2-4 calls a second."""
        with self._lock:
            stats = with_runtime(
                self._meter.stats(now_ns, self._phase),
                self._runtime,
                is_chunk_token=self.chunk_meaning == "token",
            )
            wait = self.wait
            return replace(
                stats,
                elapsed_s=stats.elapsed_s if wait is None else (now_ns - wait.since_ns) / 1e9,
                is_marked=stats.is_marked and self.clock != "kernel",
                is_at_limit=finish.is_limit(self._finish.reason) and self._phase is Phase.DONE,
                unread_events=self.unread.count,
            )
