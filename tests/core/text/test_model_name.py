"""How the name of a model is said."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.core.text.model_name import spoken_name


@pytest.mark.parametrize(
    ("name", "spoken"),
    [
        ("qwen3-4b", "qwen3-4b"),
        ("qwen3-4b-q8_0.gguf", "qwen3-4b-q8_0.gguf"),
        ("Qwen3-4B/Qwen3-4B-w8a8.rkllm", "Qwen3-4B-w8a8"),
        ("a/b/c.gguf", "c"),
        ("meta-llama/Llama-3.1-8B", "Llama-3.1-8B"),
        ("hf.co/x/y:Q4", "y:Q4"),
        ("x/.rkllm", "x/.rkllm"),
        ("x/", "x"),
        ("/", "/"),
        ("", ""),
    ],
)
def test_of_a_path_the_file(name: str, spoken: str) -> None:
    assert spoken_name(name) == spoken


@given(st.text())
def test_something_is_always_left(name: str) -> None:
    assert bool(spoken_name(name)) == bool(name)
