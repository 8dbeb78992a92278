"""npulse bench as a process: exit codes, files, signals, resume after a kill."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.bench.schema_check import problems
from tui.bench.model import records
from tui.bench.model.events import Finished, Noted, Started, from_json
from tui.bench.model.records import Document
from tui.bench.store import active_run, runs
from tui.bench.store.detached import Detached, follow, start
from tui.bench.store.history import entries
from tui.commands import models
from tui.commands.bench import main
from tui.commands.bench_progress import Aside
from tui.sim.server.spawn import Simulator, spawn

pytestmark = pytest.mark.slow


HOME = Path(__file__).resolve().parents[2]
DATA = HOME / "tests/bench/importers/data"
FAST = ("--no-warm-up", "--no-hash", "--cool-down", "0", "--drain", "0.5")
SUITE = """
id = "mine"
shuffle = false
[[prompt]]
id = "a"
text = "One [[tokens=30]]"
max_tokens = 40
[[prompt]]
id = "b"
text = "Two [[tokens=30]]"
max_tokens = 40
[[prompt]]
id = "c"
text = "Three [[tokens=LENGTH]]"
max_tokens = 4000
"""


@pytest.fixture(scope="module")
def sim() -> Iterator[Simulator]:
    with spawn(["--speed", "40"]) as running:
        yield running


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    path = tmp_path / "mine.toml"
    path.write_text(SUITE.replace("LENGTH", "30"))
    return path


@pytest.fixture
def long_suite(tmp_path: Path) -> Path:
    path = tmp_path / "long.toml"
    path.write_text(SUITE.replace("LENGTH", "200"))
    return path


@pytest.fixture
def own_sim() -> Iterator[Simulator]:
    """Ended with its test, since a board ends every answer that it has begun."""
    with spawn(["--speed", "40"]) as running:
        yield running


@pytest.fixture
def endless_suite(tmp_path: Path) -> Path:
    """Its last answer takes longer than a test does, also on a busy machine."""
    path = tmp_path / "endless.toml"
    path.write_text(SUITE.replace("LENGTH", "4000"))
    return path


def bench(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tui", "bench", *_with_folder(folder, arguments)],
        capture_output=True,
        text=True,
        cwd=HOME,
        timeout=120,
        check=False,
    )


def _with_folder(folder: Path, arguments: Sequence[str]) -> list[str]:
    return [*arguments, "--folder", str(folder)]


def started(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tui", "bench", *_with_folder(folder, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=HOME,
    )


def read_until(process: subprocess.Popen[str], wanted: str) -> str:
    assert process.stdout is not None
    seen = ""
    while wanted not in seen:
        line = process.stdout.readline()
        assert line, f"it ended without {wanted!r}: {seen}"
        seen += line
    return seen


def only_run(folder: Path) -> Document:
    (run_id,) = runs.all_ids(folder)
    return records.decode((folder / run_id / "run.json").read_bytes())


# -- usage -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["dance"],
        ["run"],
        ["run", "nonsense"],
        ["run", "prompts", "--runs", "0"],
        ["run", "prompts", "--runs", "many"],
        ["run", "prompts", "--max-time", "soon"],
        ["run", "prompts", "--fail-on", "decode<<3"],
        ["run", "prompts", "--fail-on", "decode<-5%"],
        ["run", "/nowhere.toml"],
        ["run", "/nowhere.jsonl"],
        ["run", "prompts", "--url", "ftp://x"],
        ["report", "last", "--json", "-", "--md", "-"],
        ["run", "prompts", "--goodput", "fast"],
        ["compare", "one"],
        ["report", "nothing-of-that-name"],
        ["resume", "nothing-of-that-name"],
        ["import", "/nowhere.json"],
    ],
)
def test_usage(arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = (
        _with_folder(tmp_path, arguments) if arguments and arguments[0] != "dance" else arguments
    )
    assert main(place) == 2
    said = capsys.readouterr().err
    assert said.startswith("npulse bench")
    assert "Traceback" not in said


def test_help_is_no_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    assert "exit codes" in capsys.readouterr().out
    assert main(["run", "--help"]) == 0


def test_no_server(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["run", "prompts", "--url", "http://127.0.0.1:1", "--folder", str(tmp_path)]
    assert main([*arguments, "--ui", "none"]) == 5
    assert "No server" in capsys.readouterr().err


def test_list_without_and_with_a_server(
    sim: Simulator, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["list", "--url", "http://127.0.0.1:1", "--folder", str(tmp_path)]) == 0
    assert "no server" in capsys.readouterr().out
    assert main(["list", "--json", "--url", sim.url, "--folder", str(tmp_path)]) == 0
    value = json.loads(capsys.readouterr().out)
    assert value["model"] == "qwen3-4b"
    names = [row["suite"] for row in value["suites"]]
    assert names[:2] == ["prompts", "standard"]
    assert len(names) == 10
    by_name = {row["suite"]: row for row in value["suites"]}
    assert by_name["sweep"]["expected_s"] > by_name["standard"]["expected_s"] > 60


def test_suites_of_ones_own_are_listed_broken_ones_named(
    tmp_path: Path, suite: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "broken.toml").write_text("id = ")
    arguments = ["list", "--url", "http://127.0.0.1:1", "--suites", str(tmp_path)]
    assert main([*arguments, "--folder", str(tmp_path)]) == 0
    seen = capsys.readouterr()
    assert "mine" in seen.out
    assert "broken.toml" in seen.err


def test_schema(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert main(["schema"]) == 0
    schema = json.loads(capfdbinary.readouterr().out)
    assert schema["title"] == "npulse bench/1"
    assert "Request" in schema["$defs"]


# -- runs ------------------------------------------------------------------------------------------


def test_a_run_with_every_output(sim: Simulator, tmp_path: Path, suite: Path) -> None:
    folder, out = tmp_path / "runs", tmp_path / "out"
    files = [f"--{form}={out}.{form}" for form in ("md", "html", "csv")]
    done = bench(
        folder, "run", str(suite), "--url", sim.url, "--json", "-", *files, *FAST, "--ui", "plain"
    )
    assert done.returncode == 0, done.stderr
    document = records.decode(done.stdout.encode())
    assert document == only_run(folder)
    schema = records.schema()
    assert problems(json.loads(done.stdout), schema, schema) == []
    assert "SIMULATED" in done.stderr
    assert "a #1: ok, ~30 tokens" in done.stderr
    assert "SIMULATED" in Path(f"{out}.md").read_text()
    assert "SIMULATED" in Path(f"{out}.html").read_text()
    rows = list(csv.DictReader(io.StringIO(Path(f"{out}.csv").read_text())))
    assert [row["id"] for row in rows] == ["a", "b", "c"]
    assert all("." in row["ttft_client_ms"] for row in rows)


def test_decimal_points_in_every_locale(sim: Simulator, tmp_path: Path, suite: Path) -> None:
    done = subprocess.run(
        [
            *(sys.executable, "-m", "tui", "bench", "run", str(suite), "--url", sim.url),
            *("--csv", "-", "--ui", "none", "--folder", str(tmp_path / "r"), *FAST),
        ],
        capture_output=True,
        text=True,
        cwd=HOME,
        env={**os.environ, "LC_ALL": "de_DE.UTF-8", "LANG": "de_DE.UTF-8"},
        check=False,
    )
    assert done.returncode == 0
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert all(float(row["latency_ms"]) > 0 for row in rows)


@pytest.fixture(scope="module")
def kept(sim: Simulator, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two runs of one suite, the first named good, and one of another."""
    folder = tmp_path_factory.mktemp("kept")
    path = folder / "mine.toml"
    path.write_text(SUITE.replace("LENGTH", "30"))
    common = ["run", str(path), "--url", sim.url, *FAST, "--ui", "none", "--folder", str(folder)]
    assert main([*common, "--save-baseline", "good"]) == 0
    assert main([*common, "--seed", "2"]) == 0
    path.write_text(path.read_text().replace("One", "Another"))
    assert main(common) == 0
    return folder


