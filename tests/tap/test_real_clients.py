"""The clients of OpenAI and Ollama through the tap: what they read is what they read without it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sim.client_libraries import FAST, read_by_client
from tests.sim.simulator import truth
from tests.tap.tapped import tap
from tui.sim.server.spawn import spawn

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("name", ["openai", "ollama"])
def test_a_real_client_reads_the_same_and_is_measured(name: str, tmp_path: Path) -> None:
    log = tmp_path / "truth"
    with (
        spawn([*FAST, "--dialect", name, "--truth", str(log)]) as simulator,
        tap(tmp_path, simulator.url) as tapped,
    ):
        read = read_by_client(name, tapped.url)
        assert read["text"] == "".join(entry["text"] for entry in truth(log, "token", 1))
        # The one that is refused reaches no model, so the log of these does not count it.
        n_embedded = int(name == "openai")
        first, *others = tapped.over(len(truth(log, "request")) + 1 + n_embedded)
        _, lines, noted = tapped.end()
    assert first.status == "complete"
    assert first.is_streamed
    assert (first.tokens_out, first.tokens_out_source) == (12, "runtime")
    assert name in (first.client.user_agent or "").lower()
    if name == "openai":
        (embedded,) = [one for one in others if one.is_embedding]
        assert (embedded.path, embedded.status) == ("/v1/embeddings", "complete")
        assert (embedded.tokens_in, embedded.tokens_in_source) == (
            read["embedded_tokens"], "runtime",
        )  # fmt: skip
        assert embedded.tokens_out is embedded.ttft_ms is None
        assert embedded.numbers["latency_ms"] is not None
        others.remove(embedded)
    whole = next(one for one in others if one.status == "complete" and one.is_streamed is False)
    assert whole.ttft_ms is None
    assert whole.tokens_out_source == "runtime"
    assert "refused" in [one.status for one in others]
    assert len(lines) == len(others) + 1 + n_embedded
    n_lists = 1 if name == "openai" else 2
    assert f"{len(lines)} requests and {n_lists} without an answer, such as model lists" in noted
