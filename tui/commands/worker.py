"""``npulse worker``: this board works on runs of many boards."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import socket
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from tui.commands.exit_code import ExitCode
from tui.commands.parser import Parser, add_server_options, complain

if TYPE_CHECKING:
    from tui.fleet.worker import WorkerOptions

COMMAND = "npulse worker"
DESCRIPTION = """\
Makes this machine a worker of a run on many boards (npulse bench run --boards, npulse
lab run --boards): it joins the run's scheduler, sends one request at a time to the
server of this machine and measures the answers here. Needs the extra:
pip install 'npulse[fleet]'. Workers on boards that are reached over ssh are started by
the run; start this one by hand with the address at which the run listens.

It opens no port. But Dask, which distributes the work, runs any code that its
scheduler sends: join only a scheduler whose machine and network you trust.

Ctrl+C ends it; its request is then sent to another board. If the connection to the
scheduler is lost, the request in progress is finished and kept here, and the worker
joins again when the scheduler is back (npulse bench resume fetches kept answers).

Exit codes: 0 ended by a signal or with --once at the end of the run, 1 refused by the
scheduler, 2 usage or Dask is missing, 5 no scheduler there (with --once)."""


def parser() -> Parser:
    """The options of ``npulse worker``."""
    made = Parser(
        prog=COMMAND,
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = made.add_argument
    add("scheduler", metavar="SCHEDULER", help="address of the scheduler: tcp://HOST:PORT")
    add("--name", metavar="NAME", help="name of this board (default: the host name)")
    add("--once", action="store_true", help="end with the run instead of waiting for the next one")
    add_server_options(made)
    add("--root", type=Path, metavar="DIR", help="read /sys and /proc of the board below DIR")
    add(
        "--no-board", action="store_true", help="read no board, as the server is on another machine"
    )
    add(
        "--folder",
        type=Path,
        metavar="DIR",
        help="folder for answers that the run does not have yet",
    )
    return made


def main(argv: Sequence[str]) -> int:
    """Run ``npulse worker`` with these arguments; returns the exit code."""
    from tui.fleet import engine

    made = parser()
    options = made.parse_args(list(argv))
    try:
        engine.check_installed()
        chosen = _chosen(made, options)
        engine.prepare()
        return asyncio.run(_work(chosen))
    except engine.EngineError as error:
        complain(COMMAND, str(error))
        return ExitCode.USAGE if error.is_missing else ExitCode.FAILED


def _chosen(made: Parser, options: argparse.Namespace) -> WorkerOptions:
    from tui.bench.model.options import Options
    from tui.bench.store.folder import default_folder
    from tui.fleet import engine
    from tui.fleet.worker import WorkerOptions
    from tui.servers.address import normalised_url
    from tui.settings.config import ConfigError, config_paths, load
    from tui.settings.server_options import server_access, server_urls
    from tui.settings.state import remembered_servers

    try:
        scheduler = engine.scheduler_address(options.scheduler)
    except ValueError as error:
        made.error(f"SCHEDULER {error}")
    try:
        section = load(config_paths(options.config), os.environ).settings.server
        urls = server_urls(section)
        if options.url is not None:
            url = normalised_url(options.url)
            urls, section = (url,), msgspec.structs.replace(section, url=url)
        access = server_access(section, options.api_key)
    except (ConfigError, ValueError) as error:
        made.error(str(error))
    own = Options(
        folder=options.folder or default_folder(),
        urls=urls,
        access=access,
        tokenizer=section.tokenizer,
        remembered=remembered_servers(),
        root=options.root,
        reads_board=not options.no_board,
    )
    return WorkerOptions(scheduler, options.name or socket.gethostname(), own, options.once)


async def _work(options: WorkerOptions) -> int:
    from tui.fleet.worker import BoardWorker

    worker = BoardWorker(options, _say)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, worker.stop)
    # A lost terminal takes no board away.
    loop.add_signal_handler(signal.SIGHUP, lambda: None)
    if options.is_once and not sys.stdin.isatty():
        _watch_stdin(loop, worker.let_finish)
    has_joined = await worker.run()
    return ExitCode.OK if has_joined or not options.is_once else ExitCode.UNREACHABLE


def _watch_stdin(loop: asyncio.AbstractEventLoop, on_end: Callable[[], None]) -> None:
    """The end of stdin is the end of the connection that began this worker."""

    def look() -> None:
        try:
            data = os.read(0, 4096)
        except OSError:
            data = b""
        if not data:
            loop.remove_reader(0)
            on_end()

    with suppress(OSError, ValueError):
        loop.add_reader(0, look)


def _say(sentence: str) -> None:
    """Prints a line to stdout, which may have been closed."""
    from tui.core.text.sanitize import clean_line

    with suppress(OSError, ValueError):
        print(clean_line(sentence), flush=True)
