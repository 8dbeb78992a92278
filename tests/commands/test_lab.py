"""npulse lab as a process: a run, kill -9 and what comes after it, exports, thresholds, a judge."""

from __future__ import annotations

import csv
import io
import itertools
import json
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import msgspec
import pytest

from tests.bench.schema_check import problems
from tests.servers.real_llama_cpp import real_llama_cpp
from tests.sim.simulator import truth
from tests.waiting import wait_until
from tui.bench.store.active_run import running
from tui.commands.lab import main
from tui.lab import lab_document, store
from tui.sim.server.spawn import Simulator, spawn

pytestmark = pytest.mark.slow

HOME = Path(__file__).resolve().parents[2]
FAST = ("--no-warm-up", "--no-hash", "--cool-down", "0", "--ui", "plain")
SET = """
repeats = 2
order = "apart"
max_tokens = 60
[[prompt]]
id = "words"
text = "Say {{what}} in exactly 9 words."
check = [{ kind = "words", min = 9, max = 9 }]
[[prompt]]
id = "json"
text = 'Describe {{what}} as JSON with the key "name".'
check = [{ kind = "valid_json" }, { kind = "latency", max_ms = 60000 }]
[[case]]
id = "fan"
values = { what = "a fan" }
[[variant]]
id = "cold"
model = ["qwen3-0.6b", "gemma3-1b"]
temperature = 0
[[variant]]
id = "warm"
model = "qwen3-0.6b"
temperature = 0.8
"""
SLOW_SET = """
[[prompt]]
id = "long"
text = "{{mark}} [[tokens=40]]"
max_tokens = 60
[[case]]
values = { mark = "a" }
[[case]]
values = { mark = "b" }
[[case]]
values = { mark = "c" }
[[variant]]
id = "one"
[[variant]]
id = "two"
system = "Be brief."
"""


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("sim") / "truth.jsonl"


@pytest.fixture(scope="module")
def sim(log: Path) -> Iterator[Simulator]:
    # Short answers have to last longer than npulse may have to wait for a busy processor: tokens
    # that are all read at one moment are rightly told as held back, and have no first one.
    pace = ("--speed", "40", "--decode-tps", "1.5")
    with spawn(["--dialect", "openai", *pace, "--obey", "--truth", str(log)]) as made:
        yield made


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, sim: Simulator) -> Path:
    """A data folder with one whole run of :data:`SET`."""
    data = tmp_path_factory.mktemp("data")
    path = data / "own.toml"
    path.write_text(SET)
    code = main(["run", str(path), "--folder", str(data), "--url", sim.url, *FAST])
    assert code == 0
    return data


def lab(folder: Path, *arguments: str) -> tuple[int, str, str]:
    """(exit code, stdout, stderr) of the command, in this process."""
    out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", newline="") for _ in range(2))
    with redirect_stdout(out), redirect_stderr(err):
        code = main([*arguments, "--folder", str(folder)])
    said = []
    for stream in (out, err):
        stream.flush()
        assert isinstance(stream.buffer, io.BytesIO)
        said.append(stream.buffer.getvalue().decode())
    return code, said[0], said[1]


def document(folder: Path, run: str = "last") -> lab_document.LabDocument:
    code, out, _ = lab(folder, "export", run, "--json", "-")
    assert code == 0
    assert problems(json.loads(out), lab_document.schema(), lab_document.schema()) == []
    return msgspec.json.decode(out, type=lab_document.LabDocument)


def test_the_matrix_is_complete_and_its_numbers_are_those_of_the_board(
    folder: Path, log: Path
) -> None:
    found = document(folder)
    assert found.outcome == "complete"
    assert found.is_simulated
    assert [(part.model, part.outcome) for part in found.parts] == [
        ("qwen3-0.6b", "complete"),
        ("gemma3-1b", "complete"),
    ]
    assert len(found.answers) == 12
    requests = {e["request"]: e for e in truth(log, "request")}
    sent = sorted(entry["t_ns"] for entry in requests.values())
    for answer in found.answers:
        assert answer.state == "ok"
        # The board's request that came right after this one was sent.
        assert answer.t0_ns is not None
        at = next(t for t in sent if t >= answer.t0_ns)
        number = next(n for n, entry in requests.items() if entry["t_ns"] == at)
        tokens = truth(log, "token", number)
        assert "".join(token["text"] for token in tokens) == answer.text
        assert answer.tokens == len(tokens)
        assert answer.ttft_ms is not None
        assert answer.ttft_ms >= (tokens[0]["t_ns"] - at) / 1e6 - 1
    cold = [one for one in found.figures if one.determinism is not None]
    assert [one.determinism.same.pct for one in cold if one.determinism] == [100, 100]
    assert all(one.passed.count == one.passed.n == 4 for one in found.figures)


def test_no_two_requests_of_the_same_words_follow_each_other(folder: Path, log: Path) -> None:
    found = document(folder)
    by_time = sorted(
        (a for a in found.answers if a.variant != "cold-model-gemma3-1b"),
        key=lambda a: a.t0_ns or 0,
    )
    words = [answer.prompt for answer in by_time]
    assert all(one != after for one, after in itertools.pairwise(words))


