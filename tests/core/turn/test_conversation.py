from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.turn.turns import Feeder
from tui.core.turn.conversation import Conversation
from tui.core.turn.result import TurnResult, result_of
from tui.core.types import DoneDelta, FailureDelta, GenerationSettings, Message

PLAIN = GenerationSettings()
WITH_SYSTEM = GenerationSettings(system_prompt="Be brief.")


def answer(text: str) -> TurnResult:
    feeder = Feeder().text(text).deltas(DoneDelta())
    return result_of(feeder.turn, feeder.t_ns)


def stopped(text: str) -> TurnResult:
    feeder = Feeder().text(*([text] if text else []))
    feeder.turn.stop(feeder.t_ns)
    return result_of(feeder.turn, feeder.t_ns)


def failed(text: str) -> TurnResult:
    feeder = Feeder().text(*([text] if text else [])).deltas(FailureDelta("NPU lost"))
    return result_of(feeder.turn, feeder.t_ns)


def test_the_first_prompt() -> None:
    conversation = Conversation()
    assert conversation.messages_for("hi", PLAIN) == (Message("user", "hi"),)
    assert conversation.messages_for("hi", WITH_SYSTEM) == (
        Message("system", "Be brief."),
        Message("user", "hi"),
    )
    blank = replace(PLAIN, system_prompt=" \n")
    assert conversation.messages_for("hi", blank) == (Message("user", "hi"),)


def test_answers_go_back_without_thinking() -> None:
    conversation = Conversation()
    conversation.add("a?", answer("<think>hm</think>A."))
    assert conversation.messages_for("b?", PLAIN) == (
        Message("user", "a?"),
        Message("assistant", "A."),
        Message("user", "b?"),
    )
    assert conversation.exchanges[0].result.thinking == "hm"


@pytest.mark.parametrize("result", [stopped("A par"), failed("A par")])
def test_a_part_of_an_answer_goes_back_as_it_is(result: TurnResult) -> None:
    conversation = Conversation()
    conversation.add("a?", result)
    assert conversation.messages_for("b?", PLAIN)[1] == Message("assistant", "A par")


@pytest.mark.parametrize(
    "result", [stopped(""), failed(""), answer("<think>only"), answer("\n"), stopped("<think>hm")]
)
def test_a_prompt_without_an_answer_is_left_out(result: TurnResult) -> None:
    conversation = Conversation()
    conversation.add("a?", answer("A."))
    conversation.add("lost?", result)
    messages = conversation.messages_for("b?", PLAIN)
    assert [message.content for message in messages] == ["a?", "A.", "b?"]
    assert len(conversation) == 2
    assert conversation.last_answer == "A."


def test_an_error_is_never_sent_back() -> None:
    conversation = Conversation()
    conversation.add("a?", failed(""))
    conversation.add("b?", failed("B"))
    sent = " ".join(message.content for message in conversation.messages_for("c?", PLAIN))
    assert "NPU" not in sent
    assert "error" not in sent


def test_asking_again() -> None:
    conversation = Conversation()
    assert conversation.drop_last() is None
    conversation.add("a?", answer("A."))
    conversation.add("b?", answer("B."))
    dropped = conversation.drop_last()
    assert dropped is not None
    assert dropped.prompt == "b?"
    assert [m.content for m in conversation.messages_for(dropped.prompt, PLAIN)] == [
        "a?",
        "A.",
        "b?",
    ]
    conversation.add(dropped.prompt, dropped.result)
    assert conversation.last == dropped


def test_a_new_conversation() -> None:
    conversation = Conversation()
    conversation.add("a?", answer("A."))
    conversation.clear()
    assert len(conversation) == 0
    assert (conversation.last, conversation.last_answer) == (None, None)
    assert conversation.messages_for("b?", PLAIN) == (Message("user", "b?"),)


def test_what_does_not_fit() -> None:
    conversation = Conversation()
    conversation.add("a?", answer("word " * 500))
    needed = conversation.estimated_tokens("b?", PLAIN)
    assert 530 < needed < 580
    assert conversation.overflow_tokens("b?", PLAIN, 16384) == 0
    assert conversation.overflow_tokens("b?", PLAIN, 512) == needed + 32 - 512
    tiny = replace(PLAIN, max_tokens=1)
    assert conversation.overflow_tokens("b?", tiny, 512) == needed + 1 - 512


@given(
    st.lists(
        st.sampled_from(
            [answer("A."), answer(""), stopped(""), stopped("A"), failed(""), failed("A")]
        ),
        max_size=12,
    )
)
def test_prompts_and_answers_always_alternate(results: list[TurnResult]) -> None:
    conversation = Conversation()
    for number, result in enumerate(results):
        conversation.add(f"{number}?", result)
    messages = conversation.messages_for("last?", WITH_SYSTEM)
    assert messages[0].role == "system"
    roles = [message.role for message in messages[1:]]
    assert roles == [("user", "assistant")[at % 2] for at in range(len(roles))]
    assert roles[-1] == "user"
    assert all(message.content for message in messages)
