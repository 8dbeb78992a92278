"""The boards that have joined a run, and the messages received from each."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from tui import __version__
from tui.bench.model.boards import BoardState
from tui.core.text.sanitize import clean_line
from tui.fleet.messages import (
    Announcement,
    Message,
    announcement_decoder,
    message_decoder,
)

MAX_NAME = 60


@dataclass(slots=True, eq=False)
class Member:
    """One board, from joining until its connection closes.

    ``address``: Dask's address of its worker. ``inbox``: its messages about this run, in order;
    None after the last, when its connection has closed. ``segment``: the number of its journal
    segment, None before it was ready. ``began_s``: start of that segment (monotonic clock).
    """

    name: str
    address: str
    inbox: asyncio.Queue[Message | None] = field(default_factory=asyncio.Queue)
    segment: int | None = None
    began_s: float = 0.0
    remark: str = ""
    """A sentence shown in its row while it works, such as a gate's warning; may be empty."""
    is_gone: bool = False
    is_ready: bool = False

    @property
    def state_of_refusal(self) -> BoardState:
        """Its state when it cannot take requests: "lost" if it has worked on the run, else
        "refused"."""
        return "refused" if self.segment is None else "lost"

    def fail(self, sentence: str) -> None:
        """Adds an error of Dask to the inbox as if the board had refused."""
        self.inbox.put_nowait(Message(kind="refused", board=self.name, sentence=sentence))


class Members:
    """The boards connected now. ``distributed``: the version of Dask here. ``on_join`` gets each
    board that can be used; ``on_refuse`` gets (name, sentence) of one that cannot. ``wanted``:
    names of the boards to use; None for all."""

    def __init__(
        self,
        distributed: str,
        wanted: frozenset[str] | None,
        on_join: Callable[[Member], None],
        on_refuse: Callable[[str, str], None],
    ) -> None:
        self._distributed = distributed
        self._wanted = wanted
        self._on_join = on_join
        self._on_refuse = on_refuse
        self._by_address: dict[str, Member] = {}
        self._ended: set[str] = set()
        """Addresses of workers that left or were refused. A worker that joins again has a new
        one."""

    @property
    def there(self) -> list[Member]:
        """The boards connected now."""
        return list(self._by_address.values())

    def announced(self, data: bytes) -> None:
        """Handles an announcement of a worker (JSON). Later ones of the same worker change
        nothing."""
        try:
            told = announcement_decoder.decode(data)
        except ValueError:
            return
        if told.address in self._by_address or told.address in self._ended:
            return
        name = clean_line(told.board, MAX_NAME)
        if self._wanted is not None and name not in self._wanted:
            self._ended.add(told.address)
            return
        problem = self._difference(told)
        if problem is not None:
            self._ended.add(told.address)
            self._on_refuse(name, problem)
            return
        member = Member(name, told.address)
        self._by_address[told.address] = member
        self._on_join(member)

    def told(self, data: bytes) -> None:
        """Puts a message (JSON) into its board's inbox."""
        try:
            message = message_decoder.decode(data)
        except ValueError:
            return
        for member in self.there:
            if member.name == message.board:
                member.inbox.put_nowait(message)

    def gone(self, address: str) -> None:
        """Handles the end of a worker's connection."""
        member = self._by_address.pop(address, None)
        self._ended.add(address)
        if member is not None:
            member.is_gone = True
            member.inbox.put_nowait(None)

    def _difference(self, told: Announcement) -> str | None:
        """A sentence if npulse or Dask has another version there. Figures of two npulse versions do
        not belong in one run, and Dask needs the same version everywhere."""
        there, here = told.npulse, __version__
        if there != here:
            shown = clean_line(there, 20)
            return f"npulse is {shown} there and {here} here; install the same version on both"
        if told.distributed != self._distributed:
            shown = clean_line(told.distributed, 20)
            return (
                f"Dask is {shown} there and {self._distributed} here; "
                f"pip install 'distributed=={self._distributed}' there"
            )
        return None
