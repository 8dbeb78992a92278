"""Every number against the simulator's own log of when each token left.

Other work on the machine can hold up either process for some milliseconds, which is neither's
fault. So each measurement may be taken three times: what npulse does wrong is wrong in all of them.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.app.npulse import REPOSITORY, environment, running
from tests.sim.simulator import running as simulator
from tests.sim.simulator import truth
from tui.core.turn.order_statistics import quantile

pytestmark = pytest.mark.timing

RATES = [(3.13, 24), (15.0, 90), (100.0, 300)]
"""Decode rate in tok/s and tokens of the answer."""
MAX_P95_MS = 5.0
MAX_RATE_ERROR = 0.005
TRIES = 3


def stamps_of(log: Path) -> tuple[int, list[int]]:
    """When the request arrived and when each token left."""
    tokens = truth(log, "token", 1)
    return truth(log, "request", 1)[0]["t_ns"], [token["t_ns"] for token in tokens]


def gaps_ms(stamps_ns: Sequence[int]) -> list[float]:
    return [(after - before) / 1e6 for before, after in pairwise(stamps_ns)]


def rate_tps(stamps_ns: Sequence[int]) -> float:
    return (len(stamps_ns) - 1) * 1e9 / (stamps_ns[-1] - stamps_ns[0])


def p95(values: Sequence[float]) -> float:
    value = quantile(values, 0.95)
    assert value is not None
    return value


@dataclass(frozen=True)
class Errors:
    """How far the numbers of one run are from the truth."""

    ttft_ms: float
    gap_p95_ms: float
    rate: float

    @property
    def is_small(self) -> bool:
        in_time = self.ttft_ms < 2 * MAX_P95_MS and self.gap_p95_ms < MAX_P95_MS
        return in_time and self.rate < MAX_RATE_ERROR


def within_tries(measure: Callable[[Path], Errors], folder: Path) -> Errors:
    """The first run whose errors are small, or the last one."""
    for attempt in range(TRIES):
        home = folder / f"try-{attempt}"
        home.mkdir()
        errors = measure(home)
        if errors.is_small:
            break
    return errors


@pytest.mark.parametrize(("decode_tps", "tokens"), RATES)
def test_ask_tells_the_truth(tmp_path: Path, decode_tps: float, tokens: int) -> None:
    errors = within_tries(lambda home: measured_by_ask(home, decode_tps, tokens), tmp_path)
    assert errors.is_small, errors


@pytest.mark.parametrize(("decode_tps", "tokens"), RATES)
def test_the_dashboard_tells_the_truth(tmp_path: Path, decode_tps: float, tokens: int) -> None:
    errors = within_tries(lambda home: measured_by_screen(home, decode_tps, tokens), tmp_path)
    assert errors.is_small, errors


def measured_by_ask(home: Path, decode_tps: float, tokens: int) -> Errors:
    log = home / "truth.jsonl"
    with simulator(*pace(decode_tps, log)) as board:
        said = ask_json(home, board.url, f"say something [[prose]] [[tokens={tokens}]]")
    requested_ns, sent_ns = stamps_of(log)
    true_gaps = gaps_ms(sent_ns)
    assert said["status"] == "complete"
    assert said["chunks"] == said["tokens_out"] == len(sent_ns) == tokens
    quantiles = [
        abs(said["itl_ms"][name] - (quantile(true_gaps, share) or 0))
        for share, name in ((0.5, "p50"), (0.9, "p90"))
    ]
    return Errors(
        ttft_ms=abs(said["ttft_ms"] - (sent_ns[0] - requested_ns) / 1e6),
        gap_p95_ms=max(quantiles),
        rate=abs(said["decode_tps"] / rate_tps(sent_ns) - 1),
    )


def ask_json(home: Path, url: str, prompt: str) -> Mapping[str, Any]:
    env = {k: v for k, v in environment(home).items() if v is not None}
    command = [sys.executable, "-m", "tui", "ask", prompt, "--url", url, "--json"]
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=REPOSITORY, env=env, timeout=120, check=True
    )
    answer: Mapping[str, Any] = json.loads(done.stdout)
    return answer


def measured_by_screen(home: Path, decode_tps: float, tokens: int) -> Errors:
    log, record = home / "truth.jsonl", home / "record.jsonl"
    with (
        simulator(*pace(decode_tps, log), has_root=True) as board,
        running(
            home, str(record), "--url", board.url, "--root", str(board.root),
            module=("tests.app.recorded",),
        ) as terminal,
    ):  # fmt: skip
        terminal.wait_for("is ready on")
        terminal.type(f"say something [[prose]] [[tokens={tokens}]]")
        terminal.keys("enter")
        terminal.wait_for(f"~{tokens} tokens", 120)
        terminal.keys("ctrl+q")
        assert terminal.wait_gone() == 0
    seen = json.loads(record.read_text().splitlines()[-1])
    requested_ns, sent_ns = stamps_of(log)
    arrived_ns = seen["stamps_ns"]
    late_ms = [(there - here) / 1e6 for here, there in zip(sent_ns, arrived_ns, strict=True)]
    assert min(late_ms) >= 0
    pairs = zip(gaps_ms(arrived_ns), gaps_ms(sent_ns), strict=True)
    return Errors(
        ttft_ms=abs(seen["ttft_ms"] - (sent_ns[0] - requested_ns) / 1e6),
        gap_p95_ms=p95([abs(ours - true) for ours, true in pairs]),
        rate=abs(seen["decode_tps"] / rate_tps(sent_ns) - 1),
    )


def pace(decode_tps: float, log: Path) -> tuple[str, ...]:
    return ("--decode-tps", str(decode_tps), "--prefill-tps", "60", "--truth", str(log))
