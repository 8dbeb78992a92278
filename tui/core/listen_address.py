"""``--listen``: an address as it is typed, and whether other machines can reach it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tui.core.text.sanitize import clean_line

MAX_SHOWN_CHARS = 80
_TYPED = re.compile(r"(?:(?P<host>\[[^\]]*\]|[^:\[\]]*):)?(?P<port>[0-9]{1,5})")


@dataclass(frozen=True, slots=True)
class ListenAddress:
    """``host`` is a name or an address without brackets; port 0 takes a free one."""

    host: str
    port: int

    @property
    def shown(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def listen_address(text: str) -> ListenAddress:
    """``HOST:PORT``, ``:PORT``, ``PORT`` or ``[IPV6]:PORT``; without a host it is 127.0.0.1.
    Raises ValueError with one sentence, which goes on after the name of the option."""
    found = _TYPED.fullmatch(text.strip().removeprefix("http://").rstrip("/"))
    if found is None or int(found["port"]) > 65535:
        shown = clean_line(text, MAX_SHOWN_CHARS)
        raise ValueError(f"takes HOST:PORT, such as 127.0.0.1:8090, or a port alone, not {shown!r}")
    host = (found["host"] or "").strip("[]")
    return ListenAddress(host or "127.0.0.1", int(found["port"]))


def is_loopback(host: str) -> bool:
    """Whether only programs of this machine reach this IP address, which may hold an IPv6 zone.
    Raises ValueError for a name."""
    # Only who listens somewhere needs it.
    import ipaddress

    address = ipaddress.ip_address(host.partition("%")[0])
    inner = getattr(address, "ipv4_mapped", None) or address
    return bool(inner.is_loopback)
