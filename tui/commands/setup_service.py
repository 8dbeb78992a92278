"""``npulse setup-service``: prints the unit that runs the tap or the exporter, or installs it."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from tui.board.advice.report import write_out
from tui.board.advice.service_units import SERVICES, USER, install, remove, unit
from tui.board.advice.systemd import Run, UnitError, run_command
from tui.commands.exit_code import ExitCode
from tui.commands.parser import Parser, refused
from tui.servers.address import is_local

COMMAND = "npulse setup-service"


def parser() -> Parser:
    """The options of ``npulse setup-service``."""
    options = Parser(
        prog=COMMAND,
        description=f"A systemd unit that runs npulse tap or npulse exporter as the user {USER}, "
        "which may write to its own folder and nowhere else. Without --install it is only "
        "printed. Exit codes: 0 done, 1 it could not be done, 2 usage.",
        epilog="Arguments after -- go to the command: npulse setup-service tap -- --to "
        "http://127.0.0.1:8021",
    )
    options.add_argument("service", choices=SERVICES, help="the command to run")
    choice = options.add_mutually_exclusive_group()
    choice.add_argument(
        "--install", action="store_true", help="install and start the unit (as root)"
    )
    choice.add_argument("--remove", action="store_true", help="stop and delete the unit (as root)")
    options.add_argument("arguments", nargs="*", metavar="ARG", help="options of that command")
    return options


def main(argv: Sequence[str] | None = None, run: Run = run_command) -> int:
    """Run the command; returns the exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    end = words.index("--") if "--" in words else len(words)
    options = parser().parse_args(words[:end])
    if options.arguments:
        parser().error(f"options of npulse {options.service} go after --")
    arguments = tuple(words[end + 1 :])
    problem = _wrong(options.service, arguments)
    if problem is not None:
        parser().error(problem)
    with_own = (*arguments, *_service_options(options.service))
    wanted = unit(options.service, with_own, is_local=_is_local(arguments))
    if not (options.install or options.remove):
        install_it = " ".join(["sudo", COMMAND, options.service, "--install", *words[end:]])
        print(f"# Install it:  {install_it}\n", file=sys.stderr, end="", flush=True)
        write_out(wanted.text)
        return ExitCode.OK
    try:
        outcome = install(wanted, run=run) if options.install else remove(options.service, run=run)
    except UnitError as error:
        return refused(COMMAND, str(error), ExitCode.FAILED)
    write_out(outcome.sentence + "\n")
    return ExitCode.OK


def _is_local(arguments: tuple[str, ...]) -> bool:
    """Whether the arguments restrict the service to this machine."""
    urls = [word for word in arguments if "://" in word]
    return "--public" not in arguments and all(is_local(url) for url in urls)


def _service_options(service: str) -> tuple[str, ...]:
    """Options that are added to the command."""
    from tui.history.published_clients import PUBLISHED

    return ("--publish", str(PUBLISHED)) if service == "tap" else ()


def _wrong(service: str, arguments: tuple[str, ...]) -> str | None:
    """Why these arguments cannot be used in a unit."""
    bad = next((word for word in arguments if not word.isprintable()), None)
    if bad is not None:
        return f"{bad!r} cannot be part of a unit"
    if any(word.startswith("--api-key") for word in arguments):
        return "every user can read a unit: put the key into /etc/npulse/config.toml"
    if service == "tap":
        return _wrong_for_tap(arguments)
    from tui.commands.exporter import parser as command

    command().parse_args(list(arguments))
    return None


def _wrong_for_tap(arguments: tuple[str, ...]) -> str | None:
    from tui.commands.tap import parser as command
    from tui.core.listen_address import listen_address
    from tui.tap.listen import target_of

    options = command().parse_args(list(arguments))
    try:
        listen_address(options.listen)
        if options.to is not None:
            target_of(options.to)
    except ValueError as error:
        return str(error)
    return None
