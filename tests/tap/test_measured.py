"""``npulse tap`` as a process: its figures against the truth, its lines, its ends."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread
from time import perf_counter_ns
from typing import Any

import pytest

from tests.app.npulse import environment
from tests.sim.simulator import truth, wait_for_event
from tests.tap.tapped import CHAT, Tap, curl, post, question, start, tap
from tests.waiting import wait_until
from tui.history.ended_requests import of_client
from tui.history.published_clients import published
from tui.history.request_records import ClientRequest
from tui.sim.server.spawn import Simulator, spawn

pytestmark = pytest.mark.slow

TOKENS = 12


@pytest.fixture
def board(tmp_path: Path) -> Iterator[tuple[Simulator, Path]]:
    """A simulated llama.cpp server, which tells the runtime's own counts; and its log."""
    log = tmp_path / "truth.jsonl"
    arguments = ("--dialect", "llama.cpp", "--decode-tps", "40", "--prefill-tps", "200")
    with spawn([*arguments, "--tokens", str(TOKENS), "--truth", str(log)]) as simulator:
        yield simulator, log


@dataclass(frozen=True)
class Bounds:
    """What the server's log says of one request: the least and the most that a tap can measure.

    Chunks that a busy tap reads at once have the time of the last of them: ``n_joined`` of the
    tokens came so. The last token may be read together with the end of the answer.
    """

    log: Path
    request: int
    sent_ns: int
    """Before the client began to send."""
    n_joined: int

    def _times_ns(self) -> tuple[int, int, int, int]:
        """(first token at least, at most, last token at least, at most)."""
        tokens = truth(self.log, "token", self.request)
        (finish,) = truth(self.log, "finish", self.request)
        first_ns = tokens[0]["t_ns"], tokens[min(self.n_joined, len(tokens) - 1)]["written_ns"]
        return *first_ns, tokens[-1]["t_ns"], finish["t_ns"] + 5_000_000

    def holds_ttft(self, ttft_ms: float | None) -> bool:
        (asked,) = truth(self.log, "request", self.request)
        low_ns, high_ns, _, _ = self._times_ns()
        low_ms, high_ms = (low_ns - asked["t_ns"]) / 1e6, (high_ns - self.sent_ns) / 1e6
        return ttft_ms is not None and low_ms - 1 <= ttft_ms <= high_ms

    def holds_duration(self, first_to_last_ms: float) -> bool:
        low_ns, high_ns, last_low_ns, last_high_ns = self._times_ns()
        low_ms, high_ms = (last_low_ns - high_ns) / 1e6, (last_high_ns - low_ns) / 1e6
        return low_ms - 1 <= first_to_last_ms <= high_ms + 1


def bounds(found: ClientRequest, log: Path, request: int, sent_ns: int) -> Bounds:
    n_joined = sum(count for count, mean_ns in of_client(found).gaps if mean_ns < 1e6)
    return Bounds(log, request, sent_ns, n_joined)


def test_three_clients_at_once_are_measured_as_they_were_served(
    board: tuple[Simulator, Path], tmp_path: Path
) -> None:
    simulator, log = board
    with tap(tmp_path, simulator.url) as tapped:
        sent_ns = perf_counter_ns()
        clients = [
            subprocess.Popen(
                ["curl", "-sN", "--noproxy", "*", "-A", f"client{number}/1.0",
                 *post(tapped.url + CHAT, question(f"question {number} " * (number + 1)))],
                stdout=subprocess.PIPE,
            )
            for number in range(3)
        ]  # fmt: skip
        said = [client.communicate(timeout=60)[0] for client in clients]
        assert all(b"[DONE]" in text for text in said)
        found = tapped.over(3)
        code, lines, noted = tapped.end()
    assert code == 0
    passed = re.search(r"3 requests, (\d+) chunks forwarded", noted)
    assert passed
    assert int(passed[1]) > 3
    by_prompt = {truth(log, "request", n)[0]["prompt_tokens"]: n for n in (1, 2, 3)}
    for request in found:
        number = int((request.client.user_agent or "")[6])
        asked_as = sorted(by_prompt.items())[number][1]
        (asked,) = truth(log, "request", asked_as)
        assert request.status == "complete"
        assert request.client.host == "127.0.0.1"
        assert request.origin.model == "qwen3-4b-q8_0.gguf"
        assert (request.tokens_out, request.tokens_out_source) == (TOKENS, "runtime")
        assert (request.tokens_in, request.tokens_in_source) == (asked["prompt_tokens"], "runtime")
        limits = bounds(request, log, asked_as, sent_ns)
        assert limits.holds_ttft(request.ttft_ms), (limits, request)
        assert request.decode_tps
        assert limits.holds_duration((TOKENS - 1) * 1e3 / request.decode_tps), (limits, request)
        assert request.decode_source == "measured"
        gaps = of_client(request).gaps
        assert sum(count for count, _ in gaps) == TOKENS - 1
        total_ms = sum(count * mean_ns for count, mean_ns in gaps) / 1e6
        assert limits.holds_duration(total_ms), (limits, request)
        assert request.prompt is request.answer is None
    assert sorted(line["id"] for line in lines) == [request.id for request in found]


