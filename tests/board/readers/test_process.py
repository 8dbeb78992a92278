"""The server process: found by port, by name, by number; its memory, time and cores."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.board import tree_files, trees
from tests.board.boards import Board
from tests.board.tree_files import Tree
from tui.board.readers.files import Files
from tui.board.readers.procfs import listening_inodes, parse_stat, parse_status
from tui.board.readers.reasons import UnreadableError
from tui.board.readers.server_search import find_server
from tui.board.sampler import Sampler

KIB = 1024
TCP_HEAD = (
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout"
    " inode\n"
)


def tcp_row(port: int, state: str, inode: int) -> str:
    return (
        f"   0: 00000000:{port:04X} 00000000:0000 {state} 00000000:00000000 00:00000000 00000000"
        f"  1000        0 {inode} 1 0000000000000000 100 0 0 10 0\n"
    )


def process(pid: int, name: str, parent: int = 1, shared: int = 0, command: str = "") -> Tree:
    """A process as /proc shows it; ``shared`` in kB."""
    stat = f"{pid} ({name}) S {parent} 1 1 0 -1 0 0 0 0 0 10 5 0 0 20 0 3 0 777 0 100 0"
    return {
        f"proc/{pid}/stat": stat + " 0" * 13 + " 6 0\n",
        f"proc/{pid}/comm": f"{name}\n",
        f"proc/{pid}/cmdline": command.replace(" ", "\0") + "\0",
        f"proc/{pid}/status": f"Name:\t{name}\nVmRSS:\t{shared + 1000} kB\n"
        f"RssShmem:\t{shared} kB\nThreads:\t3\n",
    }


def listens(root: Path, pid: int, port: int, inode: int) -> None:
    tree_files.write({"proc/net/tcp": TCP_HEAD + tcp_row(port, "0A", inode)}, root)
    folder = root / f"proc/{pid}/fd"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "0").symlink_to("/dev/null")
    (folder / "7").symlink_to(f"socket:[{inode}]")


def test_by_port_before_by_name(tmp_path: Path) -> None:
    tree = trees.decoding() | process(900, "python3", shared=9000, command="python3 main.py")
    with Board(tmp_path, tree) as board:
        listens(tmp_path, 900, 8021, 31337)
        assert board.settled().get("server.pid").value == 4242
        board.sampler.watch_server(8021, None)
        reading = board.after(1).get("server.pid")
    assert (reading.value, reading.source) == (900, "by port")


def test_a_model_in_a_child_of_the_listener(tmp_path: Path) -> None:
    tree = trees.idle() | process(900, "python3", command="python3 server.py")
    tree |= process(901, "python3", parent=900, shared=4_000_000)
    with Board(tmp_path, tree) as board:
        listens(tmp_path, 900, 8080, 5)
        board.sampler.watch_server(8080, None)
        snapshot = board.settled()
    assert snapshot.get("server.pid").value == 901
    assert snapshot.get("ram.model").value == 4_000_000 * KIB


def test_a_model_loaded_into_a_new_child_is_noticed(tmp_path: Path) -> None:
    with Board(tmp_path, trees.idle() | process(900, "python3")) as board:
        listens(tmp_path, 900, 8080, 5)
        board.sampler.watch_server(8080, None)
        assert board.settled().get("server.pid").value == 900
        board.change(process(901, "python3", parent=900, shared=4_000_000))
        pids = [board.after(1).get("server.pid").value for _ in range(20)]
    assert pids[-1] == 901


def test_a_port_that_only_speaks_to_others_falls_back_to_the_name(tmp_path: Path) -> None:
    with Board(tmp_path, trees.decoding()) as board:
        board.change({"proc/net/tcp": TCP_HEAD + tcp_row(8021, "01", 9)})
        board.sampler.watch_server(8021, None)
        assert board.settled().get("server.pid").source == "by name"


@pytest.mark.parametrize(
    ("name", "command", "is_server"),
    [
        ("rkllm_server", "rkllm_server", True),
        ("RockchipLlama", "x", True),
        ("python3", "python3 /opt/rkllama/server.py", True),
        ("uvicorn", "/home/pi/RockchipLlama/venv/bin/uvicorn src:app", True),
        ("python3", "python3 -m npulse --url rkllama", False),
        ("python3", "python3 -m http.server", False),
        ("vim", "vim rkllama.md", False),
        ("bash", "bash run_rkllm.sh", False),
        ("tail", "tail -f /var/log/rkllm.log", False),
    ],
)
def test_names(name: str, command: str, is_server: bool, tmp_path: Path) -> None:
    with Board(tmp_path, trees.idle() | process(700, name, command=command)) as board:
        found = board.settled().get("server.pid")
    assert (found.value == 700) is is_server


def test_an_interpreter_with_a_model_mapped(tmp_path: Path) -> None:
    tree = trees.idle() | process(700, "python3.11", shared=3_000_000, command="python3 api.py")
    with Board(tmp_path, tree) as board:
        assert board.settled().get("server.pid").value == 700


def test_it_vanishes_and_comes_back(tmp_path: Path) -> None:
    with Board(tmp_path, trees.decoding()) as board:
        assert board.settled().get("server.pid").value == 4242
        board.change({"proc/4242/status": None})
        gone = board.after(2)
        assert gone.get("server.pid").reason == "no server process"
        assert gone.get("ram.model").flags == ("estimated",)
        board.change({"proc/4242/status": trees.SERVER_STATUS})
        pids = [board.after(1).get("server.pid").value for _ in range(6)]
    assert pids[-1] == 4242


def test_cpu_time_and_core(tmp_path: Path) -> None:
    tick_hz = os.sysconf("SC_CLK_TCK")
    with Board(tmp_path, trees.decoding() | {"proc/4242/stat": trees.server_stat(5000)}) as board:
        board.settled()
        board.after(2)
        later = trees.server_stat(5000 + 3 * tick_hz)
        board.change({"proc/4242/stat": later})
        snapshot = board.after(2)
    assert snapshot.get("server.cpu").value == 150.0
    assert snapshot.get("server.cores").value == (5,)


def test_cores_of_all_threads_that_ran(tmp_path: Path) -> None:
    tree = trees.decoding() | {"proc/4242/stat": trees.server_stat()}
    for thread, cpu, ticks in ((1, 4, 10), (2, 6, 10), (3, 2, 0)):
        stat = trees.server_stat(ticks, pid=thread).replace(" 100 0 0 20", " 0 0 0 20")
        tree[f"proc/4242/task/{thread}/stat"] = stat.replace("17 5 0", f"17 {cpu} 0")
    with Board(tmp_path, tree) as board:
        assert board.settled().get("server.cores").value == (4, 6)


def test_a_number_that_another_process_got_is_not_the_server(tmp_path: Path) -> None:
    tree = trees.decoding() | {"proc/4242/stat": trees.server_stat(start=100)}
    with Board(tmp_path, tree) as board:
        assert board.settled().get("server.name").value == "rkllm_server"
        board.change(process(4242, "sleep", command="sleep 9"))
        assert board.after(2).get("server.pid").reason == "no server process"


def test_memory_of_another_users_process(tmp_path: Path) -> None:
    """hidepid: the folder is there, its files are not for us."""

    def open_file(path: str, flags: int) -> int:
        if "/proc/4242/" in path:
            raise PermissionError(13, "denied")
        return os.open(path, flags)

    with Board(tmp_path, trees.decoding(), Files(tmp_path, open_file=open_file)) as board:
        board.sampler.watch_server(None, 4242)
        assert board.settled().get("server.rss").reason == "no permission"


@pytest.fixture
def listener() -> Iterator[tuple[int, int]]:
    """A process of ours that listens on a port: its number and the port."""
    code = (
        "import socket,sys\n"
        "s=socket.socket(); s.bind(('127.0.0.1',0)); s.listen()\n"
        "print(s.getsockname()[1],flush=True)\nsys.stdin.read()"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    yield child.pid, int(child.stdout.readline())
    assert child.stdin is not None
    child.stdin.close()
    child.wait(60)
    child.stdout.close()


def test_a_real_listener_on_this_machine(listener: tuple[int, int]) -> None:
    pid, port = listener
    found = find_server(Files(), port)
    assert found is not None
    assert (found.pid, found.by) == (pid, "port")
    sampler = Sampler()
    sampler.watch_server(port, None)
    snapshot = sampler.sample()
    sampler.close()
    assert snapshot.get("server.pid").value == pid
    assert (snapshot.number("server.rss") or 0) > 1 << 20
    assert snapshot.numbers("server.cores")


def test_our_own_listener_on_this_machine() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        found = find_server(Files(), server.getsockname()[1])
    assert found is not None
    assert (found.pid, found.by) == (os.getpid(), "port")


def test_a_real_process_that_ends_is_missed_at_once() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    t_ns = [0]
    sampler = Sampler(clock_ns=lambda: t_ns[0])
    sampler.watch_server(None, child.pid)
    assert sampler.sample().get("server.pid").value == child.pid
    child.communicate(b"\n")
    t_ns[0] = 2_000_000_000
    assert sampler.sample().get("server.pid").reason == "no server process"
    sampler.close()


def test_name_with_brackets() -> None:
    stat = parse_stat(b"7 (a) (b c)) S 3 1 1 0 -1 0 0 0 0 0 10 5 0 0 20 0 3 0 777 0 1 0")
    assert (stat.name, stat.parent, stat.ticks, stat.start_ticks) == ("a) (b c)", 3, 15, 777)
    assert stat.cpu is None


def test_sockets_of_both_families() -> None:
    raw = (
        TCP_HEAD + tcp_row(8021, "0A", 1) + tcp_row(8021, "01", 2) + tcp_row(80, "0A", 3)
    ).encode()
    six = raw.replace(b"00000000:1F55", b"00000000000000000000000000000000:1F55")
    assert listening_inodes(raw, 8021) == {"1"}
    assert listening_inodes(six, 8021) == {"1"}


@given(st.binary(max_size=200))
def test_any_bytes(raw: bytes) -> None:
    parse_status(raw)
    listening_inodes(raw, 80)
    try:
        parse_stat(raw)
    except UnreadableError:
        pass
    assert parse_status(b"VmRSS:\t5 kB\n" + raw).rss_bytes is not None
