"""Definition of a dialect: how to talk to one kind of server.

A dialect is plain data and pure functions, without I/O: it builds request bodies, turns bytes into
deltas and reads answers. A new one is one module with a :class:`Dialect`, and one row in
:data:`tui.servers.detect.DIALECTS`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from tui.core.types import ChatRequest, Delta, ModelInfo
from tui.servers.dialects.limits import SettingLimit

ChunkMeaning = Literal["token", "character", "unknown"]
"""What one content chunk of a stream stands for."""

Json = object
"""A decoded JSON value: anything that a server may send, to be looked at before it is used."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One complete answer to a GET or POST. ``json`` is None where the body is no JSON.

    Header names are lower case. ``text`` is the start of the body, as it came.
    """

    status: int
    headers: Mapping[str, str]
    json: Json = None
    text: str = ""

    @property
    def is_ok(self) -> bool:
        return 200 <= self.status < 300


@dataclass(frozen=True, slots=True)
class Identity:
    """What a server says about itself. Strings are as they came: sanitise before use."""

    name: str
    version: str | None = None


class StreamDecoder(Protocol):
    """Bytes of one streamed answer in, deltas out. Never raises, whatever comes."""

    @property
    def nonsense(self) -> str | None:
        """Why this cannot be a stream of this dialect (a clause), None as long as it can."""

    def feed(self, data: bytes) -> list[Delta]:
        """The deltas that these bytes complete."""

    def close(self) -> list[Delta]:
        """The deltas that the end of the stream completes."""

    def held(self) -> list[Delta]:
        """What has come and is held back until more comes, as it is to be read if nothing does.
        Changes nothing."""


@dataclass(frozen=True, slots=True)
class ModelRoutes:
    """Where a server's models are listed, loaded and unloaded.

    ``parse_list`` takes the answers of ``list_paths`` (None where there was none); the first path
    must answer, the others add what they know. ``parse_load`` and ``parse_unload`` give None for
    success, else the server's words. Paths are None where the server has no such route.
    """

    list_paths: tuple[str, ...]
    parse_list: Callable[[Mapping[str, Json]], tuple[ModelInfo, ...]]
    loaded_path: str | None = None
    parse_loaded: Callable[[Json], str | None] = lambda _: None
    load_path: str | None = None
    load_body: Callable[[str], dict[str, Json]] = lambda name: {"model": name}
    parse_load: Callable[[Answer], str | None] = lambda _: None
    unload_path: str | None = None
    unload_body: Callable[[str], dict[str, Json]] = lambda name: {}
    parse_unload: Callable[[Answer], str | None] = lambda _: None
    must_unload_first: bool = False
    """True where loading over a loaded model hangs the server."""
    is_name_heeded: bool = True
    """False where the loaded model answers, whatever name a request holds."""
    first_choice: Callable[[Sequence[ModelInfo]], ModelInfo | None] = lambda _: None
    """The model that it loads by itself for a prompt that names none, while none is loaded; None
    where that is not known."""
    why_no_load: str = "it loads and unloads by itself"
    """Why a model cannot be loaded or unloaded from here, where a path is missing (a clause)."""
    idle_unload_s: float | None = None
    """After how long without a request it unloads a model by itself; None: never, or unknown."""
    context_in_use: Callable[[ModelInfo], int | None] = lambda model: model.context_tokens
    """The context that the server really gives a model, as far as it can be known."""
    is_context_known: bool = False
    """True where ``context_in_use`` is the rule of the server itself, and no guess."""
    context_way: str = ""
    """What makes it give the context that a name promises, with ``{tokens}`` for it (a clause)."""


@dataclass(frozen=True, slots=True)
class BusyLight:
    """How many answers a server works on, and how many it can work on at once."""

    n_running: int
    n_places: int = 1

    @property
    def is_full(self) -> bool:
        """Whether another prompt would have to wait."""
        return self.n_running >= self.n_places


@dataclass(frozen=True, slots=True)
class Dialect:
    """One kind of server."""

    name: str
    identify: Callable[[Mapping[str, Answer]], Identity | None]
    """Whether these answers come from such a server. A path that did not answer is missing."""
    chat_path: str
    chat_body: Callable[[ChatRequest], dict[str, Json]]
    """Only the fields that this server knows; what is not set is left out, never null."""
    decoder: Callable[[ChatRequest], StreamDecoder]
    chunk_meaning: ChunkMeaning
    limits: tuple[SettingLimit, ...]
    is_stopped_by_disconnect: bool
    """False where the NPU runs on to the end of an answer that nobody reads any more."""
    models: ModelRoutes
    is_history_used: bool = True
    """False where the model sees the last message only: the conversation is sent as one then."""
    is_model_required: bool = False
    """Whether a request must name a model."""
    is_finished_by_end: bool = False
    """True where nothing but the orderly end of the body says that the answer is finished."""
    is_overlap_fatal: bool = False
    """True where a second request ends the answer that runs, and makes it look complete."""
    is_head_at_once: bool = False
    """Whether the head of a response comes before the prefill: a late one means other work."""
    is_model_lost_by_disconnect: bool = False
    """Whether a client that leaves ends the process of the model. The server lists that model for
    a while longer, and a prompt in that time is never answered."""
    busy_path: str | None = None
    """A GET that tells whether the server works on an answer."""
    parse_busy: Callable[[Json], BusyLight | None] = lambda _: None
    """The answer of ``busy_path``; None where it does not say."""
    notes: tuple[str, ...] = ()
    """What a user of this server should know, a sentence each."""
