"""rkllama: OpenAI-shaped events and Ollama routes, port 8080; each model in a process of its own.

What sets it apart: a client that leaves kills the process of its model, so an answer is read to its
end; counts are the runtime's, but speeds are a million times too high and times may be ms or ns; an
answer whose thinking never closes is sent a second time; an error of the runtime comes as text.
"""

from __future__ import annotations

from collections.abc import Mapping

from tui.core.types import (
    ChatRequest,
    Delta,
    FailureDelta,
    FinishDelta,
    ModelInfo,
    TextDelta,
    UsageDelta,
)
from tui.servers.dialects import model_list, openai
from tui.servers.dialects.dialect import Answer, Dialect, Identity, Json, ModelRoutes
from tui.servers.dialects.limits import SettingLimit
from tui.servers.dialects.names import context_in_name, quantisation_in_name
from tui.servers.dialects.report import count, model_rows, refusal_words, size_bytes

NAME = "rkllama"
OWNER = "rkllama"
GREETING = "Welcome to RKLLama"
TASK_ERROR = "<RKLLM_TASK_ERROR>"
TIMEOUT_TEXT = "Aborted inference by Timeout"
MIN_REPLAY_PIECES = 8

LIMITS = (
    SettingLimit("temperature", 0.0),
    SettingLimit("top_p", 0.0, 1.0),
    SettingLimit("top_k", 1),
    SettingLimit("repeat_penalty", is_applied=False, note="dropped by this server"),
    SettingLimit("max_tokens", 1),
    SettingLimit("is_thinking", is_applied=False, note="set in the Modelfile of the model"),
)


def chat_body(request: ChatRequest) -> dict[str, Json]:
    """What its mapping to the runtime keeps; ``stream`` is off unless it is asked for."""
    return openai.body_without_usage(request)


class ChatDecoder:
    """Its events, without errors that come as text and without what is sent twice."""

    def __init__(self, request: ChatRequest) -> None:
        self._inner = openai.ChatDecoder(request, reported=_reported, has_pieces=True)
        self._replay = ReplayFilter()
        self._has_failed = False

    @property
    def nonsense(self) -> str | None:
        return self._inner.nonsense

    def feed(self, data: bytes) -> list[Delta]:
        return self._read(self._inner.feed(data))

    def held(self) -> list[Delta]:
        return []

    def close(self) -> list[Delta]:
        deltas = self._read(self._inner.close())
        return [*(TextDelta(text) for text in self._replay.rest()), *deltas]

    def _read(self, deltas: list[Delta]) -> list[Delta]:
        found: list[Delta] = []
        for delta in deltas:
            if self._has_failed:
                break
            if not isinstance(delta, TextDelta):
                if isinstance(delta, FinishDelta):
                    found += [TextDelta(text) for text in self._replay.rest()]
                found.append(delta)
            elif TASK_ERROR in delta.text or delta.text.strip().startswith(TIMEOUT_TEXT):
                self._has_failed = True
                # What stands before it in the same piece is left over from the answer.
                left, _, said = delta.text.rpartition(TASK_ERROR)
                found += [TextDelta(text) for text in (self._replay.feed(left) if left else ())]
                said = said.strip() or "the RKLLM runtime reported an error"
                found.append(FailureDelta(said))
            else:
                found += [TextDelta(text) for text in self._replay.feed(delta.text)]
        return found


class ReplayFilter:
    """Drops the second copy of an answer whose thinking never closed.

    The copy has the same pieces from the first one on. Pieces that may belong to it are held back
    until it is clear: a few, and only while each equals the one at its place.
    """

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._n_same = 0
        self._is_replay = False
        self._has_closed = False

    def feed(self, piece: str) -> list[str]:
        """What is new."""
        if self._has_closed:
            return [piece]
        is_same = self._n_same < len(self._pieces) and piece == self._pieces[self._n_same]
        # A copy begins with the opening tag: any other piece may come again by itself.
        if is_same and (self._n_same or piece.strip() == "<think>"):
            self._n_same += 1
            self._is_replay = self._is_replay or self._n_same >= MIN_REPLAY_PIECES
            return []
        if self._is_replay:
            return []
        return self._kept([*self.rest(), piece])

    def rest(self) -> list[str]:
        """What was held back and is no copy after all."""
        if self._is_replay:
            return []
        held, self._n_same = self._pieces[: self._n_same], 0
        return held

    def _kept(self, pieces: list[str]) -> list[str]:
        self._pieces += pieces
        self._has_closed = any("</think>" in piece for piece in pieces) or (
            "<think>" not in self._pieces[0]
        )
        if self._has_closed:
            self._pieces.clear()
        return pieces


