"""Serves ``/metrics`` over HTTP, and nothing else; request bodies are not read."""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
"""Of Prometheus' text format (https://prometheus.io/docs/instrumenting/exposition_formats/)."""
TIMEOUT_S = 10.0
"""A client that sends nothing is disconnected after this time."""
INDEX = b"npulse exporter: the metrics are at /metrics\n"


class MetricsServer(ThreadingHTTPServer):
    """Serves what ``text`` returns. Raises OSError where the address cannot be bound."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, host: str, port: int, text: Callable[[], bytes]) -> None:
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.text = text
        super().__init__((host, port), _Handler)

    @property
    def port(self) -> int:
        """The one that it listens on."""
        return int(self.server_address[1])

    def server_bind(self) -> None:
        """As usual, without a look-up of the host's name, which may take long."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = str(self.server_address[0]), self.port

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that disconnects is ignored; any other error is one line on stderr."""
        error = sys.exc_info()[1]
        if not isinstance(error, OSError):
            print(f"npulse exporter: a scrape failed: {error}", file=sys.stderr, flush=True)


class _Handler(BaseHTTPRequestHandler):
    server: MetricsServer
    protocol_version = "HTTP/1.1"
    timeout = TIMEOUT_S
    server_version, sys_version = "npulse", ""

    def do_GET(self) -> None:
        self._answer(is_body_wanted=True)

    def do_HEAD(self) -> None:
        self._answer(is_body_wanted=False)

    def _answer(self, *, is_body_wanted: bool) -> None:
        path = self.path.partition("?")[0]
        if path == "/metrics":
            self._send(HTTPStatus.OK, CONTENT_TYPE, self.server.text(), is_body_wanted)
        elif path == "/":
            self._send(HTTPStatus.OK, "text/plain; charset=utf-8", INDEX, is_body_wanted)
        else:
            self._send(HTTPStatus.NOT_FOUND, "text/plain; charset=utf-8", INDEX, is_body_wanted)

    def _send(self, status: HTTPStatus, kind: str, body: bytes, is_body_wanted: bool) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if is_body_wanted:
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Scrapes are not logged."""
