"""``npulse ask`` as scripts meet it: a real process, a real server, every way it can end."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from tests.app.npulse import REPOSITORY, environment
from tests.commands.asking import FAST, ask, replayed, said, start
from tests.commands.test_running import stored_tokens
from tests.servers.cases import case
from tests.sim.simulator import running as simulator
from tests.sim.simulator import truth
from tests.waiting import wait_until

pytestmark = pytest.mark.slow


def test_an_answer_on_stdout_and_numbers_on_stderr(tmp_path: Path) -> None:
    with simulator(*FAST) as board:
        code, out, err = ask(tmp_path, "hello [[tokens=120]]", "--url", board.url, "--stats")
    assert code == 0
    assert "simulated" in out
    assert out.endswith("\n")
    assert "~120 tokens" in err
    assert "tok/s" in err


def test_the_prompt_from_stdin_and_every_setting_reach_the_server(tmp_path: Path) -> None:
    log = tmp_path / "truth.jsonl"
    with simulator(*FAST, "--truth", str(log)) as board:
        code, out, _ = ask(
            tmp_path, "-", "--url", board.url, "--json", "--system", "be brief",
            "--max-tokens", "60", "--temperature", "0.1", "--top-p", "0.5", "--top-k", "3",
            "--repeat-penalty", "1.2", "--thinking", "on", stdin="from a pipe [[tokens=90]]",
        )  # fmt: skip
        answer = said(out)
    assert code == 0
    assert answer["status"] == "complete"
    assert answer["thinking"]
    assert "<think>" not in answer["text"]
    assert answer["tokens_out"] == 60
    assert truth(log, "request", 1)[0]["max_tokens"] == 60


@pytest.mark.parametrize(
    ("fault", "code", "status", "named"),
    [
        ("cut=8", 4, "interrupted", "after ~8 tokens"),
        ("stall=8", 4, "interrupted", "8 tokens"),
        ("error=8", 4, "interrupted", "error"),
        ("busy", 4, "refused", "busy"),
        ("html-error", 4, "error", "500"),
        ("no-done", 0, "complete", None),
        ("split-utf8", 0, "complete", None),
        ("one-chunk", 0, "complete", None),
        ("slow-first=1", 0, "complete", None),
    ],
)
def test_every_fault_has_its_status_sentence_and_exit_code(
    tmp_path: Path, fault: str, code: int, status: str, named: str | None
) -> None:
    with simulator(*FAST, "--fault", fault) as board:
        ended, out, err = ask(
            tmp_path, "hello [[tokens=30]]", "--url", board.url, "--json",
            NPULSE_SERVER__IDLE_TIMEOUT_S="1",
            **({"NPULSE_SERVER__FIRST_BYTE_TIMEOUT_S": "1"} if fault == "busy" else {}),
        )  # fmt: skip
        answer = said(out)
    if fault == "busy":
        waiting, _, err = err.partition("\n")
        assert "; waiting, Ctrl+C stops" in waiting
    assert (ended, answer["status"]) == (code, status)
    if named is None:
        assert answer["error"] is None
        assert answer["tokens_out"] == 30
    else:
        assert named in answer["error"]
        assert err.count("\n") == 1
        assert answer["error"] in err


def test_a_buffered_stream_has_no_false_rate(tmp_path: Path) -> None:
    with simulator(*FAST, "--fault", "one-chunk") as board:
        _, out, _ = ask(tmp_path, "hello [[tokens=60]]", "--url", board.url, "--json")
    answer = said(out)
    assert answer["decode_tps"] is None
    assert answer["prefill_tps"] is None
    assert answer["itl_ms"] == {"p50": None, "p90": None, "p99": None, "max": None}


def test_ctrl_c_keeps_the_part_that_came(tmp_path: Path) -> None:
    with simulator("--decode-tps", "20", "--prefill-tps", "2000") as board:
        process = start(tmp_path, "hello [[tokens=400]]", "--url", board.url, "--json")
        wait_until(lambda: stored_tokens(tmp_path) >= 5)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    answer = said(out)
    assert process.returncode == 130
    assert answer["status"] == "stopped"
    assert answer["tokens_out"] >= 5
    assert answer["text"]
    assert "still works on this answer" in err


def test_no_server_is_exit_code_5_and_still_json(tmp_path: Path) -> None:
    code, out, err = ask(tmp_path, "hello", "--url", "http://127.0.0.1:9", "--json")
    assert (code, said(out)["status"]) == (5, "error")
    assert "No server listens on http://127.0.0.1:9" in err


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("hello", "--repeat-penalty", "0.9"), "repeat_penalty"),
        (("hello", "--model", "qwen3-4c"), "did you mean 'qwen3-4b'"),
        (("   ",), "the prompt is empty"),
        (("hello", "--temperature", "warm"), "--temperature"),
        (("hello", "--temperature", "99"), "--temperature"),
    ],
    ids=["limit", "model", "empty", "number", "range"],
)
def test_wrong_use_is_exit_code_2_and_names_the_thing(
    tmp_path: Path, arguments: tuple[str, ...], named: str
) -> None:
    with simulator(*FAST) as board:
        code, out, err = ask(tmp_path, *arguments, "--url", board.url)
    assert code == 2
    assert named in err
    assert out == ""


def test_a_reader_that_leaves_is_no_error(tmp_path: Path) -> None:
    with simulator(*FAST) as board:
        process = start(tmp_path, "hello [[tokens=300]]", "--url", board.url)
        assert process.stdout is not None
        assert process.stdout.read(10)
        process.stdout.close()
        assert process.stderr is not None
        err = process.stderr.read()
        process.wait(60)
    assert "Traceback" not in err
    assert "Exception" not in err


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_a_character_that_the_locale_does_not_have_is_a_question_mark(
    tmp_path: Path, encoding: str
) -> None:
    with simulator(*FAST) as board:
        code, out, err = ask(
            tmp_path, "[[cjk]] [[tokens=60]]", "--url", board.url, PYTHONIOENCODING=encoding
        )
    assert (code, err) == (0, "")
    assert "?" in out


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_json_is_exact_on_any_stdout(tmp_path: Path, encoding: str) -> None:
    with simulator(*FAST) as board:
        arguments = ("[[cjk]] [[tokens=60]]", "--url", board.url, "--json")
        _, out, _ = ask(tmp_path, *arguments, PYTHONIOENCODING=encoding, PYTHONUTF8="1")
    answer = said(out)
    assert "?" not in answer["text"]
    assert any(char >= "\u3000" for char in answer["text"])


def test_a_full_disk_and_closed_streams_are_no_tracebacks(tmp_path: Path) -> None:
    env = {k: v for k, v in environment(tmp_path).items() if v is not None}
    with simulator(*FAST) as board:
        command = f"{sys.executable} -m tui ask"
        prompt = f"'hello [[tokens=20]]' --url {board.url} --stats"
        for line, code in (
            (f"{command} {prompt} >/dev/full", 4),
            (f"{command} {prompt} >&-", 4),
            (f"{command} {prompt} 2>&-", 0),
            (f"{command} - --url {board.url} <&-", 2),
        ):
            done = subprocess.run(
                ["sh", "-c", line], capture_output=True, text=True, cwd=REPOSITORY, env=env,
                stdin=subprocess.DEVNULL, timeout=60, check=False,
            )  # fmt: skip
            assert done.returncode == code, line
            assert "Traceback" not in done.stderr
            assert "Exception" not in done.stderr


def test_a_mistake_gives_json_too(tmp_path: Path) -> None:
    for arguments in (("",), ("hi", "--max-tokens", "0"), ("hi", "--config", "/no/such/file")):
        code, out, err = ask(tmp_path, *arguments, "--json")
        answer = said(out)
        assert (code, answer["status"]) == (2, "refused")
        assert answer["error"] in err


@pytest.mark.parametrize(
    ("name", "code", "shown", "told"),
    [
        ("no-answer/only-thinking", 4, "", "stopped at the token limit while thinking"),
        ("no-answer/refusal", 4, "I cannot help with that.", "content_filter"),
        ("finish-empty/case", 4, "The board", "cut the stream after ~8 tokens"),
        ("error-outside-data/text-only", 4, "", "error: model is not loaded"),
        ("one-char-tokens/bang", 0, "!!!", "stopped at the token limit (length)"),
        ("final-message/final-message", 0, "Decoding is", ""),
    ],
)
def test_how_an_answer_ended_is_told(
    tmp_path: Path, name: str, code: int, shown: str, told: str
) -> None:
    ended, out, err = replayed(case(name), lambda url: ask(tmp_path, "hello", "--url", url))
    assert (ended, told in err) == (code, True), err
    assert shown in out
    assert out.count(shown) == 1 or not shown or shown == "!!!"


def test_a_silence_is_told_and_ends_at_the_idle_limit(tmp_path: Path) -> None:
    whole = case("finish-empty/case")
    stalls = replace(whole, end="open")
    _, _, err = replayed(
        stalls,
        lambda url: ask(
            tmp_path, "hello", "--url", url, "--stats", NPULSE_SERVER__IDLE_TIMEOUT_S="4"
        ),
    )
    assert "no token for 3 s" in err
    assert "stalled after ~8 tokens: nothing for 4 s" in err


def test_an_endless_answer_ends_and_keeps_what_came(tmp_path: Path) -> None:
    piece = b"data: " + json.dumps({"choices": [{"delta": {"content": "x" * 60_000}}]}).encode()
    endless = replace(case("finish-empty/case"), pieces=((0.0, piece + b"\n\n"),) * 40)
    ended, out, err = replayed(
        endless,
        lambda url: ask(tmp_path, "hello", "--url", url, "--json", "--max-tokens", "100"),
    )
    answer = said(out)
    assert (ended, answer["status"]) == (4, "interrupted")
    assert 1 << 19 < len(answer["text"]) < 600_000
    assert "more than 524,288 characters" in err


def test_a_first_token_after_a_load_is_told_as_such(tmp_path: Path) -> None:
    """The time of a cold load is no prefill, and the next answer is told without it."""
    with simulator(*FAST, "--tokens", "12", "--speed", "20") as server:
        httpx.post(f"{server.url}/v1/models/unload", json={}, timeout=30).raise_for_status()
        code, out, err = ask(tmp_path, "--url", server.url, "--json", "--stats", "hello there")
        answer = said(out)
        assert (code, answer["ttft_includes"], answer["prefill_tps"]) == (0, ["load"], None)
        assert "(loading included)" in err
        warm = said(ask(tmp_path, "--url", server.url, "--json", "hello there")[1])
        assert warm["ttft_includes"] == []


def test_json_names_the_model_that_the_prompt_made_the_server_load(tmp_path: Path) -> None:
    with simulator("--speed", "20") as board:
        httpx.post(f"{board.url}/v1/models/unload", timeout=60)
        code, out, _ = ask(tmp_path, "--url", board.url, "--json", "hello [[tokens=5]]")
        loaded = httpx.get(f"{board.url}/v1/models/loaded", timeout=60).json()["model_name"]
    assert code == 0
    assert said(out)["model"] == loaded
    assert said(out)["ttft_includes"] == ["load"]