def test_a_prompt_that_waits_for_another_client_is_told_so(tmp_path: Path) -> None:
    log = tmp_path / "truth.jsonl"
    arguments = ("--decode-tps", "40", "--prefill-tps", "200", "--tokens", "120")
    with (
        spawn([*arguments, "--truth", str(log)]) as simulator,
        tap(tmp_path, simulator.url) as tapped,
    ):
        first = subprocess.Popen(
            ["curl", "-sN", *post(tapped.url + CHAT, question("first"))], stdout=subprocess.DEVNULL
        )
        wait_for_event(log, "token", 1)
        sent_ns = perf_counter_ns()
        second = subprocess.Popen(
            [
                "curl",
                "-sN",
                "-A",
                "second",
                *post(tapped.url + CHAT, question("and", max_tokens=5)),
            ],
            stdout=subprocess.DEVNULL,
        )
        wait_until(
            lambda: (
                "queued" in [r.phase for r in tapped.requests() if r.client.user_agent == "second"]
            )
        )
        first.wait(60)
        second.wait(60)
        ahead, waited = tapped.over(2)
    assert ahead.queue_ms is None
    asked_ns = truth(log, "request", 2)[0]["t_ns"]
    start_ns = truth(log, "prefill_end", 2)[0]["start_ns"]
    assert waited.queue_ms == pytest.approx((start_ns - asked_ns) / 1e6, abs=60)
    assert waited.queue_source == "estimated"
    limits = bounds(waited, log, 2, sent_ns)
    assert limits.holds_ttft(waited.ttft_ms), (limits, waited)
    assert waited.numbers["prefill_source"] == "estimated"


def test_a_client_that_leaves_and_a_refusal_and_no_text(tmp_path: Path) -> None:
    log = tmp_path / "truth.jsonl"
    with (
        spawn(["--decode-tps", "30", "--prefill-tps", "900", "--truth", str(log)]) as simulator,
        tap(tmp_path, simulator.url) as tapped,
    ):
        secret = ("-H", "Authorization: Bearer sk-very-secret")
        url = tapped.url + CHAT + "?api_key=sk-very-secret"
        left = subprocess.Popen(
            ["curl", "-sN", *secret, *post(url, question("a private matter"))],
            stdout=subprocess.DEVNULL,
        )
        wait_for_event(log, "token", 1, count=3)
        left.kill()
        left.wait(60)
        curl(*post(url, '{"messages": 1}')[-1:], *post(url, '{"messages": 1}')[:-1])
        gone, refused = sorted(tapped.over(2), key=lambda request: request.id)
        _, lines, _ = tapped.end()
        kept = b"".join(path.read_bytes() for path in tapped.history.parent.iterdir())
    assert gone.status == "client gone"
    assert (gone.note or "").startswith("The client left after ~")
    assert (refused.status, refused.http_status) == ("refused", 422)
    for text in (kept, repr(lines).encode()):
        assert b"very-secret" not in text
        assert b"private" not in text


