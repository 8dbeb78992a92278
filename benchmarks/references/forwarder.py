"""A minimal forwarder in Python: ``epoll_wait``, ``recv`` and ``send`` for each chunk.

It makes no copy, reads no clock, and does not handle a slow receiver, a half-closed or a broken
connection. It is a lower limit of the cost of a forwarder, not for use.
"""

from __future__ import annotations

import argparse
import gc
import select
import socket

BUFFER_BYTES = 1 << 16


def forward(listener: socket.socket, target: tuple[str, int]) -> None:
    """Forwards until it is killed."""
    poll = select.epoll()
    poll.register(listener.fileno(), select.EPOLLIN)
    others: dict[int, tuple[socket.socket, socket.socket]] = {}
    buffer = bytearray(BUFFER_BYTES)
    view = memoryview(buffer)
    while True:
        for number, _ in poll.poll():
            if number == listener.fileno():
                client, server = listener.accept()[0], socket.create_connection(target)
                for sock, other in ((client, server), (server, client)):
                    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    sock.setblocking(False)
                    others[sock.fileno()] = sock, other
                    poll.register(sock.fileno(), select.EPOLLIN)
                continue
            sock, other = others[number]
            try:
                count = sock.recv_into(buffer)
                if count:
                    other.send(view[:count])
            except OSError:
                count = 0
            if not count:
                poll.unregister(number)
                del others[number]
                other.shutdown(socket.SHUT_WR)


def main() -> None:
    """Prints the port that it listens on."""
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int, help="of the server on this machine")
    options = parser.parse_args()
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as listener:
        print(listener.getsockname()[1], flush=True)
        gc.freeze()
        gc.disable()
        forward(listener, ("127.0.0.1", options.port))


if __name__ == "__main__":
    main()
