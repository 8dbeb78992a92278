"""Dask as npulse uses it: quiet, without pages of its own, no port that is not needed.

Everything goes over the connection that a worker opens to its scheduler: orders as tasks, answers
as events. So a worker listens nowhere (``inproc``), and its address is a name that only has to be
unique (Dask's documentation: Worker ``contact_address``, ``protocol``).
"""

from __future__ import annotations

import asyncio
import errno
import importlib.util
import logging
import secrets
import socket
import warnings
from collections.abc import Callable
from typing import Any, TypeAlias
from urllib.parse import urlsplit

from tui.core.text.sanitize import clean_line
from tui.fleet.messages import BOARDS_TOPIC, run_topic

NPU = "npu"
"""The resource of a board: one, so that one request at a time is placed there."""
ORDERS_AT_ONCE = 4
"""A request, and beside it the orders that forget or end something."""
CONNECT_S = 10.0
NOT_INSTALLED = (
    "work over many boards needs Dask, which is not installed here; "
    "install it with pip install 'npulse[fleet]'"
)
_NOISY = ("distributed", "tornado", "asyncio")
"""Loggers that are silent, with all below them."""
_SETTINGS = {
    "distributed.scheduler.work-stealing": False,
    "distributed.scheduler.allowed-failures": 1_000_000,
    "distributed.scheduler.worker-ttl": None,
    # What boards told stays in the scheduler's memory so often.
    "distributed.admin.low-level-log-length": 20,
    "distributed.admin.tick.limit": "1h",
    "distributed.worker.memory.target": False,
    "distributed.worker.memory.spill": False,
    "distributed.worker.memory.pause": False,
    "distributed.worker.memory.terminate": False,
    "distributed.worker.profile.enabled": False,
    "distributed.comm.retry.count": 0,
    "distributed.comm.timeouts.connect": f"{CONNECT_S:.0f}s",
}


class EngineError(Exception):
    """Dask is missing (``is_missing``), another program listens there (``is_in_use``), or a
    scheduler cannot be used; the text is one sentence."""

    def __init__(self, sentence: str, *, is_missing: bool = False, is_in_use: bool = False) -> None:
        super().__init__(sentence)
        self.is_missing = is_missing
        self.is_in_use = is_in_use


def check_installed() -> None:
    """Raises EngineError where Dask is not there. Imports nothing."""
    if importlib.util.find_spec("distributed") is None:
        raise EngineError(NOT_INSTALLED, is_missing=True)


def prepare() -> None:
    """Loads Dask and keeps it quiet: what matters is told in npulse's own words."""
    check_installed()
    import dask
    import distributed  # noqa: F401

    dask.config.set(_SETTINGS)
    # Versions are compared by npulse, which says so in the board's row.
    warnings.filterwarnings("ignore", module=r"distributed\.")
    known = [*logging.root.manager.loggerDict]
    for name in (*_NOISY, *(one for one in known if one.partition(".")[0] in _NOISY)):
        logger = logging.getLogger(name)
        logger.handlers = [logging.NullHandler()]
        logger.propagate = False
        logger.setLevel(logging.CRITICAL + 1)


def version() -> str:
    """Dask's own version."""
    import distributed

    return str(distributed.__version__)


def scheduler_address(text: str) -> str:
    """``tcp://host:port`` from what was typed. Raises ValueError with one sentence."""
    wrong = ValueError(
        f"takes the address of a scheduler, such as tcp://10.0.0.5:8786, not {text[:80]!r}"
    )
    plain = text if "://" in text else f"tcp://{text}"
    try:
        parts = urlsplit(plain)
        port = parts.port
    except ValueError:
        raise wrong from None
    if parts.scheme != "tcp" or not parts.hostname or not port or parts.path.strip("/"):
        raise wrong
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"tcp://{host}:{port}"


def host_and_port(address: str) -> tuple[str, int]:
    """Of a scheduler's address."""
    parts = urlsplit(address)
    return parts.hostname or "127.0.0.1", parts.port or 0


SchedulerHandle: TypeAlias = Any
"""Dask's Scheduler; ``address`` and ``close()`` are used."""
WorkerHandle: TypeAlias = Any
"""Dask's Worker; ``contact_address``, ``log_event()``, ``finished()`` and ``close()`` are used."""
Turn: TypeAlias = Any
"""Dask's Semaphore; ``release()`` is used."""


async def hosted_scheduler(host: str, port: int) -> SchedulerHandle:
    """A scheduler of this process; port 0 takes a free one. Raises EngineError."""
    from distributed import Scheduler

    shown = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    try:
        with socket.create_server((host, port), family=_family(host)):
            # Dask's own error for this says less.
            pass
        scheduler = await Scheduler(
            host=host, port=port, dashboard=False, dashboard_address="127.0.0.1:0"
        )
    except OSError as error:
        raise EngineError(
            f"cannot listen at {shown}: {error.strerror or error}",
            is_in_use=error.errno == errno.EADDRINUSE,
        ) from None
    _without_pages(scheduler)
    return scheduler


def _family(host: str) -> int:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


