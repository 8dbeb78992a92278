"""``npulse doctor`` with everything that the board does not know: server, config, terminal."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from tui.board import doctor
from tui.core.check import Check
from tui.core.format import size
from tui.core.glyphs import choose
from tui.core.sanitize import clean_line
from tui.servers.client import Client
from tui.servers.detect import Probe, search
from tui.servers.models import context_note, list_or_nothing, loaded_model
from tui.servers.server import Server
from tui.settings.config import ConfigError, LoadedConfig, config_paths, load
from tui.settings.folders import state_folder
from tui.settings.schema import ServerSection
from tui.settings.server_options import phase_timeouts, server_urls


def main(argv: Sequence[str]) -> int:
    """Run ``npulse doctor`` with these arguments; returns the exit code."""
    return doctor.main(argv, more_checks)


def more_checks(options: argparse.Namespace) -> Iterator[Check]:
    """Config, server and model, terminal, and the folder for what is kept."""
    config: LoadedConfig | None = None
    try:
        config = load(config_paths(options.config), os.environ, {"server.url": options.url})
        yield _config_check(config)
    except ConfigError as error:
        yield Check("config", "attention", "config", clean_line(str(error)))
    section = ServerSection() if config is None else config.settings.server
    try:
        yield from asyncio.run(_server_checks(section))
    except ValueError as error:
        yield Check("server", "attention", "server", clean_line(str(error)))
    yield _terminal_check()
    yield _folder_check(state_folder())


def _config_check(config: LoadedConfig) -> Check:
    if config.warnings:
        return Check("config", "attention", "config", "; ".join(config.warnings))
    files = sorted({source for source in config.sources.values() if source.endswith(".toml")})
    used = ", ".join(map(clean_line, files)) or "the defaults"
    return Check("config", "ok", "config", f"Read from {used}.")


async def _server_checks(section: ServerSection) -> list[Check]:
    probes = await search(server_urls(section))
    server = next((probe.server for probe in probes if probe.server is not None), None)
    if server is None:
        return [_no_server(probes)]
    name = f"{server.name} {server.version or ''}".strip()
    simulated = ", SIMULATED" if server.is_simulated else ""
    checks = [Check("server", "ok", "server", f"{name} answers at {server.url}{simulated}.")]
    async with Client(server.url, server.dialect, phase_timeouts(section)) as client:
        checks.append(await _model_check(client, server))
    return checks


def _no_server(probes: Sequence[Probe]) -> Check:
    busy = [probe for probe in probes if probe.outcome == "busy"]
    if busy:
        return Check("server", "note", "server", busy[0].sentence)
    tried = ", ".join(probe.url.partition("://")[2] for probe in probes)
    return Check(
        "server",
        "attention",
        "server",
        f"No rkllm server answers at {tried}; start yours, or name it.",
        "npulse --url http://HOST:PORT",
    )


async def _model_check(client: Client, server: Server) -> Check:
    models = await list_or_nothing(client)
    loaded = loaded_model(models)
    if loaded is None:
        names = ", ".join(clean_line(model.name, 40) for model in models[:5]) or "none"
        command = f"npulse models load {clean_line(models[0].name, 80)}" if models else None
        detail = f"No model is loaded; the server has {names}."
        return Check("model", "note", "model", detail, command)
    name = clean_line(loaded.name, 80)
    note = context_note(loaded, server)
    detail = f"{name} is loaded, {size(loaded.size_bytes)}."
    if note is not None:
        return Check("model", "note", "model", f"{detail} {note}")
    return Check("model", "ok", "model", detail)


def _terminal_check() -> Check:
    encoding = sys.stdout.encoding or "unknown"
    glyphs = choose(os.environ, encoding, is_utf8_mode=bool(sys.flags.utf8_mode))
    term = clean_line(os.environ.get("TERM", "not set"), 40)
    colours = "24-bit colour" if os.environ.get("COLORTERM") in ("truecolor", "24bit") else ""
    known = ", ".join(part for part in (f"TERM {term}", f"locale {encoding}", colours) if part)
    if glyphs.is_ascii:
        detail = f"{known}: drawn in ASCII; a UTF-8 locale gives bars and sharp figures."
        return Check("terminal", "note", "terminal", detail, "export LANG=C.UTF-8")
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
