"""npulse bench without a run: its help, its lists, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.commands.bench.processes import with_folder
from tui.commands.bench import main
from tui.sim.server.spawn import Simulator

pytestmark = pytest.mark.slow


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
    place = with_folder(tmp_path, arguments) if arguments and arguments[0] != "dance" else arguments
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
