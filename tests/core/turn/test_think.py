from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.core.turn.pieces import cut
from tests.core.turn.turns import folded
from tui.core.turn.think import Reclassified, ThinkSplitter
from tui.core.types import CleanText, Segment

PIECES = [
    "<think>",
    "</think>",
    "<THINK>",
    "</Think>",
    "<th",
    "ink>",
    "</",
    "<",
    ">",
    "\n",
    " ",
    "`",
    "```",
    "~~~",
    "a",
    "word ",
    "İ\u212a",
    "\u2003",
]
tag_soup = st.lists(st.sampled_from(PIECES), max_size=14).map("".join)


def split(pieces: Iterable[str]) -> list[Segment]:
    splitter = ThinkSplitter()
    segments = [segment for piece in pieces for segment in splitter.feed(CleanText(piece))]
    return segments + splitter.flush()


@pytest.mark.parametrize(
    ("raw", "thinking", "text"),
    [
        ("plain answer", "", "plain answer"),
        ("", "", ""),
        ("  indented code", "", "  indented code"),
        ("\n\nafter lines", "", "\n\nafter lines"),
        ("\n\n", "", "\n\n"),
        # the usual block
        ("<think>\nhm\n</think>\n\nHello", "hm", "Hello"),
        ("\n <think>hm</think>Hello", "hm", "Hello"),
        ("<THINK>hm</Think>Hello", "hm", "Hello"),
        ("<think>a\n\n b</think>\n\n    code", "a\n\n b", "    code"),
        # empty blocks, as the runtime sends with thinking off
        ("<think>\n\n</think>\n\nHello", "", "Hello"),
        ("<think></think>Hello", "", "Hello"),
        ("<think></think>", "", ""),
        # unclosed
        ("<think>hm, wait", "hm, wait", ""),
        ("<think>hm </thi", "hm </thi", ""),
        ("<think>\n", "", ""),
        # the tag twice: forced by the server and written by the model
        ("<think><think>\nhm</think>Hello", "hm", "Hello"),
        ("<think>\n<THINK>hm</think>Hello", "hm", "Hello"),
        ("<think>hm</think></think>\nHello", "hm", "Hello"),
        # later tags inside the thinking are words
        ("<think>a <think> b</think>c", "a <think> b", "c"),
        # a second block before the answer
        ("<think></think><think>hm</think>Hello", "hm", "Hello"),
        ("<think>one</think>\n<think>two</think>\nHello", "one\n\ntwo", "Hello"),
        # closed without opening
        ("so I think\n</think>\n\nHello", "so I think\n", "Hello"),
        ("Draft:\n\n```py\nreturn\n</think>\n\nUse it.", "Draft:\n\n```py\nreturn\n", "Use it."),
        ("a\n```sh x``` one\n</think>\n\nb", "a\n```sh x``` one\n", "b"),
        ("a\n```\n~~~ b\n```\n</think>\n\nc", "a\n```\n~~~ b\n```\n", "c"),
        ("a\n````\n```\n</think>\nb\n````\nc", "", "a\n````\n```\n</think>\nb\n````\nc"),
        ("- ```\n  </think>\n  ```\nb", "", "- ```\n  </think>\n  ```\nb"),
        ("a `` ` </think> `` b", "", "a `` ` </think> `` b"),
        ("odd ` tick </think>\n\nb", "odd ` tick ", "b"),
        ("odd `` tick ` </think> and\nb", "odd `` tick ` ", " and\nb"),
        ("odd ` tick </think>\nb", "odd ` tick ", "b"),
        ("odd ` tick </think> b", "odd ` tick ", " b"),
        ("Say `</think>`", "", "Say `</think>`"),
        ("```\n<think>\n</think>\n\nHi\n```\nb", "", "```\n<think>\n</think>\n\nHi\n```\nb"),
        # a stray tag at the end takes nothing away
        ("Run it.\n</think>\n", "", "Run it.\n"),
        ("Run it.\n</think>\n</think>\n", "", "Run it.\n"),
        ("</think>\n\nHello", "", "Hello"),
        ("so</think> <think>more</think>Hello", "so\n\nmore", "Hello"),
        ("so</think>Hello</think>", "so", "Hello</think>"),
        # tags as a topic of the answer
        ("Use <think> for it", "", "Use <think> for it"),
        ("Use `</think>` for it", "", "Use `</think>` for it"),
        ("Close it:\n```\n</think>\n```\nso.", "", "Close it:\n```\n</think>\n```\nso."),
        ("a\n~~~xml\n</think>\n~~~\nb\n</think>c", "a\n~~~xml\n</think>\n~~~\nb\n", "c"),
        ("one ` tick\nthen</think>x", "one ` tick\nthen", "x"),
        ("<think>hm</think>Use <think>x</think>", "hm", "Use <think>x</think>"),
        # not quite tags
        ("<thinking>x</thinking>", "", "<thinking>x</thinking>"),
        ("< think>x", "", "< think>x"),
        ("<thin\u212a>x", "", "<thin\u212a>x"),
        ("a < b and b > c", "", "a < b and b > c"),
        ("<div>", "", "<div>"),
    ],
)
def test_golden(raw: str, thinking: str, text: str) -> None:
    assert folded(split([raw])) == (thinking, text)
    assert folded(split(raw)) == (thinking, text)


