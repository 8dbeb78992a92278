"""``npulse exporter`` as a process: what it tells, writes, refuses, and how it ends."""

from __future__ import annotations

import importlib.util
import json
import signal
import socket
import stat
from pathlib import Path

import httpx
import pytest

from tests.board import tree_files, trees
from tests.exporter.exporting import exporting, run, samples, scraped, value
from tests.waiting import wait_until
from tui.commands.exporter import main

pytestmark = pytest.mark.slow

NOWHERE = ("--url", "http://127.0.0.1:9")


@pytest.fixture
def board(tmp_path: Path) -> tuple[str, ...]:
    return ("--root", str(tree_files.write(trees.decoding(), tmp_path / "board")), *NOWHERE)


def test_a_scrape_a_missing_page_and_a_good_end(tmp_path: Path, board: tuple[str, ...]) -> None:
    with exporting(tmp_path, *board) as (url, process):
        wait_until(lambda: value(scraped(url), "npulse_server_up") == 0)
        assert value(scraped(url), "npulse_npu_load_ratio", core="2") == 0.61
        assert httpx.head(url).headers["content-type"].startswith("text/plain; version=0.0.4")
        assert httpx.get(url.replace("/metrics", "/other"), timeout=60).status_code == 404
        port = int(url.split("/")[2].rpartition(":")[2])
        for garbage in (b"\x00\xff\r\n\r\n", b"GET", b""):
            with socket.create_connection(("127.0.0.1", port)) as client:
                client.sendall(garbage)
        assert value(scraped(url), "npulse_npu_load_ratio", core="0") == 0.86
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (0, "")


def test_once_to_stdout_and_to_a_file_that_others_may_read(
    tmp_path: Path, board: tuple[str, ...]
) -> None:
    done = run(tmp_path, "exporter", "--once", *board)
    assert (done.returncode, done.stderr) == (0, "")
    assert value(samples(done.stdout), "npulse_ddr_load_ratio") == 0.62
    path = tmp_path / "npulse.prom"
    assert run(tmp_path, "exporter", "--once", "--textfile", str(path), *board).returncode == 0
    assert value(samples(path.read_text()), "npulse_ddr_load_ratio") == 0.62
    assert stat.S_IMODE(path.stat().st_mode) & 0o444 == 0o444
    assert not [one for one in tmp_path.iterdir() if one.name.startswith("npulse.prom.")]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--listen", "0.0.0.0:9588"], 2, "--public allows it"),
        (["--listen", "[::]:9588"], 2, "--public allows it"),
        (["--listen", "board:9588"], 2, "takes an IP address of this machine"),
        (["--listen", "board:"], 2, "takes HOST:PORT, such as"),
        (["--listen", "127.0.0.1:70000"], 2, "takes HOST:PORT, such as"),
        (["--interval", "0"], 2, "--interval takes seconds"),
        (["--interval", "nan"], 2, "--interval takes seconds"),
        (["--textfile", "npulse.txt"], 2, "ends in .prom"),
        (["--root", "/nowhere"], 2, "there is no such directory"),
        (["--otlp", "localhost"], 2, "--otlp takes an address"),
        (["--url", "ftp://x"], 2, "ftp"),
        (["--once", "--textfile", "/nowhere/a.prom"], 4, "cannot be written"),
    ],
)
def test_what_cannot_be_is_one_sentence(
    tmp_path: Path, arguments: list[str], code: int, said: str
) -> None:
    done = run(tmp_path, "exporter", *arguments)
    assert (done.returncode, done.stdout) == (code, "")
    assert said in done.stderr
    assert done.stderr.count("\n") == 1


def test_an_address_in_use_is_one_sentence(tmp_path: Path, board: tuple[str, ...]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        done = run(tmp_path, "exporter", "--listen", address, *board)
    assert done.returncode == 1
    assert f"cannot listen on {address}" in done.stderr


def test_the_shipped_files_are_printed(tmp_path: Path) -> None:
    for shipped in ("alerts", "vllm-names"):
        done = run(tmp_path, "exporter", "--print", shipped)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.startswith("# ")
    assert json.loads(run(tmp_path, "exporter", "--print", "dashboard").stdout)["panels"]


def test_without_its_libraries_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert main(["--once"]) == 1
    assert "pip install 'npulse[exporter]'" in capsys.readouterr().err
