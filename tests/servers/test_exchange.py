"""Whole answers over a real socket, and every way in which they fail."""

from __future__ import annotations

import asyncio
import json

import pytest

from tests.servers.exchanges import QUICK, ROCKCHIP, ask, ask_script, three_tokens
from tests.servers.raw_server import Wire, free_port
from tests.servers.requests import request
from tui.core.types import GenerationSettings
from tui.servers.client import PhaseTimeouts
from tui.servers.content_coding import compression


async def test_a_whole_answer() -> None:
    turn, server = await ask_script(three_tokens, dialect=ROCKCHIP)
    assert (turn.status, turn.text, turn.error) == ("complete", "one two three", None)
    (asked,) = server.asked
    assert (asked.method, asked.path) == ("POST", "/v1/chat/completions")
    assert asked.headers["accept-encoding"] == "identity"
    assert asked.json == {
        "model": "qwen3-4b",
        "messages": [{"role": "user", "content": "hello"}],
        "stream": True,
        "temperature": 0.6,
        "top_p": 0.95,
        "top_k": 20,
        "repeat_penalty": 1.1,
        "max_tokens": 2048,
        "enable_thinking": False,
    }


async def test_the_plain_dialect_sends_only_fields_of_the_protocol() -> None:
    _, server = await ask_script(
        three_tokens, asked=request(model="", settings=GenerationSettings(repeat_penalty=0.5))
    )
    assert server.asked[0].json == {
        "messages": [{"role": "user", "content": "hello"}],
        "stream": True,
        "stream_options": {"include_usage": True},
        "temperature": 0.6,
        "top_p": 0.95,
        "max_tokens": 2048,
    }


async def test_half_a_surrogate_pair_in_a_prompt_is_sent_as_something() -> None:
    turn, server = await ask_script(three_tokens, asked=request("a\ud83d b"))
    assert turn.status == "complete"
    assert server.asked[0].json["messages"] == [{"role": "user", "content": "a? b"}]


async def test_a_proxy_in_the_environment_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")
    turn, _ = await ask_script(three_tokens)
    assert turn.status == "complete"


# -- before the stream ---------------------------------------------------------------------------


async def test_refused() -> None:
    port = free_port()
    turn = await ask(f"http://127.0.0.1:{port}")
    assert turn.status == "error"
    assert turn.error is not None
    assert turn.error.kind == "refused"
    assert turn.error.sentence == (
        f"No server listens on http://127.0.0.1:{port} (connection refused); "
        "start it, or give --url."
    )


async def test_unknown_host() -> None:
    turn = await ask("http://no-such-host.invalid:8021")
    assert turn.error is not None
    assert turn.error.kind == "dns"
    assert "'no-such-host.invalid'" in turn.error.sentence


async def test_connect_timeout() -> None:
    import socket

    with socket.socket() as full:
        # A backlog that is full: the kernel drops further SYNs, as a host that is off would.
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        where = full.getsockname()
        waiting = []
        for _ in range(4):
            one = socket.socket()
            one.setblocking(False)
            one.connect_ex(where)
            waiting.append(one)
        turn = await ask(
            f"http://127.0.0.1:{where[1]}", timeouts=PhaseTimeouts(connect_s=0.3, busy_s=0.5)
        )
        for one in waiting:
            one.close()
    assert turn.error is not None
    assert turn.error.kind == "connect_timeout"
    assert "within 0.3 s" in turn.error.sentence


async def test_closed_without_a_word() -> None:
    async def script(wire: Wire) -> None:
        wire.writer.close()

    turn, _ = await ask_script(script)
    assert turn.error is not None
    assert turn.error.kind == "io"
    assert "closed the connection without an answer" in turn.error.sentence


async def test_reset_without_a_word() -> None:
    async def script(wire: Wire) -> None:
        wire.reset()

    turn, _ = await ask_script(script)
    assert turn.status == "error"
    assert turn.error is not None
    assert turn.error.kind == "io"


async def test_not_http_at_all() -> None:
    async def script(wire: Wire) -> None:
        await wire.raw(b"SSH-2.0-OpenSSH_8.9\r\n\r\n")

    turn, _ = await ask_script(script)
    assert turn.error is not None
    assert turn.error.kind == "protocol"
    assert "does not speak HTTP" in turn.error.sentence


@pytest.mark.parametrize("has_head", [False, True])
async def test_no_first_byte(has_head: bool) -> None:
    async def script(wire: Wire) -> None:
        if has_head:
            await wire.head()
            # A comment, a role: signs of life, but no text.
            await wire.part(b": heartbeat\n\n")
            await wire.part(b'data: {"choices":[{"delta":{"role":"assistant"}}]}\n\n')
        await wire.until_closed()

    turn, _ = await ask_script(script, timeouts=QUICK)
    assert turn.status == "error"
    assert turn.error is not None
    assert turn.error.kind == "no_first_byte"
    assert "sent no text within 0.3 s" in turn.error.sentence


async def test_silence_in_prefill_is_not_idleness() -> None:
    async def script(wire: Wire) -> None:
        await wire.head()
        await asyncio.sleep(0.8)
        await three_tokens_without_head(wire)

    timeouts = PhaseTimeouts(first_byte_s=30.0, idle_s=0.3)
    turn, _ = await ask_script(script, timeouts=timeouts)
    assert turn.status == "complete"


async def three_tokens_without_head(wire: Wire) -> None:
    for text in ("one ", "two ", "three"):
        await wire.token(text)
    await wire.done()


