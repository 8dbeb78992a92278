"""What each kind of server cannot do, told from its row."""

from __future__ import annotations

import pytest

from tui.servers.capabilities import (
    ignored_settings,
    limits_of,
    unload_note,
    why_no_load,
    why_no_unload,
)
from tui.servers.detect import KINDS, kind_of


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_limit_is_a_sentence_with_its_reason(kind: str) -> None:
    dialect = KINDS[kind]
    assert kind_of(dialect) == kind
    for sentence in limits_of(dialect):
        assert sentence.endswith(".")
        assert "()" not in sentence
        assert ": ." not in sentence
    assert all(ignored_settings(dialect).values()), "each ignored setting has its reason"
    for why, path in (
        (why_no_load(dialect), dialect.models.load_path),
        (why_no_unload(dialect), dialect.models.unload_path),
    ):
        assert (why is None) == (path is not None)
    said = " ".join(limits_of(dialect))
    assert ("continues in the server" in said) != dialect.is_stopped_by_disconnect


def test_what_is_said_of_some() -> None:
    said = limits_of(KINDS["rockchipllama"])
    assert said[0] == (
        "No effect here: temperature, top_p, top_k, repeat penalty "
        "(checked, then ignored by this server)."
    )
    assert "oRKLLM cannot load or unload a model on request" in " ".join(limits_of(KINDS["orkllm"]))
    assert unload_note(KINDS["ollama"]) == (
        "It unloads a model by itself after 5 min without a prompt."
    )
    assert unload_note(KINDS["llama.cpp"]) is None
