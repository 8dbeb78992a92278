"""Which board a benchmark reads: this machine's, a folder, none, or another one over ssh."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from tui.servers.address import CandidateUrls
from tui.servers.remembered_servers import NOTHING_REMEMBERED

SAMPLE_S = 0.5
"""As :attr:`tui.bench.model.options.Options.sample_s`."""


class BoardError(Exception):
    """The option does not name a board; the message is one sentence."""


def add_board(verb: argparse.ArgumentParser) -> None:
    """The options of a verb that measures."""
    add = verb.add_mutually_exclusive_group().add_argument
    add(
        "--board",
        metavar="BOARD",
        help="measure another machine over ssh, its server and its board: ssh://user@board, or a "
        "name of [boards] in the config",
    )
    verb.add_argument(
        "--ssh-socket",
        type=Path,
        metavar="FILE",
        help="with --board: the ControlPath of an ssh that has logged in there already, such as "
        "that of a dashboard that asked for a password",
    )
    add("--root", type=Path, metavar="DIR", help="read /sys and /proc of the board below DIR")
    add(
        "--no-board", action="store_true", help="read no board, as the server is on another machine"
    )


@contextmanager
def reached_board(options: argparse.Namespace) -> Iterator[None]:
    """Logs in to ``--board``, if given, and sets the server in ``options`` to a forwarded port of
    that board. Raises SshError if it cannot be reached, and BoardError."""
    options.elsewhere = None
    if getattr(options, "board", None) is None:
        if getattr(options, "ssh_socket", None) is not None:
            raise BoardError("--ssh-socket goes with --board")
        yield
        return
    if getattr(options, "pin", False):
        raise BoardError("--pin holds the governors of this machine, and --board measures another")
    from tui.settings.board_login import log_in
    from tui.settings.config_file import ConfigError

    try:
        board = log_in(
            options.board,
            options.url,
            may_ask=sys.stdin.isatty(),
            interval_s=SAMPLE_S,
            ssh_socket=options.ssh_socket,
        )
    except (ConfigError, ValueError) as error:
        raise BoardError(str(error)) from error
    with closing(board):
        is_named = len(board.urls) == 1
        options.urls = tuple(board.urls) if is_named else CandidateUrls(board.urls)
        options.remembered = NOTHING_REMEMBERED
        options.elsewhere = board
        yield
