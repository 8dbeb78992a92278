"""Records of stored conversations, for screens and commands. Plain values only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from tui.core.types import GenerationSettings, Phase, TurnError, TurnStatus

TurnRole = Literal["user", "assistant"]
StoredStatus = TurnStatus | Literal["running"]
"""How an answer ended, or that it is still running."""
Order = Literal["created", "updated"]
WriterCommand = Literal["dashboard", "ask", "tap"]
"""Command of a process that writes answers."""
Place = Literal["dashboard", "ask", "detached", "unknown"]
"""Where an answer is received; ``detached`` is a process without its terminal."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Server and model of an answer. Strings are sanitised; None is not known."""

    model: str
    server: str | None = None
    kind: str | None = None
    """The dialect that the server speaks."""
    version: str | None = None
    url: str | None = None
    """Without a password."""
    quantisation: str | None = None
    context_tokens: int | None = None
    is_simulated: bool = False


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is kept; 0 is no limit."""

    max_age_days: int = 0
    max_bytes: int = 0


@dataclass(frozen=True, slots=True)
class ConversationRow:
    """A conversation in a list. ``id`` is for this database alone, ``uid`` is the same after an
    export and an import. Times are ms since 1970."""

    id: int
    uid: str
    title: str
    created_ms: int
    updated_ms: int
    """When its newest turn was made."""
    model: str | None
    """Of the newest answer."""
    turns: int
    """Prompts and answers on all branches."""
    tokens: int
    """Of all its answers, by the best count of each."""
    decode_tps: float | None
    """Of the newest answer that has a rate."""
    first_line: str
    """Of the first prompt."""
    is_pinned: bool = False
    is_simulated: bool = False
    is_running: bool = False
    """Whether an answer of it is still running."""
    tags: tuple[str, ...] = ()
    is_tokens_estimated: bool = False
    """``tokens`` holds counts that are estimated, or not known to be the runtime's."""
    is_decode_estimated: bool = False
    """``decode_tps`` is estimated, or its source is not known."""
    status: StoredStatus | None = None
    """How the newest answer ended; None where there is none."""


@dataclass(frozen=True, slots=True)
class StoredTurn:
    """A prompt (role ``user``) or an answer (``assistant``). ``parent`` is the turn before it;
    turns with one parent are branches."""

    id: int
    parent: int | None
    role: TurnRole
    created_ms: int
    text: str
    thinking: str = ""
    status: StoredStatus | None = None
    """None for a prompt."""
    error: TurnError | None = None
    origin: Origin | None = None
    settings: GenerationSettings | None = None
    numbers: Mapping[str, object] | None = None
    """Of an answer: the fields of :class:`tui.core.turn.result.TurnResult` that are numbers, with
    their sources, and some of :class:`tui.core.turn.turn_stats.TurnStats`. None is not known."""


@dataclass(frozen=True, slots=True)
class AskedAnswer:
    """An answer and what it answers; the prompt is empty where it is not known."""

    answer: StoredTurn
    prompt: str


@dataclass(frozen=True, slots=True)
class StoredConversation:
    """A conversation with its turns: those of the chosen branch, or all, oldest first."""

    row: ConversationRow
    turns: tuple[StoredTurn, ...]
    leaf: int | None
    """The last turn of the chosen branch."""


@dataclass(frozen=True, slots=True)
class Receiver:
    """A process that receives an answer, or did so when it was killed."""

    turn: int
    conversation: int
    pid: int
    place: Place
    is_alive: bool
    """Whether that process still runs; its pid may have been reused."""
    is_sent: bool
    """Whether the server has the prompt, as of the last write."""
    origin: Origin

    @property
    def where(self) -> str:
        """The process, for a sentence."""
        return f"npulse ask (pid {self.pid})" if self.place == "ask" else f"npulse (pid {self.pid})"


@dataclass(frozen=True, slots=True)
class RunningAnswer:
    """A running answer in the database, and its progress.

    ``phase`` and the numbers are as of the last write: the owner writes within a second.
    """

    receiver: Receiver
    since_ms: int
    """When its prompt was taken, in ms since 1970, reckoned back from now."""
    phase: Phase
    wait: str | None
    """What its prompt waits for, as a clause; None where the server has it."""
    prompt: str
    """The first line."""
    tokens: int
    """Stored so far: estimated."""
    decode_tps: float | None
    is_stop_wanted: bool


@dataclass(frozen=True, slots=True)
class AttachTarget:
    """The running answer or conversation that a dashboard opens at its start."""

    conversation: int
    answer: int | None = None
    url: str | None = None
    """Of the server that gives the answer."""


@dataclass(frozen=True, slots=True)
class Snippet:
    """A piece of a text, in one line, and where the words that were looked for stand in it."""

    text: str
    marks: tuple[tuple[int, int], ...]
    """Start and end of each, in characters."""


@dataclass(frozen=True, slots=True)
class SearchHit:
    """A turn in which all words were found."""

    conversation: int
    title: str
    turn: int
    role: str
    created_ms: int
    snippet: Snippet


@dataclass(frozen=True, slots=True)
class BranchPlace:
    """Position of an exchange among its alternatives: number from 1 on, and count. None where there
    is only one.
    """

    prompt: tuple[int, int] | None = None
    answer: tuple[int, int] | None = None

    @property
    def words(self) -> str:
        """``prompt 1 of 2  answer 2 of 3  ``; empty where there is only one of each."""
        named = (("prompt", self.prompt), ("answer", self.answer))
        return "".join(f"{name} {one[0]} of {one[1]}  " for name, one in named if one is not None)


@dataclass(frozen=True, slots=True)
class OpenedConversation:
    """A conversation along one branch, with its alternatives."""

    stored: StoredConversation
    siblings: Mapping[int, tuple[int, ...]]
    """Turn id -> all turns at its place, oldest first; only where there are several."""
    alternatives: Mapping[int, tuple[int, ...]]
    """Turn id -> the answers to all versions of its prompt, as one walks through them; only where
    there are several."""


class History(Protocol):
    """The conversations that are kept; :mod:`tui.history.browser` is the real one.

    A Protocol, for what draws must not import a database. Every call may block: not in the app's
    thread. Each raises HistoryError with one sentence.
    """

    def newest(self, after: int | None = None) -> list[ConversationRow]:
        """A page of the list, newest first; the first page begins with all pinned ones. ``after``
        is the last conversation of the page before."""

    def count(self) -> int:
        """How many conversations there are."""

    def titled(self, words: str) -> list[ConversationRow]:
        """Those whose title or tag has these words."""

    def search(self, words: str) -> list[SearchHit]:
        """Prompts and answers with all these words, newest first."""

    def open(self, conversation: int, turn: int | None = None) -> OpenedConversation:
        """A conversation along its chosen branch, or the newest one that goes through ``turn``."""

    def answers(self, turns: Sequence[int]) -> list[AskedAnswer]:
        """These answers, each with its prompt; those that are gone are left out."""

    def last_answer(self, conversation: int) -> int | None:
        """The last answer of the chosen branch."""

    def rename(self, conversation: int, title: str) -> None:
        """Gives a conversation a name."""

    def pin(self, conversation: int, is_pinned: bool) -> None:
        """A pinned conversation is listed first and never pruned."""

    def tag(self, conversation: int, tags: Sequence[str]) -> None:
        """These tags and no others."""

    def delete(self, conversation: int) -> None:
        """Hides it from all lists."""

    def undelete(self, conversation: int) -> None:
        """Undoes a deletion."""
