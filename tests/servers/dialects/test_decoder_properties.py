"""Any answer, split anywhere, is read the same, and nothing makes a decoder fail."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.servers.dialects.sent import chunk, sse
from tests.servers.exchanges import OPENAI, ROCKCHIP
from tests.servers.requests import (
    cuts,
    decoded,
    text_of,
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "choices",
                    "delta",
                    "content",
                    "message",
                    "error",
                    "detail",
                    "loc",
                    "msg",
                    "usage",
                    "finish_reason",
                    "text",
                    "role",
                    "completion_tokens",
                    "prompt_tokens",
                    "reasoning_content",
                    "status",
                    "input",
                ]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)


@pytest.mark.slow
@given(st.lists(JSON, max_size=5), st.lists(st.integers(0, 2000), max_size=8), st.booleans())
@settings(max_examples=300)
def test_any_json_in_any_split_never_raises(
    values: list[object], points: list[int], is_whole: bool
) -> None:
    stream = json.dumps(values[0]).encode() if is_whole and values else sse(*values)
    for dialect in (ROCKCHIP, OPENAI):
        whole, decoder = decoded(dialect, [stream])
        parts, in_parts = decoded(dialect, cuts(stream, points))
        assert parts == whole
        assert in_parts.nonsense == decoder.nonsense


@given(st.binary(max_size=400), st.lists(st.integers(0, 400), max_size=8))
@settings(max_examples=300)
def test_any_bytes_in_any_split_never_raise(stream: bytes, points: list[int]) -> None:
    for dialect in (ROCKCHIP, OPENAI):
        whole, _ = decoded(dialect, [stream])
        assert decoded(dialect, cuts(stream, points))[0] == whole


@given(st.text(max_size=60), st.lists(st.integers(0, 600), max_size=8))
def test_any_text_arrives_as_it_was_sent(text: str, points: list[int]) -> None:
    stream = sse(*(chunk(text[at : at + 3]) for at in range(0, len(text), 3)))
    assert text_of(decoded(ROCKCHIP, cuts(stream, points))[0]) == text
    raw = "".join(
        f"data: {json.dumps(chunk(text[at : at + 3]), ensure_ascii=False)}\r\n\r\n"
        for at in range(0, len(text), 3)
    ).encode("utf-8", "replace")
    expected = text.encode("utf-8", "replace").decode()
    assert text_of(decoded(ROCKCHIP, cuts(raw, points))[0]) == expected
