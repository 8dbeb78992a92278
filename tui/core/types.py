"""Shared types: messages, generation settings, stream deltas, statuses and errors of a turn.

Everything here is a plain value. Times are nanoseconds of ``time.perf_counter_ns`` (CLOCK_MONOTONIC
on Linux) and named ``t_ns``; wall time appears only in labels.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Literal, NewType

CleanText = NewType("CleanText", str)
"""Text that has passed :class:`tui.core.text.sanitize.Sanitizer` or its ``clean``, or that was cut
out of such text."""

Role = Literal["system", "user", "assistant"]

NumberSource = Literal["measured", "runtime", "tokenizer", "estimated", "unknown"]
"""Where a number comes from.

measured: our clock, at the socket. runtime: reported by librkllmrt through a server and
unit-checked. tokenizer: counted in the text with the model's tokenizer. estimated: derived from
something that only approximates it, shown with ``~``.
unknown: there is no number.
"""

ArrivalClockName = Literal["kernel", "read"]
"""Who stamped bytes of a stream: the kernel when they arrived, or npulse right after its read."""

TurnStatus = Literal["complete", "stopped", "interrupted", "empty", "refused", "error"]
"""How a turn ended.

===========  ====================================================================================
complete     the server said that it finished as it should, and some text of an answer came
empty        the same, and nothing but thinking or white space came
stopped      the user stopped it, at whatever point
interrupted  something had arrived when the stream was cut, stalled, failed, was refused by the
             model, or was ended by the server for a reason of its own (``content_filter``)
refused      the server, or our check of its limits, did not accept the request
error        it failed before anything arrived
===========  ====================================================================================
"""


class Phase(str, Enum):
    """What an answer is doing right now."""

    WAITING = "waiting"
    """Sent, or being sent; the server has not taken it yet."""
    PREFILL = "prefill"
    """Taken by the server; nothing of the answer has arrived."""
    THINKING = "thinking"
    ANSWERING = "answering"
    DONE = "done"
    STOPPED = "stopped"
    ERROR = "error"

    @property
    def is_over(self) -> bool:
        return self in (Phase.DONE, Phase.STOPPED, Phase.ERROR)


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a conversation, as a server takes it."""

    role: Role
    content: str


@dataclass(frozen=True, slots=True)
class GenerationSettings:
    """What a user sets for the next answers."""

    temperature: float = 0.6
    top_p: float = 0.95
    top_k: int = 20
    repeat_penalty: float = 1.1
    max_tokens: int = 2048
    is_thinking: bool = False
    system_prompt: str = ""


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """One request for an answer, before a dialect turns it into bytes."""

    model: str
    messages: tuple[Message, ...]
    settings: GenerationSettings

    @property
    def prompt(self) -> str:
        """The last words of the user, as they were written."""
        return next((m.content for m in reversed(self.messages) if m.role == "user"), "")

    @property
    def is_follow_up(self) -> bool:
        """Whether an earlier answer stands before it."""
        return any(message.role == "assistant" for message in self.messages)


@dataclass(frozen=True, slots=True)
class TextDelta:
    """New text of the answer, ``<think>`` tags included (:mod:`tui.core.turn.think`)."""

    text: str
    reads_ago: int = field(default=0, compare=False)
    """How many reads of the stream ago it came, where it was held back."""


@dataclass(frozen=True, slots=True)
class ThinkingDelta:
    """New text of the thinking, from a server that sends it in a channel of its own."""

    text: str
    reads_ago: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class RefusalDelta:
    """New text of a refusal: shown like an answer, but the model declined to give one."""

    text: str
    reads_ago: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class CumulativeDelta:
    """Every event of this stream holds the whole text so far; the deltas hold what is new."""


@dataclass(frozen=True, slots=True)
class UnreadDelta:
    """Something of the stream that could not be understood, as it came.

    ``is_loss`` where it looks like a piece of the answer, so that text may be missing.
    """

    text: str
    is_loss: bool = False


@dataclass(frozen=True, slots=True)
class UsageDelta:
    """Counts and times reported by the server. Only what a dialect has checked is filled in."""

    tokens_in: int | None = None
    tokens_out: int | None = None
    """Tokens of this stream: those in ``tokens_hidden`` are not among them."""
    prefill_ms: float | None = None
    decode_ms: float | None = None
    source: NumberSource = "runtime"
    tokens_cached: int | None = None
    """How many of ``tokens_in`` came from a cache and were not processed."""
    tokens_hidden: int | None = None
    """Reasoning tokens that the server counted and did not send."""


@dataclass(frozen=True, slots=True)
class ModelDelta:
    """The name of the model that answers, as the server tells it; raw."""

    name: str


@dataclass(frozen=True, slots=True)
class FinishDelta:
    """The server says that the answer is finished. ``reason`` is its own word, often wrong;
    ``response_id`` its own name of the answer, where it writes that into its log."""

    reason: str | None
    response_id: str | None = None


@dataclass(frozen=True, slots=True)
class FailureDelta:
    """The server reported an error inside the stream."""

    message: str


@dataclass(frozen=True, slots=True)
class DoneDelta:
    """The end marker of the stream (``data: [DONE]``): nothing follows."""


Delta = (
    TextDelta
    | ThinkingDelta
    | RefusalDelta
    | UsageDelta
    | ModelDelta
    | FinishDelta
    | FailureDelta
    | UnreadDelta
    | CumulativeDelta
    | DoneDelta
)


@dataclass(frozen=True, slots=True)
class TurnError:
    """Why a turn failed: state of the turn, never part of the conversation.

    ``kind`` is one of refused, dns, connect_timeout, no_first_byte, stalled, cut, http, validation,
    server, busy, protocol, io. ``sentence`` is one clear, sanitised sentence that names the thing
    and the way out.
    """

    kind: str
    sentence: str


SegmentKind = Literal["thinking", "text"]

TtftPart = Literal["load", "queue"]
"""What a TTFT holds beside the prefill, where that is known: the server loads the model first, or
ends an answer that was not ours to wait for."""


@dataclass(frozen=True, slots=True)
class Segment:
    """Sanitised text of one kind, ready for a screen or for stdout."""

    kind: SegmentKind
    text: CleanText


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """One model that a server has. What is unknown is None.

    ``context_tokens`` and ``quantisation`` are often guessed from the file name; then the matching
    ``is_..._guessed`` is true and every view says so. ``is_loaded`` is None where the server only
    lists its models. ``promised_context_tokens`` is the context that the name tells, where the
    server gives less.
    """

    name: str
    file_name: str | None = None
    size_bytes: int | None = None
    is_loaded: bool | None = None
    quantisation: str | None = None
    is_quantisation_guessed: bool = False
    context_tokens: int | None = None
    is_context_guessed: bool = False
    promised_context_tokens: int | None = None
