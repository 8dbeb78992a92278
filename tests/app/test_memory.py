"""Plain http never loads OpenSSL; a server at https is spoken to all the same."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.app.npulse import REPOSITORY, running
from tests.servers.plain_server import CERTIFICATE, plain_server
from tests.sim.simulator import running as simulator

ASKS = """
import sys
from tui.app.memory_saving import *
load_hashes_without_openssl()
load_asyncio_without_openssl()
load_http_without_openssl()
import asyncio, hashlib, hmac
from tui.servers.access import Access
from tui.servers.client import Client
print("_ssl" in sys.modules, "_hashlib" in sys.modules)
print(hashlib.sha256(b"x").hexdigest()[:8], hmac.new(b"k", b"x", "sha1").hexdigest()[:8])

async def ask(url, ca):
    async with Client(url, access=Access(ca_files=(ca,))) as client:
        print((await client.get("/v1/models")).status)

asyncio.run(ask(*sys.argv[1:]))
"""


def test_what_was_put_off_is_there_when_it_is_needed() -> None:
    with plain_server(is_tls=True) as server:
        shown = subprocess.run(
            [sys.executable, "-c", ASKS, server.url, str(CERTIFICATE)],
            cwd=REPOSITORY,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
    assert shown.stdout.split() == ["False", "False", "2d711642", "cb00131f", "200"], shown.stderr


@pytest.mark.slow
def test_an_answer_over_plain_http_needs_no_openssl(tmp_path: Path) -> None:
    with (
        simulator("--decode-tps", "200", has_root=True) as board,
        running(tmp_path, "--url", board.url, "--root", str(board.root)) as terminal,
    ):
        terminal.wait_for("is ready on")
        terminal.type("hello [[tokens=20]]")
        terminal.keys("enter")
        terminal.wait_for("~20 tokens")
        mapped = Path(f"/proc/{terminal.process.pid}/maps").read_text()
    assert "python" in mapped
    assert "libssl" not in mapped
    assert "libcrypto" not in mapped
