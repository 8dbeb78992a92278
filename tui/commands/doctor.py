"""``npulse doctor``: checks board, server and settings, with the fix for each problem."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from tui.board.advice.access import load_rungs
from tui.board.advice.board_checks import board_checks
from tui.board.advice.diagnosis import Work, why_slow
from tui.board.advice.report import to_json, wall_time, write_out
from tui.board.advice.runtime_log_check import load_check, runtime_log_check
from tui.board.one_shot import one_shot
from tui.board.readers.files import Files
from tui.board.readers.neighbours import Neighbours
from tui.board.readers.npu_load import Rung
from tui.board.runtime_log.load_lines import facts_of_load
from tui.board.runtime_log.reader import source_of_container, source_of_port
from tui.board.sampler import Sampler
from tui.commands.exit_code import ExitCode
from tui.commands.parser import Parser, add_root_option, add_server_options, complain
from tui.commands.stdout_paper import stdout_paper
from tui.commands.terminal_colours import FoundColours, found_colours
from tui.commands.terminal_line import line_check, serial_baud
from tui.core.board.reading import Snapshot
from tui.core.screen.colours import DEPTH_NAMES
from tui.core.screen.doctor_check import Check
from tui.core.text.format import size
from tui.core.text.glyphs import choose
from tui.core.text.printed import PLAIN, Paper, folded
from tui.core.text.sanitize import clean, clean_line
from tui.servers.access import Access
from tui.servers.address import shown_url
from tui.servers.capabilities import limits_of
from tui.servers.client import Client
from tui.servers.connection_state import Server
from tui.servers.detect import kind_of
from tui.servers.locate import Located, choose_model, look
from tui.servers.model_choice import context_note
from tui.servers.remembered_servers import RememberedServers
from tui.settings.config import ConfigError, LoadedConfig, config_paths, load
from tui.settings.folders import state_folder
from tui.settings.schema import ServerSection
from tui.settings.server_options import phase_timeouts, server_access, server_urls
from tui.settings.state import remembered_servers

INDENT = " " * 11
MARK_ROLES = {"ok": "ok", "note": "warn", "attention": "bad"}
FIXABLE = frozenset(
    f"slow.{rule}" for rule in ("ddr-clock", "npu-clock", "cpu-governor", "user-limit", "heat")
)
"""Checks whose command ``--fix`` can run and undo."""
MARKS = {"ok": "ok       ", "note": "note     ", "attention": "ATTENTION"}


def parser() -> Parser:
    """The options of ``npulse doctor``."""
    options = Parser(
        prog="npulse doctor",
        description="Checks the board, the server and the settings: shows what is read from where, "
        "what is missing, and the exact command for it. Changes nothing without --fix, and with "
        "it nothing without a question. Exit code 1 if something needs attention, or could not be "
        "changed.",
    )
    options.add_argument("--json", action="store_true", help="one JSON object")
    work = options.add_mutually_exclusive_group()
    work.add_argument(
        "--fix",
        action="store_true",
        help="offer each available fix, apply it, and compare answers before and after",
    )
    work.add_argument(
        "--undo", action="store_true", help="undo the changes of --fix and of the board screen"
    )
    add = options.add_argument
    add("--dry-run", action="store_true", help="with --fix or --undo: only show the changes")
    add("--yes", action="store_true", help="with --fix or --undo: do not ask")
    add("--rule", metavar="NAME", help="with --fix or --undo: only this rule, such as ddr-clock")
    add(
        "--card",
        metavar="FILE",
        type=Path,
        help="with --fix: write the result to FILE.md or FILE.svg, for an issue or a forum; names "
        "and addresses are masked",
    )
    add_root_option(options)
    add_server_options(options)
    return options


def main(
    argv: Sequence[str] | None = None,
    other_checks: Callable[[argparse.Namespace], Iterable[Check]] | None = None,
) -> int:
    """Run ``npulse doctor`` with these arguments; returns the exit code.

    ``other_checks`` replaces the checks of what is not the board (:func:`more_checks`).
    """
    try:
        options = parser().parse_args(argv)
    except SystemExit as end:
        return int(end.code or 0)
    if options.fix or options.undo:
        # Imported only when needed: benchmarks and their statistics.
        from tui.commands.doctor_fix import run

        return run(options)
    alone = next((f"--{name}" for name in ("yes", "rule", "card") if getattr(options, name)), None)
    if alone is not None or options.dry_run:
        complain("npulse doctor", f"{alone or '--dry-run'} goes with --fix or --undo")
        return ExitCode.USAGE
    snapshot, rungs, checks = examine(options.root)
    checks += (other_checks or more_checks)(options)
    if options.json:
        write_out(json.dumps(as_json(snapshot, rungs, checks), allow_nan=False) + "\n")
    else:
        write_out(as_text(snapshot, rungs, checks, stdout_paper()))
    return ExitCode.FAILED if needs_attention(checks) else ExitCode.OK


def examine(root: Path) -> tuple[Snapshot, list[Rung], list[Check]]:
    """Read the board for about a second."""
    sampler, files = Sampler(root), Files(root)
    try:
        neighbours = Neighbours(files)
        neighbours.busiest(time.perf_counter_ns())
        snapshot = one_shot(sampler, time.sleep)
        server = snapshot.number("server.pid")
        own = {os.getpid(), -1 if server is None else int(server)}
        busiest = neighbours.busiest(time.perf_counter_ns(), without=frozenset(own))
        findings = why_slow(snapshot, Work(neighbours=tuple(busiest)))
        rungs = load_rungs(files, snapshot.time)
        return snapshot, rungs, board_checks(snapshot, rungs, findings)
    finally:
        files.close()
        sampler.close()


def needs_attention(checks: Iterable[Check]) -> bool:
    """Whether something should be done."""
    return any(check.status == "attention" for check in checks)


def as_json(snapshot: Snapshot, rungs: list[Rung], checks: list[Check]) -> dict[str, object]:
    """``{"time", "needs_attention", "npu_load": [{"path", "loads", "reason"}], "checks": [{"id",
    "status", "title", "detail", "command", "advice"}], "board": <as npulse board --json>}``."""
    return {
        "time": wall_time(snapshot.time),
        "needs_attention": needs_attention(checks),
        "npu_load": [
            {
                "path": clean(rung.path, newlines=False),
                "loads": None if rung.loads is None else list(rung.loads.by_core.values()),
                "reason": rung.reason,
            }
            for rung in rungs
        ],
        "checks": [
            {
                "id": check.id,
                "status": check.status,
                "title": clean(check.title, newlines=False),
                "detail": clean(check.detail, newlines=False),
                "command": None if check.command is None else clean(check.command, newlines=False),
                "advice": None if check.advice is None else clean(check.advice, newlines=False),
            }
            for check in checks
        ],
        "board": to_json(snapshot),
    }


def as_text(
    snapshot: Snapshot, rungs: list[Rung], checks: list[Check], paper: Paper = PLAIN
) -> str:
    """A line per check, its command below it, then where the NPU's load could come from."""
    lines = [f"npulse doctor, {wall_time(snapshot.time)}", ""]
    for check in checks:
        title = clean(check.title, newlines=False)
        detail: str = clean(check.detail, newlines=False)
        if check.advice is not None:
            detail = f"{detail.rstrip('.')}. {clean(check.advice, newlines=False)}"
        mark = paper.styled(MARKS[check.status], MARK_ROLES[check.status])
        said = folded(f"{title}: {detail}", paper, INDENT)
        lines.append(f"{mark}  {paper.styled(said[: len(title)], 'strong')}{said[len(title) :]}")
        if check.command is not None:
            # Whole, however narrow the terminal is: it is copied.
            command = paper.styled(clean(check.command, newlines=False), "live")
            lines.append(f"{INDENT}$ {command}")
    lines += ["", paper.styled("NPU load, in this order", "strong")]
    for rung in rungs:
        says = "can be read" if rung.loads is not None else str(rung.reason)
        lines.append(f"  {clean(rung.path, newlines=False)}: {says}")
    absent: dict[str, list[str]] = {}
    for name, reading in snapshot.readings.items():
        if reading.value is None:
            absent.setdefault(str(reading.reason), []).append(name)
    lines += ["", paper.styled("Not read", "strong")] if absent else []
    for reason, names in absent.items():
        names_text = f"{clean(reason, newlines=False)}: {', '.join(names)}"
        lines.append(f"  {paper.styled(folded(names_text, paper, '  '), 'dim')}")
    count = sum(check.status == "attention" for check in checks)
    verdict = "Nothing needs attention."
    if count:
        verdict = f"{count} {'thing needs' if count == 1 else 'things need'} attention."
    if any(check.id in FIXABLE and check.command for check in checks):
        hint = "npulse doctor --fix changes what it can after a question, and measures that."
        lines += ["", folded(hint, paper, "")]
    verdict = paper.styled(verdict, "bad" if count else "ok")
    return "\n".join([*lines, "", verdict]) + "\n"