def _reported(chunk: Mapping[str, Json]) -> UsageDelta | None:
    """Counts of the runtime. ``tokens_per_second`` is tokens * 10^6 / ms where the server divides
    milliseconds as if they were nanoseconds: that gives the time of decoding back."""
    usage = chunk.get("usage")
    if not isinstance(usage, dict):
        return None
    tokens_out = count(usage.get("completion_tokens"))
    if tokens_out is None:
        return None
    speed = usage.get("tokens_per_second")
    decode_ms = None
    if isinstance(speed, int | float) and not isinstance(speed, bool) and speed > 0:
        decode_ms = tokens_out * 1e3 / (speed / 1e6 if speed > 1e4 else speed)
    return UsageDelta(
        tokens_in=count(usage.get("prompt_tokens")), tokens_out=tokens_out, decode_ms=decode_ms
    )


def identify(answers: Mapping[str, Answer]) -> Identity | None:
    """Its greeting, or its name in the list of models."""
    root = answers.get("/")
    body = root.json if root is not None else None
    if isinstance(body, dict) and str(body.get("message", "")).startswith(GREETING):
        return Identity(NAME)
    return Identity(NAME) if model_list.is_owned_by(answers, OWNER) else None


def parse_models(bodies: Mapping[str, Json]) -> tuple[ModelInfo, ...]:
    """Names from ``/v1/models``, sizes from ``/api/tags``, what is loaded from ``/api/ps``."""
    sizes = {
        name: size_bytes(row.get("size"))
        for name, row in model_rows(bodies.get("/api/tags")).items()
    }
    loaded = model_rows(bodies.get("/api/ps"))
    models = []
    for row in model_list.model_rows(bodies.get("/v1/models")):
        name = str(row["id"])
        quantisation, context = quantisation_in_name(name), context_in_name(name)
        models.append(
            ModelInfo(
                name=name,
                size_bytes=sizes.get(name),
                is_loaded=name in loaded if "/api/ps" in bodies else None,
                quantisation=quantisation,
                is_quantisation_guessed=quantisation is not None,
                context_tokens=context,
                is_context_guessed=context is not None,
            )
        )
    return tuple(models)


def _done(answer: Answer) -> str | None:
    body = answer.json if isinstance(answer.json, dict) else {}
    if answer.is_ok and "error" not in body:
        return None
    said = refusal_words(answer)
    # Loading what is loaded answers with an error and status 200.
    return None if answer.is_ok and "already loaded" in said else said


DIALECT = Dialect(
    name=NAME,
    identify=identify,
    chat_path="/v1/chat/completions",
    chat_body=chat_body,
    decoder=ChatDecoder,
    chunk_meaning="token",
    limits=LIMITS,
    is_stopped_by_disconnect=False,
    models=ModelRoutes(
        list_paths=("/v1/models", "/api/tags", "/api/ps"),
        parse_list=parse_models,
        load_path="/load_model",
        load_body=lambda name: {"model_name": name},
        parse_load=_done,
        unload_path="/unload_model",
        unload_body=lambda name: {"model_name": name},
        parse_unload=_done,
        idle_unload_s=1800.0,
        context_in_use=lambda model: model.context_tokens or 4096,
    ),
    is_model_required=True,
    is_model_lost_by_disconnect=True,
    notes=("Leaving an answer kills the process of its model here: npulse reads it to its end.",),
)
