"""One NPU: who comes second waits, and who leaves does not stop anything."""

from __future__ import annotations

import json
import socket
import threading
from pathlib import Path

import httpx
import pytest

from tests.sim.simulator import (
    CHAT,
    Answer,
    ask,
    body_of,
    raw_request,
    running,
    truth,
    wait_for_event,
)

MS = 1_000_000


def _open(url: str, prompt: str) -> socket.socket:
    """Ask for a stream and leave it unread."""
    host, _, port = url.removeprefix("http://").partition(":")
    connection = socket.create_connection((host, int(port)), timeout=60)
    body = json.dumps(body_of(prompt)).encode()
    connection.sendall(raw_request("POST", CHAT, body, "application/json"))
    return connection


def test_the_second_gets_its_head_at_once_and_then_waits(tmp_path: Path) -> None:
    log = tmp_path / "truth"
    with running("--decode-tps", "50", "--prefill-tps", "5000", "--truth", str(log)) as simulator:
        with _open(simulator.url, "[[tokens=30]]"):
            wait_for_event(log, "token", 1)
            with _open(simulator.url, "[[tokens=5]]") as second:
                head = second.recv(65536)
                assert head.startswith(b"HTTP/1.1 200 OK\r\n")
                assert head.endswith(b"\r\n\r\n")
                assert not truth(log, "finish", 1)
                # The model list answers meanwhile.
                assert httpx.get(simulator.url + "/v1/models", timeout=60).status_code == 200
                rest = b""
                while data := second.recv(65536):
                    rest += data
        assert rest.count(b'"content"') == 5
    (first_end,) = truth(log, "finish", 1)
    (second_begin,) = truth(log, "prefill_end", 2)
    assert second_begin["start_ns"] >= first_end["end_ns"]
    assert truth(log, "token", 2)[0]["t_ns"] > truth(log, "token", 1)[-1]["t_ns"]


def test_the_queue_is_first_come_first_served(tmp_path: Path) -> None:
    log = tmp_path / "truth"
    answers: list[Answer] = []
    with running("--decode-tps", "200", "--prefill-tps", "9000", "--truth", str(log)) as simulator:
        threads = []
        for number in range(1, 6):
            thread = threading.Thread(
                target=lambda: answers.append(ask(simulator.url, "[[tokens=20]]"))
            )
            thread.start()
            threads.append(thread)
            wait_for_event(log, "request", number)
        for thread in threads:
            thread.join()
    assert all(answer.is_done and len(answer.pieces) == 20 for answer in answers)
    ends = [truth(log, "finish", number)[0]["end_ns"] for number in range(1, 6)]
    starts = [truth(log, "prefill_end", number)[0]["start_ns"] for number in range(1, 6)]
    assert all(start >= end for start, end in zip(starts[1:], ends, strict=False))


def test_a_run_goes_on_when_its_client_leaves(tmp_path: Path) -> None:
    log = tmp_path / "truth"
    with running("--decode-tps", "40", "--prefill-tps", "5000", "--truth", str(log)) as simulator:
        connection = _open(simulator.url, "[[tokens=30]]")
        wait_for_event(log, "token", 1, count=3)
        connection.close()
        answer = ask(simulator.url, "[[tokens=4]]")
    assert answer.is_done
    (left,) = truth(log, "disconnect", 1)
    tokens = truth(log, "token", 1)
    (finish,) = truth(log, "finish", 1)
    assert (len(tokens), finish["reason"], finish["tokens"]) == (30, "stop", 30)
    assert sum(entry["t_ns"] > left["t_ns"] for entry in tokens) > 10
    assert truth(log, "prefill_end", 2)[0]["start_ns"] >= finish["end_ns"]


def test_a_run_goes_on_when_its_client_leaves_during_prefill_or_in_the_queue(
    tmp_path: Path,
) -> None:
    log = tmp_path / "truth"
    with running("--decode-tps", "100", "--prefill-tps", "40", "--truth", str(log)) as simulator:
        first = _open(simulator.url, "[[tokens=10]]")
        wait_for_event(log, "request", 1)
        second = _open(simulator.url, "[[tokens=10]]")
        wait_for_event(log, "request", 2)
        first.close()
        second.close()
        wait_for_event(log, "finish", 2)
    for number in (1, 2):
        (left,) = truth(log, "disconnect", number)
        assert left["t_ns"] < truth(log, "prefill_end", number)[0]["t_ns"]
        assert len(truth(log, "token", number)) == 10


def test_the_last_prompt_and_answer_are_not_read_again(tmp_path: Path) -> None:
    log = tmp_path / "truth"
    with running("--decode-tps", "500", "--prefill-tps", "5000", "--truth", str(log)) as simulator:
        question = {"role": "user", "content": "a long question " * 30 + "[[tokens=40]]"}
        answer = ask(simulator.url, str(question["content"]))
        said = {"role": "assistant", "content": answer.text}
        again = {"role": "user", "content": "and then? [[tokens=5]]"}
        ask(simulator.url, "", messages=[question, said, again])
        ask(simulator.url, "", messages=[question, {**said, "content": "no"}, again])
    first, second, third = truth(log, "prefill_end")
    assert first["prefill_tokens"] == first["prompt_tokens"]
    assert second["prompt_tokens"] > first["prompt_tokens"] + 40
    assert second["prefill_tokens"] < 30
    assert third["prefill_tokens"] == third["prompt_tokens"]


@pytest.mark.slow
def test_max_tokens_is_noticed_one_token_late(tmp_path: Path) -> None:
    log = tmp_path / "truth"
    with running("--decode-tps", "3000", "--prefill-tps", "9000", "--truth", str(log)) as simulator:
        cut = ask(simulator.url, "[[tokens=20]]", max_tokens=7)
        exact = ask(simulator.url, "[[tokens=7]]", max_tokens=7)
        defaults = [
            ask(simulator.url, "[[prose]] [[tokens=600]]", max_tokens=limit)
            for limit in (0, -1, None)
        ]
    assert [len(cut.pieces), cut.finish] == [7, "stop"]
    assert [len(exact.pieces), exact.finish] == [7, "stop"]
    assert [len(answer.pieces) for answer in defaults] == [512] * 3
    ends = [(end["reason"], end["tokens"], end["generated"]) for end in truth(log, "finish")[:2]]
    assert ends == [("max_tokens", 7, 8), ("stop", 7, 7)]


def test_a_prompt_that_does_not_fit_gives_an_empty_answer(tmp_path: Path) -> None:
    log = tmp_path / "truth"
    with running(
        "--profile", "gemma3-1b", "--speed", "1000", "--truth", str(log)
    ) as simulator:  # context 4096
        answer = ask(simulator.url, "word " * 5000)
        almost = ask(simulator.url, "[[prose]] [[tokens=100]] " + "word " * 4050, max_tokens=200)
    assert (answer.text, answer.finish, answer.is_done) == ("", "stop", True)
    assert truth(log, "finish", 1)[0]["reason"] == "error"
    assert 0 < len(almost.pieces) < 100
    assert truth(log, "finish", 2)[0]["reason"] == "context"
