"""Address of a board: ``ssh://user@board:2222``, or a name in ``[boards]`` of the config."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from tui.servers.address import loopback_urls

EXAMPLE = "ssh://user@board"
_USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}")
_HOST = re.compile(
    r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,251}[A-Za-z0-9_])?|[0-9A-Fa-f:.]{2,45}(?:%\w+)?"
)


@dataclass(frozen=True, slots=True)
class BoardAddress:
    """Address of a board. ``host`` may be an alias in ``~/.ssh/config``. ``server_url`` is the
    server's URL on the board itself; None: try the known ports. ``root`` is the folder on the board
    below which /proc and /sys are read."""

    name: str
    host: str
    user: str | None = None
    port: int | None = None
    server_url: str | None = None
    root: str = "/"

    def server_urls(self, ports: Iterable[int]) -> tuple[str, ...]:
        """Where the board itself would look for its server; at these ports where none is named."""
        return loopback_urls(ports) if self.server_url is None else (self.server_url,)

    @property
    def destination(self) -> str:
        """``user@host``, for ssh."""
        return self.host if self.user is None else f"{self.user}@{self.host}"

    @property
    def shown(self) -> str:
        """The address as written on a command line."""
        port = "" if self.port is None else f":{self.port}"
        host = f"[{self.host}]" if ":" in self.host else self.host
        user = "" if self.user is None else f"{self.user}@"
        return f"ssh://{user}{host}{port}"


def board_address(
    text: str, *, name: str | None = None, server_url: str | None = None
) -> BoardAddress:
    """Parse ``ssh://user@board:2222``. Raises ValueError; its message is one sentence.

    A name that begins with a hyphen is invalid, as ssh would take it for an option.
    """
    wrong = ValueError(f"a board is written as {EXAMPLE} or {EXAMPLE}:2222, not {text[:80]!r}")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise wrong from None
    rest = parts.path.strip("/") or parts.query or parts.fragment
    if parts.scheme != "ssh" or not parts.hostname or rest or port == 0:
        raise wrong
    if parts.password is not None:
        raise ValueError(f"{EXAMPLE}: no password in the address; ssh asks for it, or use a key")
    # Not parts.hostname, which is lower case: aliases in ~/.ssh/config are case-sensitive.
    host = parts.netloc.rpartition("@")[2]
    host = host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]
    if not _HOST.fullmatch(host) or (parts.username and not _USER.fullmatch(parts.username)):
        raise wrong
    return BoardAddress(name or host, host, parts.username, port, server_url)


def find_board(text: str, boards: Mapping[str, BoardAddress]) -> BoardAddress:
    """The board with this name in the config, or with this address. Raises ValueError."""
    known = boards.get(text)
    if known is not None:
        return known
    if "://" in text:
        return board_address(text)
    named = ", ".join(boards) or "none yet"
    raise ValueError(
        f"--board takes {EXAMPLE} or the name of a board in [boards] of the config ({named}), "
        f"not {text[:80]!r}"
    )
