"""``npulse setup-npu-access``: prints the unit that opens the NPU's load, or installs it."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from tui.board.advice.access import (
    DRIVER_DIR,
    OPEN_DIR,
    UNIT,
    UNIT_NAME,
    UNIT_PATH,
    install,
    remove,
)
from tui.board.advice.report import write_out
from tui.board.advice.systemd import Run, UnitError, run_command
from tui.commands.exit_code import ExitCode
from tui.commands.parser import Parser, refused

EXPLANATION = f"""\
# This unit shows {DRIVER_DIR} under {OPEN_DIR}, which every user may read.
# Nothing else of debugfs is opened, and nothing stays running.
# Install it:  sudo npulse setup-npu-access --install   (writes {UNIT_PATH})
# Remove it:   sudo npulse setup-npu-access --remove
"""


def parser() -> Parser:
    """The options of ``npulse setup-npu-access``."""
    options = Parser(
        prog="npulse setup-npu-access",
        description="Lets every user read the load of the NPU, which debugfs keeps for root. "
        "Without an option it only prints the systemd unit that would do so.",
    )
    choice = options.add_mutually_exclusive_group()
    choice.add_argument(
        "--install", action="store_true", help=f"install and start {UNIT_NAME} (as root)"
    )
    choice.add_argument("--remove", action="store_true", help="stop and delete it (as root)")
    return options


def main(argv: Sequence[str] | None = None, run: Run = run_command) -> int:
    """Run the command; returns the exit code: 1 where it could not be done."""
    try:
        options = parser().parse_args(argv)
    except SystemExit as end:
        return int(end.code or 0)
    if not (options.install or options.remove):
        print(EXPLANATION, file=sys.stderr, end="", flush=True)
        write_out(UNIT)
        return ExitCode.OK
    try:
        outcome = install(run=run) if options.install else remove(run=run)
    except UnitError as error:
        return refused("npulse setup-npu-access", str(error), ExitCode.FAILED)
    write_out(outcome.sentence + "\n")
    return ExitCode.OK
