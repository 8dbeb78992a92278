"""``npulse doctor --fix`` beside the simulated board, whose speed follows its governors."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import httpx
import pytest

from tests.app.npulse import environment
from tests.app.test_fix import governor
from tests.board import tree_files, trees
from tests.sim.simulator import running, truth
from tests.terminal.pty_terminal import PtyTerminal
from tui.bench.store.folder import default_folder
from tui.commands.doctor import main
from tui.fixes import busy_sample, trial
from tui.fixes.change import FixError
from tui.fixes.session import measuring
from tui.settings.board_changes import BoardChanges
from tui.sim.server.spawn import Simulator

GOVERNOR = "sys/class/devfreq/dmc/governor"
RULE = "ddr-clock"
STEPS = ("--decode-tps", "60", "--prefill-tps", "2000")


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in environment(tmp_path / "home").items():
        if name.startswith("XDG") and value is not None:
            monkeypatch.setenv(name, value)
    monkeypatch.setattr(trial, "TRIAL_S", 1.0)
    monkeypatch.setattr(busy_sample, "LOOK_S", 0.3)
    monkeypatch.setattr(busy_sample, "SAMPLE_S", 0.1)


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("simulator") / "truth.jsonl"


@pytest.fixture(scope="module")
def shared_simulator(log: Path) -> Iterator[Simulator]:
    with running("--fault", "ddr-low", *STEPS, "--truth", str(log), has_root=True) as simulator:
        yield simulator


@pytest.fixture
def simulator(shared_simulator: Simulator) -> Iterator[Simulator]:
    """With the fault in it, whatever the test before has left."""
    yield shared_simulator
    assert shared_simulator.root is not None
    (shared_simulator.root / GOVERNOR).write_text("dmc_ondemand\n")


def true_gain(log: Path) -> float:
    """How much faster the answers of the comparison were written with the fix than without it."""
    rates = []
    for request in sorted({entry["request"] for entry in truth(log, "token")}):
        times_ns = [entry["written_ns"] for entry in truth(log, "token", request)]
        rates.append((len(times_ns) - 1) / (times_ns[-1] - times_ns[0]) if times_ns[1:] else 0.0)
    compared = list(zip(rates[-len(trial.ORDER) :], trial.ORDER, strict=True))
    before, after = (median(r for r, is_in in compared if is_in is side) for side in (False, True))
    return after / before


def doctor(simulator: Simulator, *arguments: str) -> int:
    place = ("--root", str(simulator.root), "--url", simulator.url)
    return main([*arguments, *([] if "--json" in arguments else ["--rule", RULE]), *place])


@pytest.mark.slow
def test_it_waits_for_an_answer_that_nobody_reads(
    simulator: Simulator, capsys: pytest.CaptureFixture[str]
) -> None:
    messages = [{"role": "user", "content": "[[tokens=120]] tell me about boats"}]
    body = {"messages": messages, "stream": True, "max_tokens": 120}
    with httpx.stream(
        "POST", f"{simulator.url}/v1/chat/completions", json=body, timeout=10
    ) as answer:
        next(answer.iter_lines())
    assert doctor(simulator, "--fix", "--dry-run") == 0
    said = capsys.readouterr().out
    assert said.count("Waiting: the NPU is busy with another answer or another program") == 1
    assert f"writes    /{GOVERNOR}: dmc_ondemand -> performance" in said


@pytest.mark.slow
def test_it_fixes_measures_and_undoes(
    simulator: Simulator, log: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    card = tmp_path / "card.md"
    assert doctor(simulator, "--fix", "--yes", "--card", str(card)) == 0
    said = capsys.readouterr().out
    assert "534 MHz of 2400 MHz, governor dmc_ondemand, while a model computes" in said
    assert f"writes    /{GOVERNOR}: dmc_ondemand -> performance" in said
    assert f"undo      /{GOVERNOR}: performance -> dmc_ondemand" in said
    found = re.search(r"~?(\d+(?:\.\d+)?) to ~?(\d+(?:\.\d+)?) tok/s \(\+(\d+)", said)
    assert found is not None, said
    # The simulated step is 2.21 times as long at the low clock; a busy machine adds to both.
    assert float(found[2]) / float(found[1]) == pytest.approx(true_gain(log), rel=0.1)
    assert governor(simulator) == "performance"
    text = card.read_text()
    assert "| board | RK3588 OPi 5 Max rk3588, 15.6 GiB |" in text
    assert "Simulated board: these are no measurements" in text
    assert "| memory clock | 534 MHz | 2400 MHz |" in text
    # The next doctor says so, and the next --fix finds nothing more.
    doctor(simulator, "--json")
    checks = {check["id"]: check for check in json.loads(capsys.readouterr().out)["checks"]}
    assert checks["changes.ddr-clock"]["command"] == "npulse doctor --undo"
    assert "in force since" in checks["changes.ddr-clock"]["detail"]
    assert doctor(simulator, "--fix") == 0
    again = capsys.readouterr().out
    assert "in force since" in again
    assert "Nothing called ddr-clock was found that npulse can fix." in again
    # Without a terminal nothing is put back without --yes.
    assert doctor(simulator, "--undo") == 1
    assert governor(simulator) == "performance"
    assert doctor(simulator, "--undo", "--dry-run") == 0
    assert governor(simulator) == "performance"
    assert doctor(simulator, "--undo", "--yes") == 0
    assert governor(simulator) == "dmc_ondemand"
    assert f"/{GOVERNOR} is dmc_ondemand again." in capsys.readouterr().out
    assert doctor(simulator, "--undo", "--yes") == 0
    assert "Nothing that npulse changed is in force." in capsys.readouterr().out


def test_nothing_is_changed_without_a_question(
    simulator: Simulator, capsys: pytest.CaptureFixture[str]
) -> None:
    assert doctor(simulator, "--fix") == 1
    assert "there is no terminal to ask in" in capsys.readouterr().out
    assert doctor(simulator, "--fix", "--dry-run", "--yes") == 0
    assert "Nothing was changed: this was only shown." in capsys.readouterr().out
    assert governor(simulator) == "dmc_ondemand"
    assert BoardChanges().changes() == ()


def test_another_npulse_that_measures_is_not_disturbed(
    simulator: Simulator, capsys: pytest.CaptureFixture[str]
) -> None:
    with measuring(default_folder()):
        assert doctor(simulator, "--fix", "--yes") == 1
        assert "another benchmark is running: npulse doctor (pid" in capsys.readouterr().err
        with pytest.raises(FixError, match="Not now"), measuring(default_folder()):
            pass
    assert governor(simulator) == "dmc_ondemand"


@pytest.mark.slow
def test_a_limit_is_lifted_and_prompts_are_compared(
    simulator: Simulator, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ten per cent of the NPU's clock are hardly seen in prompts of a few tokens."""
    assert simulator.root is not None
    arguments = ("--fix", "--yes", "--rule", "user-limit")
    limit = simulator.root / "sys/class/devfreq/fdab0000.npu/max_freq"
    limit.write_text("900000000\n")
    monkeypatch.setattr(trial, "PREFILL_TOKENS", 2)
    try:
        assert main([*arguments, "--root", str(simulator.root), "--url", simulator.url]) == 0
    finally:
        limit.write_text("1000000000\n")
    said = capsys.readouterr().out
    assert "lift the limit of a clock" in said
    assert "1. " in said
    assert "2. " not in said
    assert re.search(r"prefill|no detectable difference", said), said


