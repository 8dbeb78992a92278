"""A recorded answer plays again in a real terminal: the same screen, no server, nothing stored."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.app.npulse import REPOSITORY, environment, running
from tests.app.test_dashboard import transcript
from tests.commands.asking import ask
from tests.recording.made import VERSION_1
from tests.sim.simulator import running as simulator
from tests.terminal.pty_terminal import PtyTerminal
from tests.waiting import wait_until
from tui.recording.reading import read_recording

pytestmark = pytest.mark.slow

QUICK = ("--decode-tps", "25", "--prefill-tps", "200")
SIZES = ((120, 40), (80, 24))


def rows(terminal: PtyTerminal) -> list[str]:
    return [row.rstrip() for row in terminal.text().split("\n")]


def boards(path: Path) -> int:
    return path.read_bytes().count(b'"kind":"board"') if path.exists() else 0


def recorded_live(home: Path, path: Path, size: tuple[int, int]) -> list[str]:
    """A live answer on a simulated board that moves, recorded; its last screen."""
    with (
        simulator(*QUICK, has_root=True) as board,
        running(
            home, "--record", str(path), "--url", board.url, "--root", str(board.root),
            size=size, env={"NPULSE_BOARD__INTERVAL_S": "1"},
        ) as terminal,
    ):  # fmt: skip
        terminal.wait_for("qwen3-4b")
        terminal.type("Write a table. [[tokens=40]]")
        terminal.keys("enter")
        wait_until(lambda: path.exists() and b'"numbers"' in path.read_bytes())
        terminal.wait_for("40 tokens")
        for _ in range(8):
            known = boards(path)
            wait_until(lambda known=known: boards(path) > known)  # type: ignore[misc]
            known = boards(path)
            terminal.wait_quiet(0.3)
            screen = rows(terminal)
            if boards(path) == known:
                terminal.keys("ctrl+q")
                terminal.wait_gone()
                if boards(path) == known:
                    return screen
        raise AssertionError("the board was sampled at every look")


def without_dots(row: str) -> str:
    """Every cell of a curve as the same sign."""
    return re.sub("[\u2801-\u28ff]", "\u28ff", row)


@pytest.mark.parametrize("size", SIZES)
def test_the_last_screen_of_a_replay_is_that_of_the_live_answer(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    path = tmp_path / "a.jsonl"
    live = recorded_live(tmp_path, path, size)
    shutil.rmtree(tmp_path / "data", ignore_errors=True)
    for speed in ("1", "50"):
        with running(tmp_path, "--replay", str(path), "--speed", speed, size=size) as terminal:
            terminal.wait_for(f"{speed}x  over")
            # But for the top line, the row of the prompt, and the keys.
            # A recording has microseconds: a dot of a curve may stand beside its place.
            terminal.wait_for(
                lambda now: (
                    list(map(without_dots, rows(now)[1:-2])) == list(map(without_dots, live[1:-2]))
                )
            )
            again = rows(terminal)
            assert f"REPLAY {speed}x" in again[0]
            assert re.search(rf"replay of \d+ \w{{3}}, \d\d:\d\d, {speed}x", again[-2])
            terminal.keys("escape")
            assert terminal.wait_gone() == 0
    assert not (tmp_path / "data").exists()


def replay(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Without a terminal."""
    variables = {k: v for k, v in environment(home).items() if v is not None}
    return subprocess.run(
        [sys.executable, "-m", "tui", *arguments],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, cwd=REPOSITORY, env=variables,
        timeout=60,
    )  # fmt: skip


def test_a_replay_pauses_steps_changes_its_speed_and_begins_again(tmp_path: Path) -> None:
    with running(tmp_path, "--replay", str(VERSION_1)) as terminal:
        terminal.wait_for("1x  ")
        terminal.wait_for("  token ")
        terminal.keys("p")
        terminal.wait_for("1x  paused")
        at = re.findall(r"token (\d+)", terminal.text())[0]
        terminal.keys(".")
        terminal.wait_for(f"token {int(at) + 1}")
        terminal.keys(".", ".")
        terminal.wait_for(f"token {int(at) + 3}")
        terminal.keys("+")
        terminal.wait_for("2x  paused")
        terminal.keys("-", "-")
        terminal.wait_for("0.5x  paused")
        terminal.keys("e")
        terminal.wait_for("token 140")
        terminal.wait_for("thought for 2.77 s")
        terminal.keys("f5")
        terminal.wait_for("what fits")
        terminal.keys("escape")
        terminal.wait_for("0.5x  over")
        terminal.keys("/")
        terminal.type("pencil")
        terminal.wait_for("/ pencil")  # no letter of it was a key
        terminal.keys("escape")
        terminal.wait_for(lambda t: "/ pencil" not in t.text())
        terminal.keys("b")
        terminal.wait_for(lambda t: "x  over" not in t.text() and "token 140" not in t.text())
        terminal.keys("e")
        terminal.wait_for("token 140")
        assert transcript(terminal).count("Write a list and a table.") == 1
        terminal.keys("f1")
        terminal.wait_for("pause and resume the replay")
        terminal.keys("escape")
        terminal.wait_for(lambda t: "and resume" not in t.text())
        terminal.keys("escape")
        assert terminal.wait_gone() == 0


