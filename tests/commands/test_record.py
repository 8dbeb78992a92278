"""``npulse record`` and ``ask --record``: a real process, a real server, a board that moves."""

from __future__ import annotations

import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.app.npulse import REPOSITORY, environment
from tests.commands.asking import ask
from tests.sim.simulator import running as simulator
from tests.waiting import wait_until
from tui.core.turn.result import result_of
from tui.recording.lines import Board, Numbers, Token
from tui.recording.player import Asked, Player
from tui.recording.reading import read_recording

FAST = ("--decode-tps", "60", "--prefill-tps", "2000")


def start(home: Path, *arguments: str, **env: str) -> subprocess.Popen[str]:
    variables = {k: v for k, v in environment(home).items() if v is not None} | env
    return subprocess.Popen(
        [sys.executable, "-m", "tui", *arguments],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, cwd=REPOSITORY, env=variables,
    )  # fmt: skip


@pytest.mark.slow
def test_an_answer_is_recorded_with_its_board(tmp_path: Path) -> None:
    path = tmp_path / "new" / "a.jsonl"
    with simulator(*FAST, has_root=True) as board:
        asked = start(
            tmp_path, "record", str(path), "hello /home/ben/x [[tokens=40]]", "--url", board.url,
            NPULSE_BOARD__ROOT=str(board.root), NPULSE_BOARD__INTERVAL_S="0.2",
        )  # fmt: skip
        out, err = asked.communicate(timeout=60)
    assert (asked.returncode, err) == (0, "")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    found = read_recording(path)
    assert found.problem is None
    (answer,) = found.answers
    assert answer.tokens == 40
    assert "".join(e.text for e in answer.events if isinstance(e, Token)) == out.rstrip("\n")
    assert answer.request.messages[-1].content.startswith("hello /xxxx/xxx/x ")
    loads = [e.readings for e in answer.events if isinstance(e, Board)]
    assert any("npu.load" in readings for readings in loads)
    (told,) = (e for e in answer.events if isinstance(e, Numbers))
    (turn,) = (h.turn for h in Player(found).play_until(1 << 62) if isinstance(h, Asked))
    again = result_of(turn, 1 << 60).to_json_dict()
    for name in ("ttft_ms", "latency_ms", "tokens_out", "decode_tps", "decode_source", "itl_ms"):
        told_value, value = told.numbers[name], again[name]
        if isinstance(told_value, float):
            assert isinstance(value, float)
            assert abs(told_value - value) <= max(0.002, 1e-4 * told_value), name
        elif name != "itl_ms":
            assert value == told_value


@pytest.mark.slow
def test_after_kill_9_the_tokens_so_far_are_readable(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    with simulator("--decode-tps", "20", "--prefill-tps", "2000") as board:
        asked = start(tmp_path, "record", str(path), "hi [[tokens=400]]", "--url", board.url)
        wait_until(lambda: path.exists() and path.read_bytes().count(b'"token"') > 10)
        asked.send_signal(signal.SIGKILL)
        asked.communicate(timeout=60)
    found = read_recording(path)
    assert found.problem is not None
    assert "the recording stops after token" in found.problem
    assert found.answers[0].tokens >= 9


@pytest.mark.slow
def test_what_cannot_be_recorded_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("x")
    code, _, err = ask(tmp_path, "hi", "--record", str(tmp_path / "a"), "--url", "127.0.0.1:1")
    assert (code, err.count("\n")) == (2, 1)
    assert "already exists" in err
    assert (tmp_path / "a").read_text() == "x"
    code, _, err = ask(tmp_path, "hi", "--unmasked", "--url", "127.0.0.1:1")
    assert (code, err.count("\n")) == (2, 1)
    assert "--record FILE says where to" in err
