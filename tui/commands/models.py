"""``npulse models``: the models of a server, loaded and unloaded from the command line."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from time import perf_counter_ns

from tui.commands.exit_code import ExitCode
from tui.commands.parser import Parser, add_server_options, complain
from tui.core.text.format import UNKNOWN, long_seconds, size
from tui.core.text.sanitize import clean_line
from tui.core.types import ModelInfo
from tui.servers import models
from tui.servers.access import Access
from tui.servers.address import is_local
from tui.servers.capabilities import limits_of
from tui.servers.client import Client, PhaseTimeouts
from tui.servers.connection_state import Server
from tui.servers.detect import kind_of
from tui.servers.locate import NoServerError, locate
from tui.servers.model_choice import context_note, load_word, loaded_model, shown
from tui.servers.models import ModelChange, ModelListError
from tui.settings.config import ConfigError, config_paths, load
from tui.settings.server_options import server_access, server_urls


def parser() -> Parser:
    """The options of ``npulse models``."""
    made = Parser(
        prog="npulse models",
        description="List, load and unload the models of a server. Exit codes: 0 done, 2 usage, "
        "4 failed, 5 no server reached, 130 stopped.",
    )
    made.add_argument(
        "action", nargs="?", choices=("list", "load", "unload"), default="list", help="what to do"
    )
    made.add_argument("name", nargs="?", metavar="NAME", help="the model, with load")
    add_server_options(made)
    made.add_argument("--json", action="store_true", help="one JSON object instead of lines")
    made.add_argument(
        "--force", action="store_true", help="load also where the free memory is too small"
    )
    return made


def where_to_look(options: argparse.Namespace) -> tuple[Sequence[str] | None, Access]:
    """The addresses of the server and what it asks for. Raises ValueError with one sentence."""
    try:
        config = load(config_paths(options.config), os.environ, {"server.url": options.url})
    except ConfigError as error:
        raise ValueError(str(error)) from error
    for warning in config.warnings:
        complain("npulse models", warning)
    section = config.settings.server
    return server_urls(section), server_access(section, options.api_key)


def main(argv: Sequence[str]) -> int:
    """Run ``npulse models`` with these arguments; returns the exit code."""
    made = parser()
    options = made.parse_args(list(argv))
    if (options.action == "load") != (options.name is not None):
        made.error(
            "load takes the NAME of a model" if options.action == "load" else "too many words"
        )
    try:
        urls, access = where_to_look(options)
    except ValueError as error:
        _report_failure(str(error), is_json=options.json)
        return ExitCode.USAGE
    try:
        return asyncio.run(_run(options, urls, access))
    except NoServerError as error:
        _report_failure(str(error), is_json=options.json)
        return ExitCode.UNREACHABLE
    except KeyboardInterrupt:
        _report_failure("Stopped waiting; the server may go on with it.", is_json=options.json)
        return ExitCode.STOPPED


async def _run(options: argparse.Namespace, urls: Sequence[str] | None, access: Access) -> int:
    server = await locate(urls, access=access)
    timeouts = PhaseTimeouts(query_s=10.0)
    async with Client(server.url, server.dialect, timeouts, server.access) as client:
        if options.action == "list":
            try:
                found = await models.require_models(client)
            except ModelListError as error:
                raise NoServerError(str(error), is_busy=False) from error
            _print_list(server, found, is_json=options.json)
            return ExitCode.OK
        start_ns = perf_counter_ns()
        change = await _change(options, client, server)
        elapsed_s = (perf_counter_ns() - start_ns) / 1e9
        _print_change(server, change, elapsed_s, is_json=options.json)
        return ExitCode.OK if change.is_done else ExitCode.INCOMPLETE


async def _change(options: argparse.Namespace, client: Client, server: Server) -> ModelChange:
    def step(sentence: str) -> None:
        with suppress(OSError):
            print(f"{sentence} …", file=sys.stderr, flush=True)

    if options.action == "unload":
        return await models.unload(client, step)
    available = available_bytes() if _is_here(server) else None
    return await models.load(client, options.name, step, available, options.force)


def _is_here(server: Server) -> bool:
    """Whether this machine's memory is the server's. A simulated board has its own."""
    return is_local(server.url) and not server.is_simulated


def available_bytes(root: Path = Path("/")) -> int | None:
    """``MemAvailable`` of /proc/meminfo (its kB are KiB); None where it cannot be read."""
    try:
        text = (root / "proc/meminfo").read_text(encoding="ascii", errors="replace")
        line = next(line for line in text.splitlines() if line.startswith("MemAvailable:"))
        return int(line.split()[1]) * 1024
    except (OSError, StopIteration, IndexError, ValueError):
        return None


# -- printing ------------------------------------------------------------------------------------


def _print_list(server: Server, found: tuple[ModelInfo, ...], *, is_json: bool) -> None:
    if is_json:
        print(json.dumps(_head(server) | {"models": [as_json(m, server) for m in found]}))
        return
    print(_title(server))
    _print_models(server, found)
    print(f"kind: {kind_of(server.dialect)}")
    for sentence in limits_of(server.dialect):
        print(f"- {sentence}")


def _print_models(server: Server, found: tuple[ModelInfo, ...]) -> None:
    if not found:
        print("it lists no models")
        return
    known = [shown(model) for model in found]
    width = max(len(model.name) for model in known)
    for model in known:
        mark = "" if model.is_loaded is False else load_word(model)
        row = (
            f"{model.name:<{width}}  {mark:<6}  {_quantisation(model):>9}  {_context(model):>14}  "
            f"{size(model.size_bytes):>8}"
        )
        print(row.rstrip())
    if any(model.is_quantisation_guessed or model.is_context_guessed for model in known):
        print("~ guessed from the file name")
    if any(model.is_loaded is None for model in known):
        print("listed: this server does not say which model is loaded")
    for model in known:
        note = context_note(model, server)
        if note is not None:
            print(f"{clean_line(model.name, 60)}: {note}")


def _quantisation(model: ModelInfo) -> str:
    if model.quantisation is None:
        return UNKNOWN
    return f"~{model.quantisation}" if model.is_quantisation_guessed else model.quantisation


def _context(model: ModelInfo) -> str:
    if model.context_tokens is None:
        return UNKNOWN
    return f"{'~' if model.is_context_guessed else ''}{model.context_tokens} tokens"


def _title(server: Server) -> str:
    version = f" {server.version}" if server.version else ""
    simulated = "  SIMULATED" if server.is_simulated else ""
    return f"{server.name}{version} at {server.url}{simulated}"


def _head(server: Server) -> dict[str, object]:
    return {
        "server": {
            "name": server.name,
            "version": server.version,
            "url": server.url,
            "is_simulated": server.is_simulated,
            "kind": kind_of(server.dialect),
            "limits": limits_of(server.dialect),
        }
    }


def as_json(model: ModelInfo, server: Server) -> dict[str, object]:
    """One model as ``--json`` prints it: its fields, and what to know."""
    return {**asdict(shown(model)), "note": context_note(model, server)}


def _print_change(server: Server, change: ModelChange, elapsed_s: float, *, is_json: bool) -> None:
    if is_json:
        loaded = loaded_model(change.models)
        made = _head(server) | {
            "is_done": change.is_done,
            "message": change.sentence,
            "elapsed_s": round(elapsed_s, 3),
            "loaded": None if loaded is None else as_json(loaded, server),
        }
        print(json.dumps(made))
    elif change.is_done:
        print(f"{change.sentence} ({long_seconds(elapsed_s)})")
    else:
        hint = " --force tries it all the same." if change.is_memory_problem else ""
        complain("npulse models", f"{change.sentence}{hint}")


def _report_failure(sentence: str, *, is_json: bool) -> None:
    if is_json:
        print(json.dumps({"is_done": False, "message": sentence}))
    else:
        complain("npulse models", sentence)
