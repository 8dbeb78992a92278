"""``npulse exporter``: exports board, server and answers to Prometheus and OTLP."""

from __future__ import annotations

import argparse
import importlib.util
import os
import signal
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from tui.board.advice.report import write_out
from tui.board.one_shot import SETTLE_S, WINDOW_S
from tui.commands.exit_code import ExitCode
from tui.commands.parser import Parser, add_root_option, add_server_options, complain, refused
from tui.core.listen_address import ListenAddress, is_loopback, listen_address
from tui.settings.config import ConfigError, config_paths, load
from tui.settings.history_options import history_file
from tui.settings.server_options import server_access, server_urls

if TYPE_CHECKING:
    from tui.exporter.exporter import Exporter
    from tui.exporter.otlp import OtlpSender
    from tui.history.ended_requests import EndedRequest

COMMAND = "npulse exporter"
DEFAULT_LISTEN = "127.0.0.1:9588"
MIN_INTERVAL_S = 1.0
FILES = {
    "dashboard": "grafana_dashboard.json",
    "alerts": "alerts.yml",
    "vllm-names": "vllm_names.yml",
}
"""Choices of ``--print`` -> file in ``tui/exporter/files/``."""


def parser() -> Parser:
    """The options of ``npulse exporter``."""
    made = Parser(
        prog=COMMAND,
        description="Serves metrics of board, server and answers for Prometheus at /metrics. "
        "Unknown values are left out. Exit codes: 0 ended by SIGTERM, 1 could not start, 2 usage, "
        "130 interrupted.",
    )
    made.add_argument(
        "--listen",
        metavar="HOST:PORT",
        default=DEFAULT_LISTEN,
        help=f"address of /metrics (default {DEFAULT_LISTEN}); port 0 takes a free one",
    )
    made.add_argument(
        "--public",
        action="store_true",
        help="allow an address that other machines reach: they can read every metric",
    )
    made.add_argument(
        "--textfile",
        metavar="FILE",
        type=Path,
        help="write FILE for the node exporter instead of listening; its name ends in .prom",
    )
    made.add_argument(
        "--once", action="store_true", help="write the metrics once, to stdout or --textfile"
    )
    made.add_argument(
        "--interval",
        metavar="S",
        type=float,
        default=5.0,
        help=f"seconds between two samples of the board, at least {MIN_INTERVAL_S:.0f} (default 5)",
    )
    made.add_argument(
        "--otlp",
        metavar="URL",
        help="also send the answers to this OTLP collector, with OpenTelemetry's GenAI names",
    )
    add_root_option(made)
    made.add_argument(
        "--print",
        choices=tuple(FILES),
        help="print a file and exit: a Grafana dashboard, alert rules, or recording rules that "
        "add vLLM's metric names",
    )
    add_server_options(made)
    return made


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    made = parser()
    options = made.parse_args(argv)
    if options.print is not None:
        write_out(package_file(FILES[options.print]))
        return ExitCode.OK
    if not MIN_INTERVAL_S <= options.interval <= 3600:
        made.error(f"--interval takes seconds from {MIN_INTERVAL_S:.0f} to 3600")
    if options.textfile is not None and options.textfile.suffix != ".prom":
        made.error("--textfile: the node exporter reads only files whose name ends in .prom")
    missing = _missing(options)
    if missing is not None:
        return refused(COMMAND, missing, ExitCode.FAILED)
    try:
        where = _listen_address(options.listen, is_public=options.public)
        config = load(config_paths(options.config), os.environ, {"server.url": options.url})
        section = config.settings.server
        urls, access = server_urls(section), server_access(section, options.api_key)
        sender = _sender(options.otlp)
    except (ConfigError, ValueError) as error:
        made.error(str(error))
    from tui.exporter.exporter import Exporter, Sources
    from tui.exporter.server_metrics import look_at_servers

    def on_ended(request: EndedRequest) -> None:
        if sender is not None:
            sender.observe(request)

    look = partial(look_at_servers, urls, access)
    exporter = Exporter(Sources(options.root, history_file(), look, on_ended), options.interval)
    try:
        return _run(options, exporter, where)
    finally:
        exporter.close()
        if sender is not None:
            sender.close()


