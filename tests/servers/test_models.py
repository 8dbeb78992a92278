"""Lists of models, names that tell something, and the order that a fragile server survives."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.servers.model_servers import PLAIN, REAL, ROCKCHIP
from tests.servers.raw_server import Wire, raw_server
from tests.servers.recordings import recorded
from tests.servers.rockchip_script import RockchipScript
from tui.core.types import ModelInfo
from tui.servers import model_choice, models
from tui.servers.client import Client
from tui.servers.connection_state import Server
from tui.servers.dialects import (
    llama_cpp,
    model_list,
    rkllm_demo,
    rockchipllama,
)
from tui.servers.dialects.names import context_in_name, quantisation_in_name


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
    found = model_list.parse_models({"/v1/models": {"data": rows}})
    contexts = [(m.context_tokens, m.is_context_guessed) for m in found]
    assert contexts == [(8192, False), (32768, True), (None, False)]
    assert [m.is_loaded for m in found] == [None] * 3
    (only,) = model_list.parse_models({"/v1/models": {"data": rows[:1]}})
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
    for parse in (rockchipllama.parse_models, model_list.parse_models):
        for model in parse(bodies):
            assert isinstance(model.name, str)
            assert model.size_bytes is None or model.size_bytes >= 0
