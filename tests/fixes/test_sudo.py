"""The real sudo, asked in a real terminal by a user without rights."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.app.npulse import REPOSITORY, environment
from tests.board import tree_files, trees
from tests.fixes.sudo_rules import PASSWORD, USER, SudoRules, as_user, sudo_rules, why_not
from tests.sim.simulator import running
from tests.terminal.pty_terminal import PtyTerminal
from tui.settings.board_changes import BoardChanges
from tui.sim.server.spawn import Simulator

pytestmark = pytest.mark.skipif(why_not() is not None, reason=str(why_not()))

GOVERNOR = "sys/class/devfreq/dmc/governor"
ASKED = "password for nobody"
WRITE = f"""
import sys
from pathlib import Path
from tui.fixes.change import BoardPlace, FixError
from tui.fixes.writers import open_writer

try:
    writer = open_writer(["/{GOVERNOR}"], BoardPlace(Path(sys.argv[1])), is_by_sudo=True)
    writer.write("/{GOVERNOR}", "performance", "kernel")
    writer.close()
    print("written")
except FixError as error:
    print(f"FixError: {{error}}")
"""


@pytest.fixture
def rules() -> Iterator[SudoRules]:
    with sudo_rules() as made:
        made.allow(is_allowed=True)
        yield made


@pytest.fixture
def folder() -> Iterator[Path]:
    """That user can go there; tmp_path is for root alone."""
    made = Path(tempfile.mkdtemp(prefix="npulse-sudo-"))
    made.chmod(0o755)
    (made / "home").mkdir()
    shutil.chown(made / "home", USER)
    yield made
    shutil.rmtree(made)


@pytest.mark.parametrize(
    ("typed", "is_allowed", "words", "governor"),
    [
        (f"{PASSWORD}\n", True, "written", "performance"),
        ("wrong\n", True, "nothing was changed: 1 incorrect password attempt.", "dmc_ondemand"),
        ("\x03", True, "nothing was changed: a password is required.", "dmc_ondemand"),
        (f"{PASSWORD}\n", False, "nothing was changed: nobody is not in the", "dmc_ondemand"),
    ],
)
def test_each_answer_of_sudo_is_one_sentence(
    rules: SudoRules, folder: Path, typed: str, is_allowed: bool, words: str, governor: str
) -> None:
    rules.allow(is_allowed=is_allowed)
    tree_files.write(trees.mistuned(), folder / "board")
    command = as_user([sys.executable, "-c", WRITE, str(folder / "board")])
    env = environment(folder / "home")
    with PtyTerminal(command, env=env, cwd=folder, size=(200, 20)) as terminal:
        terminal.wait_for(ASKED)
        terminal.type(typed)
        assert terminal.wait_gone() == 0
        assert words in terminal.text()
        assert "Traceback" not in terminal.text()
    assert (folder / "board" / GOVERNOR).read_text().strip() == governor


def test_without_sudo_it_says_so(folder: Path) -> None:
    tree_files.write(trees.mistuned(), folder / "board")
    command = as_user([sys.executable, "-c", WRITE, str(folder / "board")])
    setpriv = shutil.which("setpriv")
    assert setpriv is not None
    env = {**environment(folder / "home"), "PATH": str(folder)}
    with PtyTerminal([setpriv, *command[1:]], env=env, cwd=folder, size=(200, 20)) as terminal:
        assert terminal.wait_gone() == 0
        assert "This needs root, and there is no sudo here" in terminal.text()


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with running("--fault", "ddr-low", "--speed", "25", has_root=True) as simulator:
        assert simulator.root is not None
        simulator.root.chmod(0o755)
        yield simulator


@pytest.mark.slow
def test_the_dashboard_gives_the_terminal_to_sudo_and_comes_back(
    rules: SudoRules, simulator: Simulator, folder: Path
) -> None:
    assert simulator.root is not None
    home = folder / "home"
    config = home / "config/npulse/config.toml"
    config.parent.mkdir(parents=True)
    config.write_text("[board]\ninterval_s = 0.3\n")
    for path in (home, *home.rglob("*")):
        shutil.chown(path, USER)
    governor = simulator.root / GOVERNOR
    command = [sys.executable, "-m", "tests.app.npulse_with_fixes"]
    command += ["--root", str(simulator.root), "--url", simulator.url]
    with PtyTerminal(as_user(command), env=environment(home), cwd=REPOSITORY) as terminal:
        terminal.wait_for("● qwen3-4b")
        terminal.type("[[tokens=100]] tell me about boats\r")
        terminal.keys("f5")
        terminal.wait_for("the memory runs at a low clock")
        terminal.keys("f")
        terminal.wait_for("sudo asks for your password in this terminal")
        for typed, is_allowed, words in (
            ("\x03", True, "a password is required"),
            ("wrong\n", True, "1 incorrect password attempt"),
            (f"{PASSWORD}\n", False, "nobody is not in the sudoers file"),
        ):
            rules.allow(is_allowed=is_allowed)
            terminal.keys("y")
            terminal.wait_for(ASKED)
            terminal.type(typed)
            terminal.wait_for(words)
            # The whole screen is back, and nothing is changed.
            terminal.wait_for("Change it? Nothing is changed yet.")
            assert ASKED not in terminal.text()
            assert governor.read_text() == "dmc_ondemand\n"
        rules.allow(is_allowed=True)
        terminal.keys("y")
        terminal.wait_for(ASKED)
        terminal.type(f"{PASSWORD}\n")
        terminal.wait_for("It is in force.")
        assert governor.read_text() == "performance\n"
        # The rights of root are still there for the way back.
        terminal.keys("u")
        terminal.wait_for("It is undone.")
        assert governor.read_text() == "dmc_ondemand\n"
        terminal.keys("escape")
        terminal.wait_for("the memory runs at a low clock")
        terminal.keys("ctrl+q")
        assert terminal.wait_gone() == 0
    assert BoardChanges(home / "state/npulse", folder).changes() == ()
