"""What an empty transcript says in each state of server and model."""

from __future__ import annotations

from dataclasses import replace

from tui.core.screen.headline import Headline
from tui.core.screen.keys.table import default_keys
from tui.core.screen.notices import notice_lines

READY = Headline(server_state="ready", server="oRKLLM :8000", model="qwen3-4b")


def said(line: Headline, *notes: str) -> str:
    return "\n".join(notice_lines(line, ("127.0.0.1:8000",), default_keys(), notes))


def with_(**changes: object) -> Headline:
    return replace(READY, **changes)  # type: ignore[arg-type]


def test_a_model_that_is_ready_or_comes_with_the_first_prompt() -> None:
    assert "qwen3-4b is ready on oRKLLM :8000." in said(READY)
    assert "is ready" in said(with_(is_model_loaded=None))
    assert "qwen3-4b is loaded with the first prompt on" in said(with_(is_model_loaded=False))


def test_without_a_model_it_is_told_what_a_prompt_does() -> None:
    assert "loads the server's default model" in said(with_(model=None))
    unknown = said(with_(model=None, no_model="model not known"))
    assert "goes to the model that the server chooses" in unknown
    chosen = said(with_(model=None, no_model="no model chosen"), "oRKLLM has 2 models.")
    assert "oRKLLM has 2 models." in chosen
    assert "a prompt" not in chosen


def test_what_stopping_does_is_told() -> None:
    assert "stop the answer" in said(READY)
    assert "stop; the server continues" in said(with_(is_stop_heeded=False))


def test_what_is_to_be_known_of_a_server_is_told_in_every_state() -> None:
    for line in (READY, with_(model=None), with_(server_state="gone")):
        assert "Also answering: Ollama :11434" in said(line, "Also answering: Ollama :11434")
