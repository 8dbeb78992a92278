"""The functions that Dask runs on a board, in its event loop. Their argument is a JSON message."""

from __future__ import annotations

from distributed import Worker, WorkerPlugin, get_worker

from tui.fleet.board import Board
from tui.fleet.messages import ask_decoder, ending_decoder, have_decoder, order_decoder

PLUGIN = "npulse-board"


class BoardPlugin(WorkerPlugin):  # type: ignore[misc]
    """Holds the :class:`Board` of a worker, so that the functions below find it."""

    name = PLUGIN

    def __init__(self, board: Board) -> None:
        self.board = board

    def setup(self, worker: Worker) -> None:
        """Does nothing; Dask calls it."""


async def serve(order: bytes) -> None:
    """Prepares for a run (:class:`tui.fleet.messages.RunOrder`)."""
    await _board().serve(order_decoder.decode(order))


async def ask(order: bytes) -> None:
    """Sends one request (:class:`tui.fleet.messages.Ask`)."""
    await _board().ask(ask_decoder.decode(order))


async def forget(have: bytes) -> None:
    """Removes kept answers (:class:`tui.fleet.messages.Have`)."""
    had = have_decoder.decode(have)
    for key in had.keys:
        _board().kept.forget(had.run_id, key)


async def end(ending: bytes) -> None:
    """Ends work on a run (:class:`tui.fleet.messages.Ending`)."""
    ended = ending_decoder.decode(ending)
    await _board().end(ended.run_id, is_abort=ended.is_abort)


def _board() -> Board:
    plugin = get_worker().plugins[PLUGIN]
    assert isinstance(plugin, BoardPlugin)
    return plugin.board