@pytest.mark.slow
def test_a_program_that_takes_the_big_cores_is_named(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(busy_sample, "LOOK_S", 1.5)
    with running("--fault", "background-load", *STEPS, has_root=True) as simulator:
        arguments = ("--root", str(simulator.root), "--url", simulator.url)
        assert main(["--fix", "--dry-run", *arguments]) == 0
    said = capsys.readouterr().out
    assert re.search(r"other programs use the big CPU cores: .*taskset -acp 0,1,2,3 \d+", said), (
        said
    )


def test_without_a_server_it_is_done_and_not_measured(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path / "board"
    tree_files.write(trees.mistuned(), root)
    arguments = ("--root", str(root), "--url", "http://127.0.0.1:9")
    assert main(["--fix", "--yes", *arguments]) == 0
    said = capsys.readouterr().out
    assert "Not measured: " in said
    assert (root / GOVERNOR).read_text() == "performance\n"
    assert main(["--undo", "--yes", *arguments]) == 0
    assert (root / GOVERNOR).read_text() == "dmc_ondemand\n"


def test_a_server_of_another_board_is_not_asked(
    simulator: Simulator, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path / "board"
    tree_files.write(trees.mistuned(), root)
    assert main(["--fix", "--dry-run", "--root", str(root), "--url", simulator.url]) == 0
    assert "The server is not on this board" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--fix", "--card", "x.pdf"), "ends in .md or .svg"),
        (("--undo", "--card", "x.md"), "--card goes with --fix"),
        (("--fix", "--undo"), "not allowed with"),
        (("--fix", "--json"), "--json shows what was found"),
        (("--dry-run",), "--dry-run goes with --fix or --undo"),
        (("--yes",), "--yes goes with --fix or --undo"),
        (("--card", "x.md"), "--card goes with --fix or --undo"),
    ],
)
def test_wrong_use(
    arguments: tuple[str, ...], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(list(arguments)) == 2
    assert words in capsys.readouterr().err


@pytest.mark.slow
def test_a_damaged_memory_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tree_files.write(trees.mistuned(), tmp_path / "board")
    memory = BoardChanges()
    memory.path.parent.mkdir(parents=True)
    memory.path.write_bytes(b"\x00\xff not a record")
    assert main(["--undo", "--yes", "--root", str(tmp_path / "board")]) == 1
    assert "what npulse changed earlier is not known" in capsys.readouterr().err


@pytest.mark.slow
def test_in_a_terminal_it_asks_and_ctrl_c_puts_back(simulator: Simulator, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tui", "doctor", "--fix", "--root", str(simulator.root)]
    command += ["--url", simulator.url]
    home = tmp_path / "home"
    home.mkdir()
    with PtyTerminal(command, env=environment(home), cwd=home) as terminal:
        terminal.wait_for("Change it? [y/N]")
        assert governor(simulator) == "dmc_ondemand"
        terminal.type("n\r")
        assert terminal.wait_gone() == 0
    with PtyTerminal(command, env=environment(home), cwd=home) as terminal:
        terminal.wait_for("Change it? [y/N]")
        terminal.type("y\r")
        terminal.wait_for(" of 8: before")
        terminal.type("\x03")
        assert terminal.wait_gone() == 130
        assert "as it was before" in terminal.text()
    assert governor(simulator) == "dmc_ondemand"
    assert BoardChanges().changes() == ()
