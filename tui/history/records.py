"""What is kept of a conversation, as whoever draws or prints it gets it. Plain values only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from tui.core.types import GenerationSettings, TurnError, TurnStatus

TurnRole = Literal["user", "assistant"]
StoredStatus = TurnStatus | Literal["running"]
"""How an answer ended, or that some npulse still writes it."""
Order = Literal["created", "updated"]


@dataclass(frozen=True, slots=True)
class Origin:
    """Who gave an answer: the server and its model. Strings are sanitised; None is not known."""

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
    """Some npulse still writes an answer of it."""
    tags: tuple[str, ...] = ()


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
class StoredConversation:
    """A conversation with its turns: those of the chosen branch, or all, oldest first."""

    row: ConversationRow
    turns: tuple[StoredTurn, ...]
    leaf: int | None
    """The last turn of the chosen branch."""


@dataclass(frozen=True, slots=True)
class Running:
    """An answer that a process writes now."""

    turn: int
    conversation: int
    pid: int
    since_ms: int
    tokens: int
    """Chunks that are stored so far."""
