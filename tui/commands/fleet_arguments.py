"""``--boards`` and what goes with it, for ``npulse bench`` and ``npulse lab``."""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tui.bench.model.events import Event
    from tui.bench.model.options import Options
    from tui.bench.model.suite import Suite
    from tui.bench.run.runner import RunSuite
    from tui.bench.store.controls import Controls
    from tui.bench.store.resume import Earlier
    from tui.fleet.connect import FleetPlan


OF_ONE_BOARD = ("board", "ssh_socket", "url", "api_key", "root", "no_board", "pin", "minutes")
"""Options that cannot be combined with ``--boards``."""


class FleetUsageError(ValueError):
    """Options that cannot be combined; the text is one clause."""


def add_fleet(verb: argparse.ArgumentParser) -> None:
    """Adds the options of a run on many boards."""
    add = verb.add_argument
    add(
        "--boards",
        metavar="NAMES",
        help="distribute the prompts to these boards: all, or names from [boards] in the config, "
        "separated by commas; their workers are started over ssh, or by hand (npulse worker)",
    )
    add("--scheduler", metavar="ADDR", help="with --boards: use this running Dask scheduler")
    add(
        "--listen",
        metavar="HOST:PORT",
        help="with --boards: address at which workers started by hand join this run",
    )
    add("--public", action="store_true", help="allow a --listen address that other machines reach")


def fleet_runner(options: argparse.Namespace) -> RunSuite | None:
    """The function that runs a suite on the boards of ``--boards``; None without that option.
    Raises FleetUsageError, ConfigError."""
    if options.boards is None:
        for name in ("scheduler", "listen", "public"):
            if getattr(options, name):
                raise FleetUsageError(f"--{name} goes with --boards")
        return None
    given = next((name for name in OF_ONE_BOARD if getattr(options, name, None)), None)
    if given is not None:
        raise FleetUsageError(
            f"--{given.replace('_', '-')} is for one board; with --boards each board uses its own "
            "server and its own /sys ([boards] in the config, and the options of npulse worker)"
        )
    from tui.fleet import engine

    try:
        engine.check_installed()
    except engine.EngineError as error:
        raise FleetUsageError(str(error)) from None
    made = _plan(options)

    def run_suite(
        suite: Suite, chosen: Options, controls: Controls, *, resume: Earlier | None = None
    ) -> AsyncIterator[Event]:
        from tui.fleet.runner import run

        return run(suite, chosen, made, controls, resume=resume)

    return run_suite


def _plan(options: argparse.Namespace) -> FleetPlan:
    from tui.fleet import engine
    from tui.fleet.connect import FleetPlan
    from tui.settings.config import ALL_BOARDS, config_paths, load

    listen = _listen(options)
    known = load(config_paths(), os.environ).settings.boards
    names = [name.strip() for name in options.boards.split(",") if name.strip()]
    if not names:
        raise FleetUsageError("--boards takes all, or names with commas between")
    is_all = names == [ALL_BOARDS]
    joins_by_hand = options.scheduler is not None or options.listen is not None
    unknown = [] if is_all or joins_by_hand else [name for name in names if name not in known]
    if unknown:
        there = ", ".join(known) or "none yet"
        raise FleetUsageError(
            f"there is no board {unknown[0]!r} in [boards] of the config ({there}); one that joins "
            "by hand needs --listen or --scheduler"
        )
    if is_all and not known and not joins_by_hand:
        raise FleetUsageError(
            'no boards: name them in [boards] of the config, such as kitchen = "ssh://board", '
            "or give --listen for workers that are started by hand"
        )
    ssh = [known[name] for name in (known if is_all else names) if name in known]
    scheduler = None
    if options.scheduler is not None:
        if options.listen is not None:
            raise FleetUsageError("--scheduler and --listen exclude each other")
        try:
            scheduler = engine.scheduler_address(options.scheduler)
        except ValueError as error:
            raise FleetUsageError(f"--scheduler {error}") from None
        # Who runs a scheduler begins the workers as well: two on one board would wait for each
        # other.
        ssh = []
    return FleetPlan(
        ssh=tuple(ssh),
        wanted=None if is_all else frozenset(names),
        scheduler=scheduler,
        listen=listen,
        is_public=options.public,
    )


def _listen(options: argparse.Namespace) -> tuple[str, int]:
    if options.listen is None:
        if options.public:
            raise FleetUsageError("--public goes with --listen")
        return "127.0.0.1", 0
    from tui.core.listen_address import is_loopback, listen_address
    from tui.fleet.connect import OPENS
    from tui.tap.listen import ListenError, resolved

    try:
        where = listen_address(options.listen)
        addresses = resolved(where.host, where.port)
    except (ValueError, ListenError) as error:
        raise FleetUsageError(f"--listen {error}") from None
    if not options.public and not all(is_loopback(str(target[0])) for _, target in addresses):
        raise FleetUsageError(
            f"{where.shown} can be reached from other machines: {OPENS}. Over ssh no port is "
            "needed; --public allows it, for a network that nobody else uses"
        )
    return where.host, where.port
