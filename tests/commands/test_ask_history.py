"""What ``npulse ask`` keeps, and what it goes on with: a real process, a real server."""

from __future__ import annotations

import json
import signal
from contextlib import closing
from pathlib import Path

import pytest

from tests.commands.asking import FAST, ask, said, start
from tests.history.made import add_exchange, begin
from tests.sim.simulator import running as simulator
from tests.sim.simulator import truth, wait_for_event
from tui.history import reading
from tui.history.database import FILE_NAME, open_for_writing, transaction
from tui.history.records import StoredTurn

pytestmark = pytest.mark.slow


def database(home: Path) -> Path:
    return home / "data" / "npulse" / "history" / FILE_NAME


def stored(home: Path, number: int = 1) -> tuple[StoredTurn, ...]:
    with closing(open_for_writing(database(home))) as connection:
        found = reading.conversation(connection, number)
        return () if found is None else found.turns


def test_an_answer_is_kept_with_its_numbers_and_who_gave_it(tmp_path: Path) -> None:
    with simulator(*FAST) as board:
        _, out, err = ask(tmp_path, "hello [[tokens=40]]", "--url", board.url, "--json")
    shown = said(out)
    prompt, answer = stored(tmp_path)
    assert err == ""
    assert prompt.text == "hello [[tokens=40]]"
    assert (answer.text, answer.status, answer.error) == (shown["text"], "complete", None)
    assert answer.origin is not None
    assert (answer.origin.model, answer.origin.is_simulated) == (shown["model"], True)
    assert answer.origin.url == board.url
    assert answer.numbers is not None
    assert {k: answer.numbers[k] for k in shown if k in answer.numbers} == {
        k: v for k, v in shown.items() if k in answer.numbers
    }
    with closing(open_for_writing(database(tmp_path))) as connection:
        assert len(reading.times_ns(connection, answer.id)) == 40


def test_the_clocks_of_the_board_are_kept_with_an_answer(tmp_path: Path) -> None:
    # Longer than a busy machine takes to a first sample.
    with simulator("--decode-tps", "25", "--prefill-tps", "2000", has_root=True) as board:
        env = {"NPULSE_BOARD__ROOT": str(board.root), "NPULSE_BOARD__INTERVAL_S": "0.2"}
        assert ask(tmp_path, "hello [[tokens=40]]", "--url", board.url, **env)[0] == 0
        # A directory that is no board has nothing to keep.
        assert ask(tmp_path, "again", "--url", board.url, NPULSE_BOARD__ROOT=str(tmp_path))[0] == 0
    (answer, other) = (*stored(tmp_path)[1:], *stored(tmp_path, 2)[1:])
    with closing(open_for_writing(database(tmp_path))) as connection:
        samples = reading.board_samples(connection, answer.id)
        assert reading.board_samples(connection, other.id) == []
    assert samples
    assert samples[0].values["npu.freq"] == 1e9
    assert samples[0].values["ddr.freq"]


@pytest.mark.parametrize("how", ["--no-store", "NPULSE_HISTORY__ENABLED"])
def test_nothing_is_kept_where_that_is_not_wanted(tmp_path: Path, how: str) -> None:
    with simulator(*FAST) as board:
        flags = (how,) if how.startswith("--") else ()
        env = {} if flags else {how: "off"}
        code, _, _ = ask(tmp_path, "hello [[tokens=4]]", "--url", board.url, *flags, **env)
    assert code == 0
    assert not database(tmp_path).exists()


def test_a_conversation_goes_on(tmp_path: Path) -> None:
    log = tmp_path / "truth.jsonl"
    with simulator(*FAST, "--truth", str(log)) as board:
        server = ("--url", board.url)
        for words in (
            ("first [[tokens=20]]",),
            ("second [[tokens=5]]", "--continue"),
            ("--continue", "third [[tokens=5]]"),
            ("another [[tokens=5]]",),
            ("--continue", "1", "fourth [[tokens=5]]"),
            ("--continue=2", "last [[tokens=5]]"),
        ):
            assert ask(tmp_path, *words, *server)[0] == 0
    prompts = [turn.text for turn in stored(tmp_path) if turn.role == "user"]
    assert [prompt.split()[0] for prompt in prompts] == ["first", "second", "third", "fourth"]
    assert [t.text.split()[0] for t in stored(tmp_path, 2)[::2]] == ["another", "last"]
    sizes = [truth(log, "request", n)[0]["prompt_tokens"] for n in range(1, 7)]
    assert sizes[0] < sizes[1] < sizes[2] < sizes[4]
    assert sizes[3] < sizes[1]


def test_a_conversation_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    code, out, err = ask(tmp_path, "x", "--continue", "--url", "http://127.0.0.1:1")
    assert (code, out) == (2, "")
    assert "nothing is kept yet" in err
    assert not database(tmp_path).exists()
    with closing(open_for_writing(database(tmp_path))) as connection:
        number, prompt, _ = add_exchange(connection, "q", "a")
        for wanted in ("7", "9" * 40):
            code, out, err = ask(tmp_path, "x", "--continue", wanted)
            assert (code, out, err.count("\n")) == (2, "", 1)
            assert "there is no conversation" in err
        code, out, err = ask(tmp_path, "x", "--continue", "seven", "--json")
        assert code == 2
        assert "takes the id of a conversation" in json.loads(out)["error"]
        with transaction(connection):
            begin(connection, number, prompt)
        assert "still being written" in ask(tmp_path, "x", "--continue")[2]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_stopped_answer_is_kept_as_far_as_it_came(tmp_path: Path, number: int) -> None:
    log = tmp_path / "truth.jsonl"
    with simulator(*FAST, "--truth", str(log)) as board:
        process = start(tmp_path, "hello [[tokens=2000]]", "--url", board.url)
        wait_for_event(log, "token", count=30)
        process.send_signal(number)
        out, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    _, answer = stored(tmp_path)
    assert answer.status == "stopped"
    assert answer.text.strip() == out.strip()


def test_a_disk_that_takes_nothing_is_told_and_the_answer_comes(tmp_path: Path) -> None:
    path = database(tmp_path)
    path.parent.parent.mkdir(parents=True)
    path.parent.write_text("in the way")
    with simulator(*FAST) as board:
        code, out, err = ask(tmp_path, "hello [[tokens=9]]", "--url", board.url)
    assert code == 0
    assert out.strip()
    assert err.startswith("npulse ask: answers are not saved: ")
    assert err.count("\n") == 1
