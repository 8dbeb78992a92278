"""The simulated board as one process: server, truth log and /sys tree, from start to end."""

from __future__ import annotations

import asyncio
import errno
import gc
import sys
from contextlib import ExitStack

from tui.sim.board.clock_choices import ClockChoices
from tui.sim.board.state import BoardMemo
from tui.sim.board.tree import Tree
from tui.sim.profiles import SimOptions
from tui.sim.runtime.load_gate import LoadGate
from tui.sim.runtime.models import Models
from tui.sim.runtime.runtime import Runtime
from tui.sim.runtime.truth_log import TruthLog
from tui.sim.server.dialects.dialect import SimulatedServer
from tui.sim.server.dialects.rows import DIALECTS
from tui.sim.server.generation import Generation
from tui.sim.server.http import BadRequestError, Connection
from tui.sim.server.lifetime import end_on_signals, end_with, prepare_timing

HOST = "127.0.0.1"


class StartError(Exception):
    """The simulator cannot start. The message is one sentence for the user."""


async def serve(options: SimOptions) -> None:
    """Run until a signal (SIGTERM, SIGINT, SIGHUP) or the end of the parent. Raises StartError."""
    over = asyncio.Event()
    end_on_signals(asyncio.get_running_loop(), over)
    prepare_timing()
    gate, memo = LoadGate(), BoardMemo()
    memo.set_choices(ClockChoices(is_ddr_stuck=options.faults.ddr_low))
    memo.set_conditions(options.faults.conditions)
    connections: set[asyncio.Task[None]] = set()
    with ExitStack() as stack:
        try:
            truth = TruthLog(options.truth)
        except OSError as error:
            raise StartError(f"cannot write {options.truth}: {error.strerror}") from error
        stack.callback(truth.close)
        models = Models(options.profile, options.speed, gate, memo, options.profiles)
        dialect = DIALECTS[options.dialect]
        simulated = dialect.make(
            Generation(options, models, Runtime(options, models, memo, truth), truth)
        )

        def accept(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            connection = Connection(writer, gate, dialect.style)
            task = asyncio.create_task(_converse(connection, simulated))
            connections.add(task)
            task.add_done_callback(connections.discard)

        try:
            server = await asyncio.start_server(accept, HOST, options.port)
        except OSError as error:
            where = f"{HOST}:{options.port}"
            raise StartError(f"cannot listen on {where}: {_reason(error)}") from error
        port = server.sockets[0].getsockname()[1]
        memo.set_port(port)
        if options.root is not None:
            stack.enter_context(_grown(Tree(options.root, memo, options)))
        if options.parent is not None:
            parent = asyncio.create_task(end_with(options.parent, over))
            stack.callback(parent.cancel)
        gc.collect()
        gc.freeze()
        try:
            print(f"listening on http://{HOST}:{port}", flush=True)
            await over.wait()
        except BrokenPipeError:
            pass  # the process that started it has ended
        server.close()
        for task in list(connections):
            task.cancel()
        await asyncio.gather(*connections, return_exceptions=True)


def _grown(tree: Tree) -> Tree:
    try:
        tree.grow()
    except OSError as error:
        tree.close()
        raise StartError(f"cannot write the tree: {error}") from error
    return tree


def _reason(error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return "the port is in use; --port 0 takes a free one"
    return error.strerror or str(error)


async def _converse(connection: Connection, simulated: SimulatedServer) -> None:
    """Answer the requests of one connection in their order."""
    try:
        while True:
            try:
                request = await connection.request()
            except BadRequestError:
                await connection.refuse()
                return
            if request is None:
                return
            await simulated.answer(connection, request)
            if not connection.next_cycle():
                return
    except OSError as error:
        print(f"npulse sim: a connection failed: {error}", file=sys.stderr)
    finally:
        await connection.close()