Capture = pytest.CaptureFixture[str]
Binary = pytest.CaptureFixture[bytes]


def called(folder: Path, capsys: Capture, *arguments: str) -> tuple[int, str, str]:
    """The exit code and what was written, in this process."""
    code = main(_with_folder(folder, arguments))
    seen = capsys.readouterr()
    return code, seen.out, seen.err


def test_thresholds_and_baselines(kept: Path, capsys: Capture) -> None:
    first, second, _ = runs.all_ids(kept)
    code, _, said = called(kept, capsys, "report", second, "--fail-on", "decode<100000")
    assert code == 1
    assert "decode_tps is" in said
    arguments = ("report", second, "--baseline", "good", "--fail-on")
    assert called(kept, capsys, *arguments, "run_decode_tps<-50%")[0] == 0
    code, _, said = called(kept, capsys, *arguments, "run_decode_tps>-50%")
    assert code == 1
    assert "change of run_decode_tps" in said
    assert called(kept, capsys, "report", second, "--baseline", "absent")[0] == 2
    assert called(kept, capsys, "baseline")[1].strip() == f"good  {first}"
    assert called(kept, capsys, "baseline", "other name", second)[0] == 2


def test_a_threshold_decides_the_exit_code_of_a_run(
    sim: Simulator, kept: Path, tmp_path: Path, capsys: Capture
) -> None:
    path = tmp_path / "strict.toml"
    path.write_text(SUITE.replace("LENGTH", "30") + 'check = [{ kind = "words", min = 5000 }]\n')
    common = ("run", str(path), "--url", sim.url, *FAST, "--ui", "plain")
    code, out, said = called(tmp_path, capsys, *common, "--fail-on", "success<100%,checks<99%")
    assert code == 1
    assert "checks<99%" in said
    assert "success" not in said
    assert "SIMULATED, median" in out
    assert "token-weighted" in out


