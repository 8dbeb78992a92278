"""Requests that went through a tap: stored, read, summed up, ended where the tap was killed."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from pathlib import Path

from tests.history.made import DEAD, ORIGIN, opened
from tui.history import client_requests, writers
from tui.history.database import transaction
from tui.history.records import Limits
from tui.history.request_records import ClientName, ClientRequest
from tui.history.writer_process import this_process

WEBUI = ClientName("172.17.0.2", 40000, user_agent="Python/3.11 aiohttp/3.9")
SCRIPT = ClientName("127.0.0.1", 40001, user_agent="OpenAI/Python 1.0", process="nightly.py", pid=7)
RUNNING = ClientRequest(1_700_000_000_000, SCRIPT, "POST", "/v1/chat/completions", ORIGIN)
OVER = replace(
    RUNNING,
    status="complete",
    ended_ms=1_700_000_009_000,
    is_streamed=True,
    http_status=200,
    tokens_in=12,
    tokens_in_source="runtime",
    tokens_out=30,
    tokens_out_source="runtime",
    ttft_ms=1000.0,
    ttft_source="measured",
    decode_tps=3.13,
    decode_source="measured",
    numbers={"prefill_ms": 1000.0, "itl_ms": {"p50": 320.0}},
)


def test_a_request_is_stored_when_it_begins_and_again_when_it_ends(tmp_path: Path) -> None:
    with closing(opened(tmp_path)) as connection:
        with transaction(connection):
            writer = writers.register_writer(connection, this_process(), "tap")
            id = client_requests.store(connection, replace(RUNNING, phase="prefill"), writer)
        (found,) = client_requests.running(connection)
        assert found == replace(RUNNING, id=id, phase="prefill", numbers=found.numbers)
        assert client_requests.newest(connection, 5) == []
        with transaction(connection):
            assert client_requests.store(connection, replace(OVER, id=id), writer) == id
        assert client_requests.running(connection) == []
        assert client_requests.newest_ids(connection, 5) == [id]
        (over,) = client_requests.newest(connection, 5)
        assert over == replace(OVER, id=id, numbers=over.numbers)
        assert over.numbers["prefill_ms"] == 1000.0
        assert client_requests.after(connection, 0) == [over]
        assert client_requests.after(connection, id) == []
        assert client_requests.with_ids(connection, [id, 99]) == [over]


def test_what_a_killed_tap_left_running_is_interrupted(tmp_path: Path) -> None:
    with closing(opened(tmp_path)) as connection:
        with transaction(connection):
            dead = writers.register_writer(connection, DEAD, "tap")
            client_requests.store(connection, RUNNING, dead)
        assert client_requests.running(connection) == []
        (told,) = client_requests.newest(connection, 5)
        assert (told.status, told.phase) == ("interrupted", None)
        writers.recover_all(connection)
        assert client_requests.newest(connection, 5) == [told]
        assert connection.execute("SELECT count(*) FROM writers").fetchone() == (0,)


def test_totals_are_per_client_and_say_what_is_estimated(tmp_path: Path) -> None:
    guessed = replace(
        OVER,
        client=WEBUI,
        started_ms=OVER.started_ms + 5000,
        tokens_out=10,
        tokens_out_source="estimated",
        status="client gone",
    )
    with closing(opened(tmp_path)) as connection:
        with transaction(connection):
            for request in (OVER, replace(OVER, decode_tps=5.13, ttft_ms=None), guessed):
                client_requests.store(connection, request, 0)
        webui, script = client_requests.totals(connection, 0)
        assert (webui.label, webui.failed, webui.is_estimated) == ("Python at 172.17.0.2", 1, True)
        assert (script.label, script.requests, script.tokens_out) == ("nightly.py", 2, 60)
        assert (script.decode_tps, script.ttft_ms) == (4.13, 1000.0)
        assert not script.is_estimated
        assert [one.label for one in client_requests.totals(connection, guessed.started_ms)] == [
            webui.label
        ]


def test_old_requests_go_by_the_age_that_is_set(tmp_path: Path) -> None:
    day_ms = client_requests.DAY_MS
    with closing(opened(tmp_path)) as connection:
        with transaction(connection):
            for request in (OVER, replace(OVER, started_ms=OVER.started_ms + 40 * day_ms)):
                client_requests.store(connection, request, 0)
        now_ms = OVER.started_ms + 41 * day_ms
        assert client_requests.prune(connection, Limits(), now_ms) == 0
        assert client_requests.prune(connection, Limits(max_age_days=30), now_ms) == 1
        assert len(client_requests.newest(connection, 5)) == 1
