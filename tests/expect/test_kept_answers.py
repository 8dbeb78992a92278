"""What the history tells about the next answer."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from tests.commands.asking import ask
from tests.core.expect.past import answer, answers
from tests.expect.kept import keep
from tests.history.made import ORIGIN, opened
from tests.sim.simulator import running as simulator
from tests.sim.simulator import truth
from tui.core.expect.prefill import fit_prefill
from tui.core.turn.estimate import message_tokens
from tui.core.turn.model_key import ModelKey
from tui.core.types import Message
from tui.history.board_samples import BoardSample, pack_samples
from tui.history.past_answers import models, past_answers

KEY = ModelKey("qwen3-4b", "127.0.0.1")


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with closing(opened(tmp_path)) as made:
        yield made


def test_the_numbers_come_back_as_they_were_kept(connection: sqlite3.Connection) -> None:
    made = answers(5)
    keep(connection, made)
    found = past_answers(connection, KEY)
    assert [one.created_ms for one in found] == [one.created_ms for one in made]
    for one, kept in zip(found, made, strict=True):
        assert one.ttft_s == pytest.approx(kept.ttft_s)
        assert one.ms_per_token == pytest.approx(kept.ms_per_token)
        assert (one.tokens, one.is_whole, one.depth) == (kept.tokens, True, kept.depth)
        assert one.conditions == kept.conditions


def test_the_fit_of_a_history_finds_its_parameters(connection: sqlite3.Connection) -> None:
    keep(connection, answers(50))
    fit = fit_prefill(past_answers(connection, KEY))
    assert fit is not None
    assert fit.each_s == pytest.approx(0.03, rel=0.03)


def test_other_models_boards_and_simulated_answers_stay_apart(
    connection: sqlite3.Connection,
) -> None:
    keep(connection, [answer(1)])
    keep(connection, [answer(2)], origin=replace(ORIGIN, model="another"))
    keep(connection, [answer(3)], origin=replace(ORIGIN, url="http://board.local:8021"))
    keep(connection, [answer(4)], origin=replace(ORIGIN, is_simulated=True))
    keep(connection, [answer(5)], origin=replace(ORIGIN, url="http://127.0.0.1:9999"))
    found = past_answers(connection, KEY)
    assert [one.created_ms for one in found] == [answer(n).created_ms for n in (1, 5)]
    assert len(models(connection)) == 4


def test_only_the_newest_are_read(connection: sqlite3.Connection) -> None:
    keep(connection, [answer(n) for n in range(12)])
    found = past_answers(connection, KEY, newest=5)
    assert [one.created_ms for one in found] == [answer(n).created_ms for n in range(7, 12)]


def test_clocks_of_older_answers_are_looked_up_in_their_samples(
    connection: sqlite3.Connection,
) -> None:
    keep(connection, [answer(1)])
    samples = [
        BoardSample(t * 1_000_000_000, {"npu.freq": 6e8 if t else 3e8, "soc.temp": 70.0 + t})
        for t in range(60)
    ]
    connection.execute("UPDATE traces SET board = ?", (pack_samples(samples),))
    connection.execute("UPDATE bodies SET numbers = json_remove(numbers, '$.conditions')")
    (found,) = past_answers(connection, KEY, has_conditions=True)
    assert found.conditions.npu_hz == pytest.approx(6e8)
    assert found.conditions.hottest_c == pytest.approx(129.0)
    (bare,) = past_answers(connection, KEY)
    assert bare.conditions.npu_hz is None


@pytest.mark.slow
def test_ask_tells_how_long_a_prefill_takes(tmp_path: Path) -> None:
    """By a history made with the simulated model's own prefill, against what it then took."""
    prompt = "why is the sky blue " * 60
    tokens = message_tokens((Message("user", prompt),))
    log, folder = tmp_path / "truth.jsonl", tmp_path / "data" / "npulse" / "history"
    folder.mkdir(parents=True)
    with simulator("--decode-tps", "100", "--prefill-tps", "150", "--truth", str(log)) as board:
        url = board.url
        first, _, _ = ask(tmp_path, f"{prompt} [[tokens=5]]", "--url", url, "--no-store")
        assert first == 0
        took_s = prefill_s(log, 1)
        with closing(opened(folder)) as connection:
            origin = replace(ORIGIN, url=url, is_simulated=True)
            made = [
                answer(n, prompt=tokens * share, constant_s=0.0, each_s=took_s / tokens)
                for n, share in enumerate((0.3, 0.5, 0.7, 0.9, 1.1, 1.3))
            ]
            keep(connection, made, origin=origin)
        code, _, err = ask(
            tmp_path, f"different: {prompt} [[tokens=5]]", "--url", url, "--progress", "--no-store"
        )
    assert code == 0
    said = re.search(r"of about (\d+) s \(.*from 6 earlier prompts\)", err)
    assert said is not None, err
    assert int(said[1]) == pytest.approx(prefill_s(log, 2), abs=0.7)


def prefill_s(log: Path, request: int) -> float:
    begin, end = truth(log, "request", request)[0], truth(log, "prefill_end", request)[0]
    return (float(end["t_ns"]) - float(begin["t_ns"])) / 1e9


@pytest.mark.slow
def test_ask_without_a_history_tells_the_time_only(tmp_path: Path) -> None:
    with simulator("--decode-tps", "100", "--prefill-tps", "10") as board:
        prompt = "why is the sky blue and not green? [[tokens=3]]"
        code, _, err = ask(tmp_path, prompt, "--url", board.url, "--progress", "--no-store")
    assert code == 0
    assert re.search(r"npulse ask: prefill \d+ s\n", err), err
    assert "about" not in err


@pytest.mark.slow
def test_the_numbers_of_a_prompt_are_kept(tmp_path: Path) -> None:
    with simulator("--decode-tps", "100", "--prefill-tps", "2000") as board:
        code, _, _ = ask(tmp_path, "hello [[tokens=20]]", "--url", board.url)
    assert code == 0
    with closing(sqlite3.connect(tmp_path / "data" / "npulse" / "history" / "history.db")) as db:
        (text,) = db.execute("SELECT numbers FROM bodies WHERE numbers IS NOT NULL").fetchone()
    numbers = json.loads(text)
    assert numbers["prompt_estimate"] > 5
    assert numbers["new_prompt_estimate"] == numbers["prompt_estimate"]
