"""npulse bench as a process: exit codes, files, signals, resume after a kill."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.app.npulse import REPOSITORY
from tests.bench.schema_check import problems
from tests.commands.bench.processes import (
    FAST,
    SUITE,
    bench,
    only_run,
    read_until,
    started,
    with_folder,
)
from tui.bench.model import records
from tui.bench.model.events import Noted
from tui.bench.store import runs
from tui.commands import models
from tui.commands.bench import main
from tui.commands.bench_progress import Aside
from tui.sim.server.spawn import Simulator, spawn

pytestmark = pytest.mark.slow
DATA = REPOSITORY / "tests/bench/importers/data"


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
    # Without one where a busy machine let the first tokens go together.
    ttfts = [row["ttft_client_ms"] for row in rows if row["ttft_client_ms"]]
    assert ttfts
    assert all("." in ttft for ttft in ttfts)


def test_decimal_points_in_every_locale(sim: Simulator, tmp_path: Path, suite: Path) -> None:
    done = subprocess.run(
        [
            *(sys.executable, "-m", "tui", "bench", "run", str(suite), "--url", sim.url),
            *("--csv", "-", "--ui", "none", "--folder", str(tmp_path / "r"), *FAST),
        ],
        capture_output=True,
        text=True,
        cwd=REPOSITORY,
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
    code = main(with_folder(folder, arguments))
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
    assert main(with_folder(kept, ["report", second, "--baseline", "good"])) == 0
    text = capfdbinary.readouterr().out.decode()
    assert "## Comparison" in text
    assert "| Verdict |" in text
    assert main(with_folder(kept, ["report", third, "--baseline", "good"])) == 6
    assert main(with_folder(kept, ["report", second, "--exclude-tainted"])) == 0
    assert "are left out of this report" in capfdbinary.readouterr().out.decode()


def test_a_locale_without_the_characters_is_no_reason_to_fail(kept: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tui", "bench", "history", "--folder", str(kept)],
        capture_output=True,
        cwd=REPOSITORY,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        check=False,
    )
    assert done.returncode == 0
    assert b"SIMULATED" in done.stdout


def test_a_slow_terminal_does_not_hold_up_the_run() -> None:
    gate = threading.Event()
    shown: list[object] = []

    def slow(event: object) -> None:
        gate.wait(60)
        shown.append(event)

    aside = Aside(slow)
    for number in range(100):
        aside.show(Noted(t_ns=0, sentence=str(number)))
    assert shown == [], "it was not waited for"
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
        code = main(with_folder(kept, ["compare", *arguments]))
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
