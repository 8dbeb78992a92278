"""From the command line to a running dashboard, and from its end to an exit code."""

from __future__ import annotations

import argparse
import datetime
import os
import sys
import traceback
from pathlib import Path

from tui.app import NpulseApp, Outfit
from tui.config import ConfigError, LoadedConfig, config_paths, load
from tui.core.glyphs import Glyphs, choose
from tui.core.sanitize import clean_line
from tui.desk import Desk
from tui.folders import state_folder
from tui.place import BoardReader, DemoWish
from tui.server_options import phase_timeouts, server_urls
from tui.servers.connection import Connection
from tui.settings import Settings
from tui.themes import COLOURLESS_THEME, load_themes

EXIT_USAGE, EXIT_CRASH = 2, 1


def run_dashboard(options: argparse.Namespace) -> int:
    """Run the dashboard with these options of :func:`tui.cli.dashboard_parser`."""
    try:
        config = load(config_paths(options.config), os.environ, _overrides(options))
        urls = server_urls(config.settings.server)
        root = _root(config.settings, _demo(options))
    except (ConfigError, ValueError) as error:
        print(f"npulse: {clean_line(str(error))}", file=sys.stderr)
        return EXIT_USAGE
    settings = config.settings
    demo = _demo(options)
    connection = Connection(urls, phase_timeouts(settings.server))
    board = BoardReader(root, settings.board.interval_s)
    desk = Desk(connection, board, settings.generation.to_generation(), demo)
    app = NpulseApp(desk, board, _outfit(config, _glyphs(settings)))
    try:
        app.run(mouse=settings.ui.mouse)
    finally:
        desk.close()
    if app.crash is not None:
        return _report_crash(app.crash)
    return app.return_code or 0


def _overrides(options: argparse.Namespace) -> dict[str, object]:
    return {
        "server.url": options.url,
        "board.root": options.root,
        "ui.theme": options.theme,
        "ui.ascii": "on" if options.ascii else None,
    }


def _demo(options: argparse.Namespace) -> DemoWish:
    arguments: list[str] = []
    if options.profile is not None:
        arguments += ["--profile", options.profile]
    if options.speed is not None:
        arguments += ["--speed", str(options.speed)]
    only_alone = options.demo_if_no_server and options.url is None
    return DemoWish(options.demo, only_alone, tuple(arguments))


def _root(settings: Settings, demo: DemoWish) -> Path | None:
    """Where the board is read; None while the simulated board is still to be started."""
    root = Path(settings.board.root).expanduser()
    if not root.is_dir():
        raise ConfigError(f"board.root is {settings.board.root}, and there is no such folder")
    return None if demo.is_wanted else root


def _glyphs(settings: Settings) -> Glyphs:
    encoding = sys.stdout.encoding or ""
    return choose(os.environ, encoding, settings.ui.ascii, is_utf8_mode=bool(sys.flags.utf8_mode))


def _outfit(config: LoadedConfig, glyphs: Glyphs) -> Outfit:
    settings = config.settings
    themes = load_themes()
    wanted = COLOURLESS_THEME if "NO_COLOR" in os.environ else settings.ui.theme
    theme, problem = themes.pick(wanted)
    messages = [*config.warnings, *themes.problems]
    if problem is not None:
        messages.append(problem)
    return Outfit(
        glyphs=glyphs,
        themes=themes.themes,
        theme=theme,
        keymap=settings.keys,
        frames_per_s=settings.ui.fps,
        sample_interval_s=settings.board.interval_s,
        messages=messages,
    )


def _report_crash(error: Exception) -> int:
    """One sentence on the terminal; the rest in a file that can be sent to us."""
    folder = state_folder()
    when = datetime.datetime.now(tz=datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    path = folder / f"crash-{when}.txt"
    where = f"details are in {path}"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.write_text("".join(traceback.format_exception(error)), encoding="utf-8")
    except OSError as problem:
        where = f"its details could not be written to {path}: {problem.strerror}"
    kind = type(error).__name__
    print(f"npulse: ended by a fault of its own ({kind}); {where}", file=sys.stderr)
    return EXIT_CRASH