def test_texts_are_kept_where_that_is_asked_for(
    board: tuple[Simulator, Path], tmp_path: Path
) -> None:
    simulator, log = board
    told = tmp_path / "clients.json"
    with tap(tmp_path, simulator.url, "--keep-text", "--publish", str(told)) as tapped:
        curl(*reversed_url(post(tapped.url + CHAT, question("remember this"))))
        (found,) = tapped.over(1)

        def is_told() -> bool:
            clients = published(told)
            return clients is not None and [one.id for one in clients.newest] == [found.id]

        wait_until(is_told)
    assert "remember this" not in told.read_text()
    assert found.prompt == "remember this"
    assert found.answer == "".join(token["text"] for token in truth(log, "token", 1))


def reversed_url(arguments: Any) -> list[str]:
    """curl() takes the URL first."""
    return [arguments[-1], *arguments[:-1]]


def test_a_killed_tap_loses_no_finished_request(
    board: tuple[Simulator, Path], tmp_path: Path
) -> None:
    simulator, log = board
    with tap(tmp_path, simulator.url) as tapped:
        for number in range(2):
            curl(*reversed_url(post(tapped.url + CHAT, question(f"question {number}"))))
        running = subprocess.Popen(
            ["curl", "-sN", *post(tapped.url + CHAT, question("and one that runs"))],
            stdout=subprocess.DEVNULL,
        )
        wait_for_event(log, "token", 3, count=2)
        os.kill(tapped.process.pid, signal.SIGKILL)
        running.wait(60)
        first, second, cut = tapped.over(3)
    assert (first.status, second.status) == ("complete", "complete")
    assert (first.tokens_out, second.tokens_out) == (TOKENS, TOKENS)
    assert cut.status == "interrupted"
    assert cut.note == "npulse tap ended before the answer did."


def test_a_server_that_dies_cuts_the_answer_and_comes_back(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as found:
        port = str(found.getsockname()[1])
    log = tmp_path / "truth.jsonl"
    slow = ["--port", port, "--decode-tps", "20", "--prefill-tps", "900", "--truth", str(log)]
    with spawn(slow) as simulator, tap(tmp_path, simulator.url) as tapped:
        client = subprocess.Popen(
            ["curl", "-sN", *post(tapped.url + CHAT, question("hello"))], stdout=subprocess.DEVNULL
        )
        wait_for_event(log, "token", 1, count=2)
        os.kill(simulator.pid, signal.SIGKILL)
        assert client.wait(60) != 0
        (cut,) = tapped.over(1)
        assert cut.status == "interrupted"
        assert curl(tapped.url + "/v1/models").returncode != 0
        with spawn(["--port", port, "--tokens", "4", "--speed", "50"]):
            curl(*reversed_url(post(tapped.url + CHAT, question("again"))))
            assert [request.status for request in tapped.over(2)] == ["interrupted", "complete"]
        code, _, noted = tapped.end(signal.SIGINT)
    assert code == 0
    assert noted.count("accepts no connection") == 1


def test_a_websocket_and_other_bytes_pass_and_are_told_once(tmp_path: Path) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        tap_to_silent(tmp_path, server) as tapped,
    ):
        client = socket.create_connection(("127.0.0.1", tapped.port), timeout=60)
        served, _ = server.accept()
        client.sendall(b"GET /ws HTTP/1.1\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n")
        served.recv(1000)
        served.sendall(b"HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\n\r\n\x81\x05hello")
        served.sendall(b"\x81\x02ho")
        got = b""
        while not got.endswith(b"\x81\x02ho"):
            got += client.recv(1000)
        client.sendall(b"\x81\x85masked")
        assert served.recv(100) == b"\x81\x85masked"
        client.close()
        served.close()
        tls = socket.create_connection(("127.0.0.1", tapped.port), timeout=60)
        served, _ = server.accept()
        tls.sendall(b"\x16\x03\x01\x00\x05hello")
        assert served.recv(100) == b"\x16\x03\x01\x00\x05hello"
        tls.close()
        served.close()
        found = tapped.over(2)
    assert [(one.status, one.path) for one in found] == [("unread", "/ws"), ("unread", "")]
    assert "websocket" in (found[0].note or "")
    assert "TLS" in (found[1].note or "")


