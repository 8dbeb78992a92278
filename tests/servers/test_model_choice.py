"""Which model is asked, by what a server lists and what is wanted."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.servers.model_servers import PLAIN, REAL
from tui.core.types import ModelInfo
from tui.servers import model_choice
from tui.servers.chosen_model import Choice
from tui.servers.connection_state import Server
from tui.servers.detect import KINDS
from tui.servers.dialects import (
    ollama,
    orkllm,
)
from tui.servers.model_choice import chosen_model

A, B = ModelInfo("qwen3-4b", "Qwen3-4B-w8a8.rkllm"), ModelInfo("gemma3-1b", is_loaded=True)


def test_the_loaded_one_is_asked_by_default() -> None:
    assert chosen_model([A, B], None, REAL) == Choice("gemma3-1b")
    assert chosen_model([A], "", REAL) == Choice("")


def test_a_wanted_one_must_be_there() -> None:
    choice = chosen_model([A], "qwen3-4", REAL)
    assert choice.problem == "The server has no model 'qwen3-4'; did you mean 'qwen3-4b'?"
    assert chosen_model([A], "Qwen3-4B", REAL) == Choice("qwen3-4b")
    assert chosen_model([A], "Qwen3-4B-w8a8.rkllm", REAL) == Choice("qwen3-4b")
    assert chosen_model([], "anything", REAL) == Choice("anything")
    other = chosen_model([A], "llama", REAL)
    assert other.problem == "The server has no model 'llama'; it has qwen3-4b."
    assert model_choice.unknown_model("x", []) == "The server has no model 'x', nor any other."


def names(*given: str) -> list[ModelInfo]:
    return [ModelInfo(name) for name in given]


OLLAMA = Server("http://127.0.0.1:11434", ollama.DIALECT, "Ollama")
ORKLLM = Server("http://127.0.0.1:8000", orkllm.DIALECT, "oRKLLM")


@pytest.mark.parametrize("server", [OLLAMA, ORKLLM, PLAIN])
def test_a_server_that_wants_a_name_never_gets_an_empty_one(server: Server) -> None:
    several = names("a", "b")
    choice = chosen_model(several, None, server)
    assert choice.problem == (
        f"{server.name} has 2 models and wants one by name: choose it on the models "
        "screen or with --model NAME among a, b."
    )
    only = chosen_model(several[:1], None, server)
    assert (only.name, only.problem, only.reason) == ("a", None, "the only one")
    last = chosen_model(several, None, server, "b")
    assert (last.name, last.problem, last.reason) == ("b", None, "used last")
    assert chosen_model(several, None, server, "gone").problem is not None
    wanted = chosen_model(several, "A", server, "b")
    assert (wanted.name, wanted.problem, wanted.reason) == ("a", None, "asked for")


def test_without_a_list_the_last_one_is_asked_and_never_nothing() -> None:
    assert chosen_model([], None, OLLAMA, "b") == Choice("b")
    assert chosen_model([], None, OLLAMA).problem == (
        "Ollama wants a model by name and lists none: name one with --model NAME."
    )
    assert chosen_model([], None, PLAIN) == Choice("")


def test_what_is_loaded_goes_before_what_was_used_last() -> None:
    a, b, c = names("a", "b", "c")
    loaded = [replace(model, is_loaded=model.name != "c") for model in (a, b, c)]
    assert chosen_model(loaded, None, OLLAMA) == Choice("a")
    assert chosen_model(loaded, None, OLLAMA, "b") == Choice("b"), "several are loaded"
    assert chosen_model(loaded, None, OLLAMA, "c") == Choice("a")


def test_the_default_model_of_a_server_that_has_one_is_left_to_it() -> None:
    idle = [replace(model, is_loaded=False) for model in names("a", "b")]
    assert chosen_model(idle, None, REAL) == Choice("")
    assert chosen_model(idle, None, REAL, "b") == Choice("b")


def test_a_path_is_known_by_its_file() -> None:
    models = names(
        "Qwen3-4B/Qwen3-4B-w8a8-16k.rkllm", "gemma/gemma-3-1b-ctx4096.rkllm", "org/model"
    )
    for wanted in ("gemma-3-1b-ctx4096", "gemma-3-1b-CTX4096.rkllm", models[1].name):
        assert chosen_model(models, wanted, ORKLLM) == Choice(models[1].name)
    assert chosen_model(models, "model", ORKLLM) == Choice("org/model")
    problem = chosen_model(models, None, ORKLLM).problem
    assert problem is not None
    assert problem.endswith("among Qwen3-4B-w8a8-16k, gemma-3-1b-ctx4096, model.")


def test_the_near_names_are_told() -> None:
    models = names("qwen3-0.6b", "qwen3-4b", "gemma3-1b")
    said = model_choice.unknown_model("qwen3", models)
    assert said == "The server has no model 'qwen3'; did you mean 'qwen3-4b' or 'qwen3-0.6b'?"
    assert model_choice.unknown_model("gema3-1b", models).endswith("did you mean 'gemma3-1b'?")
    many = names(*(f"m{i}" for i in range(9)))
    assert model_choice.unknown_model("zzz", many).endswith("it has m0, m1, m2, m3, m4 and 4 more.")


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_no_choice_is_empty_where_a_name_is_wanted(kind: str) -> None:
    dialect = KINDS[kind]
    server = Server("http://127.0.0.1:1", dialect, dialect.name)
    for count in range(4):
        for loaded in (None, False, True):
            models = [ModelInfo(f"m{i}", is_loaded=loaded) for i in range(count)]
            choice = chosen_model(models, None, server)
            if not choice.name and choice.problem is None:
                assert not dialect.is_model_required
                assert count < 2 or not dialect.models.is_name_heeded


def test_a_server_that_ignores_the_name_is_not_asked_with_another_one() -> None:
    choice = chosen_model([A, B], "qwen3-4b", REAL)
    assert choice.problem is not None
    assert "qwen3-4b is not loaded, gemma3-1b is" in choice.problem
    assert "npulse models load qwen3-4b" in choice.problem
    assert chosen_model([A, B], "qwen3-4b", PLAIN) == Choice("qwen3-4b")
    assert chosen_model([A], "qwen3-4b", REAL) == Choice("qwen3-4b")
