"""TCP forwarder between clients and one server; bytes are not changed.

One epoll loop in one thread; nothing is parsed here. Each client has its own connection to the
server. If a side does not take all bytes of a read, the rest is kept, and the other side is not
read until it has been sent: a slow receiver delays only its own stream. A closed direction (FIN) is
forwarded as FIN, a broken connection (RST) as RST.

Bytes are received into memory shared with the measuring process, and published to it *after* they
were forwarded (:mod:`tui.tap.copy_ring`). So a chunk takes three system calls (``epoll_wait``,
``recvmsg``, ``send``) and few lines of Python: between two chunks, other programs have replaced the
contents of the processor's caches, so each further line is slow.
"""

from __future__ import annotations

import errno
import os
import resource
import select
import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from time import perf_counter_ns

from tui.core.kernel_clock import ANCILLARY_BYTES, enable
from tui.tap.connection_pair import Address, ConnectionPair, Side, prepare, reset_at_close
from tui.tap.copy_messages import Event
from tui.tap.copy_ring import CopyWriter

READ, WRITE = select.EPOLLIN, select.EPOLLOUT
ENDED = select.EPOLLHUP | select.EPOLLERR
"""Poll events that are always reported; the next read or write gives the reason."""
MAX_ACCEPTS = 64
"""Connections accepted before open ones are served again."""
PAUSE_S = 0.1
"""Pause in seconds: of accepting while no file descriptor is free, and between two tries to write
waiting events to the ring."""
MAX_EVENTS = 64
"""Sockets handled per poll."""
WANTED_FILES = 1 << 16
_NO_FILES = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)


