"""The real clients of OpenAI and Ollama, and a checker of OpenAI's protocol, on the simulator."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.sim.client_libraries import FAST, read_by_client, run_python
from tests.sim.simulator import running, truth
from tui.sim.server.spawn import Simulator


@pytest.fixture(params=["openai", "ollama"])
def told(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, Any, Path]]:
    """What a client library reads off the simulator, and the simulator's log."""
    log = tmp_path / "truth"
    with running(*FAST, "--dialect", request.param, "--truth", str(log)) as simulator:
        yield request.param, read_by_client(request.param, simulator.url), log


@pytest.mark.slow
def test_a_real_client_reads_what_was_said(told: tuple[str, Any, Path]) -> None:
    name, read, log = told
    said = [entry["text"] for entry in truth(log, "token", 1)]
    assert read["text"] == "".join(said)
    assert (read["n_pieces"], read["finish"], read["usage"]) == (12, "stop", 12)
    if name == "openai":
        assert {"qwen3-4b", "gemma3-1b"} < set(read["models"])
        assert read["whole"] == "".join(entry["text"] for entry in truth(log, "token", 2))
        assert read["whole_finish"] == "length"
        assert read["vectors"] == [[0.6, 0.8], [0.6, 0.8]]
        assert "404" in read["refusal"]
        assert "absent" in read["refusal"]
    else:
        assert {"qwen3:4b", "gemma3:1b"} < set(read["models"])
        assert read["loaded"] == ["qwen3:4b"]
        assert read["nanoseconds"] > 1_000_000
        assert read["thought"].strip()
        assert "think>" not in read["thought"]
        assert read["generated_finish"] == "length"
        assert read["refusal"] == "404 model 'absent' not found"


@pytest.fixture(scope="module")
def plain() -> Iterator[Simulator]:
    with running(*FAST, "--tokens", "20", "--dialect", "openai") as simulator:
        yield simulator


def test_the_plain_server_complies_with_the_protocol(plain: Simulator) -> None:
    url = f"{plain.url}/v1"
    report = run_python("-m", "llm_comply.cli", "run", "--base-url", url, "--api-key", "none",
                        "--model", "o3-simulated", "--format", "openai-chat", "--json")  # fmt: skip
    assert report["summary"]["total"] >= 9
    assert [one for one in report["results"] if one["status"] != "passed"] == []
    assert not any(one.get("warnings") or one.get("errors") for one in report["results"])
