"""Examines the board for ``npulse doctor --fix``: samples during an answer, possible fixes."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass

from tui.bench.model.options import Options
from tui.bench.run.board_link import BoardLink
from tui.board.advice.diagnosis import Work, why_slow
from tui.board.advice.fixes import npu_access, runtime_log
from tui.board.advice.remedies import is_container
from tui.board.one_shot import one_shot
from tui.board.readers.files import Files
from tui.board.readers.neighbours import Neighbours
from tui.board.runtime_log.reader import source_of_port
from tui.board.sampler import Sampler
from tui.core.board.finding import Finding
from tui.core.board.fix import Fix
from tui.core.board.reading import Snapshot
from tui.fixes.busy_sample import sample_while_answering
from tui.fixes.change import BoardPlace
from tui.fixes.idle_wait import WaitOptions
from tui.fixes.session import link_to, server_of_board
from tui.servers.address import local_port


@dataclass(frozen=True, slots=True)
class Seen:
    """The checked board, and the server whose answers can be compared."""

    findings: tuple[Finding, ...]
    fixes: tuple[Fix, ...]
    model: str = ""
    server: str = ""
    unmeasured: str = ""
    """A sentence why answers cannot be compared; empty if they can."""


async def look_at_board(made: Options, place: BoardPlace, waits: WaitOptions) -> Seen:
    """Sends two short requests to the board's server once it is idle, if there is one."""
    found = await server_of_board(made, place, waits)
    if isinstance(found, str):
        at_rest = await asyncio.to_thread(_at_rest, place)
        return _seen(at_rest, Work(), place, unmeasured=found)
    files = Files(place.root)
    neighbours = Neighbours(files)

    def begun() -> BoardLink:
        neighbours.busiest(time.perf_counter_ns())
        return link_to(found, place)

    try:
        under_load = await sample_while_answering(found, begun)
        if under_load is None:
            work, under_load = Work(), await asyncio.to_thread(_at_rest, place)
        else:
            own = {os.getpid(), int(under_load.number("server.pid") or -1)}
            busiest = await asyncio.to_thread(
                neighbours.busiest, time.perf_counter_ns(), without=frozenset(own)
            )
            work = Work(phase="decode", neighbours=tuple(busiest))
    finally:
        files.close()
        await found.client.aclose()
    port = local_port(found.server.url)
    fix = None
    if place.key == "/" and port is not None:
        fix = runtime_log(await asyncio.to_thread(source_of_port, Files(), port))
    return _seen(
        under_load,
        work,
        place,
        model=found.info.name,
        server=found.server.name,
        more=() if fix is None else (fix,),
    )


def _at_rest(place: BoardPlace) -> Snapshot:
    sampler = Sampler(place.root)
    try:
        return one_shot(sampler, time.sleep)
    finally:
        sampler.close()


def _seen(
    snapshot: Snapshot,
    work: Work,
    place: BoardPlace,
    *,
    model: str = "",
    server: str = "",
    unmeasured: str = "",
    more: Sequence[Fix] = (),
) -> Seen:
    findings = why_slow(snapshot, work)
    fixes = [finding.fix for finding in findings if finding.fix is not None]
    access = npu_access(snapshot, is_container=is_container(snapshot))
    if access is not None and place.key == "/":
        fixes.append(access)
    acting = tuple(finding for finding in findings if finding.weight == "act")
    return Seen(acting, (*fixes, *more), model, server, unmeasured)
