"""Histories with something in them."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path

from tui.core.types import GenerationSettings, TurnError, TurnStatus
from tui.history import writers, writing
from tui.history.database import FILE_NAME, open_for_writing, transaction
from tui.history.records import Origin
from tui.history.token_times import pack_times
from tui.history.writer_process import WriterProcess, this_process

ORIGIN = Origin("qwen3-4b", "RockchipLlama", "rockchipllama", url="http://127.0.0.1:8021")
SETTINGS = GenerationSettings()
DEAD = WriterProcess(2**22 + 1, 1, "another boot")
"""A process that is gone."""


def opened(folder: Path) -> sqlite3.Connection:
    return open_for_writing(folder / FILE_NAME)


def end(
    text: str,
    times_ns: Sequence[int] = (),
    status: TurnStatus = "complete",
    error: TurnError | None = None,
    tokens: int | None = None,
) -> writing.FinishedAnswer:
    return writing.FinishedAnswer(
        text=text,
        thinking="",
        status=status,
        error=error,
        tokens=tokens,
        decode_tps=3.125,
        numbers={"ttft_ms": 1250.0, "ttft_source": "measured", "tokens_out": tokens},
        times=pack_times(0, times_ns),
    )


def add_exchange(
    connection: sqlite3.Connection,
    prompt: str,
    answer: str,
    *,
    conversation: int | None = None,
    parent: int | None = None,
    created_ms: int = 1_700_000_000_000,
    origin: Origin = ORIGIN,
    tokens: int | None = 12,
) -> tuple[int, int, int]:
    """A prompt and its whole answer: (conversation, prompt, answer)."""
    with transaction(connection):
        if conversation is None:
            conversation = writing.add_conversation(
                connection, writing.title_of(prompt), created_ms
            )
        asked = writing.add_turn(connection, conversation, parent, "user", prompt, created_ms)
        number = begin(connection, conversation, asked, created_ms=created_ms, origin=origin)
        writing.finish_answer(connection, number, end(answer, tokens=tokens))
    return conversation, asked, number


def begin(
    connection: sqlite3.Connection,
    conversation: int,
    prompt: int,
    *,
    by: WriterProcess | None = None,
    created_ms: int = 1_700_000_000_000,
    origin: Origin = ORIGIN,
) -> int:
    """An answer that runs."""
    writer = writers.register_writer(connection, by or this_process())
    return writing.begin_answer(
        connection, conversation, prompt, writer, origin, SETTINGS, created_ms
    )
