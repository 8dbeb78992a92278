"""Each request is handed out once, after its end, whoever sent it."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from pathlib import Path

from tests.history.made import add_exchange, opened
from tests.history.test_client_requests import OVER, RUNNING
from tui.history import client_requests, writers
from tui.history.chunk_gaps import GapGroup
from tui.history.database import transaction
from tui.history.ended_requests import EndedRequests, of_client
from tui.history.request_records import ClientName
from tui.history.writer_process import this_process

NOW_MS = 1_750_000_000_000


def test_answers_that_end_and_not_those_from_before_or_imported(tmp_path: Path) -> None:
    with closing(opened(tmp_path)) as connection:
        add_exchange(connection, "Before", "it began.", created_ms=NOW_MS - 1)
        ended = EndedRequests(NOW_MS)
        assert ended.look(connection) == []
        assert ended.look(connection) == []
        add_exchange(connection, "Now", "it counts.", created_ms=NOW_MS + 5, tokens=3)
        add_exchange(connection, "Imported", "meanwhile.", created_ms=NOW_MS - 10**9)
        (found,) = ended.look(connection)
        assert (found.status, found.numbers["tokens_out"], found.origin.model) == (
            "complete",
            3,
            "qwen3-4b",
        )
        assert ended.look(connection) == []


def test_requests_of_clients_as_they_end_in_any_order(tmp_path: Path) -> None:
    with closing(opened(tmp_path)) as connection:
        with transaction(connection):
            writer = writers.register_writer(connection, this_process(), "tap")
            client_requests.store(connection, OVER, writer)
            early = client_requests.store(connection, RUNNING, writer)
        ended = EndedRequests(NOW_MS)
        assert ended.look(connection) == []
        with transaction(connection):
            late = client_requests.store(connection, RUNNING, writer)
            client_requests.store(connection, replace(OVER, id=late, tokens_out=7), writer)
        assert [one.numbers["tokens_out"] for one in ended.look(connection)] == [7]
        with transaction(connection):
            client_requests.store(connection, replace(OVER, id=early, tokens_out=9), writer)
            own = replace(OVER, client=ClientName("127.0.0.1", 1, user_agent="npulse"))
            client_requests.store(connection, own, writer)
        (found,) = ended.look(connection)
        assert (found.numbers["tokens_out"], found.numbers["tokens_source"]) == (9, "runtime")
        assert found.origin.model == "qwen3-4b"
        assert ended.look(connection) == []


def test_gaps_come_from_the_times_of_an_answer_or_from_the_tap() -> None:
    stored = {"operation": "embeddings", "chunk_gaps": [[2, 320_000_000], [1, 700_000_000]]}
    found = of_client(replace(OVER, numbers=stored))
    assert found.gaps == (GapGroup(2, 320_000_000), GapGroup(1, 700_000_000))
    assert found.is_embedding
    assert of_client(OVER).gaps == ()
    assert not of_client(OVER).is_embedding