def _missing(options: argparse.Namespace) -> str | None:
    """The sentence about a missing library."""
    wanted = [("prometheus_client", "prometheus-client", "exporter")]
    if options.otlp is not None:
        wanted.append(("opentelemetry.exporter", "opentelemetry-exporter-otlp-proto-http", "otlp"))
    for module, package, extra in wanted:
        try:
            is_there = importlib.util.find_spec(module) is not None
        except ModuleNotFoundError:
            is_there = False
        if not is_there:
            return f"it needs {package}; install it with: pip install 'npulse[{extra}]'"
    return None


def _sender(url: str | None) -> OtlpSender | None:
    if url is None:
        return None
    from tui.exporter.otlp import OtlpSender

    return OtlpSender(url)


def package_file(name: str) -> str:
    """A file that npulse ships for Prometheus or Grafana."""
    return (Path(__file__).parent.parent / "exporter" / "files" / name).read_text(encoding="utf-8")


def _listen_address(text: str, *, is_public: bool) -> ListenAddress:
    """The address to listen on: one IP address. Raises ValueError with one sentence, also for an
    address that other machines reach without ``is_public``.
    """
    try:
        typed = listen_address(text)
    except ValueError as error:
        raise ValueError(f"--listen {error}") from None
    where = replace(typed, host="127.0.0.1") if typed.host == "localhost" else typed
    try:
        is_own = is_loopback(where.host)
    except ValueError:
        raise ValueError(
            f"--listen takes an IP address of this machine and a port, not {text!r}"
        ) from None
    if not is_own and not is_public:
        raise ValueError(
            f"--listen {text} opens the metrics to every machine that reaches this one: board, "
            "servers, models and how much they are used, never a text; --public allows it"
        )
    return where


def _run(options: argparse.Namespace, exporter: Exporter, where: ListenAddress) -> int:
    if options.once:
        for pause_s in (WINDOW_S, SETTLE_S, 0.0):
            exporter.update()
            time.sleep(pause_s)
        if options.textfile is None:
            write_out(exporter.text().decode())
            return ExitCode.OK
        return _write_once(exporter, options.textfile)
    if options.textfile is not None:
        end = _End()
        print(f"writing {options.textfile} every {options.interval:g} s", flush=True)
        code: int = ExitCode.OK
        while not end.is_over.is_set():
            exporter.update()
            code = _write_once(exporter, options.textfile)
            end.is_over.wait(options.interval)
        return end.code or code
    from tui.exporter.http import MetricsServer

    try:
        server = MetricsServer(where.host, where.port, exporter.text)
    except OSError as error:
        complain(COMMAND, f"it cannot listen on {options.listen}: {error.strerror or error}")
        return ExitCode.FAILED
    end = _End()
    serving = threading.Thread(target=server.serve_forever, name="npulse-scrapes", daemon=True)
    serving.start()
    shown = replace(where, port=server.port).shown
    print(f"listening on http://{shown}/metrics", flush=True)
    told: str | None = None
    while not end.is_over.is_set():
        exporter.update()
        if exporter.problem not in (None, told):
            complain(COMMAND, str(exporter.problem))
        told = exporter.problem
        end.is_over.wait(options.interval)
    server.shutdown()
    server.server_close()
    return end.code


def _write_once(exporter: Exporter, path: Path) -> int:
    """Replaces the file atomically, readable for the node exporter, which runs as another user."""
    from prometheus_client import write_to_textfile

    try:
        write_to_textfile(str(path), exporter.registry)
    except OSError as error:
        complain(COMMAND, f"{path} cannot be written: {error.strerror or error}")
        return ExitCode.INCOMPLETE
    return ExitCode.OK


class _End:
    """Set by SIGTERM (a good end) or SIGINT."""

    def __init__(self) -> None:
        self.is_over = threading.Event()
        self.code = ExitCode.OK
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._end)

    def _end(self, number: int, frame: FrameType | None) -> None:
        self.code = ExitCode.STOPPED if number == signal.SIGINT else ExitCode.OK
        self.is_over.set()
