"""``npulse models``: lists, loads, and the sentences where it cannot."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from tests.servers.raw_server import free_port, raw_server
from tests.servers.rockchip_script import RockchipScript
from tui.commands import models
from tui.settings.state import remembered_servers
from tui.sim.server.spawn import spawn


def test_models_command(capsys: pytest.CaptureFixture[str]) -> None:
    with spawn(("--speed", "100")) as simulator:
        where = ["--url", simulator.url]
        assert models.main(where) == 0
        listed = capsys.readouterr().out
        assert "SIMULATED" in listed
        assert "qwen3-4b     loaded" in listed
        assert models.main(["list", "--json", *where]) == 0
        as_json = json.loads(capsys.readouterr().out)
        assert [m["name"] for m in as_json["models"] if m["is_loaded"]] == ["qwen3-4b"]
        assert as_json["server"]["is_simulated"] is True
        assert models.main(["load", "gemma3-1b", *where]) == 0
        done = capsys.readouterr()
        assert done.out.startswith("gemma3-1b is loaded.")
        assert done.err == "unloading qwen3-4b …\nloading gemma3-1b …\n"
        assert models.main(["load", "gemma3-2b", "--json", *where]) == 4
        failed = json.loads(capsys.readouterr().out)
        assert (failed["is_done"], failed["loaded"]["name"]) == (False, "gemma3-1b")
        assert models.main(["unload", *where]) == 0
        assert models.main(["load", "nothing", *where]) == 4
        assert "has no model 'nothing'" in capsys.readouterr().err


async def test_what_was_loaded_is_the_model_that_was_used_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    async with raw_server(RockchipScript(loaded="qwen3-4b")) as server:
        argv = ["load", "gemma3-1b", "--url", server.url, "--yes"]
        assert await asyncio.to_thread(models.main, argv) == 0
        remembered = remembered_servers()
        assert (remembered.url, remembered.model_of(server.url)) == ("", "gemma3-1b")
        argv = ["load", "nothing", "--url", server.url, "--yes"]
        assert await asyncio.to_thread(models.main, argv) == 4
        assert remembered_servers().model_of(server.url) == "gemma3-1b"


def test_models_command_without_a_server(capsys: pytest.CaptureFixture[str]) -> None:
    where = ["--url", f"127.0.0.1:{free_port()}"]
    assert models.main(where) == 5
    assert "connection refused" in capsys.readouterr().err
    assert models.main(["--json", *where]) == 5
    assert json.loads(capsys.readouterr().out)["is_done"] is False


@pytest.mark.parametrize("argv", [["load"], ["unload", "x"], ["frobnicate"], ["list", "x"]])
def test_models_command_usage(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        models.main(argv)
    assert ended.value.code == 2
    assert capsys.readouterr().err


def test_models_command_says_in_json_too_that_an_address_is_none(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert models.main(["--url", "ftp://x"]) == 2
    assert "ftp://x" in capsys.readouterr().err
    assert models.main(["--url", "ftp://x", "--json"]) == 2
    assert "ftp://x" in json.loads(capsys.readouterr().out)["message"]


def test_models_command_heeds_the_config(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    config = tmp_path / "npulse.toml"
    with spawn(("--speed", "100")) as board:
        config.write_text(f"[server]\nports = [{board.url.rpartition(':')[2]}]\nprots = 1\n")
        assert models.main(["--config", str(config)]) == 0
    said = capsys.readouterr()
    assert board.url in said.out
    assert "did you mean server.ports?" in said.err
    config.write_text("[server]\nports = 3\n")
    assert models.main(["--config", str(config)]) == 2


def test_free_memory_of_this_machine(tmp_path: Path) -> None:
    (tmp_path / "proc").mkdir()
    meminfo = tmp_path / "proc/meminfo"
    meminfo.write_text("MemTotal: 16 kB\nMemAvailable:   1024 kB\n")
    assert models.available_bytes(tmp_path) == 1024 * 1024
    for broken in ("", "MemAvailable:\n", "MemAvailable: x kB\n"):
        meminfo.write_text(broken)
        assert models.available_bytes(tmp_path) is None
    assert models.available_bytes(tmp_path / "nowhere") is None
