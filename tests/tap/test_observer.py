"""What the observer makes of requests and answers, fed with what servers and clients send."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest

from tests.servers.recordings import Recorded, recorded
from tui.history.request_records import ClientRequest
from tui.servers.detect import KINDS
from tui.tap.copy_messages import CopyMessage, Event
from tui.tap.exchange import Exchange
from tui.tap.observer import Observer
from tui.tap.seen_server import SeenServer

MS = 1_000_000
CHAT = "/v1/chat/completions"


class Watched:
    """An observer of one server, and a clock that goes on by a millisecond with each event."""

    def __init__(self, kind: str = "openai") -> None:
        self.server = SeenServer("http://127.0.0.1:1", KINDS[kind], KINDS[kind].name)
        self.changes: list[Exchange] = []
        self.observer = Observer(self.server, self.changes.append)
        self.t_ns = 1_000 * MS
        self._begun: set[int] = set()

    def tell(
        self, event: Event, connection: int = 1, payload: bytes = b"", ms: float = 1.0
    ) -> None:
        self.t_ns += round(ms * MS)
        self.observer.take(CopyMessage(event, connection, self.t_ns, self.t_ns, True, payload))

    def open(self, connection: int = 1) -> None:
        self.tell(Event.OPENED, connection, b"192.168.0.9 40000")

    def ask(self, path: str = CHAT, connection: int = 1, header: str = "", **body: object) -> None:
        asked = {"messages": [{"role": "user", "content": "hello there"}], "stream": True, **body}
        data = json.dumps(asked).encode()
        head = f"POST {path} HTTP/1.1\r\n{header}Content-Length: {len(data)}\r\n\r\n"
        self.tell(Event.UP, connection, head.encode() + data)

    def head(self, *headers: str, connection: int = 1, status: int = 200) -> None:
        lines = "\r\n".join([f"HTTP/1.1 {status} X", *headers])
        self.tell(Event.DOWN, connection, f"{lines}\r\n\r\n".encode(), ms=500)

    def answer(
        self, count: int, *, connection: int = 1, gap_ms: float = 50, end: bool = True
    ) -> None:
        """A stream of chunks, and its end."""
        if connection not in self._begun:
            self.head("content-type: text/event-stream", "transfer-encoding: chunked",
                      connection=connection)  # fmt: skip
            self._begun.add(connection)
        for number in range(count):
            chunk = {"choices": [{"delta": {"content": f" w{number}"}, "finish_reason": None}]}
            self.chunk(b"data: %s\n\n" % json.dumps(chunk).encode(), connection, gap_ms)
        if end:
            done = {"choices": [{"delta": {}, "finish_reason": "stop"}]}
            self.chunk(b"data: %s\n\ndata: [DONE]\n\n" % json.dumps(done).encode(), connection)
            self.tell(Event.DOWN, connection, b"0\r\n\r\n")
            self._begun.discard(connection)

    def chunk(self, data: bytes, connection: int = 1, ms: float = 1.0) -> None:
        self.tell(Event.DOWN, connection, b"%x\r\n%s\r\n" % (len(data), data), ms)

    @property
    def over(self) -> list[ClientRequest]:
        """Records of those that are over, in the order of their ends."""
        ended = [one for one in dict.fromkeys(self.changes) if one.is_over]
        return [one.record(self.t_ns) for one in sorted(ended, key=lambda one: one.ended_ns)]


@pytest.fixture
def watched() -> Watched:
    return Watched()


def of_kind(kind: str) -> Watched:
    made = Watched(kind)
    made.open()
    return made


CASES = {"flask123": "12-npu-error"}
"""Another name of the file with a whole answer in it."""
RECORDED = [
    ("rockchipllama", "rockchipllama", "estimated"),
    ("rkllm-demo", "flask", "estimated"),
    ("rkllm-chat", "flask123", "estimated"),
    ("rkllm-api-server", "gatekeeper", "estimated"),
    ("rkllama", "rkllama", "runtime"),
    ("orkllm", "orkllm", "runtime"),
]


@pytest.mark.parametrize(("kind", "server", "source"), RECORDED)
def test_recorded_answers_of_six_servers(kind: str, server: str, source: str) -> None:
    found: Recorded = next(
        one for one in recorded(server, CASES.get(server, "04-chat-stream")) if one.body
    )
    watched = of_kind(kind)
    watched.ask(found.path)
    headers = [f"{k}: {v}" for k, v in found.headers.items()
               if k not in ("transfer-encoding", "content-length")]  # fmt: skip
    watched.head(*headers, status=found.status)
    for line in found.body.splitlines(keepends=True):
        watched.tell(Event.DOWN, payload=line, ms=20)
    watched.tell(Event.DOWN_END)
    watched.tell(Event.CLOSED)
    (record,) = watched.over
    assert record.status == "complete"
    assert record.is_streamed
    assert record.tokens_out_source == source
    assert (record.tokens_out or 0) > 5
    assert record.ttft_ms is not None
    assert record.client.host == "192.168.0.9"
    assert record.origin.kind == KINDS[kind].name


def test_pipelined_requests_get_their_own_answers(watched: Watched) -> None:
    watched.open()
    watched.ask(header="User-Agent: first/1\r\n")
    watched.ask(header="User-Agent: second/1\r\n")
    watched.answer(10)
    watched.answer(20)
    first, second = watched.over
    assert (first.client.user_agent, first.numbers["chunks"]) == ("first/1", 10)
    assert (second.client.user_agent, second.numbers["chunks"]) == ("second/1", 20)
    assert first.decode_tps == pytest.approx(20, rel=0.01)


def test_what_asks_for_no_answer_has_no_line(watched: Watched) -> None:
    watched.open()
    watched.tell(Event.UP, payload=b"GET /v1/models HTTP/1.1\r\n\r\n")
    watched.head("content-length: 2")
    watched.tell(Event.DOWN, payload=b"{}")
    watched.ask("/api/generate", messages=[], model="qwen3")
    watched.head("content-length: 2")
    watched.tell(Event.DOWN, payload=b"{}")
    watched.tell(Event.CLOSED)
    assert watched.changes == []


def test_an_answer_in_one_piece_tells_what_the_server_reports() -> None:
    body = {
        "model": "qwen3",
        "message": {"role": "assistant", "content": "one two three " * 10},
        "done": True,
        "prompt_eval_count": 9,
        "prompt_eval_duration": 100 * MS,
        "eval_count": 30,
        "eval_duration": 1_500 * MS,
        "total_duration": 1_600 * MS,
    }
    data = gzip.compress(json.dumps(body).encode())
    watched = of_kind("rockchipllama")
    watched.ask("/api/chat")
    watched.head(f"content-length: {len(data)}", "content-encoding: gzip",
                 "content-type: application/json")  # fmt: skip
    watched.tell(Event.DOWN, payload=data, ms=1500)
    (record,) = watched.over
    assert (record.status, record.is_streamed, record.ttft_ms) == ("complete", False, None)
    assert (record.tokens_in, record.tokens_out) == (9, 30)
    assert (record.tokens_in_source, record.tokens_out_source) == ("runtime", "runtime")
    assert record.decode_tps == pytest.approx(20, rel=0.05)
    assert record.decode_source == "runtime"
    assert "itl_ms" not in record.numbers


def test_a_half_closed_client_that_gets_its_answer_is_not_gone(watched: Watched) -> None:
    watched.open()
    watched.ask()
    watched.tell(Event.UP_END)
    watched.answer(10)
    watched.tell(Event.DOWN_END)
    watched.tell(Event.CLOSED)
    assert [one.status for one in watched.over] == ["complete"]


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("llama.cpp", "The client left after ~4 tokens; llama.cpp then stops."),
        (
            "rkllama",
            "The client left after ~4 tokens; rkllama continues such an answer to its end.",
        ),
    ],
)
def test_a_client_that_leaves(kind: str, words: str) -> None:
    watched = of_kind(kind)
    watched.ask()
    watched.answer(4, end=False)
    watched.tell(Event.UP_BROKEN)
    watched.tell(Event.CLOSED)
    (record,) = watched.over
    assert (record.status, record.note) == ("client gone", words)


def test_a_queue_is_told_for_servers_with_one_npu_and_not_behind_an_answer_nobody_reads() -> None:
    watched = of_kind("rockchipllama")
    watched.open(2)
    watched.ask()
    watched.answer(5, end=False)
    watched.ask(connection=2)
    watched.answer(20, gap_ms=100)
    watched.answer(10, connection=2)
    first, second = watched.over
    assert (first.queue_ms, second.queue_source) == (None, "estimated")
    assert second.queue_ms == pytest.approx(2000, abs=10)
    assert second.ttft_ms == pytest.approx(2000 + 550, abs=20)
    watched.ask()
    watched.answer(5, end=False)
    watched.ask(connection=2)
    watched.tell(Event.UP_BROKEN)
    watched.tell(Event.CLOSED)
    watched.answer(10, connection=2)
    _, _, gone, behind = watched.over
    assert gone.status == "client gone"
    assert (behind.queue_ms, behind.numbers.get("prefill_ms")) == (None, None)


def test_parallel_servers_have_no_queue() -> None:
    watched = of_kind("llama.cpp")
    watched.open(2)
    watched.ask()
    watched.ask(connection=2)
    watched.answer(10)
    watched.answer(10, connection=2)
    assert [one.queue_ms for one in watched.over] == [None, None]


def test_what_the_server_says_about_its_queue_is_believed() -> None:
    watched = of_kind("rkllm-api-server")
    watched.ask()
    watched.head("content-type: text/event-stream", "x-queue-wait-seconds: 1.25",
                 "transfer-encoding: chunked")  # fmt: skip
    watched._begun.add(1)
    watched.answer(10)
    (record,) = watched.over
    assert (record.queue_ms, record.queue_source) == (1250.0, "runtime")


@pytest.mark.parametrize("body", [b"<html>no</html>", b"\x00\x01\x02", b'{"vectors": []}'])
def test_an_answer_in_a_foreign_format_is_unread(watched: Watched, body: bytes) -> None:
    watched.open()
    watched.ask()
    watched.head(f"content-length: {len(body)}")
    watched.tell(Event.DOWN, payload=body)
    (record,) = watched.over
    assert record.status == "unread"
    assert (record.note or "").startswith("Not understood: ")
    assert record.tokens_out is None


def test_lost_copies_make_a_request_unread_and_the_next_connection_is_read(
    watched: Watched,
) -> None:
    watched.open()
    watched.ask()
    watched.answer(5, end=False)
    watched.tell(Event.LOST)
    watched.answer(5)
    watched.tell(Event.CLOSED)
    watched.open(2)
    watched.ask(connection=2)
    watched.answer(10, connection=2)
    lost, whole = watched.over
    assert (lost.status, whole.status) == ("unread", "complete")
    assert "copy was dropped" in (lost.note or "")


def test_a_prompt_that_cannot_be_read_is_unknown_and_the_answer_is_measured(
    watched: Watched,
) -> None:
    watched.open()
    watched.tell(Event.UP, payload=b"POST /v1/chat/completions HTTP/1.1\r\n"
                 b"content-length: 3\r\n\r\n{]}")  # fmt: skip
    watched.answer(10)
    (record,) = watched.over
    assert (record.tokens_in, record.numbers["chunks"]) == (None, 10)
    assert record.decode_tps == pytest.approx(20, rel=0.01)


@pytest.mark.parametrize(
    ("path", "asked", "answer", "told"),
    [
        ("/v1/embeddings", {"input": "two words"}, {"model": "e5", "usage": {"prompt_tokens": 4}},
         (4, "runtime")),
        ("/v1/embeddings", {"input": [[15339, 1917]]}, {"data": []}, (None, "unknown")),
        ("/api/embed", {"input": ["a", "b"]}, {"embeddings": [[1]], "prompt_eval_count": 6},
         (6, "runtime")),
        ("/embedding", {"content": "some words here"}, [{"index": 0, "embedding": [[0.5]]}],
         (None, "estimated")),
    ],
)  # fmt: skip
def test_embeddings_have_a_line_of_their_own(
    path: str, asked: dict[str, Any], answer: object, told: tuple[int | None, str]
) -> None:
    watched = Watched()
    watched.open()
    watched.ask(path, messages=None, stream=None, **asked)
    body = json.dumps(answer).encode()
    watched.head("content-type: application/json", f"content-length: {len(body)}")
    watched.tell(Event.DOWN, 1, body)
    (record,) = watched.over
    assert (record.status, record.is_embedding, record.note) == ("complete", True, None)
    assert record.tokens_out is record.ttft_ms is record.decode_tps is None
    assert record.tokens_in_source == told[1]
    assert record.tokens_in == told[0] or (told[1] == "estimated" and record.tokens_in)
    assert watched.observer.n_others == 0


def test_embeddings_that_are_refused_or_cut_are_told_so() -> None:
    watched = Watched()
    watched.open()
    watched.ask("/v1/embeddings", input="words")
    watched.head("content-type: application/json", "content-length: 2", status=400)
    watched.tell(Event.DOWN, 1, b"{}")
    watched.ask("/v1/embeddings", input="words")
    watched.head("content-type: application/json", "content-length: 200")
    watched.tell(Event.DOWN, 1, b'{"data": [')
    watched.tell(Event.CLOSED, 1)
    assert [record.status for record in watched.over] == ["refused", "error"]


def test_lists_are_counted_and_have_no_line() -> None:
    watched = Watched()
    watched.open()
    for path in ("/v1/models", "/api/tags", "/health"):
        watched.tell(Event.UP, 1, f"GET {path} HTTP/1.1\r\n\r\n".encode())
        watched.head("content-length: 2")
        watched.tell(Event.DOWN, 1, b"[]")
    assert watched.over == []
    assert watched.observer.n_others == 3
