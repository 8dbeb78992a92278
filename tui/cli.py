"""The command line. Imports the rest only when it is needed: ``npulse --version`` loads nothing."""

from __future__ import annotations

import argparse
import errno
import gc
import importlib
import io
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from tui import __version__
from tui.commands.exit_code import ExitCode
from tui.commands.parser import Parser, add_recording_options, add_server_options, complain, refused

if TYPE_CHECKING:
    from tui.recording.reading import Recording

COMMANDS: dict[str, tuple[str, str]] = {
    "ask": ("tui.commands.ask", "one prompt, answered on stdout"),
    "record": ("tui.commands.record", "one prompt, its answer and the board in a file"),
    "models": ("tui.commands.models", "list, load and unload models"),
    "history": (
        "tui.commands.history",
        "conversations: list, show, search, replay, export, import, prune, trend, check",
    ),
    "running": ("tui.commands.running", "the answers that are running now, in any npulse of yours"),
    "tap": ("tui.commands.tap", "forward other clients to the server and measure their answers"),
    "bench": ("tui.commands.bench", "benchmark the model: run, report, compare"),
    "worker": ("tui.commands.worker", "this board works on runs of many boards"),
    "lab": ("tui.commands.lab", "prompt sets: run, compare, judge, export"),
    "board": ("tui.commands.board", "one snapshot of the board, or a stream of them"),
    "doctor": (
        "tui.commands.doctor",
        "what is read from where, what is missing, and the command for it",
    ),
    "exporter": ("tui.commands.exporter", "board, server and answers as metrics for Prometheus"),
    "setup-npu-access": (
        "tui.commands.setup_npu_access",
        "let npulse read the NPU's load without root",
    ),
    "setup-service": (
        "tui.commands.setup_service",
        "run the tap or the exporter as a systemd service",
    ),
    "sim": ("tui.commands.sim", "the simulated board: a server and a /sys tree"),
}
"""Subcommand -> (module with ``main(argv) -> int``, its line in the help)."""

NO_TERMINAL = (
    "the dashboard needs a terminal; without one there are npulse ask, models, history, running, "
    "bench, board and doctor"
)


ATTACH = "attach"
"""The subcommand that opens the dashboard."""
ATTACH_LINE = "the dashboard on an answer that runs in another npulse, or on a kept conversation"


