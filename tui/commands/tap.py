"""``npulse tap``: forwards clients to the server, and measures their answers."""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import signal
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from tui.commands.exit_code import ExitCode
from tui.commands.parser import Parser, complain, refused

if TYPE_CHECKING:
    import socket

    from tui.core.listen_address import ListenAddress
    from tui.history.request_records import ClientRequest
    from tui.servers.access import Access
    from tui.servers.connection_state import Server
    from tui.settings.config import LoadedConfig
    from tui.tap.copy_ring import CopyReader
    from tui.tap.listen import Target
    from tui.tap.measuring_process import TrafficReader

COMMAND = "npulse tap"
DEFAULT_LISTEN = "127.0.0.1:8090"
NICE = 5
"""Niceness of the measuring process: forwarding has priority."""
END_S = 10.0
"""Time that the measuring process has to end."""
STORE_S = 7.0
"""Part of that time for storing the rest."""

DESCRIPTION = """\
A proxy between other clients and the server that measures their answers: point Open
WebUI, Home Assistant or a script at the address of --listen instead of the server's.
All bytes are forwarded unchanged in both directions. A second process reads a copy and
keeps one line per request for an answer in the history: client, model, tokens, queue,
TTFT, rate and how it ended. Texts are not kept (see --keep-text), keys and
Authorization headers never. Traffic that npulse does not know is forwarded as well.

Exit codes: 0 ended by a signal, 1 it cannot listen there, 2 usage, 5 no server found."""


def parser() -> Parser:
    """The options of ``npulse tap``."""
    made = Parser(
        prog=COMMAND,
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = made.add_argument
    add(
        "--listen",
        metavar="HOST:PORT",
        default=DEFAULT_LISTEN,
        help=f"where clients connect (default {DEFAULT_LISTEN}; port 0 takes a free one)",
    )
    add("--to", metavar="URL", help="the server (default: searched on the known ports)")
    add(
        "--public",
        action="store_true",
        help="allow an address that other machines reach: they can then use the server",
    )
    add(
        "--keep-text",
        action="store_true",
        help="also keep the text of the last message and of the answer",
    )
    add("--no-store", action="store_true", help="only print lines; keep nothing in the history")
    add("--json", action="store_true", help="print one JSON object per line")
    add("--publish", metavar="FILE", type=Path, help="write the running requests, without texts, "
                    "to FILE for the dashboards of other users of this machine")  # fmt: skip
    add("--api-key", metavar="KEY", help="API key for recognising the server; clients send "
                    "their own")  # fmt: skip
    add("--config", metavar="FILE", help="read this config file after your own")
    return made


@dataclass(frozen=True, slots=True)
class _Plan:
    """Options and settings of a tap."""

    listen: ListenAddress
    to: Target | None
    access: Access
    config: LoadedConfig


def main(argv: Sequence[str]) -> int:
    """Run ``npulse tap`` with these arguments; returns the exit code."""
    from tui.tap.listen import ListenError, is_own, open_listeners, target_of

    made = parser()
    options = made.parse_args(list(argv))
    plan = _plan(made, options)
    try:
        listeners = open_listeners(plan.listen, is_public=options.public)
    except ListenError as error:
        complain(COMMAND, str(error))
        return ExitCode.USAGE if "--public" in str(error) else ExitCode.FAILED
    try:
        if plan.to is not None and is_own(plan.to, listeners):
            made.error(f"--to {plan.to.url} is the tap itself")
        server = asyncio.run(_server(plan))
        if plan.to is None and server is None:
            return ExitCode.UNREACHABLE
        target = plan.to or target_of(server.url if server is not None else "")
        return _run(options, plan, listeners, target, server)
    except ListenError as error:
        return refused(COMMAND, str(error), ExitCode.FAILED)
    finally:
        for listener in listeners:
            listener.close()


def _plan(made: Parser, options: argparse.Namespace) -> _Plan:
    from tui.core.listen_address import listen_address
    from tui.settings.config import ConfigError, config_paths, load
    from tui.settings.server_options import server_access
    from tui.tap.listen import target_of

    try:
        listen = listen_address(options.listen)
    except ValueError as error:
        made.error(f"--listen {error}")
    try:
        to = None if options.to is None else target_of(options.to)
        config = load(config_paths(options.config), os.environ, {})
        access = server_access(config.settings.server, options.api_key)
    except (ConfigError, ValueError) as error:
        made.error(str(error))
    for warning in config.warnings:
        complain(COMMAND, warning)
    return _Plan(listen, to, access, config)


async def _server(plan: _Plan) -> Server | None:
    """The server if it can be recognised now; else prints a message that none responds."""
    from tui.servers.locate import NoServerError, locate, look
    from tui.settings.server_options import server_urls
    from tui.settings.state import remembered_servers

    def note(sentence: str) -> None:
        # Elsewhere the server's address is --url.
        complain(COMMAND, sentence.replace("--url", "--to"))

    if plan.to is not None:
        found = await look((plan.to.url,), access=plan.access)
        if found.server is None:
            note(f"{found.absence} Requests are forwarded to it anyway.")
        return found.server
    try:
        return await locate(
            server_urls(plan.config.settings.server),
            access=plan.access,
            remembered_url=remembered_servers().url,
            on_note=note,
        )
    except NoServerError as error:
        note(error.sentence)
        return None


def _run(
    options: argparse.Namespace,
    plan: _Plan,
    listeners: list[socket.socket],
    target: Target,
    server: Server | None,
) -> int:
    from tui.tap.copy_ring import CopyReader, CopyRing, CopyWriter
    from tui.tap.forwarder import Forwarder, raise_file_limit
    from tui.tap.listen import resolved
    from tui.tap.short_turns import ask_for_short_turns

    addresses = resolved(target.host, target.port)
    ring = CopyRing()
    writer, reader = CopyWriter(ring), CopyReader(ring)
    raise_file_limit()
    sys.stdout.flush()
    # Excludes present objects from garbage collection, so that their pages stay shared after the
    # fork.
    gc.freeze()
    child = os.fork()
    if not child:
        writer.close()
        for listener in listeners:
            listener.close()
        _watch(options, plan, reader, target, server)
    reader.close()
    # Nothing that the forwarder makes refers to itself for long: a collection would only hold up
    # chunks.
    gc.disable()
    ask_for_short_turns()
    forwarder = Forwarder(listeners, addresses, writer, lambda note: complain(COMMAND, note))

    def stop(number: int, frame: FrameType | None) -> None:
        forwarder.stop()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)
    _greet(listeners, target, server, is_public=options.public)
    forwarder.run()
    writer.close()
    _wait_for(child)
    return ExitCode.OK


