"""The simulated board as a process, which generates every measured answer."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import threading
import urllib.error
import urllib.request
from pathlib import Path

from benchmarks.truth import TruthLog

REPOSITORY = Path(__file__).parent.parent

COMMAND = (sys.executable, "-m", "tui", "sim")
ROCKCHIPLLAMA = "rockchipllama"
"""The default of the simulated server."""
FITTING_TOKENS, PROMPT_TOKENS = 4000, 512
"""Longest answer in tokens for the default context; the context is increased for longer ones."""
_LISTENING = "listening on "


class SimulatorError(RuntimeError):
    """The simulator did not start."""


class Simulator:
    """Runs the simulator on a free port.

    Its truth log and its /sys tree lie in a new folder below ``folder``. Raises SimulatorError.
    """

    def __init__(
        self,
        folder: Path,
        *,
        decode_tps: float,
        tokens: int,
        seed: int = 7,
        dialect: str = ROCKCHIPLLAMA,
    ) -> None:
        folder = Path(tempfile.mkdtemp(prefix="sim-", dir=folder))
        self.root = folder / "root"
        self.log = TruthLog(folder / "truth.jsonl")
        self._errors = (folder / "sim.err").open("w+")
        settings = {
            "--port": 0,
            "--decode-tps": decode_tps,
            "--prefill-tps": 1000,
            "--tokens": tokens,
            **({"--context": tokens + PROMPT_TOKENS} if tokens > FITTING_TOKENS else {}),
            "--seed": seed,
            "--dialect": dialect,
            "--truth": folder / "truth.jsonl",
            "--root": self.root,
        }
        self._process = subprocess.Popen(
            [*COMMAND, *(str(part) for pair in settings.items() for part in pair)],
            cwd=REPOSITORY,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
        )
        assert self._process.stdout is not None
        first = self._process.stdout.readline()
        if not first.startswith(_LISTENING):
            self.close()
            self._errors.seek(0)
            told = self._errors.read().strip().splitlines()
            raise SimulatorError(f"the simulator did not start: {told[-1] if told else first!r}")
        self.url = first[len(_LISTENING) :].strip()
        self._drain = threading.Thread(target=self._process.stdout.read, daemon=True)
        self._drain.start()
        self.model = self._loaded_model(dialect)

    def _loaded_model(self, dialect: str) -> str:
        """The model's name on the server; empty if the server has no model list."""
        is_usual = dialect == ROCKCHIPLLAMA
        path = "/v1/models/loaded" if is_usual else "/v1/models"
        try:
            with urllib.request.urlopen(f"{self.url}{path}", timeout=10) as answer:
                told = json.load(answer)
        except urllib.error.HTTPError:
            return ""
        # The others list the loaded model first.
        return str(told["model_name"] if is_usual else told["data"][0]["id"])

    @property
    def pid(self) -> int:
        return self._process.pid

    def close(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def __enter__(self) -> Simulator:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
        self._errors.close()
