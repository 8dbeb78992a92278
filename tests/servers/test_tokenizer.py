"""Exact counts with the tokenizer file of a model, and going on with estimates without one."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.commands.asking import asked_of, said
from tests.core.turn.turns import REQUEST, T0
from tests.servers.cases import models_then
from tests.servers.raw_server import Script, Wire
from tui.core.screen.footer import footer_line
from tui.core.turn.turn import Turn
from tui.core.types import (
    DoneDelta,
    FinishDelta,
    NumberSource,
    TextDelta,
    ThinkingDelta,
    UsageDelta,
)
from tui.servers.tokenizer import ModelTokenizer, TokenizerError, load_counter

MS = 1_000_000


def tokenizer_file(folder: Path, **changes: Any) -> str:
    """A tokenizer that makes one token of each word of its vocabulary, and one of any other."""
    words = ["[UNK]", "the", "NPU", "has", "six", "tops"]
    made: dict[str, Any] = {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [],
        "normalizer": None,
        "pre_tokenizer": {"type": "WhitespaceSplit"},
        "post_processor": None,
        "decoder": None,
        "model": {
            "type": "WordLevel",
            "vocab": {word: number for number, word in enumerate(words)},
            "unk_token": "[UNK]",
        },
    }
    path = folder / "tokenizer.json"
    path.write_text(json.dumps(made | changes))
    return str(path)


def turn_of(*deltas: TextDelta | ThinkingDelta | UsageDelta, chunk_meaning: Any = "token") -> Turn:
    turn = Turn(REQUEST, T0, chunk_meaning)
    for number, delta in enumerate(deltas):
        turn.feed(T0 + (100 + 50 * number) * MS, [delta])
    turn.feed(T0 + (100 + 50 * len(deltas)) * MS, [FinishDelta("stop"), DoneDelta()])
    return turn


def counted(path: str, turn: Turn) -> tuple[int, NumberSource]:
    assert ModelTokenizer(path).note_counts(turn)
    stats = turn.stats(T0 + 10_000 * MS)
    return stats.tokens, stats.tokens_source


@pytest.fixture(autouse=True)
def has_library() -> None:
    pytest.importorskip("tokenizers", reason="the extra npulse[tokenizer] is not installed")


def test_the_tokens_of_the_text_are_counted_and_labelled(tmp_path: Path) -> None:
    path = tokenizer_file(tmp_path)
    turn = turn_of(*[TextDelta("the NPU has six tops ")] * 3, chunk_meaning="unknown")
    assert counted(path, turn) == (15, "tokenizer")
    line = footer_line(turn.stats(T0), turn.status)
    assert " 15 tokens" in line
    assert "counted with the model's tokenizer" in line


def test_thinking_counts_with_its_tags(tmp_path: Path) -> None:
    turn = turn_of(ThinkingDelta("six tops "), ThinkingDelta("the NPU"), TextDelta("six"))
    assert counted(tokenizer_file(tmp_path), turn) == (4 + 2 + 1, "tokenizer")


def test_where_each_token_was_a_chunk_the_rate_is_measured(tmp_path: Path) -> None:
    turn = turn_of(*[TextDelta("six ")] * 21)
    assert turn.stats(T0).decode_source == "estimated"
    assert counted(tokenizer_file(tmp_path), turn) == (21, "tokenizer")
    stats = turn.stats(T0)
    assert stats.decode_tps == pytest.approx(20.0)
    assert stats.decode_source == "measured"


def test_a_count_below_that_of_the_chunks_is_that_of_another_model(tmp_path: Path) -> None:
    turn = turn_of(*[TextDelta("x")] * 20)
    assert counted(tokenizer_file(tmp_path), turn) == (20, "estimated")


def test_what_the_runtime_reports_is_better(tmp_path: Path) -> None:
    turn = turn_of(*[TextDelta("six ")] * 20, UsageDelta(tokens_out=21))
    assert counted(tokenizer_file(tmp_path), turn) == (21, "runtime")


def test_a_limit_in_the_file_does_not_cut_the_count(tmp_path: Path) -> None:
    truncation = {"direction": "Right", "max_length": 4, "strategy": "LongestFirst", "stride": 0}
    padding = {
        "strategy": {"Fixed": 64}, "direction": "Right", "pad_to_multiple_of": None,
        "pad_id": 0, "pad_type_id": 0, "pad_token": "[UNK]",
    }  # fmt: skip
    path = tokenizer_file(tmp_path, truncation=truncation, padding=padding)
    count = load_counter(path)
    assert [count("six " * n) for n in (0, 3, 100)] == [0, 3, 100]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "cannot be read (No such file or directory)"),
        (b"", "is not a tokenizer.json"),
        (b"{}", "is not a tokenizer.json"),
        (b"[1, 2", "is not a tokenizer.json"),
        (b"\x00\xff" * 500, "is not a tokenizer.json"),
        ("a folder", "cannot be read"),
        ("a pipe", "cannot be read (it is not a file)"),
    ],
)
def test_what_is_no_tokenizer_is_one_sentence(
    tmp_path: Path, content: bytes | str | None, said: str
) -> None:
    path = tmp_path / "tok\x1b[31menizer.json"
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content == "a folder":
        path.mkdir()
    elif content == "a pipe":
        os.mkfifo(path)
    with pytest.raises(TokenizerError) as refused:
        load_counter(str(path))
    sentence = str(refused.value)
    assert said in sentence
    assert sentence.endswith("counts stay estimated.")
    assert "\x1b" not in sentence


def test_without_the_library_the_way_out_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "tokenizers", None)
    told: list[str] = []
    tokenizer = ModelTokenizer(tokenizer_file(tmp_path), told.append)
    turn = turn_of(TextDelta("six"))
    assert not tokenizer.note_counts(turn)
    assert not tokenizer.note_counts(turn)
    assert len(told) == 1
    assert "pip install 'npulse[tokenizer]'" in told[0]
    assert not tokenizer.is_usable
    assert turn.stats(T0).tokens_source == "estimated"


def words(text: str) -> Script:
    async def serve(wire: Wire) -> None:
        await wire.head()
        for word in text.split():
            await wire.token(f"{word} ")
        await wire.done()

    return models_then(serve)


def test_ask_counts_and_says_so(tmp_path: Path) -> None:
    path = tokenizer_file(tmp_path)
    code, out, err = asked_of(
        words("the NPU has six tops"), tmp_path, "hello", "--json", "--stats",
        NPULSE_SERVER__TOKENIZER=path,
    )  # fmt: skip
    answer = said(out)
    assert (code, answer["tokens_out"], answer["tokens_source"]) == (0, 5, "tokenizer")
    assert "counted with the model's tokenizer" in err


def test_ask_goes_on_with_the_estimate(tmp_path: Path) -> None:
    code, out, err = asked_of(
        words("the NPU has six tops"), tmp_path, "hello", "--json",
        NPULSE_SERVER__TOKENIZER=str(tmp_path / "none.json"),
    )  # fmt: skip
    assert (code, said(out)["tokens_source"]) == (0, "estimated")
    assert err.count("\n") == 1
    assert "none.json cannot be read (No such file or directory); counts stay estimated." in err
