"""Lists of models, names that tell something, and the order that a fragile server survives."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.servers.raw_server import Wire, free_port, raw_server
from tests.servers.recordings import recorded
from tests.servers.rockchip_script import RockchipScript
from tui.core.types import ModelInfo
from tui.servers import model_choice, models
from tui.servers.choice import Choice
from tui.servers.client import Client, PhaseTimeouts
from tui.servers.connection_state import Server
from tui.servers.detect import KINDS
from tui.servers.dialects import (
    llama_cpp,
    ollama,
    openai,
    orkllm,
    rkllama,
    rkllm_demo,
    rockchipllama,
)
from tui.servers.dialects.names import context_in_name, quantisation_in_name
from tui.servers.model_choice import chosen_model

ROCKCHIP, OPENAI = rockchipllama.DIALECT, openai.DIALECT
REAL = Server("http://127.0.0.1:8021", ROCKCHIP, "RockchipLlama")
SIMULATED = Server("http://127.0.0.1:8021", ROCKCHIP, "RockchipLlama", is_simulated=True)
PLAIN = Server("http://127.0.0.1:8080", OPENAI, "OpenAI-compatible")
QUICK = PhaseTimeouts(connect_s=1.0, query_s=0.5, load_s=20.0)
GIB = 2**30


@pytest.mark.parametrize(
    ("name", "quantisation", "context"),
    [
        ("Qwen3-4B-Instruct-2507-rk3588-w8a8-opt-0-hybrid-ratio-0.0-16k.rkllm", "w8a8", 16384),
        ("gemma-3-1b-it-w4a16_g128-ctx2048.rkllm", "w4a16_g128", 2048),
        ("qwen3-0.6b-w8a8_g512-ctx16384", "w8a8_g512", 16384),
        ("Qwen3-4B-Q4_K_M.gguf", "q4_k_m", None),
        ("llama-IQ3_XXS.gguf", "iq3_xxs", None),
        ("model-q8.gguf", "q8", None),
        ("model-bf16-8K", "bf16", 8192),
        ("qwen3-4b", None, None),
        ("tiny.rkllm", None, None),
        ("0.5k-steps", None, None),
        ("ctx0", None, None),
    ],
)
def test_names(name: str, quantisation: str | None, context: int | None) -> None:
    assert quantisation_in_name(name) == quantisation
    assert context_in_name(name) == context


def test_recorded_lists() -> None:
    bodies = {}
    import json

    for one in recorded("rockchipllama", "02-models"):
        if one.status == 200 and one.path.startswith("/v1/models"):
            bodies[one.path] = json.loads(one.body)
    (model,) = rockchipllama.parse_models(bodies)
    assert model == ModelInfo(
        name="qwen3-4b-instruct-2507",
        file_name="Qwen3-4B-Instruct-2507-rk3588-w8a8-opt-0-hybrid-ratio-0.0-16k.rkllm",
        size_bytes=None,
        is_loaded=False,
        quantisation="w8a8",
        is_quantisation_guessed=True,
        context_tokens=16384,
        is_context_guessed=True,
    )


async def test_lists_are_merged() -> None:
    async with raw_server(RockchipScript()) as server, Client(server.url, ROCKCHIP) as client:
        found = await models.list_models(client)
    assert [model.name for model in found] == ["qwen3-4b", "gemma3-1b", "tiny"]
    assert [model.is_loaded for model in found] == [True, False, False]
    assert found[0].size_bytes == round(4367.83 * 2**20)
    assert found[2].size_bytes is None


async def test_what_only_one_route_says() -> None:
    async def script(wire: Wire) -> None:
        if wire.asked.path == "/v1/models":
            await wire.json({"data": [{"id": "a"}, {"id": "b"}, {"no": "id"}, 7]})
        elif wire.asked.path == "/v1/models/loaded":
            await wire.json({"loaded": True, "model_name": "elsewhere", "model_path": "/x"})
        else:
            await wire.reply(500, b"<h1>no</h1>", "text/html")

    async with raw_server(script) as server, Client(server.url, ROCKCHIP) as client:
        found = await models.list_models(client)
    assert [(m.name, m.is_loaded) for m in found] == [
        ("a", False),
        ("b", False),
        ("elsewhere", True),
    ]


LISTED = {"data": [{"id": "a"}, {"id": "b"}]}
FILES = {"models": [{"name": "a", "loaded": True}, {"name": "b", "loaded": False}]}


@pytest.mark.parametrize(
    ("bodies", "is_loaded"),
    [
        ({"/v1/models": LISTED}, [None, None]),
        ({"/v1/models": LISTED, "/v1/models/loaded": {"detail": "no"}}, [None, None]),
        ({"/v1/models": LISTED, "/v1/models/available": FILES}, [True, False]),
        ({"/v1/models": LISTED, "/v1/models/loaded": {"loaded": False}}, [False, False]),
        (
            {"/v1/models": LISTED, "/v1/models/available": {"models": [{"name": "a"}]}},
            [None, None],
        ),
    ],
    ids=["names only", "an answer that says nothing", "flags", "none", "files without flags"],
)
def test_what_nobody_says_of_a_loaded_model_is_unknown(
    bodies: dict[str, object], is_loaded: list[bool | None]
) -> None:
    found = rockchipllama.parse_models(bodies)
    assert [model.is_loaded for model in found] == is_loaded
    server = Server("http://x:1", ROCKCHIP, "RockchipLlama")
    is_unknown = is_loaded == [None, None]
    assert model_choice.has_to_load(found, "", server) == (is_loaded == [False, False])
    assert model_choice.loaded_model(found) is None or not is_unknown


def test_plain_servers_may_say_the_context() -> None:
    rows = [
        {"id": "a-Q4_K_M", "max_model_len": 8192},
        {"id": "b-32k"},
        {"id": "c", "max_model_len": "x"},
    ]
    found = openai.parse_models({"/v1/models": {"data": rows}})
    contexts = [(m.context_tokens, m.is_context_guessed) for m in found]
    assert contexts == [(8192, False), (32768, True), (None, False)]
    assert [m.is_loaded for m in found] == [None] * 3
    (only,) = openai.parse_models({"/v1/models": {"data": rows[:1]}})
    assert only.is_loaded is None, "listed is not loaded"
    assert model_choice.load_word(only) == "listed"
    for dialect in (llama_cpp.DIALECT, rkllm_demo.DIALECT):
        (only,) = dialect.models.parse_list({"/v1/models": {"data": rows[:1]}})
        assert only.is_loaded, "a server that is started with its model keeps it"


def test_context_in_use_is_what_the_server_gives() -> None:
    def in_use(model: ModelInfo, server: Server) -> ModelInfo:
        return model_choice.with_context_in_use(model, server.dialect)

    raw = ModelInfo("a", "a-16k.rkllm", context_tokens=16384, is_context_guessed=True)
    long = in_use(raw, REAL)
    assert (long.context_tokens, long.is_context_guessed) == (4096, False)
    assert long.promised_context_tokens == 16384
    note = model_choice.context_note(long, REAL)
    assert note is not None
    assert "unless the name holds ctx16384" in note
    assert in_use(long, REAL) == long
    demo = Server("http://127.0.0.1:8080", rkllm_demo.DIALECT, "Rockchip demo")
    note = model_choice.context_note(in_use(raw, demo), demo)
    assert note is not None
    assert note.endswith("but Rockchip demo uses 4096.")
    exact = in_use(
        ModelInfo("b", "b-ctx16384.rkllm", context_tokens=16384, is_context_guessed=True), REAL
    )
    assert exact.context_tokens == 16384
    assert model_choice.context_note(exact, REAL) is None
    plain = ModelInfo("c", context_tokens=None)
    assert in_use(plain, PLAIN).context_tokens is None


@given(
    st.dictionaries(
        st.sampled_from(["/v1/models", "/v1/models/available", "/v1/models/loaded"]),
        st.recursive(
            st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(
                    st.sampled_from(
                        [
                            "data",
                            "id",
                            "models",
                            "name",
                            "filename",
                            "size_mb",
                            "loaded",
                            "model_name",
                        ]
                    ),
                    inner,
                    max_size=4,
                )
            ),
            max_leaves=12,
        ),
    )
)
def test_any_answers_make_a_list(bodies: dict[str, object]) -> None:
    for parse in (rockchipllama.parse_models, openai.parse_models):
        for model in parse(bodies):
            assert isinstance(model.name, str)
            assert model.size_bytes is None or model.size_bytes >= 0


# -- which one to ask ----------------------------------------------------------------------------

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


async def test_a_load_beside_a_loaded_one_and_an_unload_by_name() -> None:
    """rkllama keeps several models, and unloads the one that is named."""
    loaded = ["a"]
    posted: list[tuple[str, object]] = []

    async def script(wire: Wire) -> None:
        path = wire.asked.path
        if wire.asked.method == "POST":
            posted.append((path, wire.asked.json))
            name = str(wire.asked.json["model_name"])
            loaded.remove(name) if path == "/unload_model" else loaded.append(name)
            await wire.json({"message": "done"})
        elif path == "/v1/models":
            await wire.json({"data": [{"id": "a"}, {"id": "b"}]})
        else:
            rows = loaded if path == "/api/ps" else ["a", "b"]
            await wire.json({"models": [{"name": name, "size": GIB} for name in rows]})

    async with raw_server(script) as server, Client(server.url, rkllama.DIALECT) as client:
        change = await models.load(client, "b")
        assert change.is_done, change.sentence
        assert [model.is_loaded for model in change.models] == [True, True]
        change = await models.unload(client, name="a")
        assert (change.is_done, change.sentence) == (True, "a is unloaded.")
    assert posted == [("/load_model", {"model_name": "b"}), ("/unload_model", {"model_name": "a"})]


# -- changing ------------------------------------------------------------------------------------


async def test_switching_unloads_first() -> None:
    script = RockchipScript(loaded="qwen3-4b")
    steps: list[str] = []
    async with raw_server(script) as server, Client(server.url, ROCKCHIP, QUICK) as client:
        change = await models.load(client, "gemma3-1b", steps.append)
    assert change.is_done, change.sentence
    assert steps == ["unloading qwen3-4b", "loading gemma3-1b"]
    assert script.loaded == "gemma3-1b"
    assert not script.hung
    assert model_choice.loaded_model(change.models) == model_choice.find_model(
        "gemma3-1b", change.models
    )


async def test_an_unknown_name_is_never_sent() -> None:
    script = RockchipScript(loaded="qwen3-4b")
    async with raw_server(script) as server, Client(server.url, ROCKCHIP, QUICK) as client:
        change = await models.load(client, "gemma3-1bb")
    assert not change.is_done
    assert "did you mean 'gemma3-1b'?" in change.sentence
    assert not any("POST" in call for call in script.calls)
    assert script.loaded == "qwen3-4b"


async def test_loading_the_loaded_one_does_nothing() -> None:
    script = RockchipScript(loaded="qwen3-4b")
    async with raw_server(script) as server, Client(server.url, ROCKCHIP, QUICK) as client:
        change = await models.load(client, "qwen3-4b")
    assert change.is_done
    assert not any("POST" in call for call in script.calls)


async def test_too_big_is_not_tried_unless_forced() -> None:
    script = RockchipScript(loaded=None)
    async with raw_server(script) as server, Client(server.url, ROCKCHIP, QUICK) as client:
        change = await models.load(client, "qwen3-4b", available_bytes=GIB)
        assert (change.is_done, change.is_memory_problem) == (False, True)
        assert "It does not fit: it needs up to" in change.sentence
        assert script.loaded is None
        assert (await models.load(client, "qwen3-4b", available_bytes=GIB, is_forced=True)).is_done


async def test_the_memory_of_the_loaded_one_counts_as_free() -> None:
    script = RockchipScript(loaded="qwen3-4b")
    async with raw_server(script) as server, Client(server.url, ROCKCHIP, QUICK) as client:
        assert (await models.load(client, "gemma3-1b", available_bytes=1)).is_done


async def test_unload() -> None:
    script = RockchipScript(loaded="qwen3-4b")
    async with raw_server(script) as server, Client(server.url, ROCKCHIP, QUICK) as client:
        change = await models.unload(client)
        assert (change.is_done, change.sentence) == (True, "qwen3-4b is unloaded.")
        assert model_choice.loaded_model(change.models) is None
        change = await models.unload(client)
        assert (change.is_done, change.sentence) == (True, "No model is loaded.")


async def test_a_load_that_takes_longer_than_a_question() -> None:
    script = RockchipScript(loaded=None, load_s=1.5)
    async with raw_server(script) as server, Client(server.url, ROCKCHIP, QUICK) as client:
        assert (await models.load(client, "gemma3-1b")).is_done


async def test_a_load_that_fails_says_why() -> None:
    class Fails(RockchipScript):
        async def load(self, wire: Wire) -> None:
            await wire.json({"detail": "Failed to load model: rkllm_init returned -1\x1b[2J"}, 500)

    script = Fails(loaded=None)
    async with raw_server(script) as server, Client(server.url, ROCKCHIP, QUICK) as client:
        change = await models.load(client, "gemma3-1b")
    assert not change.is_done
    assert "rkllm_init returned -1" in change.sentence
    assert "\x1b" not in change.sentence


async def test_a_load_that_only_claims_success() -> None:
    class Lies(RockchipScript):
        async def load(self, wire: Wire) -> None:
            await wire.json({"success": True, "message": "ok"})

    async with raw_server(Lies(loaded=None)) as server, Client(server.url, ROCKCHIP) as client:
        change = await models.load(client, "gemma3-1b")
    assert not change.is_done
    assert "but has none" in change.sentence


async def test_plain_servers_cannot_be_told() -> None:
    async def script(wire: Wire) -> None:
        await wire.json({"data": [{"id": "m"}]})

    async with raw_server(script) as server, Client(server.url, OPENAI) as client:
        assert "on request" in (await models.load(client, "m")).sentence
        assert "on request" in (await models.unload(client)).sentence


async def test_nobody_there() -> None:
    async with Client(f"http://127.0.0.1:{free_port()}", ROCKCHIP) as client:
        assert "connection refused" in (await models.load(client, "m")).sentence
        assert "connection refused" in (await models.unload(client)).sentence
