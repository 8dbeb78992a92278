"""Starts the dashboard from command-line options; returns its exit code."""

from __future__ import annotations

import argparse
import os
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tui.app.memory_saving import load_asyncio_without_openssl
from tui.core.screen.terminal_signals import signals_of
from tui.core.text.glyphs import Glyphs, choose
from tui.core.text.sanitize import clean_line
from tui.servers.remembered_servers import NOTHING_REMEMBERED, RememberedServers
from tui.settings.config import ConfigError, config_paths, load
from tui.settings.folders import state_folder
from tui.settings.recording_options import recording_options
from tui.settings.schema import Settings
from tui.settings.server_options import API_KEY_VARIABLE, server_access
from tui.settings.state import Chosen, State, load_state, save_state, state_file, with_state

if TYPE_CHECKING:
    from tui.app.app import NpulseApp
    from tui.app.backend import Backend
    from tui.app.demo import DemoOptions
    from tui.app.terminal.launch import Launch
    from tui.app.terminal_app import Appearance
    from tui.core.screen.colours import ColourAnswer
    from tui.recording.reading import Recording
    from tui.remote.fleet import Fleet
    from tui.settings.board_login import LoggedIn

EXIT_USAGE, EXIT_CRASH = 2, 1

DEMO_FAULT = "ddr-low"
"""What is wrong with the simulated board of a demo: it has a cause, a command, and a difference."""


@dataclass(frozen=True)
class RunningApp:
    """A dashboard that is ready to run, and what must be closed after it."""

    app: NpulseApp
    backend: Backend
    has_mouse: bool


def run_dashboard(options: argparse.Namespace, launch: Launch) -> int:
    """Run the dashboard with these options of :func:`tui.cli.dashboard_parser`. ``launch`` may
    hold the terminal already."""
    try:
        run = build(options, launch.draw_outline, lambda: launch.answer)
    except (ConfigError, ValueError) as error:
        launch.close()
        print(f"npulse: {clean_line(str(error))}", file=sys.stderr)
        return EXIT_USAGE
    run.app.launch = launch
    try:
        run.app.run(mouse=run.has_mouse)
        # Before the answer is finished: the next npulse shows where this one was.
        run.app.close_session()
        if run.app.outlives_terminal:
            from tui.app.after_hangup import finish_answer

            finish_answer(run.backend)
    finally:
        run.app.close_session()
        run.backend.close()
        unsaved = run.backend.chat.keeper.unsaved
        if unsaved is not None:
            print(f"npulse: {clean_line(unsaved)}", file=sys.stderr)
    options.next_board = run.app.next_board
    if run.app.crash is not None:
        return _report_crash(run.app.crash)
    return run.app.return_code or 0


def run_replay(recording: Recording, speed: float, options: argparse.Namespace) -> int:
    """Play a recording in the dashboard. ``options`` has ``config``, ``theme`` and ``ascii``."""
    from tui.app.replay_app import ReplayApp
    from tui.app.replay_backend import ReplayBackend

    try:
        given = {
            "ui.theme": options.theme,
            "ui.colors": options.colors,
            "ui.ascii": "on" if options.ascii else None,
        }
        state, _ = load_state(state_file())
        configured = load(config_paths(options.config), os.environ, given)
        config = with_state(configured, state, str(state_file()))
    except ConfigError as error:
        print(f"npulse: {clean_line(str(error))}", file=sys.stderr)
        return EXIT_USAGE
    notes = [*config.warnings, *([recording.problem] if recording.problem else [])]
    appearance = _appearance(config.settings, notes, _glyphs(config.settings))
    app = ReplayApp(ReplayBackend(recording, speed), appearance)
    app.run(mouse=config.settings.ui.mouse)
    if app.crash is not None:
        return _report_crash(app.crash)
    return app.return_code or 0


