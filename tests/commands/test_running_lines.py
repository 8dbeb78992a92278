"""What ``npulse running`` prints: on a terminal of some width, and into a pipe."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tui.commands.running import Row, lines_of
from tui.core.text.printed import PLAIN, Paper, cells_of

ASK = Row(
    conversation=3, turn=2, pid=4711, where="ask", status="answering", since_ms=None,
    model="qwen3-4b", server="RKLLM", url="http://127.0.0.1:8080", is_simulated=True, tokens=120,
    decode_tps=30.0, wait=None, first_words="count to a million and \x1b[31mthen some more",
)  # fmt: skip
KILLED = replace(
    ASK, conversation=12, status="interrupted", model="模型模型", first_words="an answer",
    is_simulated=False,
)  # fmt: skip
BENCH = replace(ASK, conversation=None, where="bench", tokens=None, decode_tps=None, server=None)
ROWS = (ASK, KILLED, BENCH)


def test_a_pipe_gets_a_whole_line_each_in_columns() -> None:
    lines = lines_of(ROWS, PLAIN)
    assert len(lines) == 3
    assert "answering, –, ~120 tokens, ~30.0 tok/s" in lines[0]
    assert "interrupted after ~120 tokens, –" in lines[1]
    assert "\x1b" not in "".join(lines)
    words = ("count", "an answer", "count")
    ends = [line.index(word) for line, word in zip(lines, words, strict=True)]
    assert len({cells_of(line[:at]) for line, at in zip(lines, ends, strict=True)}) == 1


@pytest.mark.parametrize("width", [80, 120, 200])
def test_no_line_is_longer_than_the_terminal(width: int) -> None:
    lines = lines_of(ROWS, Paper(width))
    assert max(map(cells_of, lines)) <= width
    assert len(lines) == (3 if width == 200 else 6)


def test_colours_only_where_the_paper_has_them() -> None:
    lines = lines_of(ROWS, Paper(200, has_colours=True))
    assert "\x1b[33mSIMULATED\x1b[0m" in lines[0]
    assert "\x1b[32manswering" in lines[0]
    assert "\x1b[33minterrupted" in lines[1]
    assert lines_of((), PLAIN) == lines_of((), Paper(80)) == []