@pytest.mark.parametrize(
    ("status", "body", "content_type", "kind", "turn_status", "said"),
    [
        (
            422,
            b'{"detail":[{"type":"greater_than_equal","loc":["body","repeat_penalty"],'
            b'"msg":"Input should be greater than or equal to 1","input":0.9}]}',
            "application/json",
            "validation",
            "refused",
            "repeat_penalty: Input should be greater than or equal to 1 (sent 0.9)",
        ),
        (
            422,
            b'{"detail":[{"loc":["body","messages",0,"content"],"msg":"Field required"}]}',
            "application/json",
            "validation",
            "refused",
            "messages.0.content: Field required",
        ),
        (404, b'{"detail":"Not Found"}', "application/json", "http", "refused", "Not Found"),
        (
            404,
            b'{"error":"Model \'x\' not found"}',
            "application/json",
            "http",
            "refused",
            "Model 'x' not found",
        ),
        (500, b'{"detail":""}', "application/json", "http", "error", "HTTP 500 without saying why"),
        (
            500,
            b"<!doctype html>\n<title>500 Internal Server Error</title>\n<h1>Oops</h1>",
            "text/html",
            "http",
            "error",
            "a web page: 500 Internal Server Error",
        ),
        (
            400,
            b'{"statusCode":400,"code":"FST_ERR_CTP_INVALID_JSON_BODY","error":"Bad Request",'
            b'"message":"Body is not valid JSON"}',
            "application/json",
            "http",
            "refused",
            "Body is not valid JSON",
        ),
        (401, b"", "text/plain", "http", "refused", "wants a login (HTTP 401)"),
        (307, b"", "text/plain", "http", "error", "redirects (HTTP 307)"),
        (500, b"\x1b]52;c;aGk=\x07\x9b31mboo\xe2\x80\xae", "text/plain", "http", "error", "boo"),
    ],
)
async def test_status_errors_carry_the_servers_words(
    status: int, body: bytes, content_type: str, kind: str, turn_status: str, said: str
) -> None:
    async def script(wire: Wire) -> None:
        await wire.reply(status, body, content_type)

    turn, server = await ask_script(script)
    assert turn.status == turn_status
    assert turn.error is not None
    assert turn.error.kind == kind
    assert said in turn.error.sentence
    assert server.url in turn.error.sentence
    assert not any(c < " " or "\x7f" <= c < "\xa0" or c == "\u202e" for c in turn.error.sentence)


async def test_an_endless_error_body_is_bounded() -> None:
    async def script(wire: Wire) -> None:
        await wire.raw(b"HTTP/1.1 500 X\r\ncontent-type: text/plain\r\n\r\n")
        for _ in range(100_000):
            await wire.raw(b"x" * 65536)

    turn, _ = await ask_script(script)
    assert turn.error is not None
    assert turn.error.kind == "http"
    assert len(turn.error.sentence) <= 400


async def test_compressed_all_the_same() -> None:
    async def script(wire: Wire) -> None:
        await wire.reply(200, b"\x1f\x8b\x08", "text/event-stream", content_encoding="gzip")

    turn, _ = await ask_script(script)
    assert turn.error is not None
    assert "a compressed answer (gzip)" in turn.error.sentence


@pytest.mark.parametrize(
    ("header", "coding"),
    [
        ("", None),
        ("identity", None),
        ("Identity, none", None),
        ("utf-8", None),
        ("gzip", "gzip"),
        ("identity, BR", "br"),
        (" x-gzip ,", "x-gzip"),
        ("zstd", "zstd"),
        ("deflate", "deflate"),
        ("gzip;q=1.0", "gzip"),
        (chr(34) + "gzip" + chr(34), "gzip"),
        ("utf-8 gzip", "gzip"),
    ],
)
def test_which_content_codings_are_refused(header: str, coding: str | None) -> None:
    assert compression(header) == coding


# -- refused by us -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "setting", "allowed"),
    [
        (GenerationSettings(repeat_penalty=0.9), "repeat_penalty 0.9", "1 to 2"),
        (GenerationSettings(repeat_penalty=2.5), "repeat_penalty 2.5", "1 to 2"),
        (GenerationSettings(temperature=-0.1), "temperature -0.1", "0 to 2"),
        (GenerationSettings(temperature=float("nan")), "temperature nan", "0 to 2"),
        (GenerationSettings(top_p=1.01), "top_p 1.01", "0 to 1"),
        (GenerationSettings(top_k=0), "top_k 0", "at least 1"),
        (GenerationSettings(max_tokens=0), "max_tokens 0", "at least 1"),
        (GenerationSettings(max_tokens=-1), "max_tokens -1", "at least 1"),
    ],
)
async def test_a_setting_out_of_range_is_never_sent(
    settings: GenerationSettings, setting: str, allowed: str
) -> None:
    asked = request(settings=settings)
    turn, server = await ask_script(three_tokens, dialect=ROCKCHIP, asked=asked)
    assert server.asked == []
    assert turn.status == "refused"
    assert turn.error is not None
    assert turn.error.kind == "validation"
    assert turn.error.sentence == f"{setting} is not accepted by RockchipLlama: {allowed}."


async def test_a_finish_that_comes_with_the_last_text_ends_the_answer() -> None:
    async def serve(wire: Wire) -> None:
        await wire.head()
        for text in ("one", " two"):
            await wire.token(text)
        chunk = {"choices": [{"delta": {"content": " three"}, "finish_reason": "stop"}]}
        await wire.part(b"data: " + json.dumps(chunk).encode() + b"\n\n")
        await wire.until_closed()

    turn, _ = await asyncio.wait_for(ask_script(serve, timeouts=PhaseTimeouts(idle_s=3600.0)), 30)
    assert (turn.status, turn.text) == ("complete", "one two three")