async def joined_worker(address: str, board: str, plugin: Any, within_s: float) -> WorkerHandle:
    """A worker for one board, joined to the scheduler. Raises EngineError."""
    from distributed import Worker

    worker = Worker(
        address,
        protocol="inproc://",
        contact_address=f"tcp://{_own_name()}",
        nthreads=ORDERS_AT_ONCE,
        memory_limit=0,
        resources={NPU: 1},
        name=board,
        dashboard=False,
        dashboard_address="127.0.0.1:0",
        plugins=[plugin],
        death_timeout=within_s,
    )
    try:
        await worker
    except Exception as error:  # noqa: BLE001  Dask raises whatever its connection met
        await worker.close(timeout=2, reason="not joined")
        if "name taken" in f"{error} {error.__cause__}":
            raise EngineError(
                f"a board of the name {board} has joined already; give this one another --name"
            ) from None
        raise EngineError(
            f"the scheduler at {address} did not take this board: it is none, or its Dask is of "
            f"another version than the one here ({version()})"
        ) from None
    _without_pages(worker)
    return worker


def _own_name() -> str:
    """An address that nobody connects to and no other worker has."""
    a, b, c = (1 + secrets.randbelow(253) for _ in range(3))
    return f"127.{a}.{b}.{c}:{20_000 + secrets.randbelow(40_000)}"


def _without_pages(server: SchedulerHandle | WorkerHandle) -> None:
    """Ends the web pages that Dask begins unasked."""
    http_server = getattr(server, "http_server", None)
    if http_server is not None:
        http_server.stop()


def is_reachable(address: str, within_s: float = 2.0) -> bool:
    """Whether somebody listens there. Blocks."""
    host, port = host_and_port(address)
    try:
        with socket.create_connection((host, port), timeout=within_s):
            return True
    except OSError:
        return False


class FleetClient:
    """The run's own connection to the scheduler: gives orders, hears what boards tell."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._orders: set[asyncio.Task[None]] = set()

    @classmethod
    async def connected(cls, address: str) -> FleetClient:
        """Raises EngineError."""
        from distributed import Client

        if not await asyncio.to_thread(is_reachable, address):
            raise EngineError(f"there is no scheduler at {address}")
        try:
            client = await Client(
                address, asynchronous=True, timeout=CONNECT_S, set_as_default=False
            )
        except Exception as error:  # noqa: BLE001  Dask raises whatever its connection met
            raise EngineError(
                f"the scheduler at {address} cannot be used: {clean_line(str(error), 120)}"
            ) from None
        return cls(client)

    def hear(
        self,
        run_id: str,
        on_board: Callable[[bytes], None],
        on_message: Callable[[bytes], None],
        on_gone: Callable[[str], None],
    ) -> None:
        """Announcements of boards, messages of a run, addresses of workers that went away."""

        async def board(event: Any) -> None:
            on_board(bytes(event[1]["data"]))

        async def message(event: Any) -> None:
            on_message(bytes(event[1]["data"]))

        async def anything(event: Any) -> None:
            if event[1].get("action") == "remove-worker":
                on_gone(str(event[1].get("worker", "")))

        self._client.subscribe_topic(BOARDS_TOPIC, board)
        self._client.subscribe_topic(run_topic(run_id), message)
        self._client.subscribe_topic("all", anything)

    def order(
        self,
        function: Callable[..., Any],
        argument: bytes,
        address: str,
        on_error: Callable[[str], None],
        *,
        needs_npu: bool,
    ) -> None:
        """Has a board do something. ``on_error`` is told what Dask could not do."""
        future = self._client.submit(
            function,
            argument,
            key=f"npulse-{function.__name__}-{secrets.token_hex(8)}",
            workers=[address],
            allow_other_workers=False,
            resources={NPU: 1} if needs_npu else None,
            pure=False,
            retries=0,
        )
        task = asyncio.create_task(_carried_out(future, on_error))
        self._orders.add(task)
        task.add_done_callback(self._orders.discard)

    async def take_turn(self, who: str, on_wait: Callable[[str], None]) -> Turn:
        """The one turn of this scheduler's fleet; awaits it, and returns what lets it go."""
        from distributed import Semaphore

        lock = Semaphore(
            1, "npulse-run", scheduler_rpc=self._client.scheduler, loop=self._client.loop
        )
        told = ""
        while not await lock.acquire(timeout="1s"):
            holder = await self._client.get_metadata(["npulse-run"], default="another run")
            if holder != told:
                told = str(holder)
                on_wait(clean_line(told, 80))
        await self._client.set_metadata(["npulse-run"], who)
        return lock

    @property
    def is_connected(self) -> bool:
        """Whether the scheduler is there."""
        return bool(self._client.status == "running")

    async def settled(self, within_s: float) -> None:
        """Waits until the orders that were given are carried out, for a limited time."""
        if self._orders and self.is_connected:
            await asyncio.wait(list(self._orders), timeout=within_s)

    async def close(self) -> None:
        """Ends the connection; what was ordered and has begun goes on."""
        for task in self._orders:
            task.cancel()
        await asyncio.gather(*self._orders, return_exceptions=True)
        await self._client.close(timeout=2)


async def _carried_out(future: Any, on_error: Callable[[str], None]) -> None:
    """Waits until an order is carried out. Its result stays at the board: nothing is fetched."""
    error = await future.exception()
    if future.status == "error":
        on_error(clean_line(f"{type(error).__name__}: {error}", 200))
