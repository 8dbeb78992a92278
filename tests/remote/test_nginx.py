"""The nginx configuration of docs/many_boards.md, as it stands there, in front of 20 boards."""

from __future__ import annotations

import http.client
import json
import re
import shutil
import socket
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.waiting import wait_until

NGINX = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
PAGE = Path(__file__).resolve().parents[2] / "docs" / "many_boards.md"
BOARDS, STREAMS, TOKENS, GAP_S = 20, 40, 5, 0.08

pytestmark = pytest.mark.skipif(NGINX is None, reason="no nginx here (Debian's nginx-light)")


class Board(ThreadingHTTPServer):
    """A server with one NPU: a stream at a time, the others wait."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.npu = threading.Lock()
        self.answered = 0
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        self.shutdown()
        self.server_close()


class _Answer(BaseHTTPRequestHandler):
    server: Board
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        with self.server.npu, suppress(OSError):
            self.server.answered += 1
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for number in range(TOKENS):
                event = b"data: %d\n\n" % number
                self.wfile.write(b"%x\r\n%s\r\n" % (len(event), event))
                time.sleep(GAP_S)
            self.wfile.write(b"0\r\n\r\n")

    def log_message(self, format: str, *args: object) -> None:
        pass


def configuration(folder: Path, ports: Sequence[int], listen: int) -> str:
    """The block of the page, with these boards in place of its own."""
    (block,) = re.findall(r"```nginx\n(.*?)```", PAGE.read_text(), re.DOTALL)
    line = re.compile(r"^ +server 192\.168\.1\.\d+:8021( .*;)$\n", re.MULTILINE)
    (options,) = set(line.findall(block))
    servers = "".join(f"    server 127.0.0.1:{port}{options}\n" for port in ports)
    block = line.sub("", block).replace("least_conn;\n", f"least_conn;\n{servers}")
    block = block.replace("listen 8080;", f"listen 127.0.0.1:{listen};")
    block = block.replace("/var/log/nginx", str(folder))
    temporary = "".join(
        f"{name}_temp_path {folder}/{name};\n"
        for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    return (
        f"daemon off;\npid {folder}/pid;\nerror_log {folder}/error.log;\nworker_processes 2;\n"
        f"events {{ worker_connections 512; }}\nhttp {{\n{temporary}{block}}}\n"
    )


@contextmanager
def nginx(folder: Path, ports: Sequence[int]) -> Iterator[int]:
    """The port that it listens on."""
    assert NGINX is not None
    with socket.create_server(("127.0.0.1", 0)) as free:
        listen = free.getsockname()[1]
    (folder / "nginx.conf").write_text(configuration(folder, ports, listen))
    process = subprocess.Popen(
        [NGINX, "-e", f"{folder}/error.log", "-p", str(folder), "-c", f"{folder}/nginx.conf"],
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )

    def listens() -> bool:
        with suppress(OSError), socket.create_connection(("127.0.0.1", listen), timeout=1):
            return True
        assert process.poll() is None, process.communicate()[1]
        return False

    try:
        wait_until(listens)
        yield listen
    finally:
        process.terminate()
        process.communicate(timeout=60)


@contextmanager
def boards(count: int) -> Iterator[list[Board]]:
    made = [Board() for _ in range(count)]
    try:
        yield made
    finally:
        for board in made:
            board.close()


@dataclass
class Heard:
    """One stream: its status, its board, when its pieces came (s), and what they were."""

    status: int
    board: str
    times: list[float]
    text: bytes


def ask(port: int) -> Heard:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("POST", "/v1/chat/completions", body=json.dumps({"stream": True}))
    answer = connection.getresponse()
    times, text = [], b""
    while piece := answer.read1(1 << 16):
        times.append(time.monotonic())
        text += piece
    connection.close()
    return Heard(answer.status, answer.headers.get("X-Board", ""), times, text)


@pytest.mark.slow
def test_forty_streams_over_twenty_boards_and_a_dead_one_is_left_out(tmp_path: Path) -> None:
    with boards(BOARDS) as made:
        ports = [board.server_port for board in made]
        with nginx(tmp_path, ports) as port, ThreadPoolExecutor(STREAMS) as pool:
            heard = list(pool.map(lambda _: ask(port), range(STREAMS)))
            assert [one.status for one in heard] == [200] * STREAMS
            whole = b"".join(b"data: %d\n\n" % n for n in range(TOKENS))
            assert all(one.text == whole for one in heard)
            spread = Counter(one.board for one in heard)
            assert set(spread) == {f"127.0.0.1:{number}" for number in ports}
            assert max(spread.values()) <= 4
            # Not held back: the first token is there long before the last. A busy machine may be
            # late to read some of them.
            live = [one for one in heard if one.times[-1] - one.times[0] > 2 * GAP_S]
            assert len(live) > STREAMS / 2

            before = made[0].answered
            made[0].close()
            again = list(pool.map(lambda _: ask(port), range(BOARDS)))
            assert [one.status for one in again] == [200] * BOARDS
            assert made[0].answered == before


@pytest.mark.slow
def test_a_prompt_that_ran_is_not_asked_again_and_a_full_fleet_says_so(tmp_path: Path) -> None:
    with boards(1) as made, socket.create_server(("127.0.0.1", 0)) as dying:
        asked: list[bytes] = []

        def take_and_die() -> None:
            with suppress(OSError):
                sock, _ = dying.accept()
                asked.append(sock.recv(1 << 16))
                sock.close()

        killer = threading.Thread(target=take_and_die)
        killer.start()
        with nginx(tmp_path, [dying.getsockname()[1]]) as port:
            lost = ask(port)
        killer.join(60)
        assert (lost.status, len(asked)) == (503, 1)
        assert json.loads(lost.text)["error"]["message"].startswith("no board is free")
        with nginx(tmp_path, [made[0].server_port]) as port, ThreadPoolExecutor(6) as pool:
            heard = list(pool.map(lambda _: ask(port), range(6)))
        # One that runs and a line of three.
        assert Counter(one.status for one in heard) == {200: 4, 503: 2}
