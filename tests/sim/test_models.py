"""Models are listed, loaded and unloaded as by the real server, defects included."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.sim.simulator import CHAT, ask, body_of, raw_request, running, truth, wait_for_event
from tests.waiting import wait_until
from tui.commands.sim import parse
from tui.sim.profiles import PROFILES, find_profile

pytestmark = pytest.mark.slow


QUICK = ("--speed", "100")


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    with running(*QUICK) as simulator, httpx.Client(base_url=simulator.url, timeout=60) as client:
        yield client


def _json(response: httpx.Response) -> dict[str, Any]:
    value = response.json()
    assert isinstance(value, dict)
    return value


def test_all_models_are_listed_the_smallest_first(client: httpx.Client) -> None:
    listed = _json(client.get("/v1/models/available"))
    sizes = [model["size_mb"] for model in listed["models"]]
    assert sizes == sorted(sizes)
    assert all(size > 100 for size in sizes)
    assert listed["total"] == len(PROFILES) == 4
    assert listed["loaded_model"] == "qwen3-4b"
    assert [model["name"] for model in listed["models"] if model["loaded"]] == ["qwen3-4b"]
    names = {model["name"] for model in listed["models"]}
    assert {entry["id"] for entry in _json(client.get("/v1/models"))["data"]} == names
    assert {entry["name"] for entry in _json(client.get("/api/tags"))["models"]} == names


def test_unload_and_load(client: httpx.Client) -> None:
    assert _json(client.post("/v1/models/unload")) == {
        "success": True,
        "message": "Model qwen3-4b unloaded successfully",
    }
    nothing = {"loaded": False, "model_name": None, "model_path": None}
    assert _json(client.get("/v1/models/loaded")) == nothing
    assert _json(client.post("/v1/models/unload"))["success"] is False
    loaded = client.post("/v1/models/load", json={"model": "gemma3-1b", "max_context_len": 512})
    assert _json(loaded) == {
        "success": True,
        "message": "Model gemma3-1b loaded successfully",
        "model_name": "gemma3-1b",
        "loaded": True,
    }
    gemma = find_profile("gemma3-1b")
    assert gemma is not None
    assert _json(client.get("/v1/models/loaded"))["model_path"] == gemma.path
    assert _json(client.get("/"))["loaded_model"] == "gemma3-1b"


def test_loading_the_loaded_model_is_nothing(client: httpx.Client) -> None:
    file_name = next(profile.file_name for profile in PROFILES if profile.name == "qwen3-4b")
    for name in ("qwen3-4b", file_name):
        loaded = _json(client.post("/v1/models/load", json={"model": name}, timeout=5))
        assert loaded["model_name"] == "qwen3-4b"


def test_an_unknown_name_is_a_500_and_forgets_the_model(client: httpx.Client) -> None:
    refused = client.post("/v1/models/load", json={"model": "nope"})
    assert refused.status_code == 500
    assert "nope" in _json(refused)["detail"]
    assert _json(client.get("/v1/models/loaded"))["loaded"] is False


def test_any_loaded_model_answers_whatever_is_asked_for(client: httpx.Client) -> None:
    whole = client.post(CHAT, json=body_of("[[tokens=4]]", model="gpt-5", stream=False))
    assert _json(whole)["model"] == "gpt-5"
    assert _json(client.get("/v1/health"))["loaded_model"] == "qwen3-4b"


@pytest.mark.parametrize(("asked", "comes"), [("gemma3-1b", "gemma3-1b"), ("x", "gemma3-270m")])
def test_a_chat_loads_the_named_model_or_the_smallest(asked: str, comes: str) -> None:
    with running(*QUICK) as simulator, httpx.Client(base_url=simulator.url, timeout=60) as client:
        client.post("/v1/models/unload")
        answer = ask(simulator.url, "[[tokens=4]]", model=asked)
        assert len(answer.pieces) == 4
        assert _json(client.get("/v1/models/loaded"))["model_name"] == comes


def test_tokens_after_an_automatic_load_come_on_schedule(tmp_path: Path) -> None:
    log = tmp_path / "truth"
    with running("--speed", "20", "--truth", str(log)) as simulator:
        httpx.post(simulator.url + "/v1/models/unload", timeout=60)
        ask(simulator.url, "[[tokens=10]]")  # loads the smallest: 29.8 tok/s, 20 times
    times = [entry["t_ns"] for entry in truth(log, "token")]
    assert times[-1] - times[0] > 9 / (29.8 * 20) * 0.8e9


@pytest.mark.timing
def test_two_prompts_load_a_model_once(tmp_path: Path) -> None:
    log = tmp_path / "truth"
    with running("--speed", "12", "--truth", str(log)) as simulator:  # it takes about a second
        httpx.post(simulator.url + "/v1/models/unload", timeout=60)
        begun = time.monotonic()
        threads = [
            threading.Thread(target=ask, args=(simulator.url, "[[tokens=3]]")) for _ in range(2)
        ]
        for thread in threads:
            thread.start()
        wait_for_event(log, "finish", 2)
        for thread in threads:
            thread.join()
    large = find_profile("qwen3-4b")
    assert large is not None
    took_s = truth(log, "prefill_end", 1)[0]["start_ns"] / 1e9 - begun
    assert large.load_s / 12 * 0.95 < took_s < large.load_s / 12 * 1.9


def test_everything_freezes_while_a_model_is_loaded() -> None:
    with running("--speed", "12") as simulator:  # the large one loads in about a second
        httpx.post(simulator.url + "/v1/models/unload", timeout=60)
        begun = time.monotonic()
        load = raw_request("POST", "/v1/models/load", b'{"model": "qwen3-4b"}', "application/json")
        port = int(simulator.url.rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port), timeout=60) as loading:
            loading.sendall(load)  # before the question below is so much as asked
            time.sleep(0.2)
            health = httpx.get(simulator.url + "/v1/health", timeout=60)
            waited_s = time.monotonic() - begun
            assert b"200 OK" in loading.recv(1000)
    large = find_profile("qwen3-4b")
    assert large is not None
    assert waited_s >= large.load_s / 12 * 0.95
    assert _json(health)["loaded_model"] == "qwen3-4b"


def test_loading_over_another_model_is_the_end_of_everything(tmp_path: Path) -> None:
    log = tmp_path / "truth"
    with running("--decode-tps", "50", "--prefill-tps", "900", "--truth", str(log)) as simulator:
        stream = threading.Thread(target=lambda: _until_timeout(simulator.url))
        stream.start()
        wait_for_event(log, "token")
        with pytest.raises(httpx.ReadTimeout):
            httpx.post(simulator.url + "/v1/models/load", json={"model": "gemma3-1b"}, timeout=1)
        for path in ("/v1/health", "/v1/models/loaded", "/"):
            with pytest.raises(httpx.ReadTimeout):
                httpx.get(simulator.url + path, timeout=0.3)
        with pytest.raises(httpx.ReadTimeout):
            httpx.post(simulator.url + "/v1/models/unload", timeout=0.3)
        stream.join()
        # It can still be ended, which is all that helps.
        assert simulator.stop() == 0


def _until_timeout(url: str) -> None:
    with pytest.raises(httpx.ReadTimeout):
        ask(url, "[[tokens=200]]", timeout_s=1)


def test_unloading_ends_the_answer_in_flight(tmp_path: Path) -> None:
    log = tmp_path / "truth"
    with running("--decode-tps", "50", "--prefill-tps", "900", "--truth", str(log)) as simulator:

        def unload() -> None:
            wait_for_event(log, "token")
            httpx.post(simulator.url + "/v1/models/unload", timeout=60)

        threading.Thread(target=unload).start()
        answer = ask(simulator.url, "[[tokens=500]]", max_tokens=500)
        wait_until(
            lambda: not httpx.get(simulator.url + "/v1/health", timeout=60).json()["model_loaded"]
        )
    assert answer.finish == "stop"
    assert 0 < len(answer.pieces) < 500
    assert truth(log, "finish")[0]["reason"] == "error"


def test_only_models_that_can_think_do_so() -> None:
    with running(*QUICK, "--profile", "gemma3-1b") as simulator:
        plain = ask(simulator.url, "hello", enable_thinking=True, max_tokens=5)
        forced = ask(simulator.url, "[[think=6]]", max_tokens=400)
    assert "<think>" not in plain.text
    assert forced.pieces[:2] == ["<think>", "\n"]
    assert forced.pieces.index("</think>") == 2 + 6 + 1


def test_the_smallest_model_falls_into_a_loop() -> None:
    with running("--speed", "200", "--profile", "gemma3-270m") as simulator:
        answer = ask(simulator.url, "hello", max_tokens=400)
    assert len(answer.pieces) == 400
    sentence = answer.text.split(". ")[-2]
    assert answer.text.count(sentence) > 5


def test_ollama_routes_give_the_true_counts(tmp_path: Path) -> None:
    log = tmp_path / "truth"
    with running("--decode-tps", "100", "--prefill-tps", "500", "--truth", str(log)) as simulator:
        message = {"role": "user", "content": "[[tokens=10]]"}
        chat = {"model": "qwen3-4b", "messages": [message], "stream": True}
        first = _json(httpx.post(simulator.url + "/api/chat", json=chat, timeout=60))
        prompt = {"model": "qwen3-4b", "prompt": "[[tokens=12]]"}
        second = _json(httpx.post(simulator.url + "/api/generate", json=prompt, timeout=60))
        limited = {**prompt, "options": {"num_predict": 5}}
        third = _json(httpx.post(simulator.url + "/api/generate", json=limited, timeout=60))
    assert first["done"] is True
    assert first["message"]["role"] == "assistant"
    (begin,) = truth(log, "prefill_end", 1)
    assert (first["eval_count"], first["prompt_eval_count"]) == (10, begin["prefill_tokens"])
    assert first["eval_duration"] == pytest.approx(100e6, rel=0.5)
    assert first["prompt_eval_duration"] == begin["prefill_tokens"] * 2_000_000
    assert first["total_duration"] == first["prompt_eval_duration"] + first["eval_duration"]
    assert second["eval_count"] == 12
    # At the limit the server never resets its statistics: those of the run before.
    assert third["eval_count"] == 12
    assert len(truth(log, "token", 3)) == 5


def test_whole_answers_and_text_completions() -> None:
    with running(*QUICK) as simulator, httpx.Client(base_url=simulator.url, timeout=60) as client:
        whole = _json(client.post(CHAT, json=body_of("[[tokens=9]]", stream=False)))
        text = _json(client.post("/v1/completions", json={"model": "m", "prompt": "[[tokens=9]]"}))
        stream = client.post(
            "/v1/completions",
            json={"prompt": "[[tokens=9]]", "stream": True, "max_tokens": 4},
        ).text
        refused = client.post("/v1/completions", json={"prompt": "x", "max_tokens": 0})
    assert whole["choices"][0]["message"]["content"]
    assert whole["choices"][0]["finish_reason"] == "stop"
    assert text["object"] == "text_completion"
    assert text["id"].startswith("cmpl-")
    assert stream.count('"text":') == 5
    assert '"finish_reason":"length"' in stream
    assert refused.status_code == 422


def test_a_context_that_is_asked_for_has_room_for_a_long_answer(tmp_path: Path) -> None:
    log = tmp_path / "truth"
    fast = ("--decode-tps", "1000", "--prefill-tps", "1000", "--speed", "100")
    with running(*fast, "--context", "17000", "--tokens", "16384", "--truth", str(log)) as one:
        listed = _json(httpx.get(one.url + "/v1/models/available", timeout=60))["models"]
        assert all("-ctx17000.rkllm" in model["filename"] for model in listed)
        assert [model["loaded"] for model in listed].count(True) == 1
        ask(one.url, "hello", max_tokens=16384, timeout_s=60)
    (finished,) = [event for event in truth(log) if event["event"] == "finish"]
    assert (finished["tokens"], finished["reason"]) == (16384, "stop")


def test_a_context_is_refused_for_servers_that_do_not_read_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit):
        parse(["--dialect", "ollama", "--context", "8192"])
    assert "--context is for rockchipllama only" in capsys.readouterr().err
