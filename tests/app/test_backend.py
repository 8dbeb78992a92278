"""The session and the backend without a screen: what they tell while something else goes on."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Coroutine, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from tests.history.made import add_exchange, opened
from tui.app.backend import Backend
from tui.app.board_source import BoardReader
from tui.app.chat_session import ChatSession
from tui.app.demo import DemoOptions
from tui.app.model_loader import ModelLoader
from tui.app.npu_watch import STOPPED_ANSWER_LIMIT_NS
from tui.app.server_link import ServerLink
from tui.bench.model.events import Planned
from tui.bench.model.screen import BenchView, PlanItem, RunView
from tui.bench.store import active_run, runs
from tui.bench.store.folder import default_folder
from tui.core.board.reading import Reading, Snapshot
from tui.core.screen.keys.table import default_keys
from tui.core.types import GenerationSettings, ModelInfo
from tui.history import reading
from tui.history.database import FILE_NAME
from tui.history.recorder import Recorder
from tui.history.resuming import resume
from tui.servers.connection import Connection
from tui.servers.connection_state import ConnectionState, Server
from tui.servers.dialects.rockchipllama import DIALECT
from tui.servers.loop import EventLoopThread
from tui.servers.model_choice import with_context_in_use
from tui.servers.slot import SlotState
from tui.settings.schema import ServerSection

BUSY = Snapshot(0, 0.0, {"npu.load": Reading((97.0,), "%")})
LONG_CONTEXT = ModelInfo(
    "qwen3-4b",
    "Qwen3-4B-rk3588-w8a8-16k.rkllm",
    context_tokens=16_384,
    is_context_guessed=True,
    is_loaded=True,
)


class StandingConnection:
    """A connection whose state a test decides; what it is told is noted."""

    def __init__(self, state: ConnectionState) -> None:
        self.state = state
        self.abandoned = 0

    def abandon(self) -> None:
        self.abandoned += 1

    def send_now(self) -> None:
        self.abandon()

    def stop(self) -> None:
        """The answer is stopped."""

    async def ask(self, turn: object, in_use: object) -> None:
        """The prompt waits for ever."""

    async def use_and_load(
        self, url: str, name: str, available_bytes: int | None, is_forced: bool
    ) -> None:
        """The model is never there."""


class DirectLoop:
    """Calls at once what the loop would call soon."""

    def call(self, function: Callable[..., object], *arguments: object) -> None:
        function(*arguments)

    def submit(self, work: Coroutine[Any, Any, None]) -> None:
        work.close()

    def stop(self) -> None:
        """There is no thread."""


def link_with(slot: SlotState) -> tuple[ServerLink, StandingConnection]:
    server = Server("http://127.0.0.1:8021", DIALECT, "RockchipLlama")
    connection = StandingConnection(
        ConnectionState(
            status="ready",
            server=server,
            models=(with_context_in_use(LONG_CONTEXT, DIALECT),),
            slot=slot,
        )
    )
    link = ServerLink(cast("EventLoopThread", DirectLoop()))
    link.use(cast("Connection", connection))
    return link, connection


def session_with(slot: SlotState, clock: list[int]) -> tuple[ChatSession, StandingConnection]:
    link, connection = link_with(slot)
    return ChatSession(link, GenerationSettings(), lambda: clock[0]), connection


def test_a_prompt_behind_a_stopped_answer_can_be_sent_all_the_same() -> None:
    session, connection = session_with(SlotState("finishing", heard_ns=0), [0])
    assert session.ask("next") is None
    waiting = session.waiting
    assert waiting is not None
    assert "the send key sends it now" in waiting.reason
    session.send_anyway()
    assert connection.abandoned == 1


def test_a_stored_conversation_goes_on_where_it_was(tmp_path: Path) -> None:
    with closing(opened(tmp_path)) as connection:
        number, _, answer = add_exchange(connection, "stored question", "stored answer")
        found = resume(connection, number)
    session, _ = session_with(SlotState(), [0])
    store = Recorder(tmp_path / FILE_NAME)
    session.keeper.use(store)
    assert session.resume(found)
    assert session.ask("and then?") is None
    turn = session.turn
    assert turn is not None
    assert [message.content for message in turn.request.messages] == [
        "stored question", "stored answer", "and then?",
    ]  # fmt: skip
    assert not session.resume(found)
    session.stop()
    store.close()
    with closing(opened(tmp_path)) as connection:
        whole = reading.conversation(connection, number)
    assert whole is not None
    assert [turn.text for turn in whole.turns[:3]] == [
        "stored question", "stored answer", "and then?",
    ]  # fmt: skip
    assert whole.turns[2].parent == answer
    assert session.keeper.conversation_id == number


def test_a_stopped_answer_that_never_ends_is_given_up() -> None:
    clock = [0]
    session, connection = session_with(SlotState("finishing", heard_ns=0), clock)
    clock[0] = STOPPED_ANSWER_LIMIT_NS
    session.on_snapshot(BUSY)
    assert connection.abandoned == 0
    clock[0] += 1
    session.on_snapshot(BUSY)
    assert connection.abandoned == 1


def test_a_stopped_answer_whose_text_still_comes_is_waited_for() -> None:
    clock = [0]
    session, connection = session_with(SlotState("finishing", heard_ns=0), clock)
    for count in range(1, 4):
        clock[0] = count * (STOPPED_ANSWER_LIMIT_NS - 1)
        heard = SlotState("finishing", count, heard_ns=clock[0] - 1)
        connection.state = replace(connection.state, slot=heard)
        session.on_snapshot(BUSY)
    assert connection.abandoned == 0
    clock[0] += STOPPED_ANSWER_LIMIT_NS
    session.on_snapshot(BUSY)
    assert connection.abandoned == 1


@pytest.mark.parametrize(("count", "words"), [(1, "1 piece of"), (2, "2 pieces of")])
def test_one_piece_is_no_plural(count: int, words: str) -> None:
    session, _ = session_with(SlotState("finishing", count, 0), [0])
    assert session.finishing_note is not None
    assert words in session.finishing_note


def test_the_model_list_shows_the_context_that_the_server_gives() -> None:
    link, _ = link_with(SlotState())
    (server,) = ModelLoader(link, lambda: 0).view().servers
    (model,) = server.models
    assert (model.context_tokens, model.is_context_guessed) == (4096, False)


@pytest.fixture
def backend(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Backend]:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    board = BoardReader(tmp_path, 1.0)
    backend = Backend(ServerSection(), board, GenerationSettings(), DemoOptions())
    yield backend
    backend.close()


def test_a_benchmark_is_looked_for_only_where_its_lock_is_held(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    sought: list[bool] = []

    class Bench:
        def seek(self) -> None:
            sought.append(True)

    monkeypatch.setattr(Backend, "bench", Bench())
    backend.on_snapshot(backend.sample())
    assert not sought
    default_folder().mkdir(parents=True)
    lock = runs.Lock(default_folder())
    lock.take("prompts")
    try:
        backend.on_snapshot(backend.sample())
    finally:
        lock.release()
    assert sought == [True]
    backend.on_snapshot(backend.sample())
    assert sought == [True]


def test_a_prompt_waits_for_the_benchmark_that_the_last_sample_saw(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lock's file is read by the sampling thread alone: a slow disk holds up no key."""
    backend._link.loop.stop()
    monkeypatch.setattr(backend._link, "loop", DirectLoop())
    backend._link.use(cast("Connection", link_with(SlotState())[1]))
    default_folder().mkdir(parents=True)
    lock = runs.Lock(default_folder())
    lock.take("prompts")
    backend.sample()
    lock.release()
    for refusal in (backend.chat.ask("now?"), refusal_of_a_load(backend)):
        assert refusal is not None
        assert "a benchmark is running" in refusal
    backend.sample()
    assert refusal_of_a_load(backend) is None
    assert backend.chat.ask("now?") is None


