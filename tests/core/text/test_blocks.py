"""The splitter: any split gives the blocks of the whole, and they are what CommonMark says."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from tests.core.text.cuts import split
from tui.core.text.block import Block, split_row
from tui.core.text.blocks import BlockSplitter, split_blocks

LINES = [
    "", "", "text", "more words here", "- item", "- ", "-", "* star", "1. one", "2. two", "10) ten",
    "  - nested", "    - deeper", "   indented", "    code", "> quote", ">", "> - in", "# Head",
    "## Head ##", "#", "#no", "```", "```py", "````", "~~~", "`` a `` b", "```x```", "---", "===",
    "***", "- - -", "| a | b |", "|---|---|", "| 1 | 2 |", "a | b", "|:-:|", "\\|", "**bold**",
    "  ", "x" * 300, "- " + "y" * 300, "中文。", "1.", "12", "+", "=", "_", "|",
]  # fmt: skip
texts = (
    st.lists(st.sampled_from(LINES), max_size=25).map("\n".join)
    | st.lists(st.sampled_from(["```", "x", "", "a | b", "|-|-|", "> q"]), max_size=90).map(
        "\n".join
    )
    | st.text(alphabet="-*#`~>|=+_ \n1.ax", max_size=80)
)


def shape(blocks: list[Block]) -> list[object]:
    return [
        (
            b.kind,
            b.containers,
            b.start,
            b.has_gap,
            tuple(b.lines),
            b.level,
            b.language,
            b.is_closed,
            b.origin is None,
        )
        for b in blocks
    ]


@pytest.mark.slow
@settings(max_examples=500, deadline=None)
@given(texts, st.lists(st.integers(0, 400), max_size=40))
def test_any_split_gives_the_blocks_of_the_whole(text: str, cuts: list[int]) -> None:
    parts, fed = BlockSplitter(), ""
    before: list[object] = []
    for piece in split(text, cuts):
        first = parts.feed(piece)
        fed += piece
        whole = BlockSplitter()
        whole.feed(fed)
        assert shape(parts.blocks) == shape(whole.blocks)
        assert shape(parts.blocks)[:first] == before[:first], "what changed was announced"
        before = shape(parts.blocks)
    parts.finish()
    assert shape(parts.blocks) == shape(split_blocks(text))


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(texts)
def test_closed_blocks_never_change(text: str) -> None:
    splitter = BlockSplitter()
    settled: list[object] = []
    for line in text.split("\n"):
        splitter.feed(line + "\n")
        blocks = shape(splitter.blocks)
        assert blocks[: len(settled)] == settled
        closed = [b.is_closed for b in splitter.blocks]
        settled = blocks[: closed.index(False) if False in closed else len(closed)]


@settings(max_examples=300, deadline=None)
@given(texts.filter(lambda text: "```" not in text and "~~~" not in text))
def test_no_letter_is_lost(text: str) -> None:
    shown = "".join("".join(block.lines) for block in split_blocks(text))
    for letter in "axy中":
        assert text.count(letter) == shown.count(letter)


ANSWERS = [
    "Intro:\n\n- **one** first\n- two\n  - nested\n\n    para in nested\n- three\n\nEnd.",
    "1. a\n2. b\n\n   more b\n\n   ```py\n   x = 1\n\n   y = 2\n   ```\n3. c\n",
    "# Title\n\ntext\nmore\n\n## Sub\n- a\n- b\n> quoted\nlazy\n\n***\n\nlast",
    "a | b\n--|--\n1 | 2\n\nafter",
    "Text\n| a | b |\n|---|---|\n| 1 | 2 |\n| 3 | 4 |\n\nafter\n\nend",
    "> - item in quote\n>   more\n>\n> ```\n> code\n> ```\nout",
    "    indented code\n    more\n\npara\nlazy text\n",
    "````md\n```py\ninner\n```\n````\nafter",
    "- a\n\n- b\n\n\n- c\n1) x\n2) y\n",
    "~~~\ntilde ``` \n~~~\n",
]


def reference(text: str) -> list[tuple[str, str]]:
    """Leaves as markdown-it reads them: kind and content."""
    leaves = []
    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    inside_table = 0
    for index, token in enumerate(tokens):
        if token.type == "table_open":
            inside_table += 1
            leaves.append(("table", ""))
        elif token.type == "table_close":
            inside_table -= 1
        elif token.type == "inline" and not inside_table:
            kind = "heading" if tokens[index - 1].type == "heading_open" else "paragraph"
            leaves.append((kind, token.content))
        elif token.type in ("fence", "code_block"):
            leaves.append(("fence", token.content.rstrip("\n")))
        elif token.type == "hr":
            leaves.append(("rule", ""))
    return leaves


@pytest.mark.parametrize("text", ANSWERS)
def test_blocks_are_those_of_commonmark(text: str) -> None:
    ours = [
        (b.kind, "" if b.kind in ("table", "rule") else "\n".join(b.lines).rstrip("\n"))
        for b in split_blocks(text)
    ]
    assert ours == reference(text)


def test_containers_carry_the_marker_only_once() -> None:
    blocks = split_blocks("- a\n\n  b\n- c\n  1. d\n")
    shown = [[c.marker for c in block.containers if c.is_first] for block in blocks]
    assert shown == [["-"], [], ["-"], ["1."]]
    assert [len(block.containers) for block in blocks] == [1, 1, 1, 2]
    assert [b.has_gap for b in blocks] == [False, True, False, False]


def test_an_unfinished_line_that_can_be_anything_waits() -> None:
    splitter = BlockSplitter()
    splitter.feed("text\n-")
    assert [b.lines for b in splitter.blocks] == [["text"]]
    splitter.feed(" it")
    assert [b.lines for b in splitter.blocks] == [["text"], ["it"]]


def test_a_rule_right_below_a_sentence_is_no_heading() -> None:
    assert [b.kind for b in split_blocks("A sentence.\n---\nnext")] == [
        "paragraph", "rule", "paragraph",
    ]  # fmt: skip
    assert [b.kind for b in split_blocks("Title\n---\nnext")] == ["heading", "paragraph"]


def test_cells_of_a_row() -> None:
    assert split_row(r"| a | b \| c ||") == ["a", "b | c", ""]