def build(
    options: argparse.Namespace,
    on_settled: Callable[[], None] = lambda: None,
    colour_answer: Callable[[], ColourAnswer | None] = lambda: None,
) -> RunningApp:
    """Put a dashboard together. Raises ConfigError or ValueError with one sentence.

    ``on_settled`` is called when the settings are known to be sound, before the framework is
    loaded. ``colour_answer`` gives what the terminal has said of its colours by now.
    """
    state, state_problem = load_state(state_file())
    configured = load(config_paths(options.config), os.environ, _overrides(options))
    config = with_state(configured, state, str(state_file()))
    settings = config.settings
    remote = options.remote
    if remote is not None:
        settings = _of_remote(settings, remote)
    if options.api_key is not None:
        # In the environment, which the benchmark's own process inherits.
        os.environ[API_KEY_VARIABLE] = options.api_key
    server_access(settings.server)
    root = _root(settings, options)
    on_settled()
    load_asyncio_without_openssl()
    from tui.app.app import NpulseApp
    from tui.app.backend import Backend
    from tui.app.board_source import BoardReader

    demo = _demo(options)
    board = BoardReader(root, settings.board.interval_s)
    if remote is not None:
        from tui.app.remote_reader import RemoteReader

        board = RemoteReader(remote, settings.board.interval_s)
    generation = settings.generation.to_generation()
    uses_little_cores = settings.board.little_cores and root == Path("/") and remote is None
    store = ChoiceStore(state, configured.settings)
    backend = Backend(
        settings.server,
        board,
        generation,
        demo,
        uses_little_cores=uses_little_cores,
        keymap=settings.keys,
        history=settings.history,
        # Addresses of this machine mean nothing where its ports lead to another one.
        remembered=state.remembered if remote is None else NOTHING_REMEMBERED,
        keep_servers=store.keep_servers if remote is None else lambda remembered: None,
        recording=recording_options(options),
        stops_loops=settings.chat.stop_loops,
        fleet=lambda: _fleet(config.settings),
        # A benchmark is a process of its own, which does not read a file that was named here.
        boards=() if options.config else tuple(config.settings.boards),
    )
    messages = [*config.warnings, *([state_problem] if state_problem else [])]
    if remote is not None and remote.board.link.note:
        messages.append(f"{remote.name}: {remote.board.link.note}.")
    appearance = _appearance(settings, messages, _glyphs(settings), colour_answer())
    finishes = settings.session.on_hangup == "finish"
    is_resuming = settings.history.enabled and settings.session.resume
    app = NpulseApp(
        backend,
        appearance,
        store.remember,
        options.attach,
        has_to_resume=is_resuming,
        looks_around=True,
        finishes_on_hangup=finishes,
    )
    return RunningApp(app, backend, settings.ui.mouse)


def _fleet(settings: Settings) -> Fleet:
    from tui.remote.fleet import Fleet

    boards = tuple(settings.boards.values())
    return Fleet(boards, settings.server.ports, interval_s=max(1.0, settings.board.interval_s))


def _of_remote(settings: Settings, remote: LoggedIn) -> Settings:
    """The settings with the board's servers, as this machine reaches them."""
    from msgspec import structs

    # This machine's own Ollama is none of the board's.
    os.environ.pop("OLLAMA_HOST", None)
    ports = [urlsplit(url).port or 0 for url in remote.urls]
    is_named = len(remote.urls) == 1
    section = structs.replace(settings.server, url=remote.urls[0] if is_named else "", ports=ports)
    return structs.replace(settings, server=section)


def _overrides(options: argparse.Namespace) -> dict[str, object]:
    return {
        "server.url": options.url if options.board is None else None,
        "server.model": options.model,
        "board.root": options.root,
        "ui.theme": options.theme,
        "ui.colors": options.colors,
        "ui.ascii": "on" if options.ascii else None,
        "ui.low_bandwidth": True if options.low_bandwidth else None,
        "history.enabled": False if options.no_store else None,
    }