def test_a_comparison_is_part_of_the_report(kept: Path, capfdbinary: Binary) -> None:
    _, second, third = runs.all_ids(kept)
    assert main(_with_folder(kept, ["report", second, "--baseline", "good"])) == 0
    text = capfdbinary.readouterr().out.decode()
    assert "## Comparison" in text
    assert "| Verdict |" in text
    assert main(_with_folder(kept, ["report", third, "--baseline", "good"])) == 6
    assert main(_with_folder(kept, ["report", second, "--exclude-tainted"])) == 0
    assert "are left out of this report" in capfdbinary.readouterr().out.decode()


def test_a_locale_without_the_characters_is_no_reason_to_fail(kept: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tui", "bench", "history", "--folder", str(kept)],
        capture_output=True,
        cwd=HOME,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        check=False,
    )
    assert done.returncode == 0
    assert b"SIMULATED" in done.stdout


def test_a_slow_terminal_does_not_hold_up_the_run() -> None:
    gate = threading.Event()
    shown: list[object] = []

    def slow(event: object) -> None:
        gate.wait(5)
        shown.append(event)

    aside = Aside(slow)
    begin = time.monotonic()
    for number in range(100):
        aside.show(Noted(t_ns=0, sentence=str(number)))
    assert time.monotonic() - begin < 1
    assert shown == []
    gate.set()
    aside.close()
    assert len(shown) == 100


def test_history(kept: Path, capsys: Capture) -> None:
    _, out, _ = called(kept, capsys, "history")
    assert out.count("SIMULATED") == 3
    assert "baseline good" in out
    assert len(json.loads(called(kept, capsys, "history", "--json", "--model", "qwen3-4b")[1])) == 3
    assert json.loads(called(kept, capsys, "history", "--json", "--model", "other")[1]) == []


def test_compare_and_its_exit_codes(kept: Path, capfdbinary: Binary) -> None:
    first, second, third = runs.all_ids(kept)

    def compared(*arguments: str) -> tuple[int, str, str]:
        code = main(_with_folder(kept, ["compare", *arguments]))
        seen = capfdbinary.readouterr()
        return code, seen.out.decode(), seen.err.decode()

    code, out, _ = compared(first, second, "--json", "-")
    assert code == 0
    assert json.loads(out)["is_simulated"] == [True, True]
    code, _, said = compared(first, third)
    assert code == 6
    assert "suite" in said
    assert compared("good", third, "--vary", "suite")[0] == 0
    code, out, _ = compared(first, second, third, "--force")
    assert code == 0
    assert "NOT COMPARABLE" in out
    assert compared(first, second, "--fail-on", "latency_ms>0")[0] == 1


