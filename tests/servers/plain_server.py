"""A small OpenAI-compatible server in a thread, with or without TLS, that keeps the requests."""

from __future__ import annotations

import json
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

DATA = Path(__file__).parent / "data"
CERTIFICATE = DATA / "own_ca.pem"


@dataclass
class Plain:
    """``url`` has no path. ``seen`` holds (method, path, headers), ``bodies`` what was posted."""

    url: str
    port: int
    seen: list[tuple[str, str, Message]] = field(default_factory=list)
    bodies: list[Any] = field(default_factory=list)


@contextmanager
def plain_server(
    base: str = "",
    is_tls: bool = False,
    redirects_to: str | None = None,
    host: str = "127.0.0.1",
) -> Iterator[Plain]:
    """Answers "ok" below ``base`` and 404 elsewhere; with ``redirects_to`` everything is a 307.
    ``host`` is an address of the loopback, of IPv6 too."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            plain.seen.append(("GET", self.path, self.headers))
            if redirects_to is not None:
                self._redirect()
            elif self.path == f"{base}/v1/models":
                self._json({"object": "list", "data": [{"id": "m", "object": "model"}]})
            else:
                self.send_error(404)

        def do_POST(self) -> None:
            plain.seen.append(("POST", self.path, self.headers))
            plain.bodies.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            if redirects_to is not None:
                self._redirect()
                return
            if self.path != f"{base}/v1/chat/completions":
                self.send_error(404)
                return
            chunk = {"choices": [{"delta": {"content": "ok"}, "finish_reason": None}]}
            end = {"choices": [{"delta": {}, "finish_reason": "stop"}]}
            body = "".join(f"data: {json.dumps(one)}\n\n" for one in (chunk, end))
            self._send(200, "text/event-stream", f"{body}data: [DONE]\n\n")

        def _redirect(self) -> None:
            self.send_response(307)
            self.send_header("location", redirects_to or "")
            self.send_header("content-length", "0")
            self.end_headers()

        def _json(self, value: object) -> None:
            self._send(200, "application/json", json.dumps(value))

        def _send(self, status: int, kind: str, text: str) -> None:
            self.send_response(status)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(text)))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, format: str, *args: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        address_family = socket.AF_INET6 if ":" in host else socket.AF_INET

    server = Server((host, 0), Handler)
    if is_tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(CERTIFICATE, DATA / "own_ca.key")
        server.socket = context.wrap_socket(server.socket, server_side=True)
    port = int(server.server_address[1])
    place = f"[{host}]" if ":" in host else host
    plain = Plain(f"http{'s' if is_tls else ''}://{place}:{port}", port)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield plain
    finally:
        server.shutdown()
        server.server_close()
