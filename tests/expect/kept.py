"""Histories of answers with known parameters."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from tests.history.made import ORIGIN, SETTINGS
from tui.core.expect.past_answer import PastAnswer
from tui.core.types import GenerationSettings
from tui.history import writers, writing
from tui.history.database import transaction
from tui.history.records import Origin
from tui.history.token_times import pack_times
from tui.history.writer_process import this_process


def numbers_of(answer: PastAnswer) -> dict[str, object]:
    """As the history keeps them."""
    rate_tps = None if answer.ms_per_token is None else 1000 / answer.ms_per_token
    return {
        "ttft_ms": None if answer.ttft_s is None else answer.ttft_s * 1000,
        "ttft_source": "measured",
        "tokens_out": answer.tokens,
        "decode_tps": rate_tps,
        "decode_source": "measured",
        "prompt_tokens": answer.prompt_tokens,
        "prompt_estimate": answer.prompt_tokens,
        "new_prompt_estimate": answer.new_tokens,
        "conditions": answer.conditions.to_json_dict(),
    }


def keep(
    connection: sqlite3.Connection,
    answers: Iterable[PastAnswer],
    *,
    origin: Origin = ORIGIN,
    settings: GenerationSettings = SETTINGS,
) -> None:
    """Each in a conversation of its own, in this order."""
    writer = None
    for answer in answers:
        with transaction(connection):
            if writer is None:
                writer = writers.register_writer(connection, this_process())
            made_ms = answer.created_ms
            conversation = writing.add_conversation(connection, "made", made_ms)
            asked = writing.add_turn(connection, conversation, None, "user", "made", made_ms)
            number = writing.begin_answer(
                connection, conversation, asked, writer, origin, settings, made_ms
            )
            end = writing.FinishedAnswer(
                text="made",
                thinking="",
                status="complete" if answer.is_whole else "stopped",
                error=None,
                tokens=answer.tokens,
                decode_tps=None if answer.ms_per_token is None else 1000 / answer.ms_per_token,
                numbers=numbers_of(answer),
                times=pack_times(0, ()),
            )
            writing.finish_answer(connection, number, end)