def test_a_run_names_the_model_that_the_server_loaded_itself(tmp_path: Path) -> None:
    path = tmp_path / "one.jsonl"
    path.write_text('{"id": "a", "prompt": "One [[tokens=5]]"}\n')
    folder = tmp_path / "runs"
    with spawn(("--speed", "100")) as board:
        assert models.main(["unload", "--url", board.url]) == 0
        done = bench(folder, "run", str(path), "--url", board.url, *FAST, "--ui", "none")
        assert done.returncode == 0, done.stderr
    (run_id,) = runs.all_ids(folder)
    model = json.loads((folder / run_id / "run.json").read_text())["model"]
    assert model["name"] == "gemma3-270m"


def test_a_batch_of_ones_own(sim: Simulator, tmp_path: Path) -> None:
    path = tmp_path / "work.jsonl"
    path.write_text(
        '{"id": "first", "prompt": "One [[tokens=10]]"}\n'
        '{"id": "second", "prompt": "Two [[tokens=12]]", "max_tokens": 30}\n'
    )
    folder = tmp_path / "runs"
    done = bench(folder, "run", str(path), "--url", sim.url, *FAST, "--ui", "none")
    assert done.returncode == 0, done.stderr
    (run_id,) = runs.all_ids(folder)
    lines = (folder / run_id / "results.jsonl").read_text().splitlines()
    results = [json.loads(line) for line in lines]
    assert [result["id"] for result in results] == ["first", "second"]
    assert [result["tokens_out"] for result in results] == [10, 12]
    assert all(result["simulated"] and result["response"] for result in results)
    meta = json.loads((folder / run_id / "results.meta.json").read_text())
    assert meta["requests"] == 2
    assert meta["totals"]["projected_h_per_1000"]["value"] > 0
    assert meta["totals"]["success_pct"]["value"] == 100


def test_import_and_report(tmp_path: Path) -> None:
    imported = bench(tmp_path, "import", str(DATA / "seed004.json"))
    assert imported.returncode == 0
    run_id = imported.stdout.strip()
    text = bench(tmp_path, "report", run_id, "--compat", "seed004").stdout
    for wanted in ("| 3.13 | 3.15 | 3.00 | 3.19 |", "1382.11", "29.36", "6/10", "3.07", "204.2"):
        assert wanted in text
    assert bench(tmp_path, "report", "last").returncode == 0
    assert bench(tmp_path, "report", run_id[:20], "--json", "-").returncode == 0
    resumed = bench(tmp_path, "resume", run_id)
    assert resumed.returncode == 2
    assert "imported" in resumed.stderr


def test_only_one_at_a_time(
    sim: Simulator, own_sim: Simulator, tmp_path: Path, suite: Path, endless_suite: Path
) -> None:
    first = started(
        tmp_path, "run", str(endless_suite), "--url", own_sim.url, *FAST, "--ui", "plain"
    )
    try:
        read_until(first, "run 2")
        second = bench(tmp_path, "run", str(suite), "--url", own_sim.url, *FAST, "--ui", "plain")
        assert second.returncode == 3
        assert "another benchmark is running: endless" not in second.stdout
        assert "another benchmark is running: mine (pid" in second.stdout
    finally:
        first.kill()
        first.communicate()
    # The lock goes with the process that held it.
    third = bench(tmp_path, "run", str(suite), "--url", sim.url, *FAST, "--ui", "none")
    assert third.returncode == 0


# -- signals, kill, resume -------------------------------------------------------------------------


def test_kill_nine_then_report_then_resume(
    sim: Simulator, tmp_path: Path, long_suite: Path
) -> None:
    folder = tmp_path / "runs"
    process = started(folder, "run", str(long_suite), "--url", sim.url, *FAST, "--ui", "plain")
    read_until(process, "b #1: ok")
    time.sleep(1.2)
    process.kill()
    process.communicate()
    (entry,) = entries(folder, model="qwen3-4b", suite="mine")
    assert (entry.status, entry.scored, entry.planned) == ("unfinished", 2, 3)
    assert entry.is_simulated
    text = bench(folder, "report", "last").stdout
    assert "PARTIAL 2/3" in text
    assert "npulse ended before the answer did" in text
    assert "Partial response" in text
    partial = json.loads(bench(folder, "report", "last", "--json", "-").stdout)["requests"][2]
    # 125 tokens a second, of which at most one second may be lost.
    assert 20 < partial["tok"]["out"] < 200
    done = bench(folder, "resume", "last", "--url", sim.url, *FAST[:-2], "--ui", "plain")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 requests are done already" in done.stdout
    assert "a #1" not in done.stdout
    document = only_run(folder)
    assert document.run.status == "complete"
    assert [s.ended for s in document.run.segments] == ["killed", "complete"]
    assert [r.status for r in document.requests] == ["ok"] * 3
    assert document.requests[2].tok.out == 200
    again = bench(folder, "resume", "last", "--url", sim.url)
    assert again.returncode == 2
    assert "complete" in again.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_one_signal_ends_safely(
    own_sim: Simulator, tmp_path: Path, endless_suite: Path, number: signal.Signals
) -> None:
    process = started(
        tmp_path, "run", str(endless_suite), "--url", own_sim.url, *FAST, "--ui", "plain"
    )
    read_until(process, "b #1: ok")
    process.send_signal(number)
    out, _ = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "bench resume" in out
    assert "Traceback" not in out
    document = only_run(tmp_path)
    assert [r.status for r in document.requests][:2] == ["ok", "ok"]
    assert document.run.status == "partial"


