"""Follows the traffic of a tap: connections, requests on them, and their queue."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from tui.core.text.sanitize import clean_line
from tui.history.request_records import ClientName
from tui.tap.copy_messages import CopyMessage, Event
from tui.tap.delays import Delays
from tui.tap.exchange import TAP_ENDED, Exchange
from tui.tap.http1 import Body, End, HttpEvent, MessageReader, Opaque, RequestHead, ResponseHead
from tui.tap.seen_server import SeenServer

NameOf = Callable[[str, int], ClientName]
"""(host, port) of a client -> its name."""
LOST = "the measuring process was too busy, so a part of the copy was dropped"


class _Connection:
    """One client's connection: the parsers of both directions, and its requests in order."""

    def __init__(self, client: ClientName) -> None:
        self.client = client
        self.up = MessageReader(is_response=False)
        self.down = MessageReader(is_response=True)
        self.waiting: deque[Exchange] = deque()
        """Requests whose responses have not ended, oldest first."""
        self.receiving: Exchange | None = None
        """The request that is not complete yet."""
        self.is_lost = False
        self.cut_by = ""


class Observer:
    """Takes every copy in order. ``on_change`` is called for each request for an answer when it is
    complete, when its answer begins, and when it ends. ``on_unreachable``: (client, reason) when
    the server refuses a connection.

    Never raises for data of clients and servers.
    """

    def __init__(
        self,
        server: SeenServer,
        on_change: Callable[[Exchange], None],
        name_of: NameOf = ClientName,
        on_unreachable: Callable[[ClientName, str], None] = lambda client, why: None,
    ) -> None:
        self.server = server
        self.delays = Delays()
        self._on_change = on_change
        self._name_of = name_of
        self._on_unreachable = on_unreachable
        self._connections: dict[int, _Connection] = {}
        self.n_others = 0
        """Number of requests that asked for no answer: model lists, status, web pages."""
        self._line: list[Exchange] = []
        """Unfinished requests for answers, in the order in which they were sent."""

    @property
    def running(self) -> list[Exchange]:
        """Unfinished requests for an answer, oldest first."""
        return list(self._line)

    def take(self, copy: CopyMessage) -> None:
        """Takes one message of the forwarder."""
        if copy.event is Event.OPENED:
            host, _, port = copy.payload.decode("latin-1").rpartition(" ")
            number = int(port) if port.isdecimal() else 0
            self._connections[copy.connection] = _Connection(self._name_of(host, number))
            return
        connection = self._connections.get(copy.connection)
        if connection is None:
            return
        if copy.event in (Event.UP, Event.DOWN):
            self.delays.add(copy)
            if not connection.is_lost:
                self._bytes(connection, copy)
        elif copy.event is Event.CLOSED:
            del self._connections[copy.connection]
            self._closed(connection, copy.t_ns)
        else:
            self._event(connection, copy)

    def finish(self, t_ns: int) -> None:
        """The forwarder has ended, and with it all connections."""
        for connection in list(self._connections.values()):
            connection.cut_by = connection.cut_by or TAP_ENDED
            self._closed(connection, t_ns)
        self._connections.clear()

    def _event(self, connection: _Connection, copy: CopyMessage) -> None:
        t_ns = copy.t_ns
        if copy.event in (Event.UP_END, Event.UP_BROKEN):
            for exchange in connection.waiting:
                exchange.client_left(t_ns)
        elif copy.event is Event.DOWN_END:
            self._answered(connection, t_ns, connection.down.close(), is_kernel=False)
        elif copy.event is Event.DOWN_BROKEN:
            connection.cut_by = "the connection was reset"
        elif copy.event is Event.LOST:
            self._give_up(connection, LOST, t_ns)
        elif copy.event is Event.FLUSHED:
            if connection.waiting and connection.receiving is None:
                connection.waiting[-1].flushed(t_ns)
        elif copy.event is Event.UNREACHABLE:
            why = clean_line(copy.payload.decode("utf-8", "replace"), 120)
            self._on_unreachable(connection.client, why)

    def _bytes(self, connection: _Connection, copy: CopyMessage) -> None:
        if copy.event is Event.UP:
            # Its arrival: between a send and the look at the clock other programs may run.
            self._asked(connection, copy.t_ns, connection.up.feed(copy.payload))
            return
        events = connection.down.feed(copy.payload)
        self._answered(connection, copy.t_ns, events, is_kernel=copy.is_kernel)

    # -- requests ------------------------------------------------------------------------------

    def _asked(self, connection: _Connection, t_ns: int, events: list[HttpEvent]) -> None:
        for event in events:
            if isinstance(event, RequestHead):
                exchange = Exchange(connection.client, event, self.server)
                connection.receiving = exchange
                connection.waiting.append(exchange)
                connection.down.expect(event.method)
            elif isinstance(event, Opaque):
                self._give_up(connection, f"it is {event.reason}", t_ns)
            elif connection.receiving is None:
                continue
            elif isinstance(event, Body):
                connection.receiving.request_body(event.data)
            elif isinstance(event, End):
                self._complete(connection.receiving, t_ns)
                connection.receiving = None

    def _complete(self, exchange: Exchange, t_ns: int) -> None:
        exchange.request_end(t_ns)
        if not exchange.is_answer or exchange.is_over or exchange in self._line:
            return
        if self.server.has_orphan:
            exchange.is_behind_orphan = True
        if self.server.is_one_at_a_time and (self._line or self.server.has_orphan):
            exchange.waits()
        self._line.append(exchange)
        self._on_change(exchange)

    # -- answers -------------------------------------------------------------------------------

    def _answered(
        self, connection: _Connection, t_ns: int, events: list[HttpEvent], *, is_kernel: bool
    ) -> None:
        for event in events:
            exchange = connection.waiting[0] if connection.waiting else None
            if isinstance(event, Opaque):
                self._opaque(connection, event.reason, t_ns)
            elif exchange is None:
                continue
            elif isinstance(event, ResponseHead):
                if not exchange.sent_ns:
                    self._complete(exchange, t_ns)
                exchange.response_head(t_ns, event)
            elif isinstance(event, Body):
                had_chunk = bool(exchange.first_chunk_ns)
                exchange.response_body(t_ns, event.data, is_kernel=is_kernel)
                if exchange.first_chunk_ns and not had_chunk:
                    exchange.is_waiting = self.server.has_orphan = False
                    self._on_change(exchange)
            elif isinstance(event, End):
                connection.waiting.popleft()
                self._over(exchange, t_ns, is_cut=event.is_cut)

    def _opaque(self, connection: _Connection, reason: str, t_ns: int) -> None:
        """From here on the connection has another protocol, such as a websocket or a tunnel."""
        is_upgrade = bool(connection.waiting) and connection.waiting[0].is_upgrade
        what = f"a connection of another kind ({reason})" if is_upgrade else reason
        self._give_up(connection, f"it is {clean_line(what, 80)}", t_ns)

    def _give_up(self, connection: _Connection, why: str, t_ns: int) -> None:
        """Stops parsing this connection; it is reported once, at its end."""
        connection.is_lost = True
        connection.up.expect_opaque()
        connection.down.expect_opaque()
        if not connection.waiting:
            head = RequestHead("", "", {})
            exchange = Exchange(connection.client, head, self.server)
            exchange.sent_ns = t_ns
            connection.waiting.append(exchange)
        for exchange in connection.waiting:
            exchange.not_read(why)

    def _closed(self, connection: _Connection, t_ns: int) -> None:
        if not connection.cut_by:
            self._answered(connection, t_ns, connection.down.close(), is_kernel=False)
        while connection.waiting:
            self._over(connection.waiting.popleft(), t_ns, is_cut=True, cut_by=connection.cut_by)

    def _over(self, exchange: Exchange, t_ns: int, *, is_cut: bool, cut_by: str = "") -> None:
        exchange.end(t_ns, is_cut=is_cut, cut_by=cut_by)
        has_orphan = exchange.is_abandoned and not self.server.dialect.is_stopped_by_disconnect
        self.server.has_orphan = self.server.has_orphan or has_orphan
        if exchange in self._line:
            self._line.remove(exchange)
            free_ns = exchange.last_chunk_ns or t_ns
            for other in self._line:
                # It waited for this one only if its own answer had not begun.
                if other.is_waiting and exchange.sent_ns < other.sent_ns:
                    other.queued_until_ns = max(other.queued_until_ns, free_ns)
                    other.is_behind_orphan = has_orphan
            for other in self._line[:1]:
                other.is_waiting = self.server.has_orphan
        if exchange.is_answer or exchange.is_unread:
            self._on_change(exchange)
        else:
            self.n_others += 1