def more_checks(options: argparse.Namespace) -> Iterator[Check]:
    """Checks config, server and model, terminal, and the data folder."""
    config: LoadedConfig | None = None
    try:
        config = load(config_paths(options.config), os.environ, {"server.url": options.url})
        yield _config_check(config)
    except ConfigError as error:
        yield Check("config", "attention", "config", clean_line(str(error)))
    section = ServerSection() if config is None else config.settings.server
    try:
        yield from asyncio.run(_server_checks(section, server_access(section, options.api_key)))
    except ValueError as error:
        yield Check("server", "attention", "server", clean_line(str(error)))
    yield from _changes_checks(options.root)
    yield from _terminal_checks()
    yield _folder_check(state_folder())


def _config_check(config: LoadedConfig) -> Check:
    if config.warnings:
        return Check("config", "attention", "config", "; ".join(config.warnings))
    files = sorted({source for source in config.sources.values() if source.endswith(".toml")})
    used = ", ".join(map(clean_line, files)) or "the defaults"
    return Check("config", "ok", "config", f"Read from {used}.")


async def _server_checks(section: ServerSection, access: Access) -> list[Check]:
    remembered = remembered_servers()
    found = await look(server_urls(section), access=access, remembered_url=remembered.url)
    server = found.server
    if server is None:
        return [_no_server(found)]
    name = f"{server.name} {server.version or ''}".strip()
    simulated = ", SIMULATED" if server.is_simulated else ""
    kind = kind_of(server.dialect)
    said = f"{name} answers at {shown_url(server.url)}{simulated}, kind {kind}."
    checks = [Check("server", "ok", "server", said)]
    if found.note is not None:
        checks.append(Check("server.choice", "note", "which server", found.note))
    limits = limits_of(server.dialect)
    if limits:
        checks.append(Check("server.limits", "ok", "its limits", " ".join(limits)))
    async with Client(server.url, server.dialect, phase_timeouts(section), server.access) as client:
        checks.append(await _model_check(client, server, section.model, remembered))
    port = server.port_on_this_machine
    if port is not None:
        files = Files()
        source = source_of_port(files, port)
        if source is None:
            source = await asyncio.to_thread(source_of_container, port)
        checks.append(runtime_log_check(source))
        if source is not None:
            loaded = load_check(await asyncio.to_thread(facts_of_load, files, source))
            checks += [] if loaded is None else [loaded]
    return checks


