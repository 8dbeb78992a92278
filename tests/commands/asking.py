"""``npulse ask`` as a process, for every test that asks."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from tests.app.npulse import REPOSITORY, environment
from tests.servers.cases import Case, models_then, script
from tests.servers.raw_server import Script, raw_server

KEYS = {
    "text", "thinking", "model", "server", "status", "finish", "ttft_ms", "latency_ms",
    "tokens_out", "tokens_source", "decode_tps", "decode_source", "prefill_ms", "prefill_tps",
    "prefill_source", "itl_ms", "chunks", "clock", "error",
    "ttft_source", "tokens_hidden", "unread_events", "unread_text", "note", "ttft_includes",
    "runtime", "queue_ms",
}  # fmt: skip
T = TypeVar("T")
FAST = ("--decode-tps", "200", "--prefill-tps", "2000")


def start(home: Path, *arguments: str, **env: str) -> subprocess.Popen[str]:
    variables = {k: v for k, v in environment(home).items() if v is not None} | env
    return subprocess.Popen(
        [sys.executable, "-m", "tui", "ask", *arguments],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, cwd=REPOSITORY, env=variables,
    )  # fmt: skip


def ask(home: Path, *arguments: str, stdin: str = "", **env: str) -> tuple[int, str, str]:
    process = start(home, *arguments, **env)
    out, err = process.communicate(stdin, timeout=60)
    assert "Traceback" not in err
    return process.returncode, out, err


def said(out: str) -> dict[str, Any]:
    (line,) = out.splitlines()
    answer: dict[str, Any] = json.loads(line)
    assert set(answer) == KEYS
    for name in ("tokens", "decode", "prefill"):
        number = {"tokens": "tokens_out", "decode": "decode_tps", "prefill": "prefill_tps"}[name]
        assert (answer[number] is None) == (answer[f"{name}_source"] == "unknown")
    return answer


def replayed(played: Case, work: Callable[[str], T]) -> T:
    """``work`` with the address of a server that plays this case at a tenth of its times."""

    async def run() -> T:
        async with raw_server(models_then(script(played, 0.1))) as server:
            return await asyncio.to_thread(work, server.url)

    return asyncio.run(run())


def asked_of(serve: Script, tmp_path: Path, *arguments: str, **env: str) -> tuple[int, str, str]:
    """``npulse ask`` of a server that does what the script says."""

    async def run() -> tuple[int, str, str]:
        async with raw_server(serve) as server:
            url = ("--url", server.url)
            return await asyncio.to_thread(ask, tmp_path, *arguments, *url, **env)

    return asyncio.run(run())