def _demo(options: argparse.Namespace) -> DemoOptions:
    from tui.app.demo import DemoOptions

    arguments = ["--tour"]
    if options.profile is not None:
        arguments += ["--profile", options.profile]
    if options.speed is not None:
        arguments += ["--speed", str(options.speed)]
    fault = options.fault or DEMO_FAULT
    if fault != "none":
        arguments += ["--fault", fault]
    only_alone = options.demo_if_no_server and options.url is None
    return DemoOptions(options.demo, only_alone, tuple(arguments), fault != "none")


def _root(settings: Settings, options: argparse.Namespace) -> Path | None:
    """Where the board is read; None while the simulated board is still to be started."""
    root = Path(settings.board.root).expanduser()
    if not root.is_dir():
        raise ConfigError(f"board.root is {settings.board.root}, and there is no such folder")
    return None if options.demo else root


def _glyphs(settings: Settings) -> Glyphs:
    encoding = sys.stdout.encoding or ""
    return choose(os.environ, encoding, settings.ui.ascii, is_utf8_mode=bool(sys.flags.utf8_mode))


class ChoiceStore:
    """Saves choices for the next start. Thread-safe."""

    def __init__(self, state: State, configured: Settings) -> None:
        self._lock = threading.Lock()
        self._state = state
        self._configured = configured

    def remember(self, chosen: Chosen) -> str | None:
        """Write the choices; gives a sentence where they cannot be written."""
        with self._lock:
            return self._kept(self._with_choices(chosen))

    def keep_servers(self, remembered: RememberedServers) -> str | None:
        """Write which server was chosen and which models were used, as :meth:`remember`."""
        with self._lock:
            return self._kept(self._state.with_servers(remembered))

    def _kept(self, state: State) -> str | None:
        self._state = state
        return save_state(state_file(), state)

    def _with_choices(self, chosen: Chosen) -> State:
        configured = self._configured
        before, now = configured.generation, chosen.generation
        state = self._state
        for key, value, over in (
            ("ui.theme", chosen.theme, configured.ui.theme),
            ("ui.low_bandwidth", chosen.is_low_bandwidth, configured.ui.low_bandwidth),
            ("chat.stop_loops", chosen.stops_loops, configured.chat.stop_loops),
            ("generation.temperature", now.temperature, before.temperature),
            ("generation.top_p", now.top_p, before.top_p),
            ("generation.top_k", now.top_k, before.top_k),
            ("generation.repeat_penalty", now.repeat_penalty, before.repeat_penalty),
            ("generation.max_tokens", now.max_tokens, before.max_tokens),
            ("generation.thinking", now.is_thinking, before.thinking),
            ("generation.system_prompt", now.system_prompt, before.system_prompt),
        ):
            state = state.with_choice(key, value, over)
        return state


def _appearance(
    settings: Settings,
    notes: Sequence[str],
    glyphs: Glyphs,
    colour_answer: ColourAnswer | None = None,
) -> Appearance:
    from tui.app.terminal_app import Appearance
    from tui.app.themes import load_themes
    from tui.core.screen.colours import choose_depth
    from tui.settings.terminfo import terminfo_colours

    themes = load_themes()
    theme, problem = themes.pick(settings.ui.theme)
    wanted = settings.ui.colors
    messages = [*notes, *themes.problems]
    if problem is not None:
        messages.append(problem)
    return Appearance(
        glyphs=glyphs,
        themes=themes.at,
        theme=theme,
        colours=choose_depth(wanted, os.environ, colour_answer, terminfo_colours=terminfo_colours),
        wanted_colours=wanted,
        keymap=settings.keys,
        has_bell=settings.ui.bell,
        copy_file=state_folder() / "copied.txt",
        notify=signals_of(settings.ui.notify, os.environ),
        frames_per_s=settings.ui.fps,
        is_low_bandwidth=settings.ui.low_bandwidth,
        pauses_without_focus=settings.ui.pause_without_focus,
        sample_interval_s=settings.board.interval_s,
        messages=messages,
    )


def _report_crash(error: Exception) -> int:
    """One sentence on the terminal; the rest in a file that can be sent to us."""
    import datetime
    import traceback

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
    print(f"npulse: internal error ({kind}); {where}", file=sys.stderr)
    return EXIT_CRASH
