"""``npulse models``: lists, loads and unloads models of servers."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from time import perf_counter_ns

from tui.commands.exit_code import ExitCode
from tui.commands.in_use import why_in_use
from tui.commands.parser import Parser, add_server_options, complain
from tui.commands.stdout_paper import stdout_paper
from tui.commands.wait_lines import WaitLines
from tui.core.board.headroom import fit_of, free_words
from tui.core.screen.fit_words import FIT_ROLES, FIT_WORDS
from tui.core.text.format import UNKNOWN, long_seconds, size
from tui.core.text.model_words import quantisation_words
from tui.core.text.printed import Cell, Paper, folded, table
from tui.core.text.sanitize import clean_line
from tui.core.turn.server_wait import ServerWait
from tui.core.types import ModelInfo
from tui.servers import models
from tui.servers.access import Access
from tui.servers.address import shown_url
from tui.servers.capabilities import limits_of
from tui.servers.client import Client, PhaseTimeouts
from tui.servers.connection_state import Server, SurveyedServer
from tui.servers.detect import busy_sentence, kind_of
from tui.servers.locate import ChosenModel, NoServerError, chosen, look
from tui.servers.locate_when_free import locate_when_free
from tui.servers.model_choice import (
    context_note,
    find_model,
    load_word,
    loaded_model,
    shown,
    shown_name,
)
from tui.servers.models import ModelChange
from tui.servers.remembered_servers import RememberedServers
from tui.servers.survey import survey
from tui.settings.config import ConfigError, config_paths, load
from tui.settings.server_options import server_access, server_urls
from tui.settings.state import load_state, remembered_servers, save_state, state_file

TIMEOUTS = PhaseTimeouts(query_s=10.0)
BUSY_LIMIT_S = 600.0
"""Longest wait for a server that accepts connections but does not answer."""


def parser() -> Parser:
    """The options of ``npulse models``."""
    made = Parser(
        prog="npulse models",
        description="Lists the models of every server that is found; loads and unloads them. Exit "
        "codes: 0 done, 2 usage, 4 failed, 5 no server reached, 130 stopped.",
    )
    made.add_argument(
        "action",
        nargs="?",
        choices=("list", "load", "unload"),
        default="list",
        help="default: list",
    )
    made.add_argument("name", nargs="?", metavar="NAME", help="the model to load")
    add_server_options(made)
    made.add_argument("--json", action="store_true", help="one JSON object instead of lines")
    made.add_argument("--force", action="store_true", help="load even if too little memory is free")
    made.add_argument(
        "--yes", action="store_true", help="do not ask before ending a running answer"
    )
    return made


@dataclass(frozen=True, slots=True)
class Where:
    """Addresses of servers, their credentials, and the configured model."""

    urls: Sequence[str] | None
    access: Access
    model: str
    remembered: RememberedServers


def where_to_look(options: argparse.Namespace) -> Where:
    """Addresses and model by flags, settings and earlier choices. Raises ValueError with one
    sentence.
    """
    try:
        config = load(config_paths(options.config), os.environ, {"server.url": options.url})
    except ConfigError as error:
        raise ValueError(str(error)) from error
    for warning in config.warnings:
        complain("npulse models", warning)
    section = config.settings.server
    access = server_access(section, options.api_key)
    return Where(server_urls(section), access, section.model, remembered_servers())


def main(argv: Sequence[str]) -> int:
    """Run ``npulse models`` with these arguments; returns the exit code."""
    made = parser()
    options = made.parse_args(list(argv))
    if (options.action == "load") != (options.name is not None):
        made.error(
            "load takes the NAME of a model" if options.action == "load" else "too many words"
        )
    try:
        where = where_to_look(options)
    except ValueError as error:
        _report_failure(str(error), is_json=options.json)
        return ExitCode.USAGE
    try:
        return asyncio.run(_run(options, where))
    except NoServerError as error:
        _report_failure(str(error), is_json=options.json)
        return ExitCode.UNREACHABLE
    except KeyboardInterrupt:
        _report_failure("No longer waiting; the server may still finish it.", is_json=options.json)
        return ExitCode.STOPPED


async def _run(options: argparse.Namespace, where: Where) -> int:
    if options.action == "list":
        return await _list(where, is_json=options.json)
    lines, start_ns = WaitLines("npulse models"), perf_counter_ns()
    server = await locate_when_free(
        where.urls,
        where.access,
        remembered_url=where.remembered.url,
        must_be_certain=True,
        limit_s=BUSY_LIMIT_S,
        on_wait=lambda reason: lines.tell(ServerWait(reason, start_ns)),
    )
    async with Client(server.url, server.dialect, TIMEOUTS, server.access) as client:
        refusal = None if options.yes else await _why_not(options, client, server)
        if refusal is not None:
            _report_failure(refusal, is_json=options.json)
            return ExitCode.INCOMPLETE
        start_ns = perf_counter_ns()
        change = await _change(options, client, server)
        elapsed_s = (perf_counter_ns() - start_ns) / 1e9
        if change.is_done and options.action == "load" and not server.is_simulated:
            _remember(server, change, options.name)
        _print_change(server, change, elapsed_s, is_json=options.json)
        return ExitCode.OK if change.is_done else ExitCode.INCOMPLETE


async def _list(where: Where, *, is_json: bool) -> int:
    """Every server that answers, with its models; the one that is used without ``--url`` first."""
    found = await look(where.urls, access=where.access, remembered_url=where.remembered.url)
    if not found.servers:
        raise NoServerError(found.absence, is_busy=found.is_busy)
    surveyed = await survey(found.servers, TIMEOUTS)
    taken = found.server.url if found.server is not None else ""
    rows = [
        ListedServer(one, _chosen(one, where))
        for one in sorted(surveyed, key=lambda one: one.server.url != taken)
    ]
    if all(row.found.problem for row in rows):
        raise NoServerError(str(rows[0].found.problem), is_busy=False)
    if is_json:
        print(json.dumps(as_json_list(rows, taken, found.busy_urls)))
        return ExitCode.OK
    paper = stdout_paper()
    for number, row in enumerate(rows):
        is_taken = len(rows) > 1 and row.found.server.url == taken
        title = paper.styled(_title(row.found.server), "strong")
        print("\n" * (number > 0) + title + "  (used)" * is_taken)
        _print_server(row, paper)
    for sentence in (found.note, *map(busy_sentence, found.busy_urls)):
        if sentence is not None:
            complain("npulse models", sentence)
    return ExitCode.OK


def _chosen(found: SurveyedServer, where: Where) -> ChosenModel:
    used_last = where.remembered.model_of(found.server.url)
    return chosen(found.models, found.server, where.model, used_last)


async def _why_not(options: argparse.Namespace, client: Client, server: Server) -> str | None:
    """The refusal where a running answer would be ended and the user did not confirm."""
    reason = await why_in_use(client, server)
    if reason is None:
        return None
    what = f"{reason}: to {options.action} a model now may end an answer that is running"
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return f"{what}. --yes does it anyway."
    print(f"npulse models: {what}. Go on? [y/N] ", end="", file=sys.stderr, flush=True)
    said = await asyncio.to_thread(sys.stdin.readline)
    return None if said.strip().lower() in ("y", "yes") else "Nothing was changed."


async def _change(options: argparse.Namespace, client: Client, server: Server) -> ModelChange:
    def step(sentence: str) -> None:
        with suppress(OSError):
            print(f"{sentence} …", file=sys.stderr, flush=True)

    if options.action == "unload":
        return await models.unload(client, step)
    available = available_bytes() if server.is_on_this_machine else None
    return await models.load(client, options.name, step, available, options.force)


def _remember(server: Server, change: ModelChange, name: str) -> None:
    """Remembers the loaded model as the last used one."""
    loaded = find_model(name, change.models) or loaded_model(change.models)
    state, problem = load_state(state_file())
    if loaded is not None and problem is None:
        remembered = state.remembered.with_model(server.url, loaded.name)
        problem = save_state(state_file(), state.with_servers(remembered))
    if problem is not None:
        complain("npulse models", problem)


def available_bytes(root: Path = Path("/")) -> int | None:
    """``MemAvailable`` of /proc/meminfo (its kB are KiB); None where it cannot be read."""
    try:
        text = (root / "proc/meminfo").read_text(encoding="ascii", errors="replace")
        line = next(line for line in text.splitlines() if line.startswith("MemAvailable:"))
        return int(line.split()[1]) * 1024
    except (OSError, StopIteration, IndexError, ValueError):
        return None


# -- printing ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ListedServer:
    """A server with its models, and which of them a prompt goes to."""

    found: SurveyedServer
    chosen: ChosenModel


def _print_server(row: ListedServer, paper: Paper) -> None:
    server = row.found.server
    if row.found.problem is not None:
        print(folded(row.found.problem, paper))
    else:
        _print_models(server, row.found.models, paper)
    choice = row.chosen.choice
    if choice.problem is not None:
        print(paper.styled(folded(choice.problem, paper), "warn"))
    elif choice.name:
        print(f"a prompt goes to {shown_name(choice.name)} ({choice.reason})")
    print(f"kind: {kind_of(server.dialect)}")
    for sentence in limits_of(server.dialect):
        print(f"- {folded(sentence, paper, '  ')}")


def as_json_list(
    rows: Sequence[ListedServer], taken: str, busy_urls: Sequence[str]
) -> dict[str, object]:
    """JSON of ``list --json``: the server in use with its models, then all servers."""
    servers = []
    for row in rows:
        server, choice = row.found.server, row.chosen.choice
        servers.append(
            _head(server)
            | {
                "models": [_listed_json(model, row.found) for model in row.found.models],
                "problem": row.found.problem,
                "is_used": server.url == taken,
                "model": shown_name(choice.name) or None,
                "model_reason": choice.reason if choice.problem is None else None,
                "model_problem": choice.problem,
            }
        )
    first = servers[0]
    return {
        "server": first["server"],
        "models": first["models"],
        "servers": servers,
        "busy": list(busy_urls),
    }


def _print_models(server: Server, found: tuple[ModelInfo, ...], paper: Paper) -> None:
    if not found:
        print("it lists no models")
        return
    known = [shown(model) for model in found]
    free = available_bytes() if server.is_on_this_machine else None
    rows: list[Sequence[Cell]] = [
        [(head, "dim") for head in ("model", "", "data type", "context", "size", "in RAM")]
    ]
    for model in known:
        fit = fit_of(model, known, free).fit
        state = "" if model.is_loaded is False else load_word(model)
        rows.append(
            (
                (model.name, "strong" if model.is_loaded else ""),
                (state, "ok" if model.is_loaded else "dim"),
                quantisation_words(model) or UNKNOWN,
                _context(model),
                size(model.size_bytes),
                (FIT_WORDS[fit], FIT_ROLES[fit]),
            )
        )
    print("\n".join(table(rows, paper, right=(2, 3, 4, 5), cuts=0)))
    if free is not None:
        print(free_words(free))
    if any(model.is_quantisation_guessed or model.is_context_guessed for model in known):
        print("~ guessed from the file name")
    if any(model.is_loaded is None for model in known):
        print("listed: this server does not say which model is loaded")
    for model in known:
        note = context_note(model, server)
        if note is not None:
            print(folded(f"{clean_line(model.name, 60)}: {note}", paper))


def _context(model: ModelInfo) -> str:
    if model.context_tokens is None:
        return UNKNOWN
    return f"{'~' if model.is_context_guessed else ''}{model.context_tokens} tokens"


def _title(server: Server) -> str:
    version = f" {server.version}" if server.version else ""
    simulated = "  SIMULATED" if server.is_simulated else ""
    return f"{server.name}{version} at {shown_url(server.url)}{simulated}"


def _head(server: Server) -> dict[str, object]:
    return {
        "server": {
            "name": server.name,
            "version": server.version,
            "url": shown_url(server.url),
            "is_simulated": server.is_simulated,
            "kind": kind_of(server.dialect),
            "limits": limits_of(server.dialect),
        }
    }


def as_json(model: ModelInfo, server: Server) -> dict[str, object]:
    """One model as ``--json`` prints it: its fields, and what to know."""
    return {**asdict(shown(model)), "note": context_note(model, server)}


def _listed_json(model: ModelInfo, found: SurveyedServer) -> dict[str, object]:
    """The same, and whether it fits into the RAM that is free now."""
    free = available_bytes() if found.server.is_on_this_machine else None
    fit = fit_of(model, found.models, free)
    return {**as_json(model, found.server), "fit": fit.fit, "fit_reason": fit.sentence}


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
        hint = " --force tries it anyway." if change.is_memory_problem else ""
        complain("npulse models", f"{change.sentence}{hint}")


def _report_failure(sentence: str, *, is_json: bool) -> None:
    if is_json:
        print(json.dumps({"is_done": False, "message": sentence}))
    else:
        complain("npulse models", sentence)