def refusal_of_a_load(backend: Backend) -> str | None:
    backend.models.load("http://127.0.0.1:8021", "qwen3-4b")
    view = backend.models.view()
    return view.message if view.is_error else None


WORKING = {
    "npu.driver": Reading("0.9.8"),
    "npu.load": Reading((97.0, 96.0, 95.0), "%"),
    "npu.freq": Reading(1e9, "Hz"),
}


@pytest.mark.parametrize(
    ("url", "is_accused"),
    [
        ("http://127.0.0.1:8021", False),
        ("http://0.0.0.0:8021", False),
        ("", False),
        ("http://192.0.2.7:8021", True),
        (None, True),
    ],
)
def test_only_a_benchmark_of_this_machine_explains_its_load(
    backend: Backend, monkeypatch: pytest.MonkeyPatch, url: str | None, is_accused: bool
) -> None:
    """``url``: where the benchmark's server is; None is no benchmark, "" not found yet."""

    class Bench:
        def seek(self) -> None:
            """The run is not followed yet."""

    monkeypatch.setattr(Backend, "bench", Bench())
    default_folder().mkdir(parents=True)
    lock = runs.Lock(default_folder())
    if url is not None:
        lock.take("prompts")
        journal = active_run.new_journal(default_folder())
        journal.write_bytes(b"")
        active_run.mark(default_folder(), journal, url=url)
    backend.sample()
    for second in range(4):
        backend.on_snapshot(Snapshot(second * 10**9, float(second), WORKING))
    lock.release()
    facts = backend.board.facts
    assert facts is not None
    rules = {finding.rule for finding in facts.findings}
    assert ("npu-others" in rules) is is_accused
    assert "finishing" not in rules


