"""Runs programs with the real client libraries of OpenAI and Ollama on their path."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

PACKAGES = Path(__file__).resolve().parents[2] / ".venv" / "api-clients"
"""Apart from the environment that npulse is tested in: they bring a dozen packages of their own."""
PROGRAM = Path(__file__).with_name("real_clients.py")
FAST = ("--speed", "50", "--decode-tps", "40", "--prefill-tps", "400")


def run_python(*arguments: str) -> Any:
    """The JSON that Python prints with these arguments; skips the test without the libraries."""
    if not PACKAGES.is_dir():
        pytest.skip("openai, ollama and llm-comply are not in .venv/api-clients (see .ci/run)")
    environment = {name: text for name, text in os.environ.items() if "proxy" not in name.lower()}
    done = subprocess.run(
        [sys.executable, *arguments],
        env={**environment, "PYTHONPATH": str(PACKAGES)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


def read_by_client(name: str, url: str) -> Any:
    """What the client library of this name reads from the server at ``url``."""
    return run_python(str(PROGRAM), name, url)
