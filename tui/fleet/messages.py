"""What goes between a run and its boards: JSON, so that another version is told, not guessed at."""

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
"""Where every worker says once a second that it is there."""

JOINED = "has joined the scheduler at"
"""In what a worker says when it is there."""

MessageKind = Literal["waiting", "ready", "refused", "began", "answered", "broken"]


def run_topic(run_id: str) -> str:
    """Where boards tell what comes of a run."""
    return f"npulse-run-{run_id}"


class Announcement(msgspec.Struct, frozen=True, kw_only=True):
    """A board that is there. ``address`` is Dask's name of its worker."""

    board: str
    address: str
    npulse: str
    distributed: str


class Choices(msgspec.Struct, frozen=True, kw_only=True):
    """The options that a run has for all boards; the rest are each board's own, as its server is.

    The fields are those of :class:`tui.bench.model.options.Options`.
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
        """Those of these options."""
        return cls(**{name: getattr(options, name) for name in cls.__struct_fields__})

    def over(self, own: Options) -> Options:
        """A board's own options with these."""
        return replace(own, **{name: getattr(self, name) for name in self.__struct_fields__})


class RunOrder(msgspec.Struct, frozen=True, kw_only=True):
    """A run that a board is to work on. ``suite`` has no more prompts than the board has to know
    of to write the conditions down; each comes with its own task."""

    run_id: str
    who: str
    suite: Suite
    choices: Choices
    warm_up: Task


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """One request of the run."""

    run_id: str
    task: Task
    number: int
    planned: int


class Ending(msgspec.Struct, frozen=True, kw_only=True):
    """The end of a run."""

    run_id: str
    is_abort: bool = False


class Have(msgspec.Struct, frozen=True, kw_only=True):
    """Answers that the run has in its journal."""

    run_id: str
    keys: tuple[tuple[str, int], ...]


class Ready(msgspec.Struct, frozen=True, kw_only=True):
    """A board can be asked: its conditions. ``t_ns`` is of its own clock. ``problem``: what a gate
    refuses that ``--force`` overrules."""

    t_ns: int
    started_utc: str
    server: str
    model: Model
    env: Env
    config: Config
    is_simulated: bool
    problem: str | None = None


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """What a board tells of a run. ``events`` are lines of its journal, of the board's own clock.

    waiting: for another run there, or until it is cool. ready: with ``ready``. refused: it cannot
    work on this run. began: a request was sent. answered: a request ended, however. broken: it
    ended, and nothing more can be asked before the server was looked at again.
    """

    kind: MessageKind
    board: str
    sentence: str = ""
    ready: Ready | None = None
    key: tuple[str, int] | None = None
    """Of the request."""
    events: str = ""


encode = msgspec.json.encode
message_decoder = msgspec.json.Decoder(Message)
announcement_decoder = msgspec.json.Decoder(Announcement)
order_decoder = msgspec.json.Decoder(RunOrder)
ask_decoder = msgspec.json.Decoder(Ask)
ending_decoder = msgspec.json.Decoder(Ending)
have_decoder = msgspec.json.Decoder(Have)
