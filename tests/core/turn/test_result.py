from __future__ import annotations

import json

import pytest

from tests.core.turn.turns import MS, REQUEST, T0, Feeder
from tui.core.turn.result import result_of
from tui.core.turn.turn import Turn
from tui.core.types import DoneDelta, FinishDelta, TurnError, UsageDelta

KEYS = [
    "text",
    "thinking",
    "model",
    "server",
    "status",
    "finish",
    "ttft_ms",
    "latency_ms",
    "tokens_out",
    "tokens_source",
    "decode_tps",
    "decode_source",
    "prefill_ms",
    "prefill_tps",
    "prefill_source",
    "itl_ms",
    "chunks",
    "clock",
    "error",
    "ttft_source",
    "tokens_hidden",
    "unread_events",
    "unread_text",
    "note",
    "ttft_includes",
    "runtime",
    "queue_ms",
]


def test_a_whole_answer() -> None:
    feeder = Feeder().text("<think>", "hm", "</think>", *["word "] * 20)
    feeder.deltas(UsageDelta(tokens_in=12, tokens_out=24, prefill_ms=800), FinishDelta("stop"))
    feeder.deltas(DoneDelta())
    values = result_of(feeder.turn, feeder.t_ns, server="http://127.0.0.1:8021").to_json_dict()
    assert list(values) == KEYS
    assert json.loads(json.dumps(values)) == {
        "text": "word " * 20,
        "thinking": "hm",
        "model": "qwen3-4b",
        "server": "http://127.0.0.1:8021",
        "status": "complete",
        "finish": "stop",
        "ttft_ms": 1000.0,
        "latency_ms": 1000 + 22 * 100 + 300.0,
        "tokens_out": 24,
        "tokens_source": "runtime",
        "decode_tps": 10.0,
        "decode_source": "estimated",
        "prefill_ms": 800.0,
        "prefill_tps": 15.0,
        "prefill_source": "runtime",
        "itl_ms": {"p50": 100.0, "p90": 100.0, "p99": 100.0, "max": 100.0},
        "chunks": 23,
        "clock": "read",
        "error": None,
        "ttft_source": "measured",
        "tokens_hidden": None,
        "unread_events": 0,
        "unread_text": None,
        "note": None,
        "ttft_includes": [],
        "runtime": None,
        "queue_ms": None,
    }


@pytest.mark.parametrize("end", ["stop", "end_of_stream", "fail", None])
def test_nothing_came(end: str | None) -> None:
    """The object is whole whatever happened, and every number without a source is null."""
    turn = Turn(REQUEST, T0)
    if end == "fail":
        turn.fail(T0 + MS, TurnError("refused", "Nothing listens on port 8021."))
    elif end:
        getattr(turn, end)(T0 + MS)
    values = result_of(turn, T0 + 2 * MS).to_json_dict()
    assert list(values) == KEYS
    assert values["status"] == ("stopped" if end == "stop" else "error")
    assert values["itl_ms"] == {"p50": None, "p90": None, "p99": None, "max": None}
    assert values["latency_ms"] == (None if end is None else 1.0)
    assert values["chunks"] == 0
    for name in ("ttft_ms", "tokens_out", "decode_tps", "prefill_ms", "prefill_tps", "finish"):
        assert values[name] is None, name
    for name in ("tokens_source", "decode_source", "prefill_source"):
        assert values[name] == "unknown", name
    if end == "fail":
        assert values["error"] == "Nothing listens on port 8021."


def test_a_turn_that_still_runs_counts_as_interrupted() -> None:
    feeder = Feeder().text("Hi")
    assert result_of(feeder.turn, feeder.t_ns).status == "interrupted"
