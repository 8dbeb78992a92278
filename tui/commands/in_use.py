"""Check for an answer of another client before a command that would end it."""

from __future__ import annotations

import time
from collections.abc import Callable

from tui.board.readers.files import Files
from tui.board.readers.npu_load import busiest_core_pct
from tui.board.readers.server_search import n_clients
from tui.servers.busy_light import NotAnsweringError, working
from tui.servers.client import Client
from tui.servers.connection_state import Server

BUSY_LOAD_PCT = 10.0


def npu_reason(server: Server, files: Files | None = None) -> str | None:
    """The NPU's load as a clause; None where it is idle, cannot be read, or belongs to another
    machine than the server.
    """
    if not server.is_on_this_machine:
        return None
    load_pct = busiest_core_pct(files or Files(), time.time())
    if load_pct is None or load_pct < BUSY_LOAD_PCT:
        return None
    return f"the NPU load is {load_pct:.0f} %"


def waits_behind_another(server: Server, files: Files | None = None) -> bool:
    """Whether a prompt sent now would wait for another client's answer.

    The NPU alone does not say so: for a second it still shows the load of our own last answer. So
    somebody else must be connected as well.
    """
    files = files or Files()
    port = server.port_on_this_machine
    return port is not None and npu_reason(server, files) is not None and n_clients(files, port) > 0


def overlap_guard(server: Server, files: Files | None = None) -> Callable[[], str | None]:
    """Why a prompt must not be sent now: it would break another client's answer."""

    def reason() -> str | None:
        busy = npu_reason(server, files) if server.dialect.is_overlap_fatal else None
        if busy is None:
            return None
        return f"{busy}, and a prompt would end the answer that {server.name} gives now"

    return reason


async def why_in_use(client: Client, server: Server, files: Files | None = None) -> str | None:
    """Evidence that an answer is running, as a clause; None where there is none."""
    try:
        light = await working(client)
    except NotAnsweringError:
        return f"{server.name} does not answer, so it is at work"
    if light is not None:
        return f"{server.name} is working on an answer" if light.n_running else None
    return npu_reason(server, files)