@pytest.mark.slow
@given(cut(tag_soup))
@settings(max_examples=500)
@example(("x</think>y", ["x<", "/th", "ink", ">y"]))
@example(("<think>\n </think>\n", ["<think>\n", " ", "</think>", "\n"]))
def test_any_pieces_equal_the_whole(case: tuple[str, list[str]]) -> None:
    text, pieces = case
    assert folded(split(pieces)) == folded(split([text]))
    assert folded(split(text)) == folded(split([text]))


@given(tag_soup)
def test_no_word_is_lost(raw: str) -> None:
    """All that can go is white space and tags."""
    thinking, text = folded(split(raw))
    kept = "".join((thinking + text).split())
    position = 0
    for char in "".join(raw.split()):
        if position < len(kept) and kept[position] == char:
            position += 1
    assert position == len(kept)
    assert kept.count("a") == raw.count("a")
    assert kept.count("word") == raw.count("word")


@given(tag_soup)
def test_at_most_one_reclassification_and_no_empty_segment(raw: str) -> None:
    segments = split(raw)
    markers = [segment for segment in segments if isinstance(segment, Reclassified)]
    assert len(markers) <= 1
    assert all(segment.text for segment in segments if not isinstance(segment, Reclassified))


def test_text_comes_out_at_once() -> None:
    splitter = ThinkSplitter()
    assert splitter.feed(CleanText("Hello")) == [Segment("text", CleanText("Hello"))]
    assert splitter.feed(CleanText(" a<")) == [Segment("text", CleanText(" a"))]
    assert splitter.feed(CleanText("b")) == [Segment("text", CleanText("<b"))]


def test_thinking_comes_out_at_once() -> None:
    splitter = ThinkSplitter()
    assert splitter.feed(CleanText("<think>")) == []
    states = [splitter.is_thinking]
    assert splitter.feed(CleanText("so")) == [Segment("thinking", CleanText("so"))]
    assert splitter.feed(CleanText(" ")) == []
    assert splitter.feed(CleanText("it")) == [Segment("thinking", CleanText(" it"))]
    assert splitter.feed(CleanText("\n</think>\n")) == []
    states.append(splitter.is_thinking)
    assert splitter.feed(CleanText("\nHi")) == [Segment("text", CleanText("Hi"))]
    assert [*states, splitter.is_thinking] == [True, False, False]


def test_reclassification_comes_after_the_text_that_it_moves() -> None:
    splitter = ThinkSplitter()
    assert splitter.feed(CleanText("so ")) == [Segment("text", CleanText("so "))]
    assert splitter.feed(CleanText("on</think>\n\nHi")) == [
        Segment("text", CleanText("on")),
        Reclassified(),
        Segment("text", CleanText("Hi")),
    ]


def test_one_feed_gives_few_segments() -> None:
    segments = ThinkSplitter().feed(CleanText("<think>a b c</think>\n\n" + "d\n" * 1000))
    assert [segment.kind for segment in segments] == ["thinking", "text"]


def test_long_blank_runs_stay_cheap() -> None:
    """20,000 line breaks one by one; a quadratic expression would take minutes."""
    splitter = ThinkSplitter()
    splitter.feed(CleanText("<think>a"))
    for _ in range(20_000):
        splitter.feed(CleanText("\n"))
    assert splitter.feed(CleanText("b")) == [Segment("thinking", CleanText("\n" * 20_000 + "b"))]


def test_thinking_from_elsewhere_trims_the_answer() -> None:
    splitter = ThinkSplitter()
    assert splitter.note_thinking() == []
    assert splitter.feed(CleanText("\n\n")) == []
    assert splitter.feed(CleanText("Hello")) == [Segment("text", CleanText("Hello"))]
    assert splitter.feed(CleanText("</think>")) == [Segment("text", CleanText("</think>"))]


def test_a_channel_of_its_own_closes_an_open_tag() -> None:
    splitter = ThinkSplitter()
    assert splitter.feed(CleanText("<think>\n")) == []
    assert splitter.note_thinking() == []
    assert splitter.feed(CleanText("\n\nHello")) == [Segment("text", CleanText("Hello"))]
