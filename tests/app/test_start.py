"""Starting and ending: mistakes in one sentence, crashes without a traceback, plain terminals."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.app.npulse import REPOSITORY, environment, running
from tests.terminal.pty_terminal import PtyTerminal
from tui.core.screen.colours import QUESTION

pytestmark = pytest.mark.slow


def run(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    env = {k: v for k, v in environment(home).items() if v is not None}
    return subprocess.run(
        [sys.executable, "-m", "tui", *arguments],
        capture_output=True, text=True, cwd=REPOSITORY, env=env, timeout=60, check=False,
    )  # fmt: skip


def test_version_and_help_load_nothing_heavy(tmp_path: Path) -> None:
    code = (
        "import sys; from tui.cli import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "print([m for m in ('textual', 'httpx', 'psutil', 'msgspec') if m in sys.modules])"
    )
    env = {k: v for k, v in environment(tmp_path).items() if v is not None}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=env, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"
    assert re.fullmatch(r"npulse \d+\.\d+\.\d+\n", run(tmp_path, "--version").stdout)


def test_without_a_terminal_it_names_the_commands_for_pipes(tmp_path: Path) -> None:
    done = run(tmp_path)
    assert done.returncode == 2
    assert "npulse ask" in done.stderr
    assert done.stderr.count("\n") == 1


def test_an_unknown_command_names_the_nearest(tmp_path: Path) -> None:
    done = run(tmp_path, "bord")
    assert done.returncode == 2
    assert "did you mean npulse board?" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "config", "named"),
    [
        (("--url", "http://"), "", "--url"),
        (("--root", "/no/such/folder"), "", "/no/such/folder"),
        ((), "[ui]\nfps = 'fast'\n", "ui.fps"),
        ((), "[ui\n", "config.toml"),
    ],
    ids=["url", "root", "type", "toml"],
)
def test_a_mistake_is_one_sentence_before_the_screen_opens(
    tmp_path: Path, arguments: tuple[str, ...], config: str, named: str
) -> None:
    folder = tmp_path / "config" / "npulse"
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text(config)
    with running(tmp_path, *arguments) as terminal:
        assert terminal.wait_gone() == 2
        shown = terminal.text()
        assert named in shown.replace("\n", "")
        assert "Traceback" not in shown
        assert b"\x1b[?1049h" not in terminal.raw


def test_a_crash_leaves_a_clean_terminal_and_a_file(tmp_path: Path) -> None:
    with running(tmp_path, "--demo", module=("tests.app.crashing",)) as terminal:
        terminal.wait_for("ask the model")
        terminal.keys("f1")
        assert terminal.wait_gone() == 1
        shown = terminal.text().replace("\n", "")
        assert "internal error (ZeroDivisionError)" in shown
        assert "Traceback" not in shown
        assert terminal.left_behind() == []
    (report,) = (tmp_path / "state" / "npulse").glob("crash-*.txt")
    assert "ZeroDivisionError" in report.read_text()


def colours(terminal: PtyTerminal) -> list[bytes]:
    """What sets colours, but for the one question that reads a colour back."""
    return re.findall(rb"\x1b\[[0-9;]*m", terminal.raw.replace(QUESTION.encode(), b"", 1))


def test_no_color_is_honoured(tmp_path: Path) -> None:
    with running(tmp_path, "--demo", env={"NO_COLOR": "1"}) as terminal:
        terminal.wait_for("is ready on")
        sent = b"".join(colours(terminal))
        assert re.search(rb"[;\[](3[0-7]|4[0-7]|9[0-7]|10[0-7]|38|48)[;m]", sent) is None


@pytest.mark.parametrize(("option", "questions"), [("--theme=npulse-16", 1), ("--colors=16", 0)])
def test_sixteen_colours_send_no_others(tmp_path: Path, option: str, questions: int) -> None:
    """A theme leaves the question open how many there are, for the next theme; a depth does not."""
    with running(tmp_path, "--demo", option) as terminal:
        terminal.wait_for("is ready on")
        assert terminal.raw.count(QUESTION.encode()) == questions
        assert re.search(rb"[;\[][34]8;[25];", b"".join(colours(terminal))) is None


@pytest.mark.parametrize("env", [{"TERM": "linux"}, {"LC_ALL": "C", "LANG": "C"}], ids=str)
def test_poor_terminals_get_ascii(tmp_path: Path, env: dict[str, str | None]) -> None:
    with running(tmp_path, "--demo", env=env) as terminal:
        terminal.wait_for("is ready on")
        terminal.wait_for("free")
        assert terminal.text().isascii()


def test_a_broken_theme_and_an_unknown_key_are_told_and_do_not_stop_it(tmp_path: Path) -> None:
    folder = tmp_path / "config" / "npulse"
    (folder / "themes").mkdir(parents=True)
    (folder / "themes" / "mine.toml").write_text("colours = 3")
    (folder / "config.toml").write_text("[ui]\nthem = 'npulse-light'\n")
    with running(tmp_path, "--demo") as terminal:
        terminal.wait_for("ask the model")
        terminal.wait_for("mine.toml")


def test_rebound_keys_work_and_stand_in_the_help(tmp_path: Path) -> None:
    folder = tmp_path / "config" / "npulse"
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text('[keys]\nhelp = "f11"\n')
    with running(tmp_path, "--demo") as terminal:
        terminal.wait_for("ask the model")
        terminal.wait_for("F11 help")
        terminal.wait_for("F11     all keys")
        terminal.keys("f11")
        terminal.wait_for("every key, and what")
        terminal.keys("f11")
        terminal.wait_for(lambda shown: "every key, and what" not in shown.text())


def test_rebound_keys_also_close_what_they_open(tmp_path: Path) -> None:
    folder = tmp_path / "config" / "npulse"
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text('[keys]\nboard = "f12"\nbench = "f8"\nhelp = "f11"\n')
    with running(tmp_path, "--demo") as terminal:
        terminal.wait_for("ask the model")
        terminal.keys("f12")
        terminal.wait_for(lambda shown: "ask the model" not in shown.text())
        terminal.keys("f12")
        terminal.wait_for("ask the model")
        terminal.keys("f8")
        terminal.wait_for("F11 help")
        terminal.wait_for(lambda shown: "ask the model" not in shown.text())
        terminal.keys("f8")
        terminal.wait_for("ask the model")


def test_a_size_that_changes_before_the_first_paint_holds_nothing_up(tmp_path: Path) -> None:
    # What libraries take an unknown terminal for (80x25) is not what this one is.
    env = {"TERM": "unknown"}
    with running(tmp_path, "--demo", "--ascii", env=env, size=(100, 30)) as terminal:
        terminal.wait_for("is ready on")
        assert terminal.text().isascii()
