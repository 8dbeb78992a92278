"""Requests and helpers that many tests share."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from time import perf_counter_ns

from tui.core.turn.turn import Turn
from tui.core.types import (
    ChatRequest,
    Delta,
    FinishDelta,
    GenerationSettings,
    Message,
    TextDelta,
    ThinkingDelta,
)
from tui.servers.dialects.dialect import Dialect, StreamDecoder

USUAL = GenerationSettings()


def request(
    prompt: str = "hello", model: str = "qwen3-4b", settings: GenerationSettings = USUAL
) -> ChatRequest:
    """A request with one user message."""
    return ChatRequest(model, (Message("user", prompt),), settings)


def new_turn(asked: ChatRequest | None = None) -> Turn:
    return Turn(asked or request(), perf_counter_ns())


def decoded(dialect: Dialect, pieces: Sequence[bytes]) -> tuple[list[Delta], StreamDecoder]:
    """All deltas of a stream that arrives in these pieces."""
    decoder = dialect.decoder(request())
    deltas: list[Delta] = []
    for piece in pieces:
        deltas += decoder.feed(piece)
    deltas += decoder.close()
    return deltas, decoder


def text_of(deltas: Sequence[Delta]) -> str:
    return "".join(d.text for d in deltas if isinstance(d, TextDelta))


def thinking_of(deltas: Sequence[Delta]) -> str:
    return "".join(d.text for d in deltas if isinstance(d, ThinkingDelta))


def finish_of(deltas: Sequence[Delta]) -> list[str | None]:
    return [d.reason for d in deltas if isinstance(d, FinishDelta)]


def cuts(data: bytes, points: Sequence[int]) -> list[bytes]:
    """``data`` in the pieces between these points."""
    edges = [0, *sorted({point % (len(data) + 1) for point in points}), len(data)]
    return [data[a:b] for a, b in itertools.pairwise(edges) if a < b]