def test_a_recording_that_stops_early_is_told_and_shown_as_interrupted(tmp_path: Path) -> None:
    data = VERSION_1.read_bytes()
    path = tmp_path / "cut.jsonl"
    path.write_bytes(data[: data.index(b'"kind":"token"', 12_000) + 20])
    n = read_recording(path).answers[0].tokens
    with running(tmp_path, "--replay", str(path), "--speed", "100") as terminal:
        terminal.wait_for(f"the recording stops after token {n}")
        terminal.wait_for("100x  over")
        terminal.wait_for("before the answer ends")
        terminal.keys("ctrl+q")
        assert terminal.wait_gone() == 0


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"kind":"recording","version":7}\n', "newer npulse (recording version 7"),
        ("hello\n", "not a recording of npulse"),
        ("", "is empty"),
    ],
)
def test_what_cannot_be_played_is_one_sentence(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text(text)
    done = replay(tmp_path, "--replay", str(path))
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert said in done.stderr
    assert replay(tmp_path, "--replay", str(VERSION_1)).returncode == 2  # no terminal
    assert replay(tmp_path, "--replay", str(VERSION_1), "--demo").returncode == 2


def test_an_answer_of_the_history_plays_again_and_nothing_is_stored_or_sent(
    tmp_path: Path,
) -> None:
    with simulator("--decode-tps", "100", "--prefill-tps", "500") as board:
        for prompt in ("first [[tokens=30]]", "second [[tokens=25]]"):
            more = ("--continue",) if prompt.startswith("second") else ()
            code, out, _ = ask(tmp_path, prompt, *more, "--url", board.url)
            assert code == 0
    before = replay(tmp_path, "history", "show", "last", "--json").stdout
    with running(tmp_path, "history", "replay", "last", "--speed", "20") as terminal:
        terminal.wait_for("20x  over")
        terminal.wait_for("25 tokens")
        shown = terminal.text()
        assert "first [[tokens=30]]" in shown  # what was said before
        assert "second [[tokens=25]]" in shown
        assert "SIMULATED" in shown
        first_words = " ".join(out.split()[:4])
        assert first_words in shown
        terminal.keys("escape")
        assert terminal.wait_gone() == 0
    assert replay(tmp_path, "history", "show", "last", "--json").stdout == before
    done = replay(tmp_path, "history", "replay", "last", "--turn", "1")
    assert (done.returncode, done.stderr) == (
        2,
        "npulse history: 1 is not an answer; npulse history show ID lists their numbers\n",
    )


def test_a_conversation_is_exported_as_a_recording_and_masked(tmp_path: Path) -> None:
    with simulator("--decode-tps", "200", "--prefill-tps", "900") as board:
        ask(tmp_path, "see /home/ben/x [[tokens=30]]", "--url", board.url)
    path = tmp_path / "out.jsonl"
    done = replay(tmp_path, "history", "export", "last", "--format", "recording", "-o", str(path))
    assert (done.returncode, done.stderr) == (0, "")
    found = read_recording(path)
    assert found.problem is None
    assert found.answers[0].tokens == 30
    assert found.header.is_scrubbed
    assert b"ben" not in path.read_bytes().split(b'"settings"')[0]
    done = replay(tmp_path, "history", "export", "last", "--without-text")
    assert done.returncode == 2
    assert "--format recording" in done.stderr


def test_a_key_of_the_history_plays_an_answer_over_the_chat(tmp_path: Path) -> None:
    with simulator("--decode-tps", "100", "--prefill-tps", "500") as board:
        ask(tmp_path, "play me [[tokens=30]]", "--url", board.url)
    with running(tmp_path, "--url", "http://127.0.0.1:9") as terminal:
        terminal.wait_for("127.0.0.1:9")
        terminal.keys("f4")
        # The panel of the last answers shows the prompt too, before the history is open.
        terminal.wait_for("1 conversation")
        terminal.wait_for("play me")
        terminal.keys("R")
        terminal.wait_for("REPLAY 1x")
        terminal.keys("e")
        terminal.wait_for("30 tokens")
        terminal.keys("escape")
        terminal.wait_for("1 conversation")
        terminal.wait_for(lambda t: "REPLAY" not in t.text() and "play me" in t.text())
        terminal.keys("enter")
        terminal.wait_for("continue here")
        terminal.keys("R")
        terminal.wait_for("REPLAY 1x")
        terminal.keys("escape")
        terminal.wait_for("continue here")
        terminal.keys("ctrl+q")
        assert terminal.wait_gone() == 0
