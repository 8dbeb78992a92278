"""What is seen of an answer while it runs."""

from __future__ import annotations

import re

from tui.core.expect.outlook import Knowledge
from tui.core.turn.stop_plan import StopPlan
from tui.core.turn.turn import Turn
from tui.core.types import ChatRequest, GenerationSettings, Message, TextDelta
from tui.expect.answer_watch import EVERY_NS, AnswerWatch

NS = 1_000_000_000
KNOWN = Knowledge()


def turn_of(max_tokens: int = 4096, context: int = 16384) -> Turn:
    settings = GenerationSettings(max_tokens=max_tokens)
    turn = Turn(ChatRequest("m", (Message("user", "why?"),), settings), 0, "token", context)
    turn.accepted(1)
    return turn


def write(watch: AnswerWatch, words: list[str], start_ns: int = NS, gap_ns: int = NS // 10) -> int:
    """One token each; looked at every half second. Returns the time of the last one."""
    t_ns = start_ns
    for word in words:
        watch.turn.feed(t_ns, [TextDelta(word)])
        watch.look(t_ns, KNOWN)
        if watch.stop_reason:
            break
        t_ns += gap_ns
    return t_ns


def prose(count: int) -> list[str]:
    return [f"word{n % 97}x{n} " for n in range(count)]


def test_a_repetition_is_told_with_its_start_and_period_in_tokens() -> None:
    watch = AnswerWatch(turn_of())
    write(watch, prose(100) + ["again", " and", " again", ".", " "] * 60)
    assert watch.loop is not None
    said = re.fullmatch(r"repeats itself since token ~(\d+), every ~5", watch.loop)
    assert said is not None
    assert 90 <= int(said[1]) <= 105
    assert watch.loop in watch.warnings
    assert watch.stop_reason is None


def test_a_repetition_stops_the_answer_where_that_is_wanted() -> None:
    watch = AnswerWatch(turn_of(), stops_loops=True)
    write(watch, prose(40) + ["again", " and", " again", ".", " "] * 200)
    assert watch.stop_reason == watch.loop is not None
    assert len(watch.turn.stamps_ns) < 400


def test_prose_repeats_nothing() -> None:
    watch = AnswerWatch(turn_of())
    write(watch, prose(600))
    assert (watch.loop, watch.warnings) == (None, ())


def test_a_context_that_fills_up_is_told_and_then_warned_of() -> None:
    watch = AnswerWatch(turn_of(context=400))
    t_ns = write(watch, prose(100))
    assert any(note.startswith("context full in ~29") for note in watch.notes)
    write(watch, prose(270), t_ns + EVERY_NS)
    assert any(words.startswith("context full in ~") for words in watch.warnings)


def test_a_limit_before_the_context_is_full_is_no_news() -> None:
    watch = AnswerWatch(turn_of(max_tokens=200, context=1000))
    write(watch, prose(150))
    assert (watch.notes, watch.warnings) == ((), ())


def test_a_plan_stops_after_so_many_tokens() -> None:
    watch = AnswerWatch(turn_of())
    t_ns = write(watch, prose(20))
    watch.plan = StopPlan(50)
    write(watch, prose(100), t_ns + NS)
    assert watch.stop_reason == "stopped at 50 tokens"


def test_a_plan_stops_at_the_end_of_the_paragraph() -> None:
    watch = AnswerWatch(turn_of())
    t_ns = write(watch, ["one ", "two", "\n\n", "three "])
    watch.plan = StopPlan()
    write(watch, ["four ", "five", ".", "\n\n", "six ", "seven "], t_ns + NS)
    assert watch.stop_reason == "stopped at the end of the paragraph"
    assert watch.turn.text.endswith("five.\n\n")