@pytest.mark.parametrize(("keys", "end"), [("f9,ctrl+b", ", F9"), ("ctrl+b", ", ^B"), ("", "")])
def test_the_key_of_the_benchmark_is_the_one_that_is_bound(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, keys: str, end: str
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    keymap = {**default_keys(), "bench": keys}
    board = BoardReader(tmp_path, 1.0)
    made = Backend(ServerSection(), board, GenerationSettings(), DemoOptions(), keymap=keymap)
    try:
        made._link.use(cast("Connection", link_with(SlotState())[1]))
        monkeypatch.setattr(made._bench_link, "_benchmarks", RunningBench())
        assert made.headline().bench == f"bench 1/2 prompts{end}"
        refusal = made.chat.ask("now?")
    finally:
        monkeypatch.setattr(made._bench_link, "_benchmarks", None)
        made.close()
    assert refusal == "a benchmark is running" + (f"; {end[2:]} shows it" if end else "")


class RunningBench:
    """A benchmark of two prompts that has answered one."""

    is_running = True

    def view(self) -> BenchView:
        one = Planned(id="a", rep=0, name="a", group="", max_tokens=8)
        return BenchView(run=RunView(plan=(PlanItem(one, "ok"), PlanItem(one, "running"))))

    def busy_sentence(self, url: str) -> str:
        assert url
        return "a benchmark is running"


NO_BENCHMARK = """
import sys
from tui.app.backend import Backend
from tui.app.board_source import BoardReader
from tui.app.demo import DemoOptions
from tui.core.types import GenerationSettings
from tui.settings.schema import ServerSection
backend = Backend(ServerSection(), BoardReader(None, 1.0), GenerationSettings(), DemoOptions())
backend.on_snapshot(backend.sample())
print([name for name in sys.modules if name.startswith("tui.bench.store.runs")])
"""


def test_a_sample_loads_no_benchmark_code_where_none_was_run(tmp_path: Path) -> None:
    said = subprocess.run(
        [sys.executable, "-c", NO_BENCHMARK],
        env={**os.environ, "XDG_DATA_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout.strip() == "[]"


def test_a_load_that_would_end_an_answer_of_somebody_else_is_done_the_second_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    link, _ = link_with(SlotState())
    done: list[object] = []
    monkeypatch.setattr(ServerLink, "submit", lambda _, work: done.append(work))
    work: list[str | None] = ["the NPU load is 62 %"]
    loader = ModelLoader(link, lambda: 0, foreign_work=lambda: work[0])
    url = "http://127.0.0.1:8021"
    loader.load(url, "gemma3-1b")
    said = loader.view().message or ""
    assert said.startswith("The NPU load is 62 %: to load a model may end another client")
    loader.load(url, "tiny")
    assert done == [], "another one is asked about anew"
    loader.load(url, "tiny")
    assert len(done) == 1
    assert loader.view().message != said
    loader.unload("tiny")
    assert "to unload a model" in (loader.view().message or "")
    work[0] = None
    loader.load(url, "gemma3-1b")
    assert len(done) == 2


def test_load_of_the_npu_is_foreign_only_where_no_answer_of_ours_runs() -> None:
    clock = [10_000_000_000]
    session, _ = session_with(SlotState(), clock)
    assert session.foreign_work() is None
    session.on_snapshot(BUSY)
    assert session.foreign_work() == "the NPU load is 97 %, and no answer of this npulse is running"
    assert session.ask("hello") is None
    assert session.foreign_work() is None
