"""Sentences about failures: one line, bounded, without anything that a terminal obeys."""

from __future__ import annotations

import json

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.core.text.sanitize import is_forbidden
from tui.core.types import TurnError
from tui.servers import errors
from tui.servers.dialects import error_text

URL = "http://127.0.0.1:8021"


def check(error: TurnError) -> None:
    assert 0 < len(error.sentence) <= errors.MAX_SENTENCE_CHARS
    assert "\n" not in error.sentence
    assert not any(is_forbidden(char) for char in error.sentence)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"error": {"message": "a", "type": "b", "code": 400}}, "a"),
        ({"error": "a"}, "a"),
        ({"detail": "a"}, "a"),
        ({"detail": [{"loc": ["body", "top_k"], "msg": "m", "input": 0}]}, "top_k: m (sent 0)"),
        (
            {"detail": [{"loc": ["body", "a"], "msg": "x"}, {"loc": ["body"], "msg": "y"}]},
            "a: x; the body: y",
        ),
        ({"status": "error", "message": "a"}, "a"),
        ({"statusCode": 400, "code": "FST_ERR", "error": "Bad Request", "message": "a"}, "a"),
        ({"error": {"error": {"message": "deep"}}}, "deep"),
        ({"detail": {"message": "a"}}, "a"),
        ({"detail": ""}, None),
        ({"error": None}, None),
        ({}, None),
        ([], None),
        ("a", "a"),
        (7, None),
        (None, None),
        ({"error": {"message": "two\nlines\x1b[2J\u202e"}}, "two lines␛[2J�"),
    ],
)
def test_shapes(body: object, said: str | None) -> None:
    assert error_text.readable_error(body) == said


@pytest.mark.parametrize(
    ("text", "content_type", "said"),
    [
        ('{"detail":"a"}', "application/json", "a"),
        ('\ufeff{"detail":"a"}', "application/json", "a"),
        ("<html><title>502 Bad\n Gateway</title>", "text/html", "a web page: 502 Bad Gateway"),
        ("<h1>Oops</h1><script>alert(1)</script>", "", "a web page: Oops"),
        ("<TITLE lang=en>Sign\nin</Title>", "text/html", "a web page: Sign in"),
        ("<style>p{}</style><p>Hi<b>you", "text/html", "a web page: Hi you"),
        ("<" * 300_000, "text/html", "a web page: an empty web page"),
        ("<html></html>", "text/html", "a web page: an empty web page"),
        ("plain words", "text/plain", "plain words"),
        ("", "application/json", None),
    ],
)
def test_bodies(text: str, content_type: str, said: str | None) -> None:
    found = error_text.body_message(text, content_type)
    assert found == said


@given(
    st.text(max_size=300),
    st.integers(100, 599),
    st.sampled_from(["text/html", "", "application/json"]),
)
def test_any_body_makes_a_safe_sentence(text: str, status: int, content_type: str) -> None:
    check(errors.http_status(URL, status, content_type, text, retry_after=text[:50]))


@given(
    st.recursive(
        st.none() | st.text(max_size=20) | st.integers() | st.floats(),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(st.sampled_from(["error", "detail", "message", "loc", "msg"]), inner)
        ),
    )
)
def test_any_json_makes_a_safe_message(body: object) -> None:
    said = error_text.readable_error(body)
    assert said is None or (said and len(said) <= error_text.MAX_SERVER_CHARS)
    assert not any(is_forbidden(char) for char in said or "")


def test_deep_nesting_is_no_trouble() -> None:
    for text in ("[" * 900 + "]" * 900, '{"error":' * 900 + "1" + "}" * 900):
        assert error_text.readable_error(json.loads(text)) is None


@given(st.text(max_size=200))
def test_every_other_sentence_is_safe_too(text: str) -> None:
    for error in (
        errors.cut(URL, 3, text),
        errors.cut(URL, 0, text),
        errors.nonsense(URL, text),
        errors.not_http(URL, text),
        errors.internal(ValueError(text)),
        errors.refused_setting(text or "x"),
        errors.transport(httpx.ConnectError(text), URL, 5.0),
        errors.transport(httpx.ReadError(text), URL, 5.0),
        errors.transport(httpx.RemoteProtocolError(text), URL, 5.0),
        errors.transport(httpx.UnsupportedProtocol(text), URL, 5.0),
    ):
        assert len(error.sentence) <= errors.MAX_SENTENCE_CHARS
        assert not any(is_forbidden(char) or char == "\n" for char in error.sentence)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.3, "0.3 s"),
        (5, "5 s"),
        (90, "90 s"),
        (100.4, "100 s"),
        (120, "2 min"),
        (3600, "1 h"),
        (5400, "90 min"),
    ],
)
def test_durations(seconds: float, words: str) -> None:
    assert errors.duration(seconds) == words