def dashboard_parser() -> Parser:
    """The options of the dashboard itself."""
    lines = {name: text for name, (_, text) in COMMANDS.items()} | {ATTACH: ATTACH_LINE}
    width = max(len(name) for name in lines)
    commands = "\n".join(f"  {name:<{width}}  {text}" for name, text in lines.items())
    parser = Parser(
        prog="npulse",
        description="A terminal dashboard for language models that run on a Rockchip NPU.",
        epilog=f"commands, each with its own --help:\n{commands}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_dashboard_options(parser)
    return parser


def attach_parser() -> Parser:
    """The options of ``npulse attach``: those of the dashboard, and which answer."""
    parser = Parser(
        prog=f"npulse {ATTACH}",
        description="Opens the dashboard on an answer that another npulse receives, as it grows; "
        "the stop key asks that npulse to stop it. Exit codes: those of the dashboard, 1 no "
        "answer is running or the history cannot be read, 2 usage.",
    )
    parser.add_argument(
        "id",
        nargs="?",
        metavar="ID",
        help="of the conversation, as npulse running and npulse history list show it; without it "
        "the newest answer that runs",
    )
    _add_dashboard_options(parser)
    return parser


def _add_dashboard_options(parser: Parser) -> None:
    parser.set_defaults(attach=None, remote=None, next_board=None)
    parser.add_argument("--version", action="version", version=f"npulse {__version__}")
    parser.add_argument("--root", metavar="DIR", help="read /sys and /proc below DIR instead of /")
    parser.add_argument(
        "--board",
        metavar="BOARD",
        help="another machine's board and servers, over ssh: ssh://user@board, or a name of "
        "[boards] in the config",
    )
    add_server_options(parser)
    parser.add_argument(
        "--model", metavar="NAME", help="the model that answers, where the server has several"
    )
    parser.add_argument("--theme", metavar="NAME", help="the theme to start with")
    parser.add_argument(
        "--colors",
        choices=("auto", "truecolor", "256", "16", "none"),
        help="how many colours to draw; auto asks the terminal",
    )
    parser.add_argument(
        "--ascii", action="store_true", default=None, help="plain ASCII instead of box characters"
    )
    parser.add_argument(
        "--low-bandwidth",
        action="store_true",
        default=None,
        help="for a slow connection: draw every five seconds, and at once after a key",
    )
    parser.add_argument(
        "--no-store",
        action="store_true",
        help="keep nothing of this run: no conversation, no prompt, no draft",
    )
    demo = parser.add_mutually_exclusive_group()
    demo.add_argument("--demo", action="store_true", help="start on the simulated board")
    demo.add_argument(
        "--demo-if-no-server",
        action="store_true",
        help="start on the simulated board if no server answers on this machine",
    )
    parser.add_argument(
        "--profile", metavar="NAME", default=None, help="the simulated board's model (with --demo)"
    )
    parser.add_argument(
        "--fault",
        choices=("ddr-low", "hot", "swap", "background-load", "no-permission", "none"),
        help="fault of the simulated board, which the board screen then finds (with --demo; "
        "default ddr-low)",
    )
    parser.add_argument(
        "--speed",
        metavar="X",
        type=float,
        default=None,
        help="run the simulated board, or a replay, X times faster",
    )
    demo.add_argument("--replay", metavar="FILE", help="play a recording again; no server is asked")
    add_recording_options(parser)


def main(argv: Sequence[str] | None = None) -> int:
    """Run npulse with these arguments; returns the exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    _prepare_streams()
    try:
        code = _command(arguments)
        # Here and not while the interpreter ends, which would tell a full disk by code 120.
        sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        return ExitCode.STOPPED
    except BrokenPipeError:
        # The reader of our stdout left: npulse board | head -1
        _give_stdout_up()
        return ExitCode.OK
    except OSError as error:
        complain("npulse", _what_failed(error))
        _give_stdout_up()
        return ExitCode.INCOMPLETE


def _command(arguments: list[str]) -> int:
    """Run the command that the first word names, or the dashboard; returns the exit code."""
    try:
        arguments = _with_board_last(arguments)
        if arguments and arguments[0] in COMMANDS:
            module = importlib.import_module(COMMANDS[arguments[0]][0])
            if arguments[0] in ("history", "bench"):
                # A command knows no screen: what opens one is handed to it.
                return int(module.main(arguments[1:], replay=_replay))
            return int(module.main(arguments[1:]))
        if arguments and arguments[0] == ATTACH:
            return _attach(arguments[1:])
        return _dashboard(arguments)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else ExitCode.OK


MEASURING = ("bench", "lab")
"""Commands that take ``--board``."""


def _with_board_last(arguments: list[str]) -> list[str]:
    """``--board X bench run …`` as ``bench run --board X …``: the board may be named first, as for
    the dashboard."""
    first, equals, name = arguments[0].partition("=") if arguments else ("", "", "")
    if first != "--board":
        return arguments
    name, rest = (name, arguments[1:]) if equals else ("".join(arguments[1:2]), arguments[2:])
    if not rest or rest[0] not in COMMANDS:
        return arguments
    if rest[0] not in MEASURING:
        complain("npulse", f"npulse {rest[0]} knows this machine only: --board goes with the "
                 f"dashboard, npulse {' and npulse '.join(MEASURING)}")  # fmt: skip
        raise SystemExit(ExitCode.USAGE)
    return [*rest[:2], f"--board={name}", *rest[2:]]


_OUTPUT_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF)


def _what_failed(error: OSError) -> str:
    reason = error.strerror or str(error)
    if error.filename is None and error.errno in _OUTPUT_ERRORS:
        what = "stdout is closed" if error.errno == errno.EBADF else reason
        return f"the output could not be written: {what}"
    return f"{error.filename}: {reason}" if error.filename is not None else reason


def _prepare_streams() -> None:
    """Streams that can always be used: one that is closed reads as empty, fails as a full disk
    does (stdout) or takes everything (stderr), and keeps its number from other files. A character
    that the locale does not have is a question mark."""
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        if getattr(sys, name) is not None:
            continue
        opened = os.open(os.devnull, os.O_WRONLY if name == "stderr" else os.O_RDONLY)
        if opened != number:
            os.dup2(opened, number)
            os.close(opened)
        os.set_inheritable(number, True)
        stream = open(number, mode, encoding="utf-8", closefd=False)  # noqa: SIM115
        setattr(sys, name, stream)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def _give_stdout_up() -> None:
    """The interpreter must not complain once more while it flushes."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _dashboard(arguments: list[str]) -> int:
    parser = dashboard_parser()
    if arguments and not arguments[0].startswith("-"):
        return _unknown_command(arguments[0])
    return _open_dashboard(parser, parser.parse_args(arguments))


def _attach(arguments: list[str]) -> int:
    parser = attach_parser()
    options = parser.parse_args(arguments)
    from tui.commands import attach
    from tui.history.failures import HistoryError

    try:
        options.attach = attach.find(options.id)
    except ValueError as error:
        parser.error(str(error))
    except (attach.NothingRunsError, HistoryError) as error:
        return refused(parser.prog, str(error), ExitCode.FAILED)
    options.url = options.url or options.attach.url
    return _open_dashboard(parser, options)


def _open_dashboard(parser: Parser, options: argparse.Namespace) -> int:
    if options.speed is not None and not 0 < options.speed < float("inf"):
        parser.error(f"--speed takes a number above 0, not {options.speed}")
    if options.replay is not None:
        return _replay_file(options)
    if not _has_terminal():
        return ExitCode.USAGE
    if options.board is not None:
        if options.demo or options.demo_if_no_server or options.root is not None:
            parser.error("--board reads another machine: it goes with neither --demo nor --root")
        code = _log_in(parser, options)
        if code is not None:
            return code
    # What is loaded until the first paint stays: looking for garbage in it only takes time. It is
    # seldom and not never, so that a start that hangs does not eat the model's memory.
    gc.set_threshold(100_000, 10, 10)
    from tui.app.memory_saving import load_hashes_without_openssl, share_one_heap
    from tui.app.terminal.launch import Launch

    launch = Launch(options)
    try:
        launch.draw_known()
        share_one_heap()
        load_hashes_without_openssl()
        from tui.app.start import run_dashboard

        code = run_dashboard(options, launch)
    finally:
        launch.close()
    if options.next_board is not None and code == ExitCode.OK:
        # Anew: ssh may have a question, which needs the terminal as it was.
        given = [] if options.config is None else [f"--config={options.config}"]
        given += [] if options.theme is None else [f"--theme={options.theme}"]
        os.execv(
            sys.executable,
            [sys.executable, "-m", "tui", "--board", options.next_board, *given],
        )
    return code


def _log_in(parser: Parser, options: argparse.Namespace) -> int | None:
    """Sets ``options.remote``, or returns the exit code after the reason was said."""
    from tui.remote.ssh import SshError
    from tui.settings.board_login import log_in
    from tui.settings.config_file import ConfigError

    try:
        options.remote = log_in(options.board, options.url, options.config)
    except (ConfigError, ValueError) as error:
        parser.error(str(error))
    except SshError as error:
        return refused(parser.prog, str(error), ExitCode.UNREACHABLE)
    return None


def _replay_file(options: argparse.Namespace) -> int:
    from pathlib import Path

    from tui.recording.reading import RecordingError, read_recording

    try:
        recording = read_recording(Path(options.replay).expanduser())
    except RecordingError as error:
        return refused("npulse", str(error))
    return _replay(recording, 1.0 if options.speed is None else options.speed, options)


def _replay(recording: Recording, speed: float, options: argparse.Namespace) -> int:
    """Play it in this terminal."""
    if not _has_terminal():
        return ExitCode.USAGE
    from tui.app.start import run_replay

    return run_replay(recording, speed, options)


def _has_terminal() -> bool:
    """Whether there is one that can be drawn on; else it was said."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        complain("npulse", NO_TERMINAL)
        return False
    if os.environ.get("TERM") == "dumb":
        complain("npulse", f"a terminal with TERM=dumb cannot be drawn on: {NO_TERMINAL}")
        return False
    return True


def _unknown_command(word: str) -> int:
    import difflib

    near = difflib.get_close_matches(word, [*COMMANDS, ATTACH], n=1)
    hint = f"did you mean npulse {near[0]}?" if near else "npulse --help lists the commands"
    return refused("npulse", f"no command {word[:80]!r}; {hint}")


if __name__ == "__main__":
    sys.exit(main())
