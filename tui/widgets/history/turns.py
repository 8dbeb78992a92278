"""Stored turns as a transcript shows them: a prompt with its answer, numbers and branches."""

from __future__ import annotations

from dataclasses import dataclass

from tui.core.screen.footer import result_line
from tui.core.turn.result import EndState
from tui.core.types import GenerationSettings
from tui.history.records import BranchPlace, OpenedConversation, StoredTurn
from tui.history.turn_json import stored_result


@dataclass(frozen=True, slots=True)
class Exchange:
    """A prompt and its answer. Ids are None where there is no such turn."""

    prompt_id: int | None
    answer_id: int | None
    prompt: str
    thinking: str = ""
    answer: str = ""
    footer: str = ""
    error: str | None = None
    state: EndState = "done"
    model: str = ""
    settings: GenerationSettings | None = None
    """Of the answer, where they are known."""


def exchanges(opened: OpenedConversation) -> list[Exchange]:
    """The turns of a branch, oldest first."""
    found: list[Exchange] = []
    prompt: StoredTurn | None = None
    for turn in opened.stored.turns:
        if turn.role == "user":
            if prompt is not None:
                found.append(_exchange(opened, prompt, None))
            prompt = turn
        else:
            found.append(_exchange(opened, prompt, turn))
            prompt = None
    if prompt is not None:
        found.append(_exchange(opened, prompt, None))
    return found


def _exchange(
    opened: OpenedConversation, prompt: StoredTurn | None, answer: StoredTurn | None
) -> Exchange:
    words = "" if prompt is None else prompt.text
    number = None if prompt is None else prompt.id
    if answer is None:
        footer = "no answer is kept"
        return Exchange(number, None, words, footer=f"{_place(opened, prompt, None).words}{footer}")
    branches = _place(opened, prompt, answer).words
    return Exchange(
        number,
        answer.id,
        words,
        thinking=answer.thinking,
        answer=answer.text,
        footer=f"{branches}{answer_line(answer)}",
        error=None if answer.error is None else answer.error.sentence,
        state=stored_result(answer).end_state,
        model="" if answer.origin is None else answer.origin.model,
        settings=answer.settings,
    )


def _place(
    opened: OpenedConversation, prompt: StoredTurn | None, answer: StoredTurn | None
) -> BranchPlace:
    """Their position among their alternatives."""

    def among(turn: StoredTurn | None) -> tuple[int, int] | None:
        same = () if turn is None else opened.siblings.get(turn.id, ())
        return (same.index(turn.id) + 1, len(same)) if turn is not None and same else None

    return BranchPlace(among(prompt), among(answer))


def answer_line(answer: StoredTurn) -> str:
    """The numbers of a stored answer in one line."""
    line = result_line(stored_result(answer))
    return f"still being written  {line}" if answer.status == "running" else line
