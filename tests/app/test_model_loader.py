"""What F2 asks of the connection: uses, loads, and what was insisted on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

from tui.app.model_loader import ModelLoader
from tui.app.server_link import ServerLink
from tui.core.board.reading import Reading, Snapshot
from tui.core.types import ModelInfo
from tui.servers.chosen_model import Choice
from tui.servers.connection_state import ConnectionState, Server, SurveyedServer
from tui.servers.detect import KINDS

URL, OTHER = "http://127.0.0.1:8021", "http://127.0.0.1:11434"
OLLAMA = Server(OTHER, KINDS["ollama"], "Ollama")
RAM = Snapshot(0, 0.0, {"ram.available": Reading(4e9, "B")})


def state(kind: str, url: str = URL) -> ConnectionState:
    dialect = KINDS[kind]
    return ConnectionState(
        status="ready",
        server=Server(url, dialect, dialect.name),
        models=(ModelInfo("a", is_loaded=True, size_bytes=10**9), ModelInfo("b", is_loaded=False)),
        choice=Choice("a", reason="loaded"),
        others=(SurveyedServer(OLLAMA, (ModelInfo("c"),)),),
    )


class RecordingLink:
    """Keeps what the connection is asked for."""

    def __init__(self, moment: ConnectionState) -> None:
        self.state = moment
        self.calls: list[tuple[object, ...]] = []

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *arguments: self.calls.append((name, *arguments))

    def submit(self, work: Callable[[Any], object]) -> None:
        work(self)

    call = submit


def loader(link: RecordingLink, foreign: list[str | None] | None = None) -> ModelLoader:
    reasons = foreign if foreign is not None else [None]
    made = ModelLoader(cast("ServerLink", link), lambda: 0, foreign_work=lambda: reasons[0])
    made.on_snapshot(RAM)
    return made


def test_where_the_loaded_one_answers_whatever_is_asked_to_use_is_to_load() -> None:
    link = RecordingLink(state("rockchipllama"))
    loader(link).use(URL, "b")
    assert link.calls == [("use_and_load", URL, "b", 4_000_000_000, False)]
    link = RecordingLink(state("rkllama"))
    loader(link).use(URL, "b")
    loader(link).use(OTHER, "c")
    assert link.calls == [("use", URL, "b"), ("use", OTHER, "c")]


def test_the_ram_of_this_machine_says_nothing_of_another() -> None:
    link = RecordingLink(state("rkllama", "http://192.0.2.7:8080"))
    made = loader(link)
    made.load("http://192.0.2.7:8080", "b")
    assert link.calls == [("use_and_load", "http://192.0.2.7:8080", "b", None, False)]
    sized = replace(link.state.models[1], size_bytes=10**9)
    assert "the free RAM is not known" in made.fit("http://192.0.2.7:8080", sized).sentence


def test_who_insists_against_a_foreign_answer_does_not_insist_against_the_ram() -> None:
    link = RecordingLink(state("rkllama"))
    foreign: list[str | None] = ["the server is working on another answer"]
    made = loader(link, foreign)
    made.load(URL, "b")
    assert link.calls == []
    assert made.view().message is not None
    made.load(URL, "b", is_forced=True)
    assert link.calls == [("use_and_load", URL, "b", 4_000_000_000, False)]
    foreign[0] = None
    made.load(URL, "b", is_forced=True)
    assert link.calls[-1] == ("use_and_load", URL, "b", 4_000_000_000, True)


def test_the_view_has_servers_abilities_and_the_choice() -> None:
    view = loader(RecordingLink(state("orkllm"))).view()
    assert [server.label for server in view.servers] == ["oRKLLM :8021", "Ollama :11434"]
    assert (view.can_load, view.can_unload) == (False, False)
    assert view.answering == "a answers the next prompt (loaded)."
    assert any("only its own web page does that" in note for note in view.notes)
    gone = replace(state("ollama"), status="gone", since_ns=0, models=(), problem="Nobody there.")
    own = loader(RecordingLink(gone)).view().servers[0]
    assert own.state.startswith("unreachable since ")
    assert (own.is_connected, own.problem) == (False, "Nobody there.")
    silent = replace(state("ollama"), busy_urls=("http://127.0.0.1:8080",))
    last = loader(RecordingLink(silent)).view().servers[-1]
    assert last.label == "http://127.0.0.1:8080"
    assert last.problem is not None
    assert "does not answer" in last.problem