def test_a_second_signal_ends_at_once(
    own_sim: Simulator, tmp_path: Path, endless_suite: Path
) -> None:
    arguments = [argument for argument in FAST if argument not in ("--drain", "0.5")]
    process = started(
        tmp_path, "run", str(endless_suite), "--url", own_sim.url, *arguments, "--ui", "plain"
    )
    read_until(process, "b #1: ok")
    process.send_signal(signal.SIGINT)
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=15)
    assert process.returncode == 130
    assert "Traceback" not in out
    text = bench(tmp_path, "report", "last").stdout
    assert "PARTIAL 2/3" in text


def test_a_lost_terminal_does_not_stop_a_run(sim: Simulator, tmp_path: Path, suite: Path) -> None:
    process = started(tmp_path, "run", str(suite), "--url", sim.url, *FAST, "--ui", "plain")
    read_until(process, "a #1: ok")
    assert process.stdout is not None
    process.stdout.close()
    process.send_signal(signal.SIGHUP)
    process.wait(timeout=60)
    assert only_run(tmp_path).run.status == "complete"


def test_the_server_of_the_config_is_asked(
    sim: Simulator,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    (tmp_path / "npulse").mkdir()
    config = tmp_path / "npulse" / "config.toml"
    config.write_text(f'[server]\nurl = "{sim.url}"\n')
    assert main(["list", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["model"] == "qwen3-4b"
    assert main(["list", "--json", "--url", "http://127.0.0.1:9"]) == 0
    assert json.loads(capsys.readouterr().out)["model"] is None
    config.write_text('[server]\nurl = "ftp://x"\n')
    assert main(["list"]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


# -- a run of its own ------------------------------------------------------------------------------


async def _follow(run: Detached) -> list[object]:
    return [event async for event in follow(run)]


def test_a_detached_run_can_be_followed(sim: Simulator, tmp_path: Path, suite: Path) -> None:
    events = asyncio.run(_follow(start("run", [str(suite), "--url", sim.url, *FAST], tmp_path)))
    assert any(isinstance(event, Started) for event in events)
    last = events[-1]
    assert isinstance(last, Finished)
    assert last.outcome == "complete"
    journal = Path(last.folder) / "journal.jsonl"
    assert events == [from_json(line) for line in journal.read_bytes().splitlines()]
    assert not list((tmp_path / active_run.EVENTS_FOLDER).glob("*.jsonl"))


def test_following_a_run_that_died(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    path.write_bytes(b'{"type":"note","t_ns":1,"text":"x"}\n{"type":"no')
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    mark = tmp_path / active_run.EVENTS_FOLDER / active_run.MARK_FILE
    mark.parent.mkdir()
    mark.write_text(json.dumps({"pid": dead.pid, "journal": str(path), "offset": 0}))
    events = asyncio.run(_follow(Detached(dead.pid, tmp_path)))
    assert len(events) == 2
    last = events[-1]
    assert isinstance(last, Finished)
    assert last.outcome == "failed"


def test_control_of_another_process(
    own_sim: Simulator, tmp_path: Path, endless_suite: Path
) -> None:
    process = started(
        tmp_path, "run", str(endless_suite), "--url", own_sim.url, *FAST, "--ui", "plain"
    )
    read_until(process, "b #1: ok")
    assert bench(tmp_path, "control", "abort").returncode == 0
    process.communicate(timeout=30)
    assert process.returncode == 130
