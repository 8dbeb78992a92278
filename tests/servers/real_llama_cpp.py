"""A genuine llama.cpp server for a test, where its packages are installed."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ROOT / ".venv" / "llama-cpp"
PROGRAM = Path(__file__).with_name("llama_cpp_server.py")


@contextmanager
def real_llama_cpp(folder: Path) -> Iterator[str]:
    """Its address; the test is skipped where it is not installed, or does not start."""
    if not PACKAGES.is_dir():
        pytest.skip("xllamacpp and gguf are not in .venv/llama-cpp (.ci/run puts them there)")
    with (folder / "stderr").open("wb") as errors:
        process = subprocess.Popen(
            [sys.executable, str(PROGRAM), str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            env={**os.environ, "PYTHONPATH": str(PACKAGES)},
        )
        assert process.stdout is not None
        try:
            address = process.stdout.readline().decode().strip()
            if not address.startswith("http"):
                said = (folder / "stderr").read_text("utf-8", "replace")[-400:]
                pytest.skip(f"llama.cpp does not start here: {said}")
            yield address
        finally:
            process.kill()
            process.wait()
