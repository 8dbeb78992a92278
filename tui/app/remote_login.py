"""``--board``: logs in to a board before anything is drawn, for ssh may ask for a password."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from tui.remote.address import find_board
from tui.remote.board import RemoteBoard
from tui.servers.address import normalised_url
from tui.settings.config import config_paths, load


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """A board that is read, and its servers as this machine reaches them: ``urls``, and for each
    of these local ports what it is on the board (``kitchen:8021``)."""

    board: RemoteBoard
    urls: Sequence[str]
    places: Mapping[int, str]


def log_in(text: str, url: str | None, config: str | None) -> LoggedIn:
    """The board of that name or address. ``url`` is a server as the board itself would ask it.

    Raises SshError, and ValueError or ConfigError for what was given, each with one sentence.
    """
    settings = load(config_paths(config), os.environ).settings
    address = find_board(text, settings.boards)
    wanted = url or address.server_url
    there = (
        [normalised_url(wanted)]
        if wanted
        else [f"http://127.0.0.1:{port}" for port in settings.server.ports]
    )
    board = RemoteBoard(address, interval_s=settings.board.interval_s)
    try:
        board.connect(may_ask=True)
        urls = [board.forwarded(one) for one in there]
    except BaseException:
        board.close()
        raise
    places = {
        urlsplit(here).port or 0: f"{address.name}:{urlsplit(one).port or ''}".rstrip(":")
        for here, one in zip(urls, there, strict=True)
    }
    return LoggedIn(board, urls, places)