def _greet(
    listeners: list[socket.socket], target: Target, server: Server | None, *, is_public: bool
) -> None:
    from tui.core.listen_address import ListenAddress, is_loopback

    what = "a server that does not answer yet" if server is None else server.name
    for listener in listeners:
        host, port = listener.getsockname()[:2]
        shown = ListenAddress(host, port).shown
        complain(COMMAND, f"listening on http://{shown}, forwards to {target.url} ({what})")
        if is_public and not is_loopback(host):
            complain(
                COMMAND,
                f"other machines can use the server through {shown}; every answer uses the NPU, so "
                "restrict access with a firewall if needed",
            )
    if target.is_tls:
        complain(COMMAND, "TLS is forwarded unchanged: it cannot be read or measured")


def _watch(
    options: argparse.Namespace,
    plan: _Plan,
    reader: CopyReader,
    target: Target,
    server: Server | None,
) -> None:
    """Runs the measuring process. Does not return."""
    code = 1
    try:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        with suppress(OSError):  # a service may not be allowed to
            os.nice(NICE)
        _measure(options, plan, reader, target, server)
        sys.stdout.flush()
        code = 0
    except OSError:
        pass  # a stdout that takes nothing
    finally:
        # Not the way out of the process that this one was copied from.
        os._exit(code)


def _measure(
    options: argparse.Namespace,
    plan: _Plan,
    reader: CopyReader,
    target: Target,
    server: Server | None,
) -> None:
    from tui.settings.history_options import history_file, history_limits
    from tui.tap.measuring_process import ServerRecogniser, TrafficReader, seen
    from tui.tap.now_file import NowFile, own_folder
    from tui.tap.publisher import Publisher
    from tui.tap.request_lines import LineWriter
    from tui.tap.request_store import RequestStore

    def note(sentence: str) -> None:
        complain(COMMAND, sentence)

    section = plan.config.settings.history
    path = history_file() if section.enabled and not options.no_store else None
    lines = LineWriter(is_json=options.json)
    publisher = None
    if options.publish is not None:
        publisher = Publisher(options.publish, path, note)

    def over(request: ClientRequest) -> None:
        lines.add(request)
        if publisher is not None:
            publisher.over(request)

    store = RequestStore(path, history_limits(section), over, note)
    known = seen(server, target.url)
    look = ServerRecogniser(known, plan.access)
    look.start()
    watcher = TrafficReader(reader, known, store, note, has_text=options.keep_text)
    folder = options.publish.parent if options.publish is not None else own_folder()
    now = None if folder is None else NowFile(folder)

    def live(running: list[ClientRequest]) -> None:
        if now is not None:
            now.write(running)
        if publisher is not None:
            publisher.write(running)

    watcher.on_live = live
    watcher.run()
    if now is not None:
        now.remove()
    look.stop()
    store.close(STORE_S)
    lines.close()
    note(_summary(watcher))


def _summary(watcher: TrafficReader) -> str:
    chunks, p99_ms = watcher.delays.count, watcher.delays.quantile_ms(0.99)
    others = watcher.observer.n_others
    delay = "" if p99_ms is None else f"; their delay: {p99_ms:.3f} ms (99th percentile)"
    more = f" and {others} without an answer, such as model lists" if others else ""
    requests = "1 request" if watcher.n_over == 1 else f"{watcher.n_over} requests"
    return f"{requests}{more}, {chunks} chunks forwarded{delay}"


def _wait_for(child: int) -> None:
    """Waits for the end of the measuring process; kills it after a time limit."""
    end_s = time.monotonic() + END_S
    with suppress(ChildProcessError):
        while time.monotonic() < end_s:
            if os.waitpid(child, os.WNOHANG)[0]:
                return
            time.sleep(0.02)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
