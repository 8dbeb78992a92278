"""The document: its schema holds, nothing that is no number is written, more is ignored."""

from __future__ import annotations

import json
import math

import pytest

from tests.bench.made import request, run, trace
from tests.bench.schema_check import problems
from tui.bench.model import records
from tui.bench.model.records import Request


def test_a_document_fits_its_published_schema() -> None:
    document = run([request("a"), request("b", made=trace(tokens=3)), _failed()])
    schema = json.loads(json.dumps(records.schema()))
    assert problems(json.loads(records.encode(document)), schema, schema) == []


def test_the_schema_check_itself_can_fail() -> None:
    schema = records.schema()
    value = json.loads(records.encode(run([request()])))
    value["requests"][0]["status"] = "fine"
    value["run"]["seed"] = "one"
    del value["model"]["name"]
    assert len(problems(value, schema, schema)) == 3


def _failed() -> Request:
    return Request(id="x", rep=0, order=2, status="timeout_idle", error="late")


def test_round_trip_and_unknown_keys() -> None:
    document = run([request(), _failed()])
    data = records.encode(document)
    assert records.decode(data) == document
    value = json.loads(data)
    value["later"] = {"more": 1}
    value["requests"][0]["later"] = True
    assert records.decode(json.dumps(value).encode()) == document


def test_key_words_of_json() -> None:
    value = json.loads(records.encode(run([request()])))
    assert value["schema"] == "bench/1"
    assert value["requests"][0]["tok"]["in"] == 31


@pytest.mark.parametrize(
    "data", [b"", b"[]", b"{}", b'{"run": 1}', b"[" * 100_000, b'{"schema": "other/1"}']
)
def test_what_is_no_document(data: bytes) -> None:
    with pytest.raises((ValueError, RecursionError)):
        records.decode(data)


def test_nothing_infinite_is_written() -> None:
    made = trace(tokens=64)
    document = run([request(made=made)])
    text = records.encode(document).decode()
    assert "NaN" not in text
    assert "Infinity" not in text
    odd = Request(id="a", rep=0, order=0, status="ok", m={"x": math.nan})
    assert b"NaN" not in records.encode(run([odd]))


def test_statuses() -> None:
    assert request(status="capped").is_scored
    assert not request(status="truncated").is_scored
