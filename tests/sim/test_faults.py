"""Each fault happens as it is told, and to nothing else."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.sim.simulator import (
    CHAT,
    FAST,
    ask,
    body_of,
    dechunked,
    exchange,
    raw_request,
    running,
    truth,
    wait_for_event,
)
from tui.sim.faults import FAULTS, FaultError, Faults, parse_faults


def _raw_stream(url: str, prompt: str) -> bytes:
    body = json.dumps(body_of(prompt)).encode()
    return exchange(url, raw_request("POST", CHAT, body, "application/json"))


def test_without_a_fault_the_stream_is_whole() -> None:
    with running(*FAST) as simulator:
        answer = ask(simulator.url, "[[tokens=12]]")
    assert (len(answer.pieces), answer.finish, answer.is_done) == (12, "stop", True)
    assert not answer.is_cut


@pytest.mark.parametrize("count", [0, 5])
def test_cut(tmp_path: Path, count: int) -> None:
    log = tmp_path / "truth"
    with running(*FAST, "--fault", f"cut={count}", "--truth", str(log)) as simulator:
        raw = _raw_stream(simulator.url, "[[tokens=20]]")
        answer = ask(simulator.url, "[[tokens=20]]")
    assert raw.count(b'"content"') == len(answer.pieces) == count
    assert not raw.endswith(b"0\r\n\r\n")
    assert answer.is_cut
    assert answer.finish is None
    (finish,) = truth(log, "finish", 2)
    assert (finish["reason"], finish["tokens"]) == ("cut", count)


@pytest.mark.slow
def test_stall_keeps_the_socket_open_and_the_npu(tmp_path: Path) -> None:
    log = tmp_path / "truth"
    with running(*FAST, "--fault", "stall=3", "--truth", str(log)) as simulator:
        host, _, port = simulator.url.removeprefix("http://").partition(":")
        body = json.dumps(body_of("[[tokens=20]]")).encode()
        with socket.create_connection((host, int(port)), timeout=60) as connection:
            connection.sendall(raw_request("POST", CHAT, body, "application/json"))
            raw = b""
            while raw.count(b'"content"') < 3:
                raw += connection.recv(65536)
            connection.settimeout(0.5)
            with pytest.raises(TimeoutError):
                connection.recv(65536)
        wait_for_event(log, "disconnect")
        wait_for_event(log, "finish")
        (finish,) = truth(log, "finish")
        assert (finish["reason"], finish["tokens"]) == ("stall", 3)
        # Once its client has left, the next one is served (and stalls in its turn).
        with pytest.raises(httpx.ReadTimeout):
            ask(simulator.url, "[[tokens=20]]", timeout_s=1)
        assert len(truth(log, "token", 2)) == 3


def test_busy_and_html_error_refuse_only_generation() -> None:
    with running(*FAST, "--fault", "busy") as simulator:
        refused = httpx.post(simulator.url + CHAT, json=body_of("hi"), timeout=60)
        assert refused.status_code == 503
        assert "busy" in refused.json()["detail"]
        assert httpx.get(simulator.url + "/v1/models", timeout=60).status_code == 200
    with running(*FAST, "--fault", "html-error") as simulator:
        refused = httpx.post(simulator.url + CHAT, json=body_of("hi"), timeout=60)
        assert refused.status_code == 500
        assert refused.headers["content-type"].startswith("text/html")
        assert refused.text.startswith("<!DOCTYPE html>")
        assert httpx.get(simulator.url + "/v1/health", timeout=60).status_code == 200


def test_error_inside_the_stream(tmp_path: Path) -> None:
    log = tmp_path / "truth"
    with running(*FAST, "--fault", "error=4", "--truth", str(log)) as simulator:
        raw = _raw_stream(simulator.url, "[[tokens=20]]")
        answer = ask(simulator.url, "[[tokens=20]]")
    assert raw.endswith(b"0\r\n\r\n")
    assert b"[DONE]" not in raw
    assert len(answer.pieces) == 4
    assert answer.error is not None
    assert answer.error["type"] == "internal_error"
    assert not answer.is_cut
    (finish,) = truth(log, "finish", 2)
    assert (finish["reason"], finish["tokens"]) == ("error", 4)


@pytest.mark.slow
def test_split_utf8_cuts_inside_characters_and_changes_nothing() -> None:
    prompt = "[[cjk]] [[tokens=60]]"
    with running(*FAST) as simulator:
        whole = ask(simulator.url, prompt)
    with running(*FAST, "--fault", "split-utf8") as simulator:
        split = ask(simulator.url, prompt)
        raw = _raw_stream(simulator.url, prompt)
    assert split.text == whole.text
    assert split.is_done
    body = raw.partition(b"\r\n\r\n")[2]
    chunks = dechunked(body)
    assert any(not _is_utf8(chunk) for chunk in chunks)
    assert any(chunk in (b"d", b"da", b"dat", b"data", b"data:") for chunk in chunks)
    assert len(chunks) > 2 * 60


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def test_one_chunk_sends_everything_at_the_end(tmp_path: Path) -> None:
    log = tmp_path / "truth"
    with running(
        "--decode-tps", "100", "--prefill-tps", "9000", "--fault", "one-chunk", "--truth", str(log)
    ) as simulator:
        answer = ask(simulator.url, "[[tokens=40]]")
    tokens, (finish,) = truth(log, "token"), truth(log, "finish")
    assert len(answer.pieces) == len(tokens) == 40
    assert answer.is_done
    # Generated over 0.4 s, but nothing arrived before the end.
    assert tokens[-1]["t_ns"] - tokens[0]["t_ns"] > 300_000_000
    assert answer.times_ns[0] > finish["end_ns"]


def test_no_done_ends_cleanly() -> None:
    with running(*FAST, "--fault", "no-done") as simulator:
        raw = _raw_stream(simulator.url, "[[tokens=5]]")
    assert b"[DONE]" not in raw
    assert b'"finish_reason":"stop"' in raw
    assert raw.endswith(b"0\r\n\r\n")


def test_faults_can_be_combined() -> None:
    faults = parse_faults(["cut=3", "split-utf8", "slow-first=0.5"])
    assert faults == Faults(cut=3, split_utf8=True, slow_first=0.5)
    assert [faults.ending_after(sent) for sent in (2, 3)] == [None, "cut"]


@given(st.text(max_size=20))
def test_any_word_is_a_fault_or_a_sentence(word: str) -> None:
    try:
        parse_faults([word])
    except FaultError as error:
        said = str(error)
        assert said
    else:
        assert word.partition("=")[0] in FAULTS
