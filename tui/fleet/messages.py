"""The messages between a run and its boards, as JSON, so that one of another version is
detected."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import msgspec

from tui.bench.model.conditions import Config, Env, Model
from tui.bench.model.options import LimitPolicy, Options
from tui.bench.model.suite import Suite
from tui.bench.run.plan import Task
from tui.core.types import GenerationSettings

BOARDS_TOPIC = "npulse-boards"
"""Topic to which every worker sends an :class:`Announcement` each second."""

JOINED = "has joined the scheduler at"
"""Part of the line that a worker prints when it has joined; ``last_words`` looks for it."""

MessageKind = Literal["waiting", "ready", "refused", "began", "answered", "broken"]


def run_topic(run_id: str) -> str:
    """Topic to which boards send the messages of a run."""
    return f"npulse-run-{run_id}"


class Announcement(msgspec.Struct, frozen=True, kw_only=True):
    """A board's sign of life. ``address``: Dask's address of its worker. ``npulse``,
    ``distributed``: versions."""

    board: str
    address: str
    npulse: str
    distributed: str


class Choices(msgspec.Struct, frozen=True, kw_only=True):
    """The options that a run sets for all boards. Each board has its own values for the others,
    such as its server. The fields are those of :class:`tui.bench.model.options.Options`.
    """

    settings: GenerationSettings
    policy: LimitPolicy
    model: str | None
    seed: int
    is_strict: bool
    is_forced: bool
    is_greedy: bool | None
    has_warmup: bool
    cool_down_s: float
    stops_loops: bool
    hashes_model: bool
    sample_s: float
    idle_samples: int
    good_ttft_ms: float
    good_decode_tps: float
    tick_s: float

    @classmethod
    def of(cls, options: Options) -> Choices:
        """Takes these fields from a run's options."""
        return cls(**{name: getattr(options, name) for name in cls.__struct_fields__})

    def over(self, own: Options) -> Options:
        """A board's own options, with these fields replaced."""
        return replace(own, **{name: getattr(self, name) for name in self.__struct_fields__})


class RunOrder(msgspec.Struct, frozen=True, kw_only=True):
    """Order to prepare for a run. ``suite`` holds only the prompts that the board needs to record
    the settings; the others come with their tasks. ``who`` is ``user@host``."""

    run_id: str
    who: str
    suite: Suite
    choices: Choices
    warm_up: Task


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """Order to send one request: the ``number``-th (from 1) of ``planned``."""

    run_id: str
    task: Task
    number: int
    planned: int


class Ending(msgspec.Struct, frozen=True, kw_only=True):
    """Order to end work on a run; with ``is_abort`` at once."""

    run_id: str
    is_abort: bool = False


class Have(msgspec.Struct, frozen=True, kw_only=True):
    """Order to remove kept answers: the run has these in its journal."""

    run_id: str
    keys: tuple[tuple[str, int], ...]


class Ready(msgspec.Struct, frozen=True, kw_only=True):
    """The conditions of a board that can take requests. ``t_ns`` is on the board's own clock.
    ``problem``: a failed gate that ``--force`` overrides; None without one."""

    t_ns: int
    started_utc: str
    server: str
    model: Model
    env: Env
    config: Config
    is_simulated: bool
    problem: str | None = None


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """A message of a board about a run. ``events``: journal lines, with times of the board's clock.

    Kinds: waiting (for another run there, or to cool down), ready (with ``ready``), refused (the
    board cannot work on this run), began (a request was sent), answered (a request ended, in any
    state), broken (it ended, and the server has to be checked before the next request).
    """

    kind: MessageKind
    board: str
    sentence: str = ""
    ready: Ready | None = None
    key: tuple[str, int] | None = None
    """(prompt id, repetition) of the request."""
    events: str = ""


encode = msgspec.json.encode
message_decoder = msgspec.json.Decoder(Message)
announcement_decoder = msgspec.json.Decoder(Announcement)
order_decoder = msgspec.json.Decoder(RunOrder)
ask_decoder = msgspec.json.Decoder(Ask)
ending_decoder = msgspec.json.Decoder(Ending)
have_decoder = msgspec.json.Decoder(Have)