@contextmanager
def tap_to_silent(home: Path, server: socket.socket) -> Iterator[Tap]:
    """A tap to a socket that the test accepts from. Who looks at it before is sent away."""
    is_over = Event()

    def refuse() -> None:
        server.settimeout(0.05)
        while not is_over.is_set():
            with suppress(TimeoutError):
                looking, _ = server.accept()
                with looking:
                    looking.recv(1000)
                    looking.sendall(
                        b"HTTP/1.1 404 No\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
                    )

    looked_at = Thread(target=refuse)
    looked_at.start()
    try:
        with tap(home, f"http://127.0.0.1:{server.getsockname()[1]}") as tapped:
            is_over.set()
            looked_at.join(60)
            server.settimeout(60)
            yield tapped
    finally:
        is_over.set()


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--listen", "0.0.0.0:0"], 2, "can be reached from other machines"),
        (["--listen", "nonsense"], 2, "HOST:PORT"),
        (["--listen", "127.0.0.1:99999"], 2, "HOST:PORT"),
        (["--to", "http://127.0.0.1:1/v1x"], 2, "has a path"),
        (["--to", "http://u:p@127.0.0.1:1"], 2, "user or a password"),
        (["--listen", "203.0.113.7:8090", "--public"], 1, "this machine has no such address"),
        (["--listen", "no.such.host.invalid:8090"], 1, "is not an address"),
    ],
)
def test_what_cannot_be_is_said_in_one_sentence(
    tmp_path: Path, arguments: list[str], code: int, words: str
) -> None:
    process = start(tmp_path, "http://127.0.0.1:1", *arguments)
    said, noted = process.communicate(timeout=60)
    assert process.returncode == code, noted
    assert words in noted
    assert len(noted.splitlines()) == 1
    assert not said


def test_a_port_that_is_taken_and_a_tap_to_itself(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        at = f"127.0.0.1:{taken.getsockname()[1]}"
        _, noted = start(tmp_path, "http://127.0.0.1:1", "--listen", at).communicate(timeout=60)
        assert "another program listens there" in noted
    _, noted = start(tmp_path, f"http://{at}", "--listen", at).communicate(timeout=60)
    assert "is the tap itself" in noted


def test_without_a_server_it_says_how_to_name_one(tmp_path: Path) -> None:
    config = tmp_path / "own.toml"
    config.write_text("[server]\nports = [1]\n")
    variables = {name: text for name, text in environment(tmp_path).items() if text is not None}
    done = subprocess.run(
        [sys.executable, "-m", "tui", "tap", "--listen", "127.0.0.1:0", "--config", str(config)],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 5
    assert done.stderr == (
        "npulse tap: No rkllm server answers at 127.0.0.1:1; start it, or give its address with "
        "--to.\n"
    )


def test_public_says_what_it_opens(tmp_path: Path) -> None:
    process = start(tmp_path, "http://127.0.0.1:1", "--listen", "0.0.0.0:0", "--public")
    assert process.stderr is not None
    said = ""
    while "other machines can use" not in said:
        line = process.stderr.readline()
        assert line, said
        said += line
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    assert "does not answer yet" in said
    assert "--url" not in said  # the tap has --to
    assert process.returncode == 0


def test_a_history_that_cannot_be_written_is_said_once_and_lines_go_on(
    board: tuple[Simulator, Path], tmp_path: Path
) -> None:
    simulator, _ = board
    folder = tmp_path / "data" / "npulse" / "history"
    folder.mkdir(parents=True)
    (folder / "history.db").mkdir()
    with tap(tmp_path, simulator.url) as tapped:
        for number in range(2):
            curl(*reversed_url(post(tapped.url + CHAT, question(f"question {number}"))))
        code, lines, noted = tapped.end()
    assert code == 0
    assert [line["status"] for line in lines] == ["complete", "complete"]
    assert noted.count("requests cannot be stored at present") == 1