def test_files_of_the_lab_are_private(folder: Path) -> None:
    for path in (folder / "lab").rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


def test_a_table_for_a_spreadsheet_has_no_formula(folder: Path) -> None:
    code, out, _ = lab(folder, "export", "--csv", "-")
    assert code == 0
    rows = list(csv.DictReader(io.StringIO(out)))
    assert len(rows) == 12
    assert {row["variant"] for row in rows} == {
        "cold-model-qwen3-0.6b", "cold-model-gemma3-1b", "warm",
    }  # fmt: skip
    assert not [cell for row in rows for cell in row.values() if cell.startswith(("=", "+", "@"))]


def test_reports_are_written_whole(folder: Path, tmp_path: Path) -> None:
    page, text = tmp_path / "lab.html", tmp_path / "lab.md"
    code, _, _ = lab(folder, "export", "own", "--html", str(page), "--md", str(text))
    assert code == 0
    assert "SIMULATED" in page.read_text()
    assert "default-src 'none'" in page.read_text()
    for word in ("## Matrix", "words/fan", "cold-model-gemma3-1b", "## Method", "Identical"):
        assert word in text.read_text(), word


def test_rows_variants_and_differences_are_shown(folder: Path) -> None:
    code, out, _ = lab(folder, "show", "--row", "json/fan", "--variant", "warm")
    assert code == 0
    assert out.count("--- warm #") == 2
    assert '"name"' in out
    code, out, _ = lab(folder, "compare", "last", "warm", "cold-model-qwen3-0.6b")
    assert code == 0
    assert "[-" in out
    assert "words and marks" in out
    code, out, _ = lab(folder, "show", "--failed")
    assert "no row in which something failed" in out
    for arguments, said in (
        (("show", "--row", "no"), "there is no row 'no'"),
        (("show", "--variant", "no"), "there is no variant 'no'"),
        (("show", "nothing"), "there is no run 'nothing'"),
        (("run", "nothing"), "there is no prompt set 'nothing'"),
        (("control", "pause"), "this run is not running"),
        (("resume",), "this run is complete, nothing is missing"),
    ):
        code, _, err = lab(folder, *arguments)
        assert code != 0
        assert said in err
        assert err.count("\n") == 1


def test_a_threshold_makes_a_prompt_a_test(folder: Path, sim: Simulator) -> None:
    path = folder / "small.toml"
    path.write_text(
        '[[prompt]]\ntext = "Say it in exactly 5 words."\n'
        'check = [{ kind = "words", min = 6 }]\n[[variant]]\nmodel = "qwen3-0.6b"\n'
    )
    wish = ("run", str(path), "--url", sim.url, *FAST, "--json", "-", "--fail-on")
    code, out, err = lab(folder, *wish, "checks<100%")
    assert code == 1
    assert "failed: checks<100%: check_pass_pct is" in err
    assert json.loads(out)["outcome"] == "complete"
    assert lab(folder, *wish, "success<100%")[0] == 0
    code, _, err = lab(folder, *wish, "nonsense<1")
    assert code == 2
    assert "no figure is called 'nonsense'" in err


def test_no_server_is_told_and_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text(SLOW_SET)
    code, _, err = lab(tmp_path, "run", str(path), "--url", "http://127.0.0.1:9", "--ui", "none")
    assert code == 5
    assert "127.0.0.1:9" in err
    assert store.run_ids(store.lab_folders(tmp_path)) == []


def test_the_plan_tells_parts_and_time_and_asks_nothing(
    folder: Path, sim: Simulator, log: Path
) -> None:
    before = len(truth(log, "request"))
    code, out, _ = lab(folder, "run", str(folder / "own.toml"), "--url", sim.url, "--plan")
    assert code == 0
    assert "2 rows x 3 variants x 2 = 12 requests" in out
    assert "part 2 of 2: 1 variants, gemma3-1b" in out
    assert "models loaded: at most 2" in out
    assert len(truth(log, "request")) == before


