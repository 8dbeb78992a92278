"""All use of Dask: without its log output, without its web pages, without unneeded open ports.

Everything goes over the connection that a worker opens to its scheduler: orders as tasks, answers
as events. So a worker opens no port (``inproc``). Its address only has to be unique; nothing
connects to it (Dask's documentation: Worker ``contact_address``, ``protocol``).
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
"""Name of the Dask resource of which each board has one: Dask sends it one request at a time."""
ORDERS_AT_ONCE = 4
"""Threads of a worker: one request, and beside it orders such as ``forget`` and ``end``."""
CONNECT_S = 10.0
NOT_INSTALLED = (
    "work over many boards needs Dask, which is not installed here; "
    "install it with pip install 'npulse[fleet]'"
)
_NOISY = ("distributed", "tornado", "asyncio")
"""Loggers that are silenced, with their children."""
_SETTINGS = {
    "distributed.scheduler.work-stealing": False,
    "distributed.scheduler.allowed-failures": 1_000_000,
    "distributed.scheduler.worker-ttl": None,
    # Number of events per topic that the scheduler keeps in memory.
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
    """Dask is not installed (``is_missing``), the port is in use (``is_in_use``), or a scheduler
    cannot be used. The text is one clause."""

    def __init__(self, sentence: str, *, is_missing: bool = False, is_in_use: bool = False) -> None:
        super().__init__(sentence)
        self.is_missing = is_missing
        self.is_in_use = is_in_use


def check_installed() -> None:
    """Raises EngineError if Dask is not installed. Does not import it."""
    if importlib.util.find_spec("distributed") is None:
        raise EngineError(NOT_INSTALLED, is_missing=True)


def prepare() -> None:
    """Imports Dask, sets its options and silences its loggers: npulse reports problems itself.
    Raises EngineError if it is not installed."""
    check_installed()
    import dask
    import distributed  # noqa: F401

    dask.config.set(_SETTINGS)
    # npulse compares versions itself and shows a difference in the board's row.
    warnings.filterwarnings("ignore", module=r"distributed\.")
    known = [*logging.root.manager.loggerDict]
    for name in (*_NOISY, *(one for one in known if one.partition(".")[0] in _NOISY)):
        logger = logging.getLogger(name)
        logger.handlers = [logging.NullHandler()]
        logger.propagate = False
        logger.setLevel(logging.CRITICAL + 1)


def version() -> str:
    """The installed version of Dask's ``distributed``."""
    import distributed

    return str(distributed.__version__)


def scheduler_address(text: str) -> str:
    """``tcp://host:port`` from the user's input. Raises ValueError with one sentence."""
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
    """Host and port of a scheduler's address."""
    parts = urlsplit(address)
    return parts.hostname or "127.0.0.1", parts.port or 0


SchedulerHandle: TypeAlias = Any
"""Dask's Scheduler; ``address`` and ``close()`` are used."""
WorkerHandle: TypeAlias = Any
"""Dask's Worker; ``contact_address``, ``log_event()``, ``finished()`` and ``close()`` are used."""
Turn: TypeAlias = Any
"""Dask's Semaphore; ``release()`` is used."""


async def hosted_scheduler(host: str, port: int) -> SchedulerHandle:
    """Starts a scheduler in this process; port 0 takes a free one. Raises EngineError."""
    from distributed import Scheduler

    shown = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    try:
        with socket.create_server((host, port), family=_family(host)):
            # Tested here, as Dask's error for a port in use is less precise.
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
    """Starts a worker for one board and connects it to the scheduler. Raises EngineError."""
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
    except Exception as error:  # noqa: BLE001  Dask passes on any error
        await worker.close(timeout=2, reason="not joined")
        if "name taken" in f"{error} {error.__cause__}":
            raise EngineError(
                f"a board of the name {board} has joined already; give this one another --name"
            ) from None
        raise EngineError(
            f"{address} did not accept this board: it is no Dask scheduler, or its Dask has "
            f"another version than the one here ({version()})"
        ) from None
    _without_pages(worker)
    return worker


def _own_name() -> str:
    """A random address for a worker, which needs a unique one although nothing connects to it."""
    a, b, c = (1 + secrets.randbelow(253) for _ in range(3))
    return f"127.{a}.{b}.{c}:{20_000 + secrets.randbelow(40_000)}"


def _without_pages(server: SchedulerHandle | WorkerHandle) -> None:
    """Stops the HTTP server that Dask starts even with ``dashboard=False``."""
    http_server = getattr(server, "http_server", None)
    if http_server is not None:
        http_server.stop()


def is_reachable(address: str, within_s: float = 2.0) -> bool:
    """Whether the port accepts a connection. Blocks up to ``within_s`` seconds."""
    host, port = host_and_port(address)
    try:
        with socket.create_connection((host, port), timeout=within_s):
            return True
    except OSError:
        return False


class FleetClient:
    """The run's connection to the scheduler: sends orders to boards and receives their messages."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._orders: set[asyncio.Task[None]] = set()

    @classmethod
    async def connected(cls, address: str) -> FleetClient:
        """Connects to the scheduler. Raises EngineError."""
        from distributed import Client

        if not await asyncio.to_thread(is_reachable, address):
            raise EngineError(f"there is no scheduler at {address}")
        try:
            client = await Client(
                address, asynchronous=True, timeout=CONNECT_S, set_as_default=False
            )
        except Exception as error:  # noqa: BLE001  Dask passes on any error
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
        """Subscribes: ``on_board`` gets announcements of boards, ``on_message`` the messages of
        this run (both JSON), ``on_gone`` the address of a worker whose connection was closed."""

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
        """Runs a function of ``tui/fleet/dask_tasks.py`` on a board. ``on_error`` gets one line if
        Dask could not run it."""
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
        """Waits until no other run uses this scheduler. ``on_wait`` gets the name of the run that
        does. Call ``release()`` on the result at the end."""
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
        """Whether the connection to the scheduler stands."""
        return bool(self._client.status == "running")

    async def settled(self, within_s: float) -> None:
        """Waits until all orders have been executed, at most ``within_s`` seconds."""
        if self._orders and self.is_connected:
            await asyncio.wait(list(self._orders), timeout=within_s)

    async def close(self) -> None:
        """Closes the connection. Orders that have begun continue on their boards."""
        for task in self._orders:
            task.cancel()
        await asyncio.gather(*self._orders, return_exceptions=True)
        await self._client.close(timeout=2)


async def _carried_out(future: Any, on_error: Callable[[str], None]) -> None:
    """Waits until an order has been executed. Its result is not fetched from the board."""
    error = await future.exception()
    if future.status == "error":
        on_error(clean_line(f"{type(error).__name__}: {error}", 200))