def _no_server(found: Located) -> Check:
    sentence = found.absence
    if found.is_busy:
        return Check("server", "note", "server", sentence)
    return Check("server", "attention", "server", sentence, "npulse --url http://HOST:PORT")


async def _model_check(
    client: Client, server: Server, wanted: str, remembered: RememberedServers
) -> Check:
    chosen = await choose_model(client, server, wanted, remembered.model_of(server.url))
    models, loaded = chosen.models, chosen.loaded
    if chosen.choice.problem is not None:
        return Check("model", "attention", "model", chosen.choice.problem)
    if loaded is None and models and all(model.is_loaded is None for model in models):
        asked = clean_line(chosen.info.name, 80)
        detail = f"A prompt goes to {asked} ({chosen.choice.reason}); "
        detail += f"{server.name} does not say which model is loaded."
        return Check("model", "ok", "model", detail)
    if loaded is None:
        names = ", ".join(clean_line(model.name, 40) for model in models[:5]) or "none"
        command = f"npulse models load {clean_line(models[0].name, 80)}" if models else None
        detail = f"No model is loaded; the server has {names}."
        return Check("model", "note", "model", detail, command)
    name = clean_line(loaded.name, 80)
    note = context_note(loaded, server)
    context = loaded.context_tokens
    of_context = "" if context is None else f", {context} tokens of context"
    detail = f"{name} is loaded, {size(loaded.size_bytes)}{of_context}."
    if note is not None:
        return Check("model", "note", "model", f"{detail} {note}")
    return Check("model", "ok", "model", detail)


def _changes_checks(root: Path) -> Iterator[Check]:
    """What ``--fix`` changed earlier and is still in force."""
    from tui.settings.board_changes import BoardChanges

    memory = BoardChanges()
    if not memory.has_file:
        return
    from tui.fixes.change import BoardPlace, FixError
    from tui.fixes.plan_text import in_force_words
    from tui.fixes.session import in_force

    title = "changed by npulse"
    try:
        kept, over = in_force(memory, BoardPlace(root))
    except FixError as error:
        yield Check("changes", "attention", title, clean_line(str(error)))
        return
    for sentence in over:
        yield Check("changes", "note", title, sentence)
    for change in kept:
        said = f"{in_force_words(change)}; this puts it back:"
        yield Check(f"changes.{change.rule}", "note", title, said, "npulse doctor --undo")


def _terminal_checks() -> Iterator[Check]:
    found = found_colours(os.environ)
    yield _terminal_check(found)
    line = line_check(os.environ, serial_baud(), found.answer_s)
    if line is not None:
        yield line


def _terminal_check(found: FoundColours) -> Check:
    encoding = sys.stdout.encoding or "unknown"
    glyphs = choose(os.environ, encoding, is_utf8_mode=bool(sys.flags.utf8_mode))
    term = clean_line(os.environ.get("TERM", "not set"), 40)
    colours, more = found.choice, found.more
    known = f"TERM {term}, locale {encoding}, {DEPTH_NAMES[colours.depth]} ({colours.reason})"
    if glyphs.is_ascii:
        detail = f"{known}: drawn in ASCII; a UTF-8 locale gives bars and sharp figures."
        return Check("terminal", "note", "terminal", detail, "export LANG=C.UTF-8")
    if more is not None:
        return Check("terminal", "note", "terminal", f"{known}. {more.sentence}", more.line)
    return Check("terminal", "ok", "terminal", f"{known}.")


def _folder_check(folder: Path) -> Check:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder):
            pass
    except OSError as error:
        detail = f"{folder} cannot be written: {error.strerror}; nothing is kept between runs."
        command = f"sudo chown -R $USER {folder}"
        return Check("folder", "attention", "data folder", clean_line(detail), clean_line(command))
    return Check("folder", "ok", "data folder", f"{clean_line(str(folder))} can be written.")