def test_a_killed_run_goes_on_where_it_was(tmp_path: Path) -> None:
    path = tmp_path / "slow.toml"
    path.write_text(SLOW_SET)
    folders = store.lab_folders(tmp_path)
    with spawn(["--speed", "15"]) as board:
        wish = ("run", str(path), "--url", board.url, "--folder", str(tmp_path), *FAST)
        process = subprocess.Popen(
            [sys.executable, "-m", "tui", "lab", *wish],
            cwd=HOME,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            wait_until(lambda: _answered(tmp_path) >= 2)
        finally:
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
        assert running(folders.bench) is None
        before = document(tmp_path)
        kept = {(a.row, a.variant): a for a in before.answers if a.state == "ok"}
        assert 2 <= len(kept) < 6
        assert before.outcome == "interrupted"
        code, out, _ = lab(tmp_path, "resume", "--url", board.url, *FAST)
    assert code == 0
    assert f"{len(kept)} requests are done already" in out
    after = document(tmp_path)
    assert after.run_id == before.run_id
    assert after.outcome == "complete"
    assert [a.state for a in after.answers] == ["ok"] * 6
    for answer in after.answers:
        if (answer.row, answer.variant) in kept:
            assert answer == kept[answer.row, answer.variant]


def _answered(data: Path) -> int:
    folders = store.lab_folders(data)
    for run_id in store.run_ids(folders):
        from tui.lab.follow import MatrixFollower

        run = store.read_run(folders, run_id)
        follower = MatrixFollower(run, folders.bench)
        follower.look()
        return follower.matrix(is_running=True).count("ok")
    return 0


def test_the_opinion_of_a_judge_model_is_stored_and_stands_apart(
    folder: Path, sim: Simulator
) -> None:
    before = document(folder, "own")
    wish = ("--url", sim.url, "--model", "gemma3-1b", *FAST)
    code, _, err = lab(folder, "judge", "own", *wish)
    assert code == 2
    assert "the set has no rubric" in err
    code, out, _ = lab(folder, "judge", "own", "--rubric", "Is it short?", *wish)
    assert code == 0
    assert "judge model's opinion" in out
    after = document(folder, "own")
    assert len(after.opinions) == 12
    assert all(one.judge == "gemma3-1b" and one.text for one in after.opinions)
    assert [one.checks for one in after.figures] == [one.checks for one in before.figures]


def test_one_set_asks_two_servers(tmp_path: Path, sim: Simulator) -> None:
    path = tmp_path / "two.toml"
    with spawn(["--speed", "40", "--tokens", "12"]) as other:
        path.write_text(
            '[[prompt]]\ntext = "Say it in exactly 5 words."\n'
            f'[[variant]]\nid = "a"\nmodel = "qwen3-0.6b"\nserver = "{sim.url}"\n'
            f'[[variant]]\nid = "b"\nserver = "{other.url}"\n'
        )
        code, out, _ = lab(tmp_path, "run", str(path), *FAST)
        swaps = tmp_path / "swaps.toml"
        swaps.write_text(
            '[[prompt]]\ntext = "x"\n[[variant]]\n'
            f'model = ["gemma3-1b", "qwen3-4b"]\nserver = "{other.url}"\n'
        )
        _, planned, _ = lab(tmp_path, "run", str(swaps), "--plan")
    assert "models loaded: 2\n" in planned
    assert code == 0
    assert "part 2 of 2" in out
    found = document(tmp_path)
    assert [part.answered_by for part in found.parts] == ["qwen3-0.6b", "qwen3-4b"]
    assert [(a.variant, a.state) for a in found.answers] == [("a", "ok"), ("b", "ok")]


def test_a_genuine_llama_cpp_is_one_of_two_servers(tmp_path: Path) -> None:
    path = tmp_path / "mixed.toml"
    with (
        real_llama_cpp(tmp_path) as url,
        spawn(["--speed", "40", "--tokens", "12"]) as other,
    ):
        path.write_text(
            "max_tokens = 16\nrepeats = 2\n"
            '[[prompt]]\ntext = "Why is decoding memory-bound?"\n'
            f'[[variant]]\nid = "real"\ntemperature = 0\nserver = "{url}"\n'
            f'[[variant]]\nid = "made"\nserver = "{other.url}"\n'
        )
        code, out, _ = lab(tmp_path, "run", str(path), *FAST)
    assert code == 0
    assert "models loaded: 0" in out
    found = document(tmp_path)
    assert [(a.variant, a.state) for a in found.answers] == [
        ("real", "ok"), ("real", "ok"), ("made", "ok"), ("made", "ok"),
    ]  # fmt: skip
    assert "llama.cpp" in found.parts[0].answered_at
    assert "RockchipLlama" in found.parts[1].answered_at
    first, second = (a for a in found.answers if a.variant == "real")
    assert first.text == second.text
    assert first.text.strip()


def test_the_published_schema_is_the_one_of_the_export() -> None:
    kept = json.loads((HOME / "docs" / "lab.schema.json").read_text())
    assert kept == json.loads(json.dumps(lab_document.schema()))


def test_an_editor_that_is_missing_or_leaves_a_mistake_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("VISUAL", "EDITOR"):
        monkeypatch.delenv(name, raising=False)
    assert lab(tmp_path, "new", "mine")[0] == 0
    code, _, err = lab(tmp_path, "edit", "mine")
    assert code == 2
    assert "export EDITOR=" in err
    monkeypatch.setenv("EDITOR", "sed -i s/repeats/repeat/")
    code, _, err = lab(tmp_path, "edit", "mine")
    assert code == 2
    assert "line 3" in err
    assert 'has no key "repeat"; did you mean repeats?' in err
    monkeypatch.setenv("EDITOR", "/nowhere/vi")
    assert "cannot be started" in lab(tmp_path, "edit", "mine")[2]