class Forwarder:
    """Accepts clients on ``listeners`` and connects each to the server at one of ``addresses``.
    ``on_note`` is called with sentences for the user.
    """

    def __init__(
        self,
        listeners: Sequence[socket.socket],
        addresses: Sequence[Address],
        copies: CopyWriter,
        on_note: Callable[[str], None] = lambda sentence: None,
    ) -> None:
        self._listeners = list(listeners)
        self._addresses = list(addresses)
        self._copies = copies
        self._on_note = on_note
        self._poll = select.epoll()
        self._watched: dict[int, Side | socket.socket | CopyWriter | None] = {}
        """By file descriptor; None is the wake-up pipe."""
        self._pairs: set[ConnectionPair] = set()
        self._is_stopped = False
        self._paused_until_ns = 0
        self._has_noted_files = False
        self._wake_reader, self._wake_writer = os.pipe()
        os.set_blocking(self._wake_reader, False)
        os.set_blocking(self._wake_writer, False)
        self._n_opened = 0

    @property
    def n_open(self) -> int:
        """Number of connected clients."""
        return len(self._pairs)

    def stop(self) -> None:
        """Ends :meth:`run`. May be called from a signal handler or another thread."""
        self._is_stopped = True
        with suppress(OSError):
            os.write(self._wake_writer, b".")

    def run(self) -> None:
        """Forwards until :meth:`stop`; then closes all sockets."""
        for listener in self._listeners:
            listener.setblocking(False)
            # Accepted sockets inherit it, so a client's first bytes have a timestamp too.
            enable(listener)
            self._watch(listener.fileno(), READ, listener)
        self._watch(self._wake_reader, READ, None)
        self._watch(self._copies.sock.fileno(), 0, self._copies)
        try:
            self._forward()
        finally:
            self._close_all()

    def _forward(self) -> None:
        copies, watched, poll = self._copies, self._watched, self._poll.poll
        while not self._is_stopped:
            has_delayed = bool(self._paused_until_ns or copies.late)
            events = poll(PAUSE_S if has_delayed else None, MAX_EVENTS)
            if len(events) > 1:
                self._several(events)
            else:
                for number, mask in events:
                    side = watched.get(number)
                    if mask == READ and isinstance(side, Side):
                        self._readable(side)
                    else:
                        self._happened(side, mask)
            if has_delayed:
                self._take_up_delayed()

    def _several(self, events: list[tuple[int, int]]) -> None:
        # Looked up before any is handled: a closed descriptor's number may be reused meanwhile.
        for side, mask in [(self._watched.get(number), mask) for number, mask in events]:
            self._happened(side, mask)

    def _happened(self, side: Side | socket.socket | CopyWriter | None, mask: int) -> None:
        if not isinstance(side, Side):
            self._not_a_side(side)
            return
        if mask & (WRITE | ENDED) and side.mask & WRITE:
            self._writable(side)
        if mask & (READ | ENDED) and side.mask & READ:
            self._readable(side)

    def _take_up_delayed(self) -> None:
        """Accepts connections again, and writes waiting events to the ring."""
        if self._paused_until_ns and perf_counter_ns() > self._paused_until_ns:
            self._paused_until_ns = 0
            for listener in self._listeners:
                self._watch(listener.fileno(), READ, listener)
        self._copies.flush()

    def _not_a_side(self, source: socket.socket | CopyWriter | None) -> None:
        if isinstance(source, socket.socket):
            self._accept(source)
        elif source is not None:
            source.reader_left()
            self._unwatch(source.sock.fileno())
            self._on_note("the measuring process has ended: bytes are still forwarded")
        else:
            with suppress(OSError):
                os.read(self._wake_reader, 64)

    # -- connections ---------------------------------------------------------------------------

    def _accept(self, listener: socket.socket) -> None:
        for _ in range(MAX_ACCEPTS):
            try:
                sock, peer = listener.accept()
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno in _NO_FILES:
                    self._pause(error)
                    return
                continue  # that client has already left
            self._opened(sock, peer)

    def _pause(self, error: OSError) -> None:
        """Stops accepting for a moment; waiting clients stay in the kernel's queue."""
        if not self._has_noted_files:
            self._has_noted_files = True
            self._on_note(
                f"no more connections for now ({error.strerror}, {len(self._pairs)} are open): "
                "new clients wait; raise the limit with ulimit -n or LimitNOFILE="
            )
        if not self._paused_until_ns:
            self._paused_until_ns = perf_counter_ns() + int(PAUSE_S * 1e9)
            for listener in self._listeners:
                self._unwatch(listener.fileno())

    def _opened(self, sock: socket.socket, peer: tuple[object, ...]) -> None:
        self._n_opened += 1
        pair = ConnectionPair(self._n_opened, list(self._addresses))
        self._pairs.add(pair)
        prepare(sock)
        pair.client = Side(sock, pair, Event.UP)
        host = str(peer[0]).removeprefix("::ffff:") if peer else ""
        port = peer[1] if len(peer) > 1 else 0
        told = f"{host} {port}".encode()
        self._copies.tell(Event.OPENED, pair.id, told)
        self._connect(pair)

    def _connect(self, pair: ConnectionPair) -> None:
        """Starts a connection to the next address of the server."""
        why = "no address"
        while pair.addresses:
            family, target = pair.addresses.pop(0)
            try:
                sock = socket.socket(family, socket.SOCK_STREAM)
            except OSError as error:
                why = error.strerror or str(error)
                if error.errno in _NO_FILES:
                    self._pause(error)
                    break
                continue
            prepare(sock)
            code = sock.connect_ex(target)
            if code not in (0, errno.EINPROGRESS, errno.EAGAIN):
                sock.close()
                why = os.strerror(code)
                continue
            assert pair.client is not None
            pair.server = Side(sock, pair, Event.DOWN)
            pair.server.other, pair.client.other = pair.client, pair.server
            self._set_mask(pair.server, WRITE)
            return
        self._copies.tell(Event.UNREACHABLE, pair.id, why.encode())
        self._close(pair, is_abort=True)

    def _connected(self, side: Side) -> None:
        """The connection to the server was established or refused; then the next address is
        tried."""
        pair = side.pair
        code = side.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code:
            self._set_mask(side, 0)
            side.sock.close()
            pair.server = None
            if not pair.addresses:
                self._copies.tell(Event.UNREACHABLE, pair.id, os.strerror(code).encode())
                self._close(pair, is_abort=True)
                return
            self._connect(pair)
            return
        pair.is_connected = True
        assert pair.client is not None
        self._set_mask(side, READ)
        self._set_mask(pair.client, READ)

    # -- bytes ---------------------------------------------------------------------------------

    def _readable(self, side: Side) -> None:
        other, copies = side.other, self._copies
        assert other is not None
        room = copies.room
        try:
            count, ancillary, _, _ = side.receive([room], ANCILLARY_BYTES)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            self._broke(side)
            return
        if not count:
            self._ended(side)
            return
        try:
            sent = other.send(room[:count])
        except (BlockingIOError, InterruptedError):
            sent = 0
        except OSError:
            copies.received(side.waiting_tag, count, ancillary)
            self._broke(other)
            return
        if sent == count:
            copies.received(side.tag, count, ancillary)
            return
        other.pending = bytes(room[sent:count])
        copies.received(side.waiting_tag, count, ancillary)
        self._set_mask(side, side.mask & ~READ)
        self._set_mask(other, other.mask | WRITE)

    def _writable(self, side: Side) -> None:
        pair = side.pair
        if side is pair.server and not pair.is_connected:
            self._connected(side)
            return
        if side.pending:
            try:
                sent = side.sock.send(side.pending)
            except (BlockingIOError, InterruptedError):
                return
            except OSError:
                self._broke(side)
                return
            side.pending = side.pending[sent:]
            if side.pending:
                return
        self._set_mask(side, side.mask & ~WRITE)
        other = side.other
        assert other is not None
        if other.event is Event.UP:
            self._copies.tell(Event.FLUSHED, pair.id)
        if other.is_over:
            self._shut(side)
        else:
            self._set_mask(other, other.mask | READ)

    def _ended(self, side: Side) -> None:
        """This side has closed its direction; the other one is, once it has received everything."""
        side.is_over = True
        self._set_mask(side, side.mask & ~READ)
        end = Event.UP_END if side.event is Event.UP else Event.DOWN_END
        self._copies.tell(end, side.pair.id)
        other = side.other
        assert other is not None
        if not other.pending:
            self._shut(other)

    def _shut(self, side: Side) -> None:
        """Sends FIN to this side. If it has sent one too, and the other side has got its, the pair
        is closed."""
        if not side.is_shut:
            side.is_shut = True
            with suppress(OSError):
                side.sock.shutdown(socket.SHUT_WR)
        other = side.other
        if side.is_over and other is not None and other.is_shut:
            self._close(side.pair, is_abort=False)

    def _broke(self, side: Side) -> None:
        """This side's connection broke: both are closed with RST."""
        event = Event.UP_BROKEN if side.event is Event.UP else Event.DOWN_BROKEN
        self._copies.tell(event, side.pair.id)
        self._close(side.pair, is_abort=True)

    def _close(self, pair: ConnectionPair, *, is_abort: bool) -> None:
        if not pair.is_open:
            return
        pair.is_open = False
        self._pairs.discard(pair)
        for side in (pair.client, pair.server):
            if side is None:
                continue
            self._set_mask(side, 0)
            if is_abort:
                reset_at_close(side.sock)
            side.sock.close()
            side.other = None
        pair.client = pair.server = None
        self._copies.tell(Event.CLOSED, pair.id)

    def _close_all(self) -> None:
        for pair in list(self._pairs):
            self._close(pair, is_abort=True)
        for listener in self._listeners:
            listener.close()
        self._poll.close()
        os.close(self._wake_reader)
        os.close(self._wake_writer)

    def _set_mask(self, side: Side, mask: int) -> None:
        if mask == side.mask:
            return
        number = side.sock.fileno()
        if not side.mask:
            self._watch(number, mask, side)
        elif not mask:
            self._unwatch(number)
        else:
            self._poll.modify(number, mask)
        side.mask = mask

    def _watch(
        self, number: int, mask: int, what: Side | socket.socket | CopyWriter | None
    ) -> None:
        self._poll.register(number, mask)
        self._watched[number] = what

    def _unwatch(self, number: int) -> None:
        self._poll.unregister(number)
        del self._watched[number]


def raise_file_limit() -> None:
    """Raises the limit of open files as far as allowed: each client needs two."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = WANTED_FILES if hard == resource.RLIM_INFINITY else min(hard, WANTED_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
