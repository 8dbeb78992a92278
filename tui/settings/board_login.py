"""``--board``: logs in before anything else, since ssh may ask for a password."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from tui.core.board.reading import Snapshot
from tui.core.text.sanitize import clean_line
from tui.remote.address import find_board
from tui.remote.board import RemoteBoard
from tui.servers.address import normalised_url
from tui.settings.config import config_paths, load

_LOCAL = re.compile(r"(?:127\.0\.0\.1|(?<!\S)):(\d{1,5})(?!\d)")
"""A port of this machine in a sentence: in an address, or after the name of its server."""


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """A board that is read, and its servers as this machine reaches them: ``urls``, and for each
    of these local ports the address that the board itself would ask. It is a
    :class:`tui.core.board.remote_board.BoardElsewhere`."""

    text: str
    """What ``--board`` was given."""
    board: RemoteBoard
    urls: Sequence[str]
    there: Mapping[int, str]

    @property
    def name(self) -> str:
        return clean_line(self.board.address.name)

    @property
    def latency_ms(self) -> float | None:
        return self.board.link.latency_ms

    def sample(self) -> Snapshot:
        return self.board.sample()

    def place_of(self, port: int | None) -> str | None:
        """What a port of this machine's loopback is on the board (``kitchen:8021``); None where it
        is nothing."""
        there = self.there.get(port or 0)
        return there and f"{self.name}:{urlsplit(there).port or ''}".rstrip(":")

    def url_there(self, url: str) -> str:
        parts = urlsplit(url)
        place = self.place_of(parts.port)
        return url if place is None else parts._replace(netloc=place).geturl()

    def words_there(self, sentence: str) -> str:
        """The sentence with each forwarded port as what it is on the board."""
        return _LOCAL.sub(lambda found: self.place_of(int(found[1])) or found[0], sentence)

    def own_login(self, url: str) -> tuple[str, ...] | None:
        """What ``--board`` and ``--url`` take in a process that reaches the board by itself, for
        the server at ``url``; and ``--ssh-socket``, where ssh would have to ask again. None for a
        server that is not of this board."""
        there = self.there.get(urlsplit(url).port or 0)
        if there is None:
            return None
        shared = (str(self.board.ssh_socket),) if self.board.has_asked else ()
        return (self.text, there, *shared)

    def close(self) -> None:
        """End the connection."""
        self.board.close()


def log_in(
    text: str,
    url: str | None,
    config: str | None = None,
    *,
    may_ask: bool = True,
    interval_s: float | None = None,
    ssh_socket: Path | None = None,
) -> LoggedIn:
    """The board of that name or address. ``url`` is a server as the board itself would ask it;
    ``may_ask``: ssh has the terminal for questions; ``interval_s`` is how often it will be sampled,
    in place of the config's; ``ssh_socket`` is of an ssh that has logged in there already.

    Raises SshError, and ValueError or ConfigError for what was given, each with one sentence.
    """
    settings = load(config_paths(config), os.environ).settings
    address = find_board(text, settings.boards)
    there = (normalised_url(url),) if url else address.server_urls(settings.server.ports)
    board = RemoteBoard(
        address, interval_s=interval_s or settings.board.interval_s, lent=ssh_socket
    )
    try:
        board.connect(may_ask=may_ask)
        urls = [board.forwarded(one) for one in there]
    except BaseException:
        board.close()
        raise
    ports = {urlsplit(here).port or 0: one for here, one in zip(urls, there, strict=True)}
    # A process of its own reads no config file that only this one was given.
    return LoggedIn(text if config is None else address.shown, board, urls, ports)
