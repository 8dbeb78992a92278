"""A model server in a process of its own that logs each answer as RockchipLlama does.

``python logging_server.py PORT_FILE [lies]``: writes its port to the file. With ``lies`` the log
holds the numbers of another answer.
"""

from __future__ import annotations

import json
import sys
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

TOKENS, GAP_S = 16, 0.04


class Handler(BaseHTTPRequestHandler):
    lies = False

    def do_GET(self) -> None:
        body = json.dumps({"object": "list", "data": [{"id": "tiny", "object": "model"}]}).encode()
        is_list = self.path == "/v1/models"
        self.send_response(200 if is_list else 404)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        time.sleep(0.2)
        start_s = time.monotonic()
        for number in range(TOKENS):
            time.sleep(GAP_S if number else 0)
            self.event({"choices": [{"delta": {"content": f" w{number}"}}]})
        decode_ms = (time.monotonic() - start_s) * 1e3
        self.event({"choices": [{"delta": {}, "finish_reason": "stop"}]})
        self.wfile.write(b"data: [DONE]\n\n")
        self.wfile.flush()
        time.sleep(0.1)
        print(log_line(decode_ms * 9 if self.lies else decode_ms), flush=True)

    def event(self, value: object) -> None:
        self.wfile.write(f"data: {json.dumps(value)}\n\n".encode())
        self.wfile.flush()

    def log_message(self, *_: object) -> None:
        """Nothing beside the numbers."""


def log_line(decode_ms: float) -> str:
    numbers = {
        "prefill_time_ms": 190.5,
        "prefill_tokens": 19,
        "generate_time_ms": decode_ms,
        "generate_tokens": TOKENS,
        "memory_usage_mb": 4413.43994140625,
    }
    head = "2026-02-19 16:42:35,123 - models.rkllm_model - DEBUG - Performance stats:"
    return f"{head} {numbers}"


if __name__ == "__main__":
    Handler.lies = "lies" in sys.argv
    server = HTTPServer(("127.0.0.1", 0), Handler)
    Path(sys.argv[1]).write_text(str(server.server_address[1]))
    server.serve_forever()
