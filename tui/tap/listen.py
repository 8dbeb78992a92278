"""Checks and opens the tap's listening address; parses the server's address."""

from __future__ import annotations

import errno
import socket
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import urlsplit

from tui.core.listen_address import ListenAddress, is_loopback
from tui.core.text.sanitize import clean_line
from tui.servers.address import is_local, normalised_url
from tui.tap.connection_pair import Address

BACKLOG = 1024


class ListenError(Exception):
    """The address cannot be listened on; the message is one sentence."""


def resolved(host: str, port: int) -> list[Address]:
    """Resolves a host to addresses for ``connect`` and ``bind``. Raises ListenError."""
    try:
        rows = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        why = getattr(error, "strerror", None) or "no such name"
        raise ListenError(f"{clean_line(host, 80)!r} is not an address: {why}") from error
    found: list[Address] = []
    for family, _, _, _, target in rows:
        if (family, target) not in found:
            found.append((family, target))
    return found


def open_listeners(where: ListenAddress, *, is_public: bool) -> list[socket.socket]:
    """Listening sockets for every address of the host. Raises ListenError with one sentence, also
    if other machines can reach an address and ``is_public`` is False."""
    addresses = resolved(where.host, where.port)
    beyond = [address for address in addresses if not is_loopback(str(address[1][0]))]
    if beyond and not is_public:
        raise ListenError(
            f"{where.shown} can be reached from other machines, which could then use the server "
            "without a password of npulse; add --public to allow that"
        )
    listeners: list[socket.socket] = []
    port = where.port
    try:
        for family, target in addresses:
            listener = _opened(family, (target[0], port, *target[2:]))
            listeners.append(listener)
            port = listener.getsockname()[1]
    except OSError as error:
        for listener in listeners:
            listener.close()
        raise ListenError(f"cannot listen at {where.shown}: {_reason(error)}") from error
    return listeners


def _opened(family: socket.AddressFamily, target: tuple[object, ...]) -> socket.socket:
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            with suppress(OSError):
                listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listener.bind(target)
        listener.listen(BACKLOG)
    except BaseException:
        listener.close()
        raise
    return listener


def _reason(error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return "another program listens there; choose another port with --listen"
    if error.errno == errno.EACCES:
        return "ports below 1024 are for root; choose another one with --listen"
    if error.errno == errno.EADDRNOTAVAIL:
        return "this machine has no such address"
    return error.strerror or str(error)


@dataclass(frozen=True, slots=True)
class Target:
    """The server to which bytes are forwarded. ``url`` is its address for display."""

    url: str
    host: str
    port: int

    @property
    def is_tls(self) -> bool:
        return self.url.startswith("https:")


def target_of(url: str) -> Target:
    """The server at this address. Raises ValueError with one sentence, also for an address with a
    path: the tap does not change the paths of requests."""
    plain = normalised_url(url)
    parts = urlsplit(plain)
    if parts.path:
        raise ValueError(
            f"{plain!r} has a path, which the tap cannot add to requests: use "
            f"{parts.scheme}://{parts.netloc} here, and the path in the client"
        )
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return Target(plain, parts.hostname or "", port)


def is_own(target: Target, listeners: list[socket.socket]) -> bool:
    """Whether the server is the tap itself: a connection to it would arrive at a listener."""
    with suppress(ListenError):
        for _, address in resolved(target.host, target.port):
            if any(_arrives(str(address[0]), target.port, listener) for listener in listeners):
                return True
    return False


def _arrives(host: str, port: int, listener: socket.socket) -> bool:
    """Whether a connection to this IP address and port arrives at the listener."""
    own_host, own_port = listener.getsockname()[:2]
    if port != own_port:
        return False
    own, wanted = ip_address(own_host), _destination(host)
    if own.version != wanted.version:
        return False
    if own.is_unspecified:
        return is_local(f"[{wanted}]" if wanted.version == 6 else str(wanted))
    return own == wanted


def _destination(host: str) -> IPv4Address | IPv6Address:
    """Where a connection to an IP address goes: to ``0.0.0.0`` and ``::`` it goes to the loopback,
    and an IPv4 address that is written as IPv6 is that IPv4 address."""
    address = ip_address(host.partition("%")[0])
    address = getattr(address, "ipv4_mapped", None) or address
    if address.is_unspecified:
        return ip_address("127.0.0.1" if address.version == 4 else "::1")
    return address
