"""What the dashboard sees of the server's other clients, without sending them anything."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from tests.history.made import ORIGIN, opened
from tests.history.test_client_requests import OVER, RUNNING
from tui.app.clients_watch import ClientsWatch, logged
from tui.board.runtime_log.blocks import RuntimeBlock
from tui.core.board.reading import Reading, Snapshot
from tui.history import client_requests, writers
from tui.history.clients_view import ClientsView
from tui.history.database import FILE_NAME, transaction
from tui.history.published_clients import PublishedClients
from tui.history.writer_process import this_process
from tui.servers.connection_state import Server
from tui.servers.dialects import llama_cpp

LOADS = Snapshot(0, 0.0, {"npu.load": Reading((95.0, 96.0, 94.0), "%", "/proc/rknpu/load")})


def watch(file: Path | None, server: Server | None) -> ClientsWatch:
    return ClientsWatch(lambda: file, lambda: server, lambda: LOADS, lambda: Path("/"))


def test_it_reads_what_a_tap_keeps(tmp_path: Path) -> None:
    file = tmp_path / FILE_NAME
    assert watch(file, None).look().newest == ()
    connection = opened(tmp_path)
    with transaction(connection):
        writer = writers.register_writer(connection, this_process(), "tap")
        client_requests.store(connection, OVER, writer)
        client_requests.store(connection, RUNNING, writer)
    connection.close()
    view = watch(file, None).look()
    assert [one.status for one in (*view.running, *view.newest)] == ["running", "complete"]
    assert view.tap_pid == this_process().pid
    assert view.running[0].origin == ORIGIN
    assert (view.npu.phase, view.npu.source) == ("prefill", "/proc/rknpu/load: 95/96/94 %")
    assert view.connections is None


def test_a_damaged_history_is_one_sentence(tmp_path: Path) -> None:
    file = tmp_path / FILE_NAME
    file.write_bytes(b"no database" * 100)
    assert "damaged" in (watch(file, None).look().problem or "")


@pytest.mark.slow
def test_it_sees_who_is_connected_and_asks_a_server_for_its_counters() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        other = subprocess.Popen(
            [sys.executable, "-c", "import socket, sys; s = socket.create_connection(("
             f"'127.0.0.1', {listening.getsockname()[1]})); sys.stdin.read()"],
            stdin=subprocess.PIPE,
        )  # fmt: skip
        with socket.create_connection(listening.getsockname()):
            served = [listening.accept()[0] for _ in range(2)]
            view = watch(None, Server(url, llama_cpp.DIALECT, "llama.cpp")).look()
            for sock in served:
                sock.close()
        other.communicate(timeout=60)
    assert view.connections is not None
    assert sorted((one.pid or 0, one.is_own) for one in view.connections) == sorted(
        [(other.pid, False), (this_process().pid, True)]
    )
    assert view.counters == ()


def test_answers_of_the_runtimes_log_say_so() -> None:
    block = RuntimeBlock(402.36, 19, 11874.1, 63, "table", time_s=0.0)
    counter = logged(block)
    assert counter.value == "19 + 63 tokens, prefill 47.2, 5.31 tok/s"
    assert (counter.label[:10], counter.source) == ("answer of ", "the runtime's log")


def test_on_another_machine_nothing_is_told_of_this_ones_taps(tmp_path: Path) -> None:
    file = tmp_path / FILE_NAME
    connection = opened(tmp_path)
    with transaction(connection):
        writer = writers.register_writer(connection, this_process(), "tap")
        client_requests.store(connection, OVER, writer)
    connection.close()
    told = msgspec.json.encode(PublishedClients(77, (RUNNING,), (OVER,)))
    asked: list[str] = []
    files: dict[str, bytes] = {}

    def read(path: str) -> bytes | None:
        asked.append(path)
        return files.get(path)

    tapped = Snapshot(0, 0.0, {"tap.state": Reading("idle", source="/run/npulse-tap/now.json")})
    snapshot = Snapshot(0, 0.0)

    def look() -> ClientsView:
        return ClientsWatch(
            lambda: file, lambda: None, lambda: snapshot, lambda: None, elsewhere=lambda: read
        ).look()

    assert (look().newest, look().tap_pid, asked) == ((), None, [])
    snapshot = tapped
    assert (look().problem or "").startswith("The tap on the board does not publish its requests")
    files["/run/npulse-tap/clients.json"] = told
    view = look()
    assert (view.tap_pid, len(view.running), len(view.newest)) == (77, 1, 1)
    assert view.problem is None
